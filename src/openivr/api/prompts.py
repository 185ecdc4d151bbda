"""Custom prompts: upload and download, beside what every kind has (P-Series: upload-a-custom-prompt)."""

from collections.abc import Iterator
from functools import partial

from starlette.datastructures import UploadFile

from openivr.api import crud
from openivr.api.endpoint import ApiRequest, Endpoint, UploadedFile
from openivr.api.query import read_choice, read_id
from openivr.api.responses import TOO_LARGE, ApiError, bad_parameters, succeed
from openivr.api.uploads.multipart import read_upload
from openivr.resources import CUSTOM_PROMPT
from openivr.resources.errors import Problem
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.prompt import file_type
from openivr.store.config import prompts
from openivr.store.config.prompts import MAX_FILE, MEDIA_TYPES

ENVELOPE = 64 * 1024  # of a multipart body around the file


async def upload(request: ApiRequest) -> bytes:
    """Add or overwrite a prompt (`is_check` is force), or only tell whether its name is taken (ask)."""
    name, data, is_check, keeps_level = await read_form(request)
    prompts.check_name(name)
    database = request.service.database
    existing = await database.read(prompts.find, name)
    exist_type = "record" if existing is not None else ""
    if is_check == "ask":
        return succeed(exist_type=exist_type)
    decode = partial(prompts.decode, name, data, keeps_level=keeps_level)
    save = partial(prompts.save, keeps_level=keeps_level)
    recording = await database.run_in_thread(decode)
    id_ = await database.change_config(save, name, data, recording)
    return succeed(id=id_, exist_type=exist_type)


async def read_form(request: ApiRequest) -> tuple[str, bytes, str, bool]:
    """Return the file's name, its bytes, `is_check` and `keep_level` of a form within the limits."""
    stream = request.body.stream(MAX_FILE + ENVELOPE, TOO_LARGE)
    form = await read_upload(request.headers, stream)
    file, is_check = form.get("file"), form.get("is_check")
    if not isinstance(file, UploadFile) or not file.filename:
        raise bad_parameters(Problem("file", ProblemCode.REQUIRED))
    if is_check not in {"ask", "force"}:
        code = ProblemCode.REQUIRED if is_check is None else ProblemCode.CHOICE
        choices = {"choices": ("ask", "force")}
        raise bad_parameters(Problem("is_check", code, choices, str(is_check)[:100]))
    keep_level = form.get("keep_level") or "0"
    if keep_level not in {"0", "1"}:
        problem = Problem("keep_level", ProblemCode.RANGE, {"low": 0, "high": 1}, str(keep_level)[:100])
        raise bad_parameters(problem)
    data = await file.read()
    await form.close()
    if len(data) > MAX_FILE:
        raise ApiError(TOO_LARGE)
    return file.filename, data, str(is_check), keep_level == "1"


async def download(request: ApiRequest) -> UploadedFile:
    """The file as it was uploaded, or (`format=telephone`) as it is played."""
    version = read_choice(request.query, "format", ("original", "telephone"))
    found = await request.service.database.read(prompts.audio, read_id(request.query))
    name, original, telephone = found
    if version == "telephone":
        return UploadedFile(name.rpartition(".")[0] + ".wav", MEDIA_TYPES["wav"], telephone)
    return UploadedFile(name, MEDIA_TYPES[file_type(name)], original)


def endpoints() -> Iterator[Endpoint]:
    yield from crud.endpoints(CUSTOM_PROMPT, ("list", "search", "get", "query", "delete"))
    fields = {
        "file": {"type": "string", "format": "binary"},
        "is_check": {"type": "string", "enum": ["ask", "force"]},
        "keep_level": {"type": "string", "enum": ["0", "1"], "default": "0"},
    }
    yield Endpoint(
        path="custom_prompt/upload",
        method="POST",
        handle=upload,
        summary="Custom prompt: upload a sound file of at most 8 MB",
        body={"type": "object", "properties": fields, "required": ["file", "is_check"]},
        media_type="multipart/form-data",
        data={"exist_type": {"type": "string"}},
    )
    yield Endpoint(
        path="custom_prompt/download",
        method="GET",
        handle=download,
        summary="Custom prompt: the file itself",
        parameters={
            "id": {"type": "integer", "minimum": 0, "maximum": 10**18},
            "format": {"type": "string", "enum": ["original", "telephone"]},
        },
        required=("id",),
        file_types=tuple(MEDIA_TYPES.values()),
    )
