"""What calls work with; made once by whoever puts the process together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from openivr.accounts import Account
from openivr.calls.library import Library
from openivr.calls.limits import Usage
from openivr.journal.entries import Entry
from openivr.media.media import Media
from openivr.sip.legs import Authorise, Header, Leg, Listener
from openivr.sip.registrar import Binding
from openivr.sip.targets import Target
from openivr.sip.trunks import Way

log = structlog.get_logger(__name__)


class Agent(Protocol):
    """The part of the user agent that places calls."""

    def call(  # noqa: PLR0913 - an INVITE has many headers
        self,
        uri: str,
        listener: Listener,
        *,
        body: bytes = b"",
        caller: str = "",
        caller_name: str = "",
        target: Target | None = None,
        headers: Sequence[Header] = (),
        authorise: Authorise | None = None,
        contact_user: str = "",
    ) -> Leg:
        """Place a call."""
        ...


class Lines(Protocol):
    """The trunks as they are now (`sip.trunks.Trunks`)."""

    def ways(self, ident: int, number: str, caller: str = "") -> list[Way]:
        """The ways to call a number over a trunk, to be tried in order; none while there is none."""
        ...

    def missed(self, ident: int) -> None:
        """Note that a call over a trunk had no answer at all."""
        ...

    def heard(self, ident: int) -> None:
        """Note that a call came over a trunk."""
        ...


OpenMailbox = Callable[[str, str], Awaitable[tuple[str, ...] | None]]  # number, PIN -> messages, newest first


@dataclass(slots=True)
class House:
    """Everything that a call may use. Nothing of it blocks."""

    loop: asyncio.AbstractEventLoop
    agent: Agent
    media: Media
    library: Library
    usage: Usage
    lines: Lines
    phones: Callable[[Account], Sequence[Binding]]  # where the phones of an account are now
    open_mailbox: OpenMailbox
    write: Callable[[Entry], None]
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
