"""What an agent asks of the one it works for."""

from typing import NamedTuple, Protocol

from openivr.sip.inbound import InboundLeg
from openivr.sip.legs import Header
from openivr.sip.message import Request
from openivr.sip.targets import Target


class Reply(NamedTuple):
    """An answer to a request. Status 0: no answer at all."""

    status: int
    reason: str = ""  # "": the usual one
    headers: tuple[Header, ...] = ()
    body: bytes = b""


SILENCE = Reply(0)


class Owner(Protocol):
    """Who stands behind an agent. Called on the event loop; must not block."""

    def hears(self, source: Target) -> bool:
        """Whether anything from this source is looked at; asked before a message is read."""
        ...

    def nonsense(self, source: Target) -> None:
        """This source sent what is not SIP, or a request so malformed that `admit` was not asked."""
        ...

    def admit(self, request: Request) -> Reply | None:
        """Decide on a request before anything about it is kept; `None` lets it in.

        Asked for every request that is of no call under way, but for ACK and CANCEL. A `Reply` (401, 403,
        503 ...) is sent without keeping state, `SILENCE` drops the request.
        """
        ...

    def called(self, leg: InboundLeg) -> None:
        """An admitted INVITE. Set `leg.listener`, then ring, answer or reject it: now or later.

        `leg.replaces` is the leg whose place this call takes (RFC 3891): connect this one instead, and hang
        that one up.
        """
        ...

    def registered(self, request: Request) -> Reply:
        """An admitted REGISTER: the registrar's answer."""
        ...

    def asked(self, request: Request) -> Reply | None:
        """Any other admitted request but OPTIONS (MESSAGE, SUBSCRIBE ...). `None`: 405 with Allow."""
        ...
