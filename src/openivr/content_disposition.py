"""The Content-Disposition field of a download (RFC 6266)."""

from urllib.parse import quote

SAFE = "!#$&+-.^_`|~"  # beside letters and digits, of attr-char (RFC 8187)


def attachment(name: str) -> str:
    """Return the value that lets a client save the response under this file name.

    Browsers read `filename*`. Simpler programs, such as curl, read `filename` with other characters replaced.
    """
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=SAFE)}"
