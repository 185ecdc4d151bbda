"""Pages of prompts: play, upload and record them, and list the built-in sounds.

A file is checked by the same store function as an upload over the API.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.responses import Response

from openivr import sounds
from openivr.download.content_disposition import attachment
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.resources.errors import InUse, Invalid
from openivr.resources.prompt import CUSTOM_PROMPT, FILE_TYPES, SILENCE, file_type
from openivr.resources.resource_type import Row
from openivr.store.config import prompts, resources
from openivr.store.config.prompts import MAX_FILE, MEDIA_TYPES
from openivr.web.core import listing
from openivr.web.core.range_response import send_bytes
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.core.urls import RESOURCE_URLS
from openivr.web.messages import t

PATH = RESOURCE_URLS["custom_prompt"].list
ENDINGS = tuple(f".{name}" for name in FILE_TYPES)
ENVELOPE = 64 * 1024  # of a form around the file
REFUSED, IN_USE = 422, 409  # HTTP statuses


@dataclass(frozen=True, slots=True)
class Offer:
    """The state of the upload form: the name, the problem, and whether the name is taken."""

    name: str = ""
    problem: str = ""
    is_taken: bool = False


async def list_page(request: PageRequest) -> Response:
    return await render_list(request, Offer())


async def render_list(request: PageRequest, offer: Offer, status: int = 200) -> Response:
    page = await listing.read(request, CUSTOM_PROMPT, PATH)
    users = await request.database.read(count_users, page.rows)
    return request.render(
        "prompts/list.html",
        status=status,
        where=PATH,
        listing=page,
        users=users,
        offer=offer,
        most=MAX_FILE,
    )


def count_users(connection: Connection, rows: Iterable[Row]) -> dict[int, int]:
    """The number of resources that use each prompt."""
    counts = resources.count_users(connection, CUSTOM_PROMPT, [row["id"] for row in rows])
    return {prompt_id: sum(kinds.values()) for prompt_id, kinds in counts.items()}


async def prompt_page(request: PageRequest) -> Response:
    return await render_prompt(request, "prompts/one.html")


async def render_prompt(request: PageRequest, template: str, status: int = 200) -> Response:
    row, users = await request.database.read(load, request.path_id())
    return request.render(template, status=status, where=PATH, row=row, users=users, most=MAX_FILE)


def load(connection: Connection, prompt_id: int) -> tuple[Row, list[resources.ResourceUser]]:
    row = resources.fetch_row(connection, CUSTOM_PROMPT, prompt_id)
    return row, resources.users(connection, CUSTOM_PROMPT, prompt_id)


async def upload(request: PageRequest) -> Response:
    """Add a prompt. One of the same name is replaced only if `replace` is ticked."""
    file = request.form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await render_list(request, Offer(request.form_text("name"), t("prompt.no_file")), REFUSED)
    name = choose_name(request.form_text("name").strip(), file.filename)
    data = await file.read()
    if len(data) > MAX_FILE:
        return await render_list(request, Offer(name, t("prompt.too_large")), REFUSED)
    if not request.form_text("replace") and await request.database.read(prompts.find, name) is not None:
        return await render_list(request, Offer(name, t("prompt.taken", name=name), is_taken=True), REFUSED)
    keeps_level = bool(request.form_text("keep_level"))
    try:
        decode = partial(prompts.decode, name, data, keeps_level=keeps_level)
        recording = await request.database.run_in_thread(decode)
    except Invalid as error:
        problem = error.problems[0]
        text = t(f"prompt_problem.{problem.code}", **{"name": name, **problem.params})
        return await render_list(request, Offer(name, text), REFUSED)
    save = partial(prompts.save, keeps_level=keeps_level)
    await request.database.change_config(save, name, data, recording)
    said = "prompt.saved_silent" if recording.loudness <= SILENCE else "prompt.saved"
    return request.redirect(PATH, [t(said, name=name)])


def choose_name(given: str, filename: str) -> str:
    """The name as given, else that of the file. A name without an extension gets that of the file."""
    ending = PurePath(filename).suffix
    if not given:
        return filename
    return given if given.lower().endswith(ENDINGS) else given + ending


async def download(request: PageRequest) -> Response:
    """Send the file as it was uploaded."""
    name, original, _ = await request.database.read(prompts.audio, request.path_id())
    return send_bytes(
        request, original, MEDIA_TYPES[file_type(name)], {"Content-Disposition": attachment(name)}
    )


async def delete_page(request: PageRequest) -> Response:
    return await render_prompt(request, "prompts/delete.html")


async def delete(request: PageRequest) -> Response:
    row, _ = await request.database.read(load, request.path_id())
    try:
        await request.database.change_config(resources.delete, CUSTOM_PROMPT, request.path_id())
    except InUse:
        return await render_prompt(request, "prompts/delete.html", IN_USE)
    return request.redirect(PATH, [t("object.deleted", label=row["name"])])


async def builtin_page(request: PageRequest) -> Response:
    """The built-in sounds with their words."""
    rows = [(name, words, sounds.seconds(name)) for name, words in SOUNDS.items() if name in sounds.NAMES]
    return request.render("prompts/builtin.html", where=PATH, rows=rows)


ONE = PATH + "/{id:int}"
ROUTES = (
    PageRoute(path=PATH, handle=list_page),
    PageRoute(path=f"{PATH}/upload", handle=upload, method="POST", max_body=MAX_FILE + ENVELOPE),
    PageRoute(path=f"{PATH}/built-in", handle=builtin_page),
    PageRoute(path=ONE, handle=prompt_page),
    PageRoute(path=f"{ONE}/file", handle=download),
    PageRoute(path=f"{ONE}/delete", handle=delete_page),
    PageRoute(path=f"{ONE}/delete", handle=delete, method="POST"),
)
