"""What calls work with; made once by whoever puts the process together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from openivr.b2bua.limits import Usage
from openivr.b2bua.prompt_cache import PromptCache
from openivr.cdr.journal.entries import JournalEntry
from openivr.config.call_config import SipAccount
from openivr.media.media import Media
from openivr.sip.address import Target
from openivr.sip.dialog.call_leg import Authorise, CallLeg, CallLegListener, Header
from openivr.sip.registrar.registrar import Binding
from openivr.sip.trunk.trunk_manager import DialTarget

log = structlog.get_logger(__name__)


class SipAgent(Protocol):
    """The part of the user agent that places calls."""

    def call(  # noqa: PLR0913 - an INVITE has many headers
        self,
        uri: str,
        listener: CallLegListener,
        *,
        body: bytes = b"",
        caller: str = "",
        caller_name: str = "",
        target: Target | None = None,
        headers: Sequence[Header] = (),
        authorise: Authorise | None = None,
        contact_user: str = "",
    ) -> CallLeg:
        """Place a call."""
        ...


class TrunkRoutes(Protocol):
    """The trunks as they are now (`sip.trunks.Trunks`)."""

    def dial_targets(self, ident: int, number: str, caller: str = "") -> list[DialTarget]:
        """The ways to call a number over a trunk, to be tried in order; none while there is none."""
        ...

    def on_no_response(self, ident: int) -> None:
        """Note that a call over a trunk had no answer at all."""
        ...

    def on_incoming_call(self, ident: int) -> None:
        """Note that a call came over a trunk."""
        ...


OpenMailbox = Callable[[str, str], Awaitable[tuple[str, ...] | None]]  # number, PIN -> messages, newest first


@dataclass(slots=True)
class CallContext:
    """Everything that a call may use. Nothing of it blocks."""

    loop: asyncio.AbstractEventLoop
    agent: SipAgent
    media: Media
    library: PromptCache
    usage: Usage
    lines: TrunkRoutes
    phones: Callable[[SipAccount], Sequence[Binding]]  # where the phones of an account are now
    open_mailbox: OpenMailbox
    write: Callable[[JournalEntry], None]
    now: Callable[[], int]  # Unix milliseconds
    messages: Path  # folder where messages wait for the clerk
    recordings: Path | None = None  # folder for the sound of calls; None: they are not recorded
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that waits, beside the calls."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("work for a call failed", exc_info=error)
