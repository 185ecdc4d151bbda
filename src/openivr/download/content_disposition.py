"""The Content-Disposition field of a download (RFC 6266)."""

import string
from urllib.parse import quote

PLAIN = frozenset(string.ascii_letters + string.digits + " ._-")


def attachment(name: str) -> str:
    """Return the value that lets a client save the response under this file name.

    Browsers read `filename*`. Simpler programs, such as curl, read `filename` with other characters replaced.
    """
    plain = "".join(char if char in PLAIN else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
