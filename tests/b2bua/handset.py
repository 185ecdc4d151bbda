"""A telephone made of sockets and nothing of ours: it says what a test has it say, and shows what comes back.

It runs in the test's own thread; whatever is waited for comes within WAIT seconds or fails.
"""

import hashlib
import re
import secrets
import socket
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

WAIT = 30.0
FRAME = 160  # bytes and samples of a packet of G.711
PCMU, PCMA, EVENTS = 0, 8, 101
Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came."""

    raw: bytes
    start: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request that is answered."""
        return self.get("CSeq").split()[1]

    @property
    def uri(self) -> str:
        return self.start.split()[1]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name: str) -> str:
        return (self.all(name) or [""])[0]

    @property
    def to_tag(self) -> str:
        return self.get("To").partition(";tag=")[2]


def parse(data: bytes) -> Message:
    """By the letter: one header a line, as our server writes them."""
    head, _, body = data.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return Message(
        data, start, tuple((name.strip().lower(), value.strip()) for name, _, value in pairs), body.decode()
    )


def read_fields(text: str) -> dict[str, str]:
    """The parameters of a challenge or of credentials."""
    return dict(re.findall(r'(\w+)="?([^",]+)"?', text.partition(" ")[2]))


def prove(told: dict[str, str], password: str, method: str) -> str:
    """The response of digest with MD5 (RFC 7616, 3.4), for the other parameters of the credentials."""

    def hashed(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    one, two = hashed(told["username"], told["realm"], password), hashed(method, told["uri"])
    counted = (told["nc"], told["cnonce"], told["qop"]) if "qop" in told else ()
    return hashed(one, told["nonce"], *counted, two)


def is_right(request: Message, password: str, nonce: str) -> bool:
    """Whether the credentials of a request are those for this password and nonce."""
    told = read_fields(request.get("Authorization"))
    return told["nonce"] == nonce and told["response"] == prove(told, password, request.method)


def tagged(address: str, tag: str) -> str:
    """An address with a tag, once."""
    return address if ";tag=" in address else f"{address};tag={tag}"


def decode(data: bytes) -> Samples:
    """The samples of PCMU (G.711, table 2a)."""
    byte = ~np.frombuffer(data, np.uint8).astype(int) & 0xFF
    size = (((byte & 0x0F) << 3) + 132 << (byte >> 4 & 7)) - 132
    return np.asarray(np.where(byte & 0x80, -size, size), float)


def encode(samples: Samples) -> bytes:
    """PCMU, by the nearest of its 256 values."""
    values = decode(bytes(range(256)))
    order = np.argsort(values)
    between = (values[order][1:] + values[order][:-1]) / 2
    return order[np.searchsorted(between, samples)].astype(np.uint8).tobytes()


class Sound:
    """The RTP of a handset."""

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(WAIT)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        self.socket.bind((host, 0))
        self.port: int = self.socket.getsockname()[1]
        self.far = ("", 0)
        self.numbers = count(1)
        self.clock = 160
        self.ssrc = secrets.randbits(32)

    def aim(self, sdp: str, host: str) -> None:
        """Send where a description says, and check that it says our server's address."""
        found = re.search(r"^c=IN IP[46] (\S+)", sdp, re.M), re.search(r"^m=audio (\d+)", sdp, re.M)
        assert found[0] is not None
        assert found[1] is not None
        assert found[0][1] == host
        self.far = (host, int(found[1][1]))

    def send(self, payload: bytes, kind: int = PCMU, *, marker: bool = False, stands: bool = False) -> None:
        """One packet; the clock stands still within a key."""
        if not stands:
            self.clock += FRAME
        flags = kind | (0x80 if marker else 0)
        head = struct.pack("!BBHII", 0x80, flags, next(self.numbers) & 0xFFFF, self.clock, self.ssrc)
        self.socket.sendto(head + payload, self.far)

    def press(self, keys: str, kind: int = EVENTS) -> None:
        """Press keys as telephone-events (RFC 4733)."""
        for key in keys:
            event = "0123456789*#ABCD".index(key)
            for at in range(8):
                ends = 0x80 if at > 4 else 0
                payload = struct.pack("!BBH", event, ends | 10, FRAME * min(at + 1, 6))
                self.send(payload, kind, marker=at == 0, stands=at > 0)

    def receive(self) -> tuple[int, bytes]:
        """The next packet's payload type and payload."""
        while True:
            data = self.socket.recv(2048)
            if 64 <= (data[1] & 0x7F) < 96 and 192 <= data[1] <= 223:  # RTCP on the same port (RFC 5761)
                continue
            return data[1] & 0x7F, data[12:]

    def listen(self, packets: int) -> bytes:
        """Wait for so many packets of sound: what they said, in the law they said it in."""
        heard = b""
        while packets:
            kind, payload = self.receive()
            if kind in (PCMU, PCMA):
                heard += payload
                packets -= 1
        return heard

    def quieten(self) -> None:
        """Wait until nothing has come for the time of ten packets."""
        self.socket.settimeout(10 * 0.02)
        with suppress(TimeoutError):
            while True:
                self.receive()
        self.socket.settimeout(WAIT)

    def reach(self, other: "Sound") -> None:
        """Say a word until the other hears it: what is said before the two are connected is lost."""
        word = secrets.token_bytes(FRAME)
        other.socket.settimeout(0.1)
        for _ in range(1000):
            self.send(word)
            with suppress(TimeoutError):
                if other.receive()[1] == word:
                    break
        other.socket.settimeout(WAIT)

    def close(self) -> None:
        self.socket.close()


@dataclass
class Handset:
    """One telephone, one call at a time."""

    port: int  # of the server
    user: str = "anonymous"
    password: str = ""
    host: str = "127.0.0.1"
    transport: str = "UDP"
    context: ssl.SSLContext | None = None
    call_id: str = ""
    tag: str = ""
    remote: str = ""  # To in the dialog, with its tag
    target: str = ""  # Request-URI in the dialog
    cseq: int = 0
    dialled: str = ""
    branch: str = ""  # of the last INVITE
    seen: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.shown = f"[{self.host}]" if ":" in self.host else self.host
        if self.transport == "UDP":
            self.socket = socket.socket(family, socket.SOCK_DGRAM)
            self.socket.bind((self.host, 0))
            self.socket.connect((self.host, self.port))
        else:
            self.socket = socket.create_connection((self.host, self.port), WAIT)
            if self.context is not None:
                self.socket = self.context.wrap_socket(self.socket, server_hostname=self.host)
        self.socket.settimeout(WAIT)
        self.here: int = self.socket.getsockname()[1]
        self.sound = Sound(self.host)
        self.waiting = b""  # of a connection
        self.challenge, self.used = "", 0
        self.renew()

    def renew(self) -> None:
        """Begin another call."""
        self.call_id, self.tag, self.cseq = secrets.token_hex(8), secrets.token_hex(4), 0
        self.remote = self.target = self.dialled = self.branch = ""

    def close(self) -> None:
        self.socket.close()
        self.sound.close()

    # Messages

    @property
    def contact(self) -> str:
        transport = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"<sip:{self.user}@{self.shown}:{self.here}{transport}>"

    def uri(self, number: str) -> str:
        return f"sip:{number}@{self.shown}:{self.port}"

    def offer(self, *lines: str, events: int = EVENTS, law: int = PCMU, port: int = 0, more: str = "") -> str:
        """A description of our sound; `lines` come behind it."""
        name, version = {PCMU: "PCMU", PCMA: "PCMA"}[law], 6 if ":" in self.host else 4
        return "\r\n".join(
            [
                "v=0",
                f"o=- 7 {next(versions)} IN IP{version} {self.host}",
                "s=-",
                f"c=IN IP{version} {self.host}",
                "t=0 0",
                f"m=audio {port or self.sound.port} RTP/AVP {law}{more} {events}",
                f"a=rtpmap:{law} {name}/8000",
                f"a=rtpmap:{events} telephone-event/8000",
                f"a=fmtp:{events} 0-16",
                *lines,
                "",
            ]
        )

    def write(self, data: bytes) -> bytes:
        self.socket.sendall(data)
        return data

    def build(
        self,
        method: str,
        uri: str,
        to: str,
        *headers: str,
        body: str = "",
        kind: str = "application/sdp",
        branch: str = "",
        cseq: int = 0,
    ) -> bytes:
        """A request of our call."""
        if not cseq:
            self.cseq += 1
            cseq = self.cseq
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {self.shown}:{self.here}"
            f";branch={branch or 'z9hG4bK' + secrets.token_hex(6)};rport",
            "Max-Forwards: 70",
            f"From: <{self.uri(self.user)}>;tag={self.tag}",
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            *([] if any(one.startswith("Contact:") for one in headers) else [f"Contact: {self.contact}"]),
            *headers,
            *([f"Content-Type: {kind}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def ask(self, method: str, *headers: str, body: str = "", kind: str = "application/sdp") -> bytes:
        """Send a request within the call."""
        assert self.remote, "no dialog"
        return self.write(self.build(method, self.target, self.remote, *headers, body=body, kind=kind))

    def read(self) -> bytes:
        """The next message's bytes."""
        if self.transport == "UDP":
            return self.socket.recv(65535)
        while True:
            head, gap, rest = self.waiting.lstrip(b"\r\n").partition(b"\r\n\r\n")
            if gap:
                found = re.search(rb"\r\nContent-Length: *(\d+)", head)
                length = int(found[1]) if found else 0
                if len(rest) >= length:
                    self.waiting = rest[length:]
                    return head + gap + rest[:length]
            more = self.socket.recv(65535)
            assert more, "the server has closed the connection"
            self.waiting += more

    def next(self, *, again: bool = False) -> Message:
        """The next message; those that came before only if `again`. OPTIONS are answered by the way."""
        while True:
            data = self.read()
            if not data.strip():
                continue
            message = parse(data)
            if not message.status and message.method == "OPTIONS":
                self.reply(message, 200)
            elif again or data not in self.seen:
                self.seen.add(data)
                return message

    def expect(self, what: int | str, method: str = "", *, again: bool = False) -> Message:
        """Wait for a response with this status, or a request with this method. A 100 is no news."""
        while True:
            message = self.next(again=again)
            if message.status != 100 or what == 100:
                break
        got = message.status or message.method
        assert got == what, f"{message.raw.decode()} instead of {what}"
        assert not method or message.method == method
        return message

    def reply(self, request: Message, status: int, *headers: str, body: str = "") -> bytes:
        """Answer a request of the server."""
        tag = self.tag or "t"
        to = request.get("To") if status == 100 else tagged(request.get("To"), tag)
        has_contact = any(one.startswith("Contact:") for one in headers)
        lines = [
            f"SIP/2.0 {status} Said",
            *(f"Via: {via}" for via in request.all("Via")),
            f"From: {request.get('From')}",
            f"To: {to}",
            f"Call-ID: {request.get('Call-ID')}",
            f"CSeq: {request.get('CSeq')}",
            *([] if has_contact else [f"Contact: {self.contact}"]),
            *headers,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return self.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    # What telephones do

    def sign(self, method: str, uri: str) -> str:
        """An Authorization header for the last challenge."""
        self.used += 1
        asked = read_fields(self.challenge)
        told = {"username": self.user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
        told |= {"nc": f"{self.used:08x}", "cnonce": secrets.token_hex(8), "qop": "auth"}
        told["response"] = prove(told, self.password, method)
        bare = {"nc", "qop"}
        parts = (f"{name}={value}" if name in bare else f'{name}="{value}"' for name, value in told.items())
        return f"Authorization: Digest algorithm=MD5, {', '.join(parts)}"

    def take_challenge(self, response: Message) -> None:
        """Remember the challenge that we can answer."""
        self.challenge = next(one for one in response.all("WWW-Authenticate") if "MD5" in one)
        self.used = 0

    def register(self, *headers: str, expires: int = 300, contact: str = "") -> Message:
        """REGISTER, signed; the final answer to it."""
        uri, me = f"sip:{self.shown}:{self.port}", f"<{self.uri(self.user)}>"
        told = (f"Contact: {contact or self.contact}", f"Expires: {expires}", *headers)
        while True:
            signed = (self.sign("REGISTER", uri),) if self.challenge else ()
            self.write(self.build("REGISTER", uri, me, *told, *signed))
            message = self.next()
            if message.status != 401 or (signed and "stale=true" not in message.get("WWW-Authenticate")):
                return message
            self.take_challenge(message)

    def invite(self, number: str, *headers: str, body: str | None = None) -> bytes:
        """Call somebody, signed where that is asked for; what was sent last."""
        uri = self.dialled = self.uri(number)
        content = self.offer() if body is None else body
        while True:
            signed = (self.sign("INVITE", uri),) if self.challenge else ()
            self.branch = "z9hG4bK" + secrets.token_hex(6)
            sent = self.write(
                self.build("INVITE", uri, f"<{uri}>", *headers, *signed, body=content, branch=self.branch)
            )
            if signed or not self.password:
                return sent
            refusal = self.expect(401)
            self.acknowledge(refusal)
            self.take_challenge(refusal)

    def acknowledge(self, refusal: Message) -> None:
        """ACK within the transaction (RFC 3261, section 17.1.1.3)."""
        cseq = int(refusal.get("CSeq").split()[0])
        self.write(self.build("ACK", self.dialled, refusal.get("To"), branch=self.branch, cseq=cseq))

    def confirm(self, response: Message, body: str = "", *headers: str) -> bytes:
        """ACK of a 200; the call stands from then on."""
        self.remote, self.target = response.get("To"), address(response.get("Contact"))
        if response.body:
            self.sound.aim(response.body, self.host)
        cseq = int(response.get("CSeq").split()[0])
        return self.write(self.build("ACK", self.target, self.remote, *headers, body=body, cseq=cseq))

    def call(self, number: str) -> Message:
        """Call somebody who answers, and acknowledge; the 200."""
        self.renew()
        self.invite(number)
        return self.until_answered()

    def until_answered(self) -> Message:
        """Wait until our call is answered, and acknowledge."""
        response = self.final()
        assert response.status == 200, response.raw
        self.confirm(response)
        return response

    def final(self) -> Message:
        """Wait for the final response to our INVITE."""
        while True:
            message = self.next()
            if message.status >= 200 and message.method == "INVITE":
                return message

    def cancel(self) -> None:
        """CANCEL of our last INVITE."""
        self.write(
            self.build("CANCEL", self.dialled, f"<{self.dialled}>", branch=self.branch, cseq=self.cseq)
        )

    def hang_up(self) -> None:
        """BYE, and its 200."""
        self.ask("BYE")
        self.expect(200, "BYE")

    def ring(self) -> Message:
        """Wait for a call, and ring."""
        request = self.expect("INVITE")
        self.reply(request, 180)
        return request

    def pick_up(self, request: Message, *headers: str, body: str = "") -> Message:
        """Answer a call; its ACK. From then on `ask` speaks within it."""
        if request.body:
            self.sound.aim(request.body, self.host)
        self.reply(request, 200, *headers, body=body or self.offer())
        ack = self.expect("ACK")
        if not request.body:
            self.sound.aim(ack.body, self.host)
        self.call_id, self.tag = request.get("Call-ID"), self.tag or "t"
        self.remote, self.target = request.get("From"), address(request.get("Contact"))
        return ack


versions = count(1)


def address(header: str) -> str:
    """The URI between angle brackets."""
    found = re.search(r"<([^>]+)>", header)
    return found[1] if found else header
