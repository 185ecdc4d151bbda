"""Session descriptions as values, read and written (RFC 8866). What they mean for a call: `negotiation`.

Our own reader, because the one that PyPI has (sdp-transform) makes untyped dictionaries, turns text into
numbers wherever it can and has had no release since 2024.
"""

import ipaddress
import re
from enum import Enum, unique
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from openivr.sip.message.headers import cached

TYPE = "application/sdp"
MOST_MEDIA = 32  # m-lines; more is an attack
_MEDIA = re.compile(r"(\S+) (\d{1,5})(?:/\d+)? (\S+) (\S.*)", re.ASCII)
_CONNECTION = re.compile(r"IN (IP4|IP6) ([^\s/]+)(?:/\S*)?", re.ASCII)
_ORIGIN = re.compile(r"(\S+) (\S+) (\S+) IN (IP4|IP6) (\S+)", re.ASCII)
_RTPMAP = re.compile(r"(\d{1,3}) +([^\s/]+)/(\d+)(?:/(\d+))?\s*", re.ASCII)
_RTCP = re.compile(r"(\d{1,5})(?: IN (?:IP4|IP6) (\S+))?", re.ASCII)


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


STATIC = {0: Codec(0, "PCMU", 8000), 8: Codec(8, "PCMA", 8000), 9: Codec(9, "G722", 8000)}  # RFC 3551 §6


class MediaDescription(NamedTuple):
    """One m-line, with the attributes that hold for it, its own before the session's."""

    kind: str
    port: int  # 0: refused, or no longer wanted
    protocol: str
    formats: tuple[str, ...]
    host: str = ""  # of its c= line or the session's
    attributes: tuple[tuple[str, str], ...] = ()
    direction: Direction = Direction.SENDRECV
    codecs: tuple[Codec, ...] = ()  # the formats that are payload types with a known meaning, in order

    def has(self, attribute: str) -> bool:
        """Return True if there is an attribute with this name."""
        return any(name == attribute for name, _ in self.attributes)

    def rtcp(self) -> tuple[str, int] | None:
        """Say where RTCP goes if it is not the port above (RFC 3605)."""
        for name, value in self.attributes:
            if name == "rtcp" and (match := _RTCP.fullmatch(value)) and int(match[1]) < 65536:
                return match[2] or self.host, int(match[1])
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
        return "".join(line + "\r\n" for line in lines).encode()


def parse(body: bytes) -> SessionDescription | None:
    """Parse a session description. Unknown lines are skipped. Return None for other text."""
    try:
        lines = [line for line in body.decode().replace("\r\n", "\n").split("\n") if line]
    except UnicodeDecodeError:
        return None
    if not lines or lines[0] != "v=0" or not all(map(_is_line, lines)):
        return None
    starts = [index for index, line in enumerate(lines) if line[0] == "m"]
    head = lines[: starts[0]] if starts else lines
    origin = next((_ORIGIN.fullmatch(line[2:].strip()) for line in head if line[0] == "o"), None)
    if not origin or len(starts) > MOST_MEDIA:
        return None
    media = [_read_media(lines[start:end], head) for start, end in pairwise([*starts, len(lines)])]
    read = tuple(each for each in media if each)
    if len(read) != len(media):
        return None
    return SessionDescription(origin[5], _number(origin[2]), _number(origin[3]), read)


def _is_line(line: str) -> bool:
    return line[1:2] == "=" and "a" <= line[0] <= "z"


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
    """Answer an m-line that is not wanted (RFC 3264 §6)."""
    return MediaDescription(media.kind, 0, media.protocol, media.formats)


def _read_media(lines: list[str], head: list[str]) -> MediaDescription | None:
    match = _MEDIA.fullmatch(lines[0][2:].strip())
    if not match or int(match[2]) > 65535:
        return None
    kind, port, protocol, formats = match.groups()
    attributes = tuple(line for scope in (lines, head) for line in scope if line[0] == "a")
    names, kept, direction, codecs = _read_formats(formats, attributes)
    return MediaDescription(
        kind, int(port), protocol, names, _read_host(lines, head), kept, direction, codecs
    )


def _read_host(lines: list[str], head: list[str]) -> str:
    """Read the first c= line, which is the stream's own if it has one."""
    found = next((line for scope in (lines, head) for line in scope if line[0] == "c"), "")
    connection = _CONNECTION.fullmatch(found[2:].strip())
    return connection[2] if connection else ""


_Formats = tuple[tuple[str, ...], tuple[tuple[str, str], ...], Direction, tuple[Codec, ...]]


@lru_cache(maxsize=256)  # a phone says the same in every call
def _read_formats(text: str, lines: tuple[str, ...]) -> _Formats:
    """Read the formats of an m-line and its a= lines: formats, attributes, direction and codecs."""
    formats = tuple(text.split())
    split = [line[2:].strip().partition(":") for line in lines]
    named = [(name.lower(), value.strip()) for name, _, value in split]
    directions = [_DIRECTIONS[name] for name, _ in named if name in _DIRECTIONS]
    attributes = tuple((name, value) for name, value in named if name not in _DIRECTIONS)
    direction = directions[0] if directions else Direction.SENDRECV
    return formats, attributes, direction, _name_codecs(formats, attributes)


def _name_codecs(formats: tuple[str, ...], attributes: tuple[tuple[str, str], ...]) -> tuple[Codec, ...]:
    known = dict(STATIC)
    for match in (_RTPMAP.fullmatch(value) for name, value in attributes if name == "rtpmap"):
        if match:
            payload = int(match[1])
            known[payload] = Codec(payload, match[2].upper(), _number(match[3]), _number(match[4] or "1"))
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
