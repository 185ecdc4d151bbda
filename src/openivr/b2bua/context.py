"""Dependencies that all calls share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog

from openivr.b2bua.limits import CallLimiter
from openivr.b2bua.prompt_cache import PromptCache
from openivr.cdr.journal.entries import JournalEntry
from openivr.clock import EventClock
from openivr.config.call_config import SipAccount
from openivr.hours.period import PeriodDecision
from openivr.media.media import Media
from openivr.sip.address import Target
from openivr.sip.dialog.call_leg import Authorise, CallLeg, CallLegListener
from openivr.sip.message.message import Header
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


class Trunks(Protocol):
    """The part of the trunk manager that calls use."""

    def dial_targets(self, ident: int, number: str, caller: str = "") -> list[DialTarget]:
        """Return the targets for a number over a trunk, in the order to try them; none if it is down."""
        ...

    def on_no_response(self, ident: int) -> None:
        """Record that an INVITE over a trunk got no response."""
        ...

    def on_incoming_call(self, ident: int) -> None:
        """Record that a call came over a trunk."""
        ...


class HoursUnavailable(Exception):
    """Business hours cannot be switched at present."""


class PinUncheckable(Exception):
    """No PIN can be checked at present."""


ResolveHost = Callable[[str, Callable[[Sequence[str]], None]], None]  # name, what gets its addresses
SwitchHours = Callable[[int, str, str], Awaitable[PeriodDecision | None]]  # extension, action, PIN
OpenMailbox = Callable[[str, str], Awaitable[tuple[str, ...] | None]]  # number, PIN -> messages, newest first
CheckPin = Callable[[int, str, str], Awaitable[bool]]  # id of a PIN list, caller, PIN -> it is right


async def refuse_switch(_extension: int, _action: str, _pin: str) -> PeriodDecision | None:
    """Let no extension switch business hours."""
    return None


async def never_full(_extension: int) -> bool:
    return False


def always() -> bool:
    return True


def resolve_nothing(_name: str, on_addresses: Callable[[Sequence[str]], None]) -> None:
    on_addresses(())


@dataclass(slots=True)
class CallContext:
    """Dependencies of a call. None of the methods blocks."""

    loop: asyncio.AbstractEventLoop
    agent: SipAgent
    media: Media
    prompts: PromptCache
    limiter: CallLimiter
    trunks: Trunks
    bindings_of: Callable[[SipAccount], Sequence[Binding]]  # current registrations of an account
    open_mailbox: OpenMailbox  # raises PinUncheckable
    check_pin: CheckPin  # raises PinUncheckable
    write_entry: Callable[[JournalEntry], None]
    now: Callable[[], int]  # wall clock, Unix milliseconds
    message_folder: Path  # where messages wait for the CDR worker
    recording_folder: Path | None = None  # None: no call can be recorded
    records_calls: bool = False  # all of them, from the answer on
    is_mailbox_full: Callable[[int], Awaitable[bool]] = never_full  # of an extension
    resolve_host: ResolveHost = resolve_nothing  # for names in session descriptions
    switch_hours: SwitchHours = refuse_switch  # raises HoursUnavailable
    has_space: Callable[[], bool] = always  # whether audio of calls may be written to the disk
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def event_clock(self) -> EventClock:
        """Return a clock for the events of one call, which steps of the wall clock do not affect."""
        return EventClock(self.now, self.loop.time)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task; its failure is logged."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("background task of a call failed", exc_info=error)
