"""What an agent asks of the one it works for."""

from typing import NamedTuple, Protocol

from openivr.sip.address import Target
from openivr.sip.dialog.call_leg import Header
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.message.message import Request


class LocalResponse(NamedTuple):
    """An answer to a request. Status 0: no answer at all."""

    status: int
    reason: str = ""  # "": the usual one
    headers: tuple[Header, ...] = ()
    body: bytes = b""


DROP = LocalResponse(0)


class SipHandler(Protocol):
    """Who stands behind an agent. Called on the event loop; must not block."""

    def is_source_allowed(self, source: Target) -> bool:
        """Whether anything from this source is looked at; asked before a message is read."""
        ...

    def on_malformed(self, source: Target) -> None:
        """This source sent what is not SIP, or a request so malformed that `admit` was not asked."""
        ...

    def admit(self, request: Request) -> LocalResponse | None:
        """Decide on a request before anything about it is kept; `None` lets it in.

        Called for every request outside a dialog except ACK and CANCEL. A `LocalResponse` (401, 403) is sent
        without keeping state. `SILENCE` drops the request.
        """
        ...

    def on_invite(self, leg: InboundLeg) -> None:
        """An admitted INVITE. Set `leg.listener`, then ring, answer or reject it: now or later.

        `leg.replaces` is the leg whose place this call takes (RFC 3891): connect this one instead, and hang
        that one up.
        """
        ...

    def on_register(self, request: Request) -> LocalResponse:
        """An admitted REGISTER: the registrar's answer."""
        ...

    def on_other_request(self, request: Request) -> LocalResponse | None:
        """Any other admitted request but OPTIONS (MESSAGE, SUBSCRIBE ...). `None`: 405 with Allow."""
        ...
