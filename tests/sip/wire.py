"""A phone made of a socket: tests say what it sends, byte by byte, and see what comes back."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from openivr.sip.address import Target
from openivr.sip.agent import Agent
from openivr.sip.dialog.call_leg import CallLeg, CallLegListener
from openivr.sip.dialog.refer import Referral
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import Admission, LocalResponse
from openivr.sip.message.message import Request, Response, read
from openivr.sip.settings import AgentSettings
from openivr.sip.termination import Termination
from openivr.sip.transaction.tables import Timing

QUICK = Timing(t1=0.02, t2=0.08, t4=0.06)  # a transaction's whole life in 1.3 s
SECONDS = 30.0  # for anything that is waited for
OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
ANSWER = b"v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\n"
_numbers = count(1)


class Ear(CallLegListener):
    """Writes down all that it is told, and answers as it is set to."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, object]] = asyncio.Queue()
        self.answer: bytes | None = ANSWER
        self.offer: bytes | None = OFFER
        self.referral: Referral | None = None

    def _note(self, what: str, detail: object = None) -> None:
        self.heard.put_nowait((what, detail))

    async def hears(self, what: str) -> object:
        """Wait for the next thing; it must be this."""
        async with asyncio.timeout(SECONDS):
            heard, detail = await self.heard.get()
        assert heard == what, (heard, detail)
        return detail

    async def ending(self, what: str) -> Termination:
        ending = await self.hears(what)
        assert isinstance(ending, Termination)
        return ending

    def on_progress(self, leg: CallLeg, status: int, body: bytes) -> None:
        self._note("progressed", (status, body))

    def on_answer(self, leg: CallLeg, body: bytes) -> None:
        self._note("answered", body)

    def on_ack(self, leg: CallLeg, body: bytes) -> None:
        self._note("acknowledged", body)

    def on_offer(self, leg: CallLeg, body: bytes) -> bytes | None:
        self._note("offered", body)
        return self.answer

    def on_offer_request(self, leg: CallLeg) -> bytes | None:
        self._note("wanted")
        return self.offer

    def on_answer_sdp(self, leg: CallLeg, body: bytes) -> None:
        self._note("agreed", body)

    def on_reinvite_rejected(self, leg: CallLeg, status: int) -> None:
        self._note("disagreed", status)

    def on_dtmf(self, leg: CallLeg, key: str, milliseconds: int) -> None:
        self._note("digit", (key, milliseconds))

    def on_refer(self, leg: CallLeg, referral: Referral) -> None:
        self.referral = referral
        self._note("referred", referral)

    def on_refer_progress(self, leg: CallLeg, status: int) -> None:
        self._note("transferring", status)

    def on_failed(self, leg: CallLeg, ending: Termination) -> None:
        self._note("failed", ending)

    def on_ended(self, leg: CallLeg, ending: Termination) -> None:
        self._note("ended", ending)


class House:
    """The owner of an agent under test: lets everybody in, and hands each call to `on_call`."""

    def __init__(self, on_call: Callable[[InboundLeg], None] | None = None) -> None:
        self.on_call = on_call or (lambda leg: None)
        self.calls: asyncio.Queue[tuple[InboundLeg, Ear]] = asyncio.Queue()
        self.verdict: LocalResponse | None = None
        self.deaf = False
        self.complaints = 0

    def is_source_allowed(self, source: Target) -> bool:
        return not self.deaf

    def on_malformed(self, source: Target) -> None:
        self.complaints += 1

    def admit(self, request: Request) -> Admission | LocalResponse:
        return self.verdict or Admission()

    def on_invite(self, leg: InboundLeg, admission: Admission) -> None:
        ear = Ear()
        leg.listener = ear
        self.calls.put_nowait((leg, ear))
        self.on_call(leg)

    def on_register(self, request: Request, admission: Admission) -> LocalResponse:
        return LocalResponse(200, headers=(("Contact", request.get("contact")),))

    def on_other_request(self, request: Request, admission: Admission) -> LocalResponse | None:
        return LocalResponse(200) if request.method == "MESSAGE" else None

    async def call(self) -> tuple[InboundLeg, Ear]:
        async with asyncio.timeout(SECONDS):
            return await self.calls.get()


def answer_at_once(leg: InboundLeg) -> None:
    leg.answer(ANSWER)


def settings(*protocols: str, host: str = "127.0.0.1", **changes: object) -> AgentSettings:
    """Short timers and free ports."""
    listen = tuple(Target(protocol, host, 0) for protocol in protocols or ("UDP",))
    return AgentSettings(listen=listen, **({"timing": QUICK} | changes))  # type: ignore[arg-type]


@dataclass
class Phone:
    """A UDP socket that speaks SIP as the test says."""

    agent: Target
    host: str = "127.0.0.1"
    sock: socket.socket = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((self.host, 0))
        self.port = self.sock.getsockname()[1]
        number = next(_numbers)
        self.call_id = f"call-{number}"
        self.tag = f"tag-{number}"
        self.cseq = 0
        self.to_tag = ""
        self.seen: set[bytes] = set()

    def close(self) -> None:
        self.sock.close()

    @property
    def uri(self) -> str:
        return f"sip:phone@{self.host}:{self.port}"

    def build(
        self,
        method: str,
        *headers: str,
        body: bytes = b"",
        cseq: int = 0,
        branch: str = "",
        uri: str = "",
        to: str = "",
    ) -> bytes:
        """A request of this phone's call; in its dialog once `to_tag` is set."""
        if not cseq:
            self.cseq += 1
            cseq = self.cseq
        receiver = to or "<sip:100@127.0.0.1>" + (f";tag={self.to_tag}" if self.to_tag else "")
        typed = bool(body) and not any("Content-Type" in header for header in headers)
        lines = [
            f"{method} {uri or f'sip:100@{self.agent.host}:{self.agent.port}'} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch or f'z9hG4bK-{next(_numbers)}'}",
            "Max-Forwards: 70",
            f'From: "Phone" <{self.uri}>;tag={self.tag}',
            f"To: {receiver}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <{self.uri}>",
            *(["Content-Type: application/sdp"] if typed else []),
            *headers,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def send(self, data: bytes) -> bytes:
        self.sock.sendto(data, (self.agent.host, self.agent.port))
        return data

    def request(self, method: str, *headers: str, **parts: object) -> bytes:
        return self.send(self.build(method, *headers, **parts))  # type: ignore[arg-type]

    async def receive_bytes(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await asyncio.get_running_loop().sock_recv(self.sock, 65535)

    async def receive(self) -> Request | Response:
        data = await self.receive_bytes()
        message = read(data)
        assert message is not None, data
        return message

    async def news(self, again: bool) -> Request | Response:
        """The next message; one that came before only if `again`: how often it comes is up to the clock."""
        while True:
            message = await self.receive()
            known = message.encode() in self.seen
            self.seen.add(message.encode())
            if again or not known:
                return message

    async def response(self, status: int, method: str = "", again: bool = False) -> Response:
        """The next message must be this response."""
        message = await self.news(again)
        assert isinstance(message, Response), f"{getattr(message, 'method', '')} instead of {status}"
        assert message.status == status, (message.status, message.reason)
        assert not method or message.method == method
        return message

    async def asked(self, method: str, again: bool = False) -> Request:
        """The next message must be this request."""
        message = await self.news(again)
        assert isinstance(message, Request), f"{getattr(message, 'status', '')} instead of {method}"
        assert message.fault is None
        assert message.method == method
        return message

    async def quiet(self, seconds: float = 0.1) -> None:
        """Nothing new comes for a while."""
        try:
            async with asyncio.timeout(seconds):
                message = await self.news(again=False)
        except TimeoutError:
            return
        raise AssertionError(message.encode())

    def reply(self, request: Request, status: int, *headers: str, tag: str = "", body: bytes = b"") -> bytes:
        """Answer a request of the agent."""
        to = request.get("to")
        if tag and not request.to.tag:
            to += f";tag={tag}"
        lines = [
            f"SIP/2.0 {status} Reason",
            *[f"Via: {via}" for via in request.headers["via"]],
            f"From: {request.get('from')}",
            f"To: {to}",
            f"Call-ID: {request.call_id}",
            f"CSeq: {request.get('cseq')}",
            *(["Content-Type: application/sdp"] if body else []),
            *headers,
            f"Content-Length: {len(body)}",
        ]
        if not any(header.startswith("Contact") for header in headers):
            lines.insert(4, f"Contact: <{self.uri}>")
        return self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def establish(self, *headers: str, body: bytes = OFFER) -> Response:
        """Call the agent, which answers at once, and acknowledge."""
        self.request("INVITE", *headers, body=body)
        response = await self.response(200)
        self.to_tag = to_tag(response)
        self.request("ACK", cseq=self.cseq)
        return response


def to_tag(message: Response | Request) -> str:
    return message.get("to").partition(";tag=")[2]


async def running(house: House, config: AgentSettings | None = None) -> Agent:
    agent = Agent(config or settings(), house, house)
    await agent.start()
    return agent
