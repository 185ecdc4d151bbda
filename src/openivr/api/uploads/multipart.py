"""Reads the form of an upload (RFC 7578): its fields and at most one file, with a reason where it cannot."""

from collections.abc import AsyncGenerator, Mapping

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from openivr.api.responses import SYNTAX, ApiError

MAX_FIELDS = 10
TYPE = "multipart/form-data"


class UploadParser(MultiPartParser):
    """Starlette's parser. `is_complete` is True when the last boundary has been read."""

    is_complete = False

    def on_end(self) -> None:
        self.is_complete = True


async def read_upload(headers: Mapping[str, str], stream: AsyncGenerator[bytes, None]) -> FormData:
    """Return the form in a body. Raises 40001 with the reason. The form must be closed."""
    boundary = find_boundary(headers)
    parser = UploadParser(
        Headers(headers), skip_preamble(stream, boundary), max_files=1, max_fields=MAX_FIELDS
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise ApiError(SYNTAX, submsg=explain(error)) from error
    if not parser.is_complete:
        await form.close()
        raise ApiError(SYNTAX, submsg="the body ends before its last boundary")
    return form


def find_boundary(headers: Mapping[str, str]) -> bytes:
    """Return the boundary that the Content-Type names. Raises 40001 if there is none."""
    media_type, options = parse_options_header(headers.get("content-type", ""))
    if media_type.decode("latin-1").lower() != TYPE:
        raise ApiError(SYNTAX, submsg=f"the body must be {TYPE}")
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise ApiError(SYNTAX, submsg="the Content-Type names no boundary")
    return boundary


def explain(error: Exception) -> str:
    """Return the reason why a form cannot be read."""
    text = error.message if isinstance(error, MultiPartException) else ""
    if text.startswith("Too many files"):
        return "the body has more than one file"
    if text.startswith("Too many fields"):
        return f"the body has more than {MAX_FIELDS} fields"
    return "the body is not a multipart form with the boundary of its Content-Type"


async def skip_preamble(stream: AsyncGenerator[bytes, None], boundary: bytes) -> AsyncGenerator[bytes, None]:
    """Yield a body without what stands before its first boundary (RFC 2046, section 5.1.1)."""
    delimiter, head, is_begun = b"\n--" + boundary, b"\n", False
    async for part in stream:
        if is_begun:
            yield part
            continue
        head += part
        at = head.find(delimiter)
        if at >= 0:
            is_begun = True
            yield head[at + 1 :]
        else:
            head = head[-len(delimiter) :]
