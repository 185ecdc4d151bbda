"""Provisional responses that arrive for certain (RFC 3262), as the side that sends them."""

from collections import deque
from collections.abc import Callable
from random import randrange

from openivr.sip.context import AgentContext
from openivr.sip.message.message import Request, Response
from openivr.sip.transaction.layer import ServerTransaction
from openivr.sip.transaction.timers import Timer


class ReliableProvisional:
    """Sends one response after another, each until a PRACK says that it has arrived."""

    __slots__ = (
        "_given_up",
        "_interval",
        "_number",
        "_sent",
        "_server",
        "_stack",
        "_timer",
        "_waited",
        "_waiting",
    )

    def __init__(self, stack: AgentContext, server: ServerTransaction, given_up: Callable[[], None]) -> None:
        self._stack = stack
        self._server = server
        self._given_up = given_up
        self._number = randrange(1, 2**31)  # noqa: S311 - RSeq is no secret
        self._sent: Response | None = None
        self._waiting: deque[Response] = deque()
        self._interval = self._waited = 0.0
        self._timer: Timer | None = None

    @property
    def blocks_answer(self) -> bool:
        """Whether the 2xx has to wait: a description is on its way (section 3)."""
        return bool(self._sent and self._sent.body) or any(response.body for response in self._waiting)

    def send(self, response: Response) -> None:
        """Send a response, once those before have arrived."""
        response.headers["require"] = ["100rel"]
        response.headers["rseq"] = [str(self._number)]
        self._number += 1
        self._waiting.append(response)
        if self._sent is None:
            self._send_next()

    def _send_next(self) -> None:
        self._sent = self._waiting.popleft() if self._waiting else None
        self._interval, self._waited = self._stack.settings.timing.t1, 0.0
        if self._sent is not None:
            self._repeat()

    def _repeat(self) -> None:
        if self._sent is None:
            return
        if self._waited >= self._stack.settings.timing.limit:
            self._given_up()
            return
        self._stack.exchange.answer(self._server, self._sent)
        self._timer = self._stack.timers.set(self._interval, self._repeat)
        self._waited += self._interval
        self._interval *= 2

    def take_prack(self, request: Request) -> bool:
        """Whether a PRACK is for the response that waits for one."""
        sent = self._sent
        if sent is None or request.get("rack").split() != [sent.get("rseq"), *sent.get("cseq").split()]:
            return False
        self._cancel()
        self._sent = None
        return True

    def go_on(self) -> None:
        """Send the next one."""
        if self._sent is None:
            self._send_next()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._stack.timers.cancel(self._timer)

    def stop(self) -> None:
        """Send nothing more."""
        self._cancel()
        self._sent = None
        self._waiting.clear()
