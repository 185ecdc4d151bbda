"""SIP messages: parsing and serialization (RFC 3261, sections 7 and 25).

`read` takes any bytes and never raises. It returns None for what cannot be answered. A malformed request that
can be answered has a `fault`: the status and reason of its response.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from openivr.sip.address import Hop, Target
from openivr.sip.message.headers import (
    TOKEN,
    NameAddr,
    Via,
    read_address,
    read_cseq,
    read_number,
    read_via,
    split_addresses,
    split_list,
)
from openivr.sip.message.multipart import SDP, find_sdp

Header = tuple[str, str]  # a name in any spelling, and its value
Headers = dict[str, list[str]]  # by full name in lower case; values in order of arrival

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
_SPELLED = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "www-authenticate": "WWW-Authenticate",
    "mime-version": "MIME-Version",
}
ONCE = ("from", "to", "call-id", "cseq", "content-length", "max-forwards", "content-type")
PHRASES = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
MAX_HEADER_LINES = 400

_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_METHOD = re.compile(TOKEN)
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_STATUS = re.compile(r"[1-6][0-9]{2}")
_NO_ADDRESS = NameAddr("", "", "")
NOWHERE = Target("", "", 0)


@lru_cache(maxsize=1024)
def spell(name: str) -> str:
    """Return a header's name in its usual spelling."""
    return _SPELLED.get(name) or name.title()


class Message:
    """Headers and body of a request or response."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: Headers, body: bytes = b"") -> None:
        self.headers = headers
        self.body = body

    def get(self, name: str) -> str:
        """Return the first line of a header (full name, lower case), "" if it is absent."""
        values = self.headers.get(name)
        return values[0] if values else ""

    def values(self, name: str) -> list[str]:
        """Return all values of a header that may be a comma-separated list."""
        lines = self.headers.get(name)
        if not lines:
            return []
        return [item for line in lines for item in split_list(line)]

    def address_values(self, name: str) -> list[str]:
        """Return all values of a header whose values are addresses, such as Contact."""
        return [item for line in self.headers.get(name, ()) for item in split_addresses(line)]

    def addresses(self, name: str) -> list[NameAddr]:
        """Return the addresses in a header, without those that cannot be parsed."""
        parsed = [read_address(value) for value in self.address_values(name)]
        return [address for address in parsed if address is not None]

    def add(self, name: str, value: str) -> None:
        """Append a header value. Line breaks in it become spaces."""
        if "\n" in value or "\r" in value:
            value = " ".join(value.split())
        self.headers.setdefault(name.lower(), []).append(value)

    def tokens(self, name: str) -> frozenset[str]:
        """Return the option tags of Supported, Require and the like, in lower case."""
        return frozenset(value.lower() for value in self.values(name))

    def media_type(self) -> str:
        """Return the media type of the body without parameters, in lower case: "application/sdp"."""
        return "".join(self.get("content-type").partition(";")[0].split()).lower()

    def _encode(self, start: str) -> bytes:
        lines = [start]
        for name, values in self.headers.items():
            spelled = spell(name)
            lines.extend([f"{spelled}: {value}" for value in values])
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    """A request. `read` sets `fault` and the parsed headers after it."""

    __slots__ = ("call_id", "cseq", "fault", "from_", "hop", "method", "to", "uri", "via")

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        self.method = method
        self.uri = uri
        self.headers = headers
        self.body = body
        self.fault: Fault | None = None
        self.via: Via | None = None  # the topmost
        self.from_ = self.to = _NO_ADDRESS
        self.call_id = ""
        self.cseq = 0
        self.hop: Hop | None = None  # where it came from

    @property
    def source(self) -> Target:
        """Return where the request came from."""
        return self.hop.target if self.hop else NOWHERE

    def encode(self) -> bytes:
        """Serialize the request, with Content-Length."""
        return self._encode(f"{self.method} {self.uri} SIP/2.0")


class Response(Message):
    """A response. `read` sets `cseq`, `method` and `branch`."""

    __slots__ = ("branch", "cseq", "hop", "method", "reason", "status")

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
        self.branch = ""
        self.cseq = 0
        self.method = ""
        self.hop: Hop | None = None

    def encode(self) -> bytes:
        """Serialize the response, with Content-Length."""
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")


class Fault(NamedTuple):
    """The status and reason of the response to a malformed request."""

    status: int
    reason: str


def respond(  # noqa: PLR0913, PLR0917 - the parts of a response, in their order
    request: Request,
    status: int,
    reason: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    tag: str = "",
) -> Response:
    """Return a response to a request (section 8.2.6). `tag` is added to To unless it has one."""
    source = request.headers
    copied: Headers = {"via": source["via"]}
    if status == 100 and "timestamp" in source:
        copied["timestamp"] = source["timestamp"]
    for name in ("from", "to", "call-id", "cseq"):
        if name in source:  # a malformed request may lack it
            copied[name] = source[name]
    if tag and not request.to.tag and "to" in source:
        copied["to"] = [f"{source['to'][0]};tag={tag}"]
    response = Response(status, reason or PHRASES.get(status, "Unknown"), copied, body)
    for name, value in headers:
        response.add(name, value)
    response.cseq = request.cseq
    response.method = request.method
    return response


_NAMES = {  # the usual spellings, for a quick look-up
    spelled: name
    for name in (*COMPACT.values(), "cseq", "max-forwards", "user-agent", "allow", "route", "record-route")
    for spelled in (spell(name), name)
}


def read(data: bytes) -> Request | Response | None:
    """Parse one message. Return None for a malformed response or what cannot be answered."""
    head, gap, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not gap:
        return None
    text = head.decode("utf-8", "surrogateescape")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if len(lines) > MAX_HEADER_LINES or text.count("\n") + text.count("\r") != 2 * (len(lines) - 1):
        return None  # a stray line break would be echoed into the headers of the response
    headers: Headers = {}
    start = lines[0]
    del lines[0]
    for line in lines:
        written, colon, value = line.partition(":")
        name = _NAMES.get(written)
        if name is None:
            name = written.rstrip().lower()
            if not _METHOD.fullmatch(name):
                colon = ""
            name = COMPACT.get(name, name)
        if not colon:  # passed over: what is needed and missing is noticed below
            continue
        value = value.strip()
        if name in headers:
            headers[name].append(value)
        else:
            headers[name] = [value]
    message: Request | Response | None
    if start[:8].upper() == "SIP/2.0 ":
        message = _read_response(start, headers, body)
    else:
        message = _read_request(start, headers, body)
    if message is not None and message.media_type().startswith("multipart/"):
        _unwrap_sdp(message)
    return message


def _unwrap_sdp(message: Message) -> None:
    """Replace a multipart body by its session description, if it has one."""
    sdp = find_sdp(message.get("content-type"), message.body)
    if sdp is not None:
        message.body = sdp
        message.headers["content-type"] = [SDP]


def _read_response(start: str, headers: Headers, body: bytes) -> Response | None:
    status, _, reason = start[8:].partition(" ")
    cseq = read_cseq(headers.get("cseq", [""])[0])
    vias = split_list(headers.get("via", [""])[0])
    via = read_via(vias[0]) if vias else None
    if not _STATUS.fullmatch(status) or cseq is None or via is None or _fault_of_counts(headers):
        return None
    cut = _cut_body(headers, body)
    if cut is None:
        return None
    response = Response(int(status), reason, headers, cut)
    response.branch = via.branch
    response.cseq, response.method = cseq
    return response


def _read_request(start: str, headers: Headers, body: bytes) -> Request | None:
    words = start.split(" ")
    if len(words) < 3 or not _METHOD.fullmatch(words[0]) or "via" not in headers:
        return None
    request = Request(words[0], words[1], headers, body)
    request.fault = (
        _fault_of_start(words)
        or _read_vias(request)
        or _fault_of_counts(headers)
        or _read_identity(request)
        or _read_rest(request)
    )
    return request


def _read_vias(request: Request) -> Fault | None:
    """Parse the topmost Via. Without it a response still goes back to the source."""
    vias: list[str] = []
    for line in request.headers["via"]:
        found = split_list(line)
        if not all("/" in via for via in found) or not found:
            return Fault(400, "Bad Via")
        vias += found
    request.via = read_via(vias[0])
    if request.via is None:
        return Fault(400, "Bad Via")
    request.headers["via"] = vias
    return None


def _fault_of_start(words: list[str]) -> Fault | None:
    if len(words) == 3 and words[2].upper() == "SIP/2.0":
        return None if words[1] else Fault(400, "Bad Request-Line")
    if len(words) == 3 and _VERSION.fullmatch(words[2]):
        return Fault(505, "Version Not Supported")
    return Fault(400, "Bad Request-Line")


def _fault_of_counts(headers: Headers) -> Fault | None:
    """Return the fault of headers that say two different things."""
    for name in ONCE:
        if name in headers and len(headers[name]) > 1 and len(set(headers[name])) > 1:
            return Fault(400, f"Repeated {name}")
    return None


def _read_identity(request: Request) -> Fault | None:
    """Parse the headers that identify dialogs and transactions; all are mandatory (section 8.1.1)."""
    headers = request.headers
    try:
        sender, receiver = read_address(headers["from"][0]), read_address(headers["to"][0])
        cseq = read_cseq(headers["cseq"][0])
        request.call_id = headers["call-id"][0]
    except KeyError as missing:
        return Fault(400, f"Missing {missing.args[0]}")
    if cseq is None or not request.call_id:
        return Fault(400, "Bad CSeq or Call-ID")
    request.cseq = cseq[0]
    if sender is None or receiver is None:
        return Fault(400, "Bad From or To")
    request.from_, request.to = sender, receiver
    return None if cseq[1] == request.method else Fault(400, "CSeq names another method")


def _read_rest(request: Request) -> Fault | None:
    body = _cut_body(request.headers, request.body)
    if body is None:
        return Fault(400, "Bad Content-Length")
    request.body = body
    forwards = request.headers.get("max-forwards")
    if forwards and ((hops := read_number(forwards[0])) is None or hops > 255):
        return Fault(400, "Bad Max-Forwards")
    return None


def _cut_body(headers: Headers, body: bytes) -> bytes | None:
    """Return the body as long as Content-Length says, all of it without one. None if it is too short."""
    stated = headers.pop("content-length", None)
    if stated is None:
        return body
    length = read_number(stated[0])
    if length is None or ";" in stated[0] or length > len(body):
        return None
    return body if length == len(body) else body[:length]
