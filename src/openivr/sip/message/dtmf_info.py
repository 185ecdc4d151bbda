"""DTMF by INFO: application/dtmf-relay ("Signal=5", "Duration=160") and application/dtmf ("5")."""

import re

from openivr.sip.message.message import Request

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"
MAX_MILLISECONDS = 5000  # a longer Duration is cut to this
DEFAULT_MILLISECONDS = 160

_SIGNAL = re.compile(rb"^\s*Signal\s*=\s*([0-9]{1,2}|[*#A-Da-d])\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(rb"^\s*Duration\s*=\s*([0-9]{1,6})\s*$", re.IGNORECASE | re.MULTILINE)
_PLAIN = re.compile(rb"\s*([0-9]{1,2}|[*#A-Da-d])\s*")
_NUMBERED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}  # the event codes of RFC 4733


def read_key(request: Request) -> tuple[str, int] | None:
    """Return the digit and its duration in milliseconds; None if an INFO carries none."""
    kind = request.media_type()
    if kind == RELAY:
        match = _SIGNAL.search(request.body)
    elif kind == PLAIN:
        match = _PLAIN.fullmatch(request.body)
    else:
        return None
    if match is None:
        return None
    stated = match[1].decode("ascii").upper()
    key = stated if len(stated) == 1 else _NUMBERED.get(stated)
    if key is None:
        return None
    duration = _DURATION.search(request.body) if kind == RELAY else None
    return key, min(int(duration[1]), MAX_MILLISECONDS) if duration else DEFAULT_MILLISECONDS


def write_key(key: str, milliseconds: int) -> bytes:
    """Return the body of an INFO, application/dtmf-relay."""
    return f"Signal={key}\r\nDuration={milliseconds}\r\n".encode("ascii")
