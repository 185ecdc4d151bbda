"""DTMF by INFO: application/dtmf-relay ("Signal=5", "Duration=160") and application/dtmf ("5")."""

import re

from openivr.sip.message.message import Request

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"
MAX_MILLISECONDS = 5000  # a longer Duration is cut to this
DEFAULT_MILLISECONDS = 160
MAX_BYTES = 256  # of a body that are read

# Phones quote values, put them on one line, end them with NUL, write ":" for "=", and name the signal as
# they like. Both types are read in both forms: some phones write one under the name of the other.
_BLANK = rb"[\s\0]*"
_KEY = rb"([0-9]{1,2}|[*#a-d])"
_VALUE = rb"%(blank)s[=:]%(blank)s([\"']?)%(blank)s%(value)s%(blank)s\1%(blank)s(?=$|[\r\n;,&])"
_SIGNAL = re.compile(
    rb"(?:^|[;,&\s])(?:signal|digit|d)" + _VALUE % {b"blank": _BLANK, b"value": _KEY},
    re.IGNORECASE | re.MULTILINE,
)
_DURATION = re.compile(rb"(?:^|[;,&\s])duration\s*[=:][\s\"']*([0-9]{1,6})", re.IGNORECASE | re.MULTILINE)
_PLAIN = re.compile(
    rb"%(blank)s([\"']?)%(value)s\1%(blank)s" % {b"blank": _BLANK, b"value": _KEY}, re.IGNORECASE
)
_NUMBERED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}  # the event codes of RFC 4733


def read_key(request: Request) -> tuple[str, int] | None:
    """Return the digit and its duration in milliseconds; None if an INFO carries none."""
    if request.media_type() not in (RELAY, PLAIN):
        return None
    body = request.body[:MAX_BYTES]
    match = _SIGNAL.search(body) or _PLAIN.fullmatch(body)
    if match is None:
        return None
    text = match[2].decode("ascii").upper()
    key = text if len(text) == 1 else _NUMBERED.get(text, text.removeprefix("0"))
    if len(key) != 1:
        return None
    duration = _DURATION.search(body)
    return key, min(int(duration[1]), MAX_MILLISECONDS) if duration else DEFAULT_MILLISECONDS


def write_key(key: str, milliseconds: int) -> bytes:
    """Return the body of an INFO, application/dtmf-relay."""
    return f"Signal={key}\r\nDuration={milliseconds}\r\n".encode("ascii")
