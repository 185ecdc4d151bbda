"""Responses with bytes from memory, whole or a range: audio players request ranges to seek."""

import re
from collections.abc import Mapping

from starlette.responses import Response

from openivr.web.core.request import PageRequest

RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})", re.ASCII)


def send_bytes(
    request: PageRequest, content: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The content, or the single range that the request asks for (RFC 9110 §14)."""
    fields = {"Accept-Ranges": "bytes", **(headers or {})}
    range_header = request.http.headers.get("range")
    if range_header is None:
        return Response(content, media_type=media_type, headers=fields)
    size = len(content)
    span = read_range(range_header, size)
    if span is None:
        return Response(status_code=416, headers={**fields, "Content-Range": f"bytes */{size}"})
    first, last = span
    fields["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(content[first : last + 1], 206, media_type=media_type, headers=fields)


def read_range(text: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of bytes=0-99, bytes=100- or bytes=-50, None if it is not satisfiable."""
    match = RANGE.fullmatch(text)
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
    return (first, last) if first <= last else None
