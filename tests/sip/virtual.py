"""Transactions without sockets and clocks: a wire that remembers, and time that passes when told."""

from collections.abc import Callable
from heapq import heappop, heappush

from openivr.sip.address import Hop, Target
from openivr.sip.message.message import Request, Response, read
from openivr.sip.transaction.layer import ServerTransaction, TransactionLayer
from openivr.sip.transaction.tables import Timing
from openivr.sip.transaction.timers import Timers
from openivr.sip.transaction.via import add_received


class Wire:
    """A channel that keeps what is sent on it."""

    def __init__(self, protocol: str, clock: Callable[[], float]) -> None:
        self.protocol = protocol
        self._clock = clock
        self.times: list[float] = []  # when something was sent
        self.reliable = protocol != "UDP"
        self.closed = False
        self.broken = False
        self.sent: list[tuple[bytes, tuple[str, int]]] = []

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        if self.broken or self.closed:
            return False
        self.sent.append((data, address))
        self.times.append(self._clock())
        return True

    def advertised_address(self, address: tuple[str, int]) -> tuple[str, int]:
        return "192.0.2.1", 5060

    def take(self) -> list[Request | Response]:
        """What was sent since the last look."""
        sent, self.sent = self.sent, []
        messages = [read(data) for data, _ in sent]
        assert None not in messages
        return [message for message in messages if message is not None]


class Hand:
    """The user of an exchange: keeps what it is told, and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.acks: list[Request] = []
        self.cancelled: list[ServerTransaction] = []
        self.responder: Callable[[Request], None] = lambda request: None

    def on_request(self, request: Request) -> None:
        self.requests.append(request)
        self.responder(request)

    def on_ack(self, request: Request) -> None:
        self.acks.append(request)

    def on_cancel(self, server: ServerTransaction, request: Request) -> None:
        self.cancelled.append(server)


class Virtual:
    """An exchange, its wire and its clock."""

    def __init__(self, protocol: str = "UDP") -> None:
        self.now = 0.0
        self._wakes: list[float] = []
        self.timers = Timers(lambda: self.now, lambda when: heappush(self._wakes, when))
        self.wire = Wire(protocol, lambda: self.now)
        self.fresh = Wire(protocol, lambda: self.now)  # what a connection that is opened anew would be
        self.reached: list[Target] = []
        self.hand = Hand()
        self.exchange = TransactionLayer(self.hand, self.timers, Timing(), self._reach)
        self.hop = Hop(self.wire, ("192.0.2.7", 5070))

    def _reach(self, target: Target) -> Hop | None:
        self.reached.append(target)
        return Hop(self.fresh, (target.host, target.port))

    def receive(self, data: bytes) -> None:
        message = read(data)
        assert message is not None
        if isinstance(message, Request):
            assert message.fault is None
            add_received(message, self.hop)
        self.exchange.receive(message, self.hop)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._wakes and self._wakes[0] <= end:
            self.now = max(self.now, heappop(self._wakes))
            self.timers.run()
        self.now = end


def incoming(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bK1",
    cseq: int = 1,
    tag: str = "",
    via: str = "192.0.2.7:5070",
    call_id: str = "c1",
) -> bytes:
    """A request of a peer."""
    lines = (
        f"{method} sip:100@192.0.2.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {via}" + (f";branch={branch}" if branch else ""),
        "From: <sip:a@192.0.2.7>;tag=theirs",
        "To: <sip:100@192.0.2.1>" + (f";tag={tag}" if tag else ""),
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
