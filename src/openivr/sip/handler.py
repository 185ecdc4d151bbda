"""Callbacks that an Agent needs from the application: admission of requests, and their handling.

All are called on the event loop and must not block.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from openivr.sip.accounts import CallerIdentity
from openivr.sip.address import Target
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.message.message import Header, Request


class LocalResponse(NamedTuple):
    """A response generated here. Status 0: none is sent."""

    status: int
    reason: str = ""  # "": the default phrase of the status
    headers: tuple[Header, ...] = ()
    body: bytes = b""


DROP = LocalResponse(0)


@dataclass(frozen=True, slots=True)
class Admission:
    """The decision to handle a request. `caller` is the authenticated sender, None for OPTIONS."""

    caller: CallerIdentity | None = None


class AdmissionHandler(Protocol):
    """Decides which requests are handled."""

    def is_source_allowed(self, source: Target) -> bool:
        """Return False to discard a message from this source before it is parsed."""
        ...

    def on_malformed(self, source: Target) -> None:
        """Called for a message that cannot be parsed, which `admit` never sees."""
        ...

    def admit(self, request: Request) -> Admission | LocalResponse:
        """Admit a request, or return the response that rejects it.

        Called for every request outside a dialog except ACK and CANCEL. A `LocalResponse` (401, 403) is sent
        without keeping transaction state; `DROP` sends nothing.
        """
        ...


class RequestHandler(Protocol):
    """Handles admitted requests."""

    def on_invite(self, leg: InboundLeg, admission: Admission) -> None:
        """Handle an INVITE: set `leg.listener`, then call `progress`, `answer` or `reject`, now or later.

        `leg.replaces` is the leg that this call replaces (RFC 3891): connect this one instead and hang up the
        replaced one.
        """
        ...

    def on_register(self, request: Request, admission: Admission) -> LocalResponse:
        """Return the registrar's response to a REGISTER."""
        ...

    def on_other_request(self, request: Request, admission: Admission) -> LocalResponse | None:
        """Return the response to any other method but OPTIONS (MESSAGE, SUBSCRIBE). None: 405 with Allow."""
        ...
