"""Parsers of SIP header field values: URIs, addresses, Via, parameters (RFC 3261, sections 20 and 25).

Every parser takes any text and returns None (or an empty list) if it is malformed. It takes linear time: the
patterns cannot backtrack.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVar
from urllib.parse import quote as escape
from urllib.parse import unquote as unescape

TOKEN = r"[A-Za-z0-9.!%*_+`'~-]+"  # noqa: S105 - the grammar's word
QUOTED = r'"(?:[^"\\]|\\.)*+"'
HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-])*+|\[[0-9A-Fa-f:.]++\]"
PARAMETER = rf'\s*+;\s*+({TOKEN}+)\s*+(?:=\s*+({QUOTED}|[^\s;,"=<>?]++)?+)?'
USER_MARKS = "-_.!~*'()&=+$,;?/"  # allowed in a user without escaping
URI_PARAMETER = r"[^;?=\s<>\"]++(?:=[^;?\s<>\"]*+)?"

MAX_CACHED_LENGTH = 256  # characters
Value = TypeVar("Value")

_PARAMETER = re.compile(PARAMETER)
_PARAMETERS = re.compile(rf"(?:{PARAMETER})*+")
_QUOTED = re.compile(QUOTED)
_LIST_ITEM = re.compile(rf'(?:{QUOTED}|<[^<>]*+>|[^,"<>])++')
_URI = re.compile(
    r"(sips?):(?:((?:[^@:\s<>\"%]|%[0-9A-Fa-f]{2})*+)(?::((?:[^@\s<>\"%]|%[0-9A-Fa-f]{2})*+))?@)?"
    rf"({HOST})(?::([0-9]{{0,5}}))?((?:;(?:{URI_PARAMETER})?+)*+)(?:\?([^\s<>\"]*+))?",
    re.IGNORECASE,
)
_TEL = re.compile(rf"tel:([0-9A-Fa-f*#+().-]++)((?:;(?:{URI_PARAMETER})?+)*+)", re.IGNORECASE)
_ADDRESS = re.compile(rf"\s*+({QUOTED}|(?:{TOKEN}\s++)*+(?:{TOKEN})?+)\s*+<([^<>\s][^<>]*+)>(.*)", re.DOTALL)
_BRACKETED_URI = re.compile(r"<\s*+((?:sips?|tel):[^<>\s]++)\s*+>", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r'\s*+([^\s;<>",?]++)(.*)', re.DOTALL)
_VIA = re.compile(
    rf"SIP\s*+/\s*+2\.0\s*+/\s*+({TOKEN})\s++({HOST})\s*+(?::\s*+([0-9]{{0,5}}))?(.*)",
    re.IGNORECASE | re.DOTALL,
)
_BARE_IPV6 = re.compile(r"(/\s*+[^\s/]++\s++)([0-9A-Fa-f]*+:[0-9A-Fa-f]*+:[0-9A-Fa-f:.]*+)")
_CSEQ = re.compile(rf"([0-9]{{1,10}})\s++({TOKEN})")
_NUMBER = re.compile(r"[0-9]{1,10}")
_TOKEN = re.compile(TOKEN)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Uri(NamedTuple):
    """A sip, sips or tel URI. The user is unescaped, parameter names are in lower case."""

    scheme: str
    user: str
    host: str  # "" for tel; IPv6 in brackets
    port: int = 0  # 0: none given
    parameters: Mapping[str, str] = {}
    headers: str = ""  # the part after "?", still escaped

    @property
    def transport(self) -> str:
        """Return the transport parameter in upper case, "" if absent."""
        return self.parameters.get("transport", "").upper()


class NameAddr(NamedTuple):
    """A display name, a URI (as text) and the header parameters (as text)."""

    display: str
    uri: str
    rest: str
    tag: str = ""


class Via(NamedTuple):
    """One Via value (RFC 3261, section 20.42)."""

    protocol: str  # in upper case: UDP, TCP, TLS
    host: str
    port: int  # 0: none given
    parameters: Mapping[str, str]

    @property
    def branch(self) -> str:
        """Return the branch, "" if there is none."""
        return self.parameters.get("branch", "")

    @property
    def sent_by(self) -> str:
        """Return sent-by: the host and port that the sender names."""
        return f"{self.host}:{self.port}" if self.port else self.host


def read_parameters(text: str) -> dict[str, str] | None:
    """Parse ";name=value;flag": names in lower case, values unquoted, "" for a flag. The first one wins."""
    text = text.rstrip()  # trailing blanks would make the search below quadratic
    if not text:
        return {}
    if not _PARAMETERS.fullmatch(text):
        return None
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(text):
        value = match[2] or ""
        found.setdefault(match[1].lower(), unquote(value) if value[:1] == '"' else value)
    return found


def parameter(text: str, name: str) -> str:
    """Return one parameter of ";name=value;...", "" if it is absent or the text is malformed."""
    return scan_parameters(text).get(name, "") if ";" in text else ""


def scan_parameters(text: str) -> dict[str, str]:
    """Parse ";name=value;flag" like `read_parameters`, and skip what is malformed."""
    parameters = read_parameters(text)
    if parameters is not None:
        return parameters
    parameters = {}
    for item in _split(text, ";")[1:]:
        name, _, value = (part.strip() for part in item.partition("="))
        if _TOKEN.fullmatch(name):
            parameters.setdefault(name.lower(), unquote(value) if value[:1] == '"' else value)
    return parameters


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator outside quoted strings. A quote that is never closed is an ordinary character."""
    items, start, at = [], 0, 0
    while at < len(text):
        if text[at] == separator:
            items.append(text[start:at])
            start = at + 1
        elif text[at] == '"':
            match = _QUOTED.match(text, at)
            if match is None:
                return [*items, *text[start:].split(separator)]
            at = match.end() - 1
        at += 1
    return [*items, text[start:]]


def unquote(text: str) -> str:
    """Remove quotes and escapes from a quoted string. Other text is returned as it is."""
    if not text.startswith('"'):
        return text
    return _ESCAPED.sub(r"\1", text[1:-1])


def quote(text: str) -> str:
    """Write a quoted string. Control characters become spaces."""
    clean = "".join(letter if letter >= " " and letter != "\x7f" else " " for letter in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_list(text: str) -> list[str]:
    """Split "a, b" at commas outside quotes and angle brackets; [] if malformed."""
    if "," not in text:
        return [text] if text else []
    items: list[str] = []
    at = 0
    while at < len(text):
        match = _LIST_ITEM.match(text, at)
        if match:
            items.append(match[0].strip())
            at = match.end()
        if at < len(text) and text[at] != ",":
            return []
        at += 1
    return [item for item in items if item]


def split_addresses(text: str) -> list[str]:
    """Split a list of addresses at its commas, also if display names hold commas without quotes."""
    items = split_list(text)
    if items and all(":" in item or item == "*" for item in items):
        return items
    addresses: list[str] = []
    parts: list[str] = []
    for part in text.split(","):
        parts.append(part)
        item = ",".join(parts)
        if "<" in item and ">" in item.rpartition("<")[2]:
            addresses.append(item.strip())
            parts = []
    rest = ",".join(parts).strip()
    return [*addresses, rest] if rest else addresses


def cached(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Cache the results of a parser: the same text occurs in all requests of a call.

    Long texts are not cached, to bound memory, because unauthenticated sources send them too.
    """
    cached_read = lru_cache(maxsize=4096)(read)

    def read_cached(text: str) -> Value:
        return cached_read(text) if len(text) <= MAX_CACHED_LENGTH else read(text)

    return wraps(read)(read_cached)


@cached
def read_uri(text: str) -> Uri | None:
    """Parse a sip, sips or tel URI; None for anything else."""
    match = _URI.fullmatch(text)
    if match is None:
        tel = _TEL.fullmatch(text)
        return Uri("tel", tel[1], "", 0, _uri_parameters(tel[2])) if tel else None
    scheme, user, _, host, port, parameters, headers = match.groups("")
    if port and not 0 < int(port) < 65536:
        return None
    return Uri(scheme.lower(), unescape(user), host, int(port or 0), _uri_parameters(parameters), headers)


def _uri_parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(";")):
        name, _, value = part.partition("=")
        found.setdefault(unescape(name).lower(), unescape(value))
    return found


@cached
def read_address(text: str) -> NameAddr | None:
    """Parse one From, To, Contact, Route or Refer-To value.

    Without angle brackets parameters belong to the header, not to the URI (RFC 3261, section 20). A display
    name that should be quoted is accepted as it is: the URI is what counts. Malformed parameters are skipped.
    """
    display, uri, rest = "", "", ""
    match = _ADDRESS.fullmatch(text)
    if match:
        display, uri, rest = match.groups()
    elif brackets := list(_BRACKETED_URI.finditer(text)):
        display, uri, rest = text[: brackets[-1].start()], brackets[-1][1], text[brackets[-1].end() :]
    else:
        bare = _BARE_ADDRESS.fullmatch(text)
        if bare is None or ":" not in bare[1]:
            return None
        uri, rest = bare.groups()
        if read_parameters(rest) is None:  # RFC 4475, section 3.1.2.13: a URI with "?" needs brackets
            return None
    return NameAddr(_read_display(display.strip()), uri, rest, scan_parameters(rest).get("tag", ""))


def _read_display(text: str) -> str:
    """Return a display name without quotes, of which the last may be missing."""
    return _ESCAPED.sub(r"\1", text.removeprefix('"').removesuffix('"')) if text[:1] == '"' else text


def repair_address(text: str) -> str:
    """Return an address as it is if it is well-formed, else with its display name quoted."""
    address = read_address(text)
    if address is None or _ADDRESS.fullmatch(text) or "<" not in text:
        return text
    return write_address(address.uri, address.display) + (f";tag={address.tag}" if address.tag else "")


def read_via(text: str) -> Via | None:
    """Parse one Via value. Malformed parameters, comments and missing brackets of IPv6 are passed over."""
    match = _VIA.fullmatch(text)
    if match is None or match[4][:1].isalnum() or match[4][:1] == ":":
        match = _VIA.fullmatch(_BARE_IPV6.sub(r"\1[\2]", text, count=1))
    if match is None or int(match[3] or 0) > 65535:
        return None
    return Via(match[1].upper(), match[2], int(match[3] or 0), scan_parameters(match[4]))


def read_cseq(text: str) -> tuple[int, str] | None:
    """Parse CSeq into number and method; None unless the number is below 2**31 (section 8.1.1.5)."""
    match = _CSEQ.fullmatch(text)
    if match is None or int(match[1]) >= 2**31:
        return None
    return int(match[1]), match[2]


def read_number(text: str) -> int | None:
    """Parse a number below 2**32 (Content-Length, Expires, Max-Forwards), without what follows ";"."""
    if len(text) < 10 and text.isascii() and text.isdecimal():
        return int(text)
    match = _NUMBER.fullmatch(text.partition(";")[0].strip())
    if match is None or int(match[0]) >= 2**32:
        return None
    return int(match[0])


def write_user(scheme: str, user: str, host: str) -> str:
    """Write the URI of a user at a host, which may include a port."""
    return f"{scheme}:{escape(user, safe=USER_MARKS)}@{host}"


def write_address(uri: str, display: str = "", tag: str = "") -> str:
    """Write a value for From, To, Contact and the like."""
    name = quote(display) + " " if display else ""
    return f"{name}<{uri}>;tag={tag}" if tag else f"{name}<{uri}>"
