"""Custom prompts: upload and download, beside what every kind has (P-Series: upload-a-custom-prompt)."""

from collections.abc import Iterator

from starlette.datastructures import UploadFile

from openivr.api import crud
from openivr.api.endpoint import ApiRequest, Endpoint, UploadedFile
from openivr.api.multipart import read_upload
from openivr.api.query import read_choice, read_id
from openivr.api.responses import TOO_LARGE, ApiError, bad_parameters, succeed
from openivr.resources import CUSTOM_PROMPT
from openivr.resources.errors import Problem
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.prompt import file_type
from openivr.store.config import prompts
from openivr.store.config.prompts import MAX_FILE, MEDIA_TYPES

ENVELOPE = 64 * 1024  # of a multipart body around the file


async def upload(request: ApiRequest) -> bytes:
    """Add or overwrite a prompt (`is_check` is force), or only tell whether its name is taken (ask)."""
    name, data, is_check = await read_form(request)
    prompts.check_name(name)
    database = request.service.database
    existing = await database.read(prompts.find, name)
    exist_type = "record" if existing is not None else ""
    if is_check == "ask":
        return succeed(exist_type=exist_type)
    recording = await database.run_in_thread(prompts.decode, name, data)
    return succeed(
        id=await database.change_config(prompts.save, name, data, recording), exist_type=exist_type
    )


async def read_form(request: ApiRequest) -> tuple[str, bytes, str]:
    """The file's name, its bytes and `is_check` of a multipart body within the limits."""
    stream = request.body.stream(MAX_FILE + ENVELOPE, TOO_LARGE)
    form = await read_upload(request.headers, stream)
    file, is_check = form.get("file"), form.get("is_check")
    if not isinstance(file, UploadFile) or not file.filename:
        raise bad_parameters(Problem("file", ProblemCode.REQUIRED))
    if is_check not in {"ask", "force"}:
        code = ProblemCode.REQUIRED if is_check is None else ProblemCode.CHOICE
        choices = {"choices": ("ask", "force")}
        raise bad_parameters(Problem("is_check", code, choices, str(is_check)[:100]))
    data = await file.read()
    await form.close()
    if len(data) > MAX_FILE:
        raise ApiError(TOO_LARGE)
    return file.filename, data, str(is_check)


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
    }
    yield Endpoint(
        path="custom_prompt/upload",
        method="POST",
        handle=upload,
        summary="Custom prompt: upload a wav, mp3 or gsm file of at most 8 MB",
        body={"type": "object", "properties": fields, "required": list(fields)},
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
