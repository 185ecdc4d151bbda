"""Reliable provisional responses of a UAS (RFC 3262)."""

from collections import deque
from collections.abc import Callable
from random import randrange

from openivr.sip.context import AgentContext
from openivr.sip.message.message import Request, Response
from openivr.sip.transaction.layer import ServerTransaction
from openivr.sip.transaction.timers import Timer


class ReliableProvisional:
    """Sends provisional responses in order, each retransmitted until its PRACK arrives."""

    __slots__ = (
        "_context",
        "_elapsed",
        "_interval",
        "_on_timeout",
        "_queue",
        "_rseq",
        "_sent",
        "_server",
        "_timer",
    )

    def __init__(
        self, context: AgentContext, server: ServerTransaction, on_timeout: Callable[[], None]
    ) -> None:
        self._context = context
        self._server = server
        self._on_timeout = on_timeout
        self._rseq = randrange(1, 2**31)  # noqa: S311 - RSeq is no secret
        self._sent: Response | None = None
        self._queue: deque[Response] = deque()
        self._interval = self._elapsed = 0.0
        self._timer: Timer | None = None

    @property
    def blocks_answer(self) -> bool:
        """Return True if the 2xx has to wait for the PRACK of a response with SDP (section 3)."""
        return bool(self._sent and self._sent.body) or any(response.body for response in self._queue)

    def send(self, response: Response) -> None:
        """Send a response after the PRACK of those before."""
        response.headers["require"] = ["100rel"]
        response.headers["rseq"] = [str(self._rseq)]
        self._rseq += 1
        self._queue.append(response)
        if self._sent is None:
            self._transmit_next()

    def _transmit_next(self) -> None:
        self._sent = self._queue.popleft() if self._queue else None
        self._interval, self._elapsed = self._context.settings.timing.t1, 0.0
        if self._sent is not None:
            self._retransmit()

    def _retransmit(self) -> None:
        if self._sent is None:
            return
        if self._elapsed >= self._context.settings.timing.limit:
            self._on_timeout()
            return
        self._context.transactions.respond(self._server, self._sent)
        self._timer = self._context.timers.set(self._interval, self._retransmit)
        self._elapsed += self._interval
        self._interval *= 2

    def on_prack(self, request: Request) -> bool:
        """Stop retransmitting if a PRACK matches the pending response. Return False if it does not."""
        sent = self._sent
        if sent is None or request.get("rack").split() != [sent.get("rseq"), *sent.get("cseq").split()]:
            return False
        self._cancel()
        self._sent = None
        return True

    def send_next(self) -> None:
        """Send the next queued response, unless one is pending."""
        if self._sent is None:
            self._transmit_next()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._context.timers.cancel(self._timer)

    def stop(self) -> None:
        """Stop retransmitting and drop what is queued."""
        self._cancel()
        self._sent = None
        self._queue.clear()
