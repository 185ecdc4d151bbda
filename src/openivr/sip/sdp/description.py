"""Session descriptions as values, read and written (RFC 8866). `offer_answer` says what they mean for a call.

The reader takes what audio needs and skips the rest, because phones and switches write descriptions that
break the grammar. No library does: the one on PyPI (sdp-transform) makes untyped dictionaries, turns text
into numbers wherever it can and has had no release since 2024.
"""

import ipaddress
import re
from enum import Enum, unique
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from openivr.sip.message.headers import cached

TYPE = "application/sdp"
MAX_MEDIA = 32  # m-lines; more is an attack
_LINES = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"([a-z])\s*=\s*(.*)", re.ASCII)
_BLANKS = "\0 \t\ufeff"  # around a line
_RTPMAP = re.compile(r"(\d{1,3})\s+([^\s/]+)(?:/(\d+))?(?:/(\d+))?(?:\s.*)?", re.ASCII)
_EVENTS = re.compile(r"(\d{2,3})\s+0-1[0-6]", re.ASCII)  # what old phones write without an rtpmap line
_RTCP = re.compile(r"(\d{1,5})(?:\s+IN\s+IP[46]\s+(\S+))?\s*", re.ASCII | re.IGNORECASE)

_Line = tuple[str, str]  # its letter and its value


@unique
class Direction(Enum):
    """Which way media flows, seen by who wrote the description: (sends, receives)."""

    SENDRECV = (True, True)
    SENDONLY = (True, False)
    RECVONLY = (False, True)
    INACTIVE = (False, False)

    @property
    def sends(self) -> bool:
        """Return True if the author of the description sends."""
        return self.value[0]

    @property
    def receives(self) -> bool:
        """Return True if the author of the description receives."""
        return self.value[1]


_DIRECTIONS = {direction.name.lower(): direction for direction in Direction}


class Codec(NamedTuple):
    """Codec of a payload type (RFC 8866 §6.6)."""

    payload: int
    name: str  # in upper case
    rate: int
    channels: int = 1


STATIC = {  # RFC 3551 §6
    codec.payload: codec
    for codec in (
        Codec(0, "PCMU", 8000),
        Codec(8, "PCMA", 8000),
        Codec(9, "G722", 8000),
        Codec(13, "CN", 8000),
    )
}


class MediaDescription(NamedTuple):
    """One m-line, with the attributes that hold for it, its own before the session's."""

    kind: str
    port: int  # 0: refused, or no longer wanted
    protocol: str
    formats: tuple[str, ...]
    host: str = ""  # of its c= line or the session's, else of the o= line; may be a name
    attributes: tuple[tuple[str, str], ...] = ()
    direction: Direction = Direction.SENDRECV
    codecs: tuple[Codec, ...] = ()  # the formats that are payload types with a known meaning, in order

    def has(self, attribute: str) -> bool:
        """Return True if there is an attribute with this name."""
        return any(name == attribute for name, _ in self.attributes)

    def rtcp(self) -> tuple[str, int] | None:
        """Return the address for RTCP if it is not the port above and has no name (RFC 3605)."""
        for name, value in self.attributes:
            if name == "rtcp" and (match := _RTCP.fullmatch(value)) and 0 < int(match[1]) < 65536:
                host = match[2] or self.host
                return (host, int(match[1])) if read_address(host) else None
        return None


class SessionDescription(NamedTuple):
    """A session description. `session` and `version` are the numbers of its o= line."""

    host: str
    session: int
    version: int
    media: tuple[MediaDescription, ...] = ()

    def write(self) -> bytes:
        """Write it for a message's body."""
        lines = [
            "v=0",
            f"o=- {self.session} {self.version} IN {_family(self.host)} {self.host}",
            "s=-",
            f"c=IN {_family(self.host)} {self.host}",
            "t=0 0",
        ]
        for media in self.media:
            lines += _write_media(media, self.host)
        return "".join(line + "\r\n" for line in lines).encode(errors="surrogateescape")


def parse(body: bytes) -> SessionDescription | None:
    """Read a session description. Return None for text that is none, and for too many m-lines.

    What audio does not need is skipped, whatever it is. An m-line that cannot be read keeps its place, as one
    with port 0: answers have as many as offers.
    """
    # Bytes that are no UTF-8, such as Latin-1 in s=, come back as they were where they are written again.
    texts = _LINES.split(body.decode(errors="surrogateescape"))
    matches = (_LINE.match(text.strip(_BLANKS)) for text in texts)
    lines = [(match[1], match[2].strip(_BLANKS)) for match in matches if match]
    starts = [index for index, line in enumerate(lines) if line[0] == "m"]
    head = lines[: starts[0]] if starts else lines
    versions = [value for letter, value in head if letter == "v"]
    if (versions or not starts) and versions[:1] != ["0"]:
        return None
    if len(starts) > MAX_MEDIA:
        return None
    host, session, version = _read_origin(head)
    media = (_read_media(lines[start:end], head, host) for start, end in pairwise([*starts, len(lines)]))
    return SessionDescription(host, session, version, tuple(media))


def _read_origin(head: list[_Line]) -> tuple[str, int, int]:
    """Read the o= line from its end, because its user name may have blanks: host, session and version."""
    words = next((value.split() for letter, value in head if letter == "o"), [])
    if len(words) < 5:
        return "", 0, 0
    return _strip_host(words[-1]), _number(words[-5]), _number(words[-4])


def is_unspecified(host: str) -> bool:
    """Return True for 0.0.0.0 and ::, which mean "send nothing" (RFC 3264 §8.4)."""
    address = read_address(host)
    return address is not None and address.is_unspecified


@cached
def read_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse a numeric address. Return None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def refuse(media: MediaDescription) -> MediaDescription:
    """Answer an m-line that is not wanted (RFC 3264 §6). Every m-line needs a protocol and a format."""
    formats = media.formats or ("0",)
    return MediaDescription(media.kind or "audio", 0, media.protocol or "RTP/AVP", formats)


def _read_media(lines: list[_Line], head: list[_Line], origin: str) -> MediaDescription:
    kind, port, protocol, *formats = [*lines[0][1].split(), "", "", ""][: max(len(lines[0][1].split()), 3)]
    attributes = tuple(value for scope in (lines, head) for letter, value in scope if letter == "a")
    names, kept, direction, codecs = _read_formats(tuple(formats), attributes)
    host = _read_host(lines, head) or origin
    return MediaDescription(kind, _read_port(port), protocol, names, host, kept, direction, codecs)


def _read_port(text: str) -> int:
    """Read a port, without a number of ports after it. Return 0 for anything else."""
    number = _number(text.partition("/")[0])
    return number if number < 65536 else 0


def _read_host(lines: list[_Line], head: list[_Line]) -> str:
    """Read the first c= line, which is the stream's own if it has one."""
    value = next((value for scope in (lines, head) for letter, value in scope if letter == "c"), "")
    words = value.split()
    host = _strip_host(words[min(2, len(words) - 1)]) if words else ""
    return host if len(words) > 2 or read_address(host) else ""


def _strip_host(text: str) -> str:
    """Return a host without the brackets, zone, or TTL that may surround it, and IPv4 within IPv6 as IPv4."""
    host = text.partition("/")[0].strip("[]").partition("%")[0]
    address = read_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped) if mapped else host


_Formats = tuple[tuple[str, ...], tuple[tuple[str, str], ...], Direction, tuple[Codec, ...]]


@lru_cache(maxsize=256)  # a phone says the same in every call
def _read_formats(formats: tuple[str, ...], values: tuple[str, ...]) -> _Formats:
    """Read the formats of an m-line and its a= lines: formats, attributes, direction and codecs."""
    split = [value.partition(":") for value in values]
    named = [(name.strip().lower(), value.strip()) for name, _, value in split]
    directions = [_DIRECTIONS[name] for name, _ in named if name in _DIRECTIONS]
    attributes = tuple((name, value) for name, value in named if name not in _DIRECTIONS)
    direction = directions[0] if directions else Direction.SENDRECV
    return formats, attributes, direction, _name_codecs(formats, attributes)


def _name_codecs(formats: tuple[str, ...], attributes: tuple[tuple[str, str], ...]) -> tuple[Codec, ...]:
    known = dict(STATIC)
    for match in (_RTPMAP.fullmatch(value) for name, value in attributes if name == "rtpmap"):
        if match:
            payload = int(match[1])
            rate, channels = _number(match[3] or "8000"), _number(match[4] or "1")
            known[payload] = Codec(payload, match[2].upper(), rate, channels)
    for match in (_EVENTS.fullmatch(value) for name, value in attributes if name == "fmtp"):
        if match:
            payload = int(match[1])
            known.setdefault(payload, Codec(payload, "TELEPHONE-EVENT", 8000))
    numbers = (int(text) for text in formats if text.isascii() and text.isdecimal() and len(text) <= 3)
    return tuple(known[number] for number in dict.fromkeys(numbers) if number in known and number < 128)


def _write_media(media: MediaDescription, session_host: str) -> list[str]:
    lines = [f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}"]
    if media.host and media.host != session_host:
        lines.append(f"c=IN {_family(media.host)} {media.host}")
    if media.port:
        lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in media.attributes]
        lines.append(f"a={media.direction.name.lower()}")
    return lines


def _family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def _number(text: str) -> int:
    """Parse a number that is only compared. Return 0 for anything else, and for too many digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 21 else 0
