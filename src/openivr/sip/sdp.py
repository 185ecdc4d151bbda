"""Session descriptions as values, read and written (RFC 8866). What they mean for a call: `negotiation`.

Our own reader, because the one that PyPI has (sdp-transform) makes untyped dictionaries, turns text into
numbers wherever it can and has had no release since 2024.
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from enum import Enum, unique
from functools import lru_cache
from itertools import pairwise

TYPE = "application/sdp"
MOST_MEDIA = 32  # m-lines; more is an attack
_LINE = re.compile("([a-z])=(.*)", re.DOTALL)
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
        """Whether who wrote it wants to send."""
        return self.value[0]

    @property
    def receives(self) -> bool:
        """Whether who wrote it wants to receive."""
        return self.value[1]


_DIRECTIONS = frozenset(direction.name.lower() for direction in Direction)


@dataclass(frozen=True, slots=True)
class Codec:
    """What a payload type stands for (RFC 8866 §6.6)."""

    payload: int
    name: str  # in upper case
    rate: int
    channels: int = 1


STATIC = {0: Codec(0, "PCMU", 8000), 8: Codec(8, "PCMA", 8000), 9: Codec(9, "G722", 8000)}  # RFC 3551 §6


@dataclass(frozen=True, slots=True)
class Media:
    """One m-line, with the attributes that hold for it, its own before the session's."""

    kind: str
    port: int  # 0: refused, or no longer wanted
    protocol: str
    formats: tuple[str, ...]
    host: str = ""  # of its c= line or the session's
    attributes: tuple[tuple[str, str], ...] = ()
    direction: Direction = Direction.SENDRECV

    def codecs(self) -> tuple[Codec, ...]:
        """Name the formats that are payload types with a known meaning, in order."""
        return _name_codecs(self.formats, tuple(value for name, value in self.attributes if name == "rtpmap"))

    def has(self, attribute: str) -> bool:
        """Whether an attribute stands here, whatever its value."""
        return any(name == attribute for name, _ in self.attributes)

    def rtcp(self) -> tuple[str, int] | None:
        """Say where RTCP goes if it is not the port above (RFC 3605)."""
        for name, value in self.attributes:
            if name == "rtcp" and (match := _RTCP.fullmatch(value)) and int(match[1]) < 65536:
                return match[2] or self.host, int(match[1])
        return None


@dataclass(frozen=True, slots=True)
class Description:
    """A session description. `session` and `version` are the numbers of its o= line."""

    host: str
    session: int
    version: int
    media: tuple[Media, ...] = ()

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


def parse(body: bytes) -> Description | None:
    """Read a description; None if it is not one. What means nothing to us is passed over."""
    try:
        lines = [line for line in re.split("\r?\n", body.decode()) if line]
    except UnicodeDecodeError:
        return None
    pairs = [(match[1], match[2]) for match in map(_LINE.fullmatch, lines) if match]
    if len(pairs) != len(lines) or not pairs or pairs[0] != ("v", "0"):
        return None
    starts = [index for index, (letter, _) in enumerate(pairs) if letter == "m"]
    head = pairs[: starts[0]] if starts else pairs
    origin = next((_ORIGIN.fullmatch(value.strip()) for letter, value in head if letter == "o"), None)
    if not origin or len(starts) > MOST_MEDIA:
        return None
    media = [_read_media(pairs[start:end], head) for start, end in pairwise([*starts, len(pairs)])]
    read = tuple(each for each in media if each)
    if len(read) != len(media):
        return None
    return Description(origin[5], _number(origin[2]), _number(origin[3]), read)


def is_unspecified(host: str) -> bool:
    """Whether this is 0.0.0.0 or ::, which means: send nothing (RFC 3264 §8.4)."""
    address = read_address(host)
    return address is not None and address.is_unspecified


@lru_cache(maxsize=1024)
def read_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a numeric address; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def refuse(media: Media) -> Media:
    """Answer an m-line that is not wanted (RFC 3264 §6)."""
    return replace(media, port=0, host="", attributes=(), direction=Direction.SENDRECV)


@lru_cache(maxsize=256)  # asked several times in every negotiation, and phones of one make say the same
def _name_codecs(formats: tuple[str, ...], rtpmaps: tuple[str, ...]) -> tuple[Codec, ...]:
    known = dict(STATIC)
    for match in filter(None, map(_RTPMAP.fullmatch, rtpmaps)):
        payload = int(match[1])
        known[payload] = Codec(payload, match[2].upper(), _number(match[3]), _number(match[4] or "1"))
    numbers = (int(text) for text in formats if text.isascii() and text.isdecimal() and len(text) <= 3)
    return tuple(known[number] for number in dict.fromkeys(numbers) if number in known and number < 128)


def _read_media(lines: list[tuple[str, str]], head: list[tuple[str, str]]) -> Media | None:
    match = _MEDIA.fullmatch(lines[0][1].strip())
    if not match or int(match[2]) > 65535:
        return None
    scopes = (lines[1:], head)
    connections = (
        _CONNECTION.fullmatch(value.strip()) for scope in scopes for key, value in scope if key == "c"
    )
    host = next((connection[2] if connection else "" for connection in connections), "")
    split = [value.strip().partition(":") for scope in scopes for key, value in scope if key == "a"]
    attributes = [(name.lower(), text.strip()) for name, _, text in split]
    directions = [Direction[name.upper()] for name, _ in attributes if name in _DIRECTIONS]
    attributes = [(name, text) for name, text in attributes if name not in _DIRECTIONS]
    direction = directions[0] if directions else Direction.SENDRECV
    return Media(
        match[1], int(match[2]), match[3], tuple(match[4].split()), host, tuple(attributes), direction
    )


def _write_media(media: Media, session_host: str) -> list[str]:
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
    """Read a number that only has to be told apart from others; 0 for what is none or absurdly long."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 21 else 0
