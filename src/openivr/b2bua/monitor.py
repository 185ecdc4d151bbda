"""Monitors of calls (P-Series: monitor-a-call): an extension is rung, and then receives a call that talks.

The monitor has a record of its own, of a call from it to the extension that it monitors. Its phone is no leg
of the call, which shows nothing of it.
"""

from asyncio import TimerHandle
from typing import Protocol

from openivr.b2bua.call import Call
from openivr.b2bua.call_commands import MonitorMode
from openivr.b2bua.call_manager import CallManager, InviteInfo, make_header
from openivr.b2bua.cdr_writer import CdrWriter
from openivr.b2bua.dialer import Dialer
from openivr.b2bua.fork import CallerId
from openivr.b2bua.party import Party
from openivr.b2bua.placed_call import write_nothing
from openivr.cdr.journal.entries import PLACING, CallEndReason
from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.commands import Dial, HangupReason, Note, Topic
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind
from openivr.ivr.state import IvrState
from openivr.sip.dialog.refer import Referral
from openivr.sip.termination import Termination


class MonitorOwner(Protocol):
    """Callbacks of a monitor."""

    def on_monitor_end(self, monitor: "Monitor") -> None:
        """The monitor is finished. Called once, last."""
        ...


class Monitor:
    """An extension that monitors a party of a call. It is the `DialObserver` of its phones."""

    def __init__(  # noqa: PLR0913 - a monitor has many circumstances
        self,
        manager: CallManager,
        config: CallConfig,
        account: SipAccount,
        call: Call,
        party: Party,
        *,
        mode: MonitorMode,
        owner: MonitorOwner,
    ) -> None:
        self.id, self.account, self.mode = manager.new_call_id(), account, mode
        self.is_finished = False
        self._config, self._call, self._party, self._owner = config, call, party, owner
        self._loop = manager.context.loop
        self._cdr_writer = CdrWriter(self.id, manager.context.write_entry, manager.context.event_clock().now)
        self._seconds = config.snapshot.extensions[account.extension].ring_seconds
        self._timer: TimerHandle | None = None
        self._dialer = Dialer(
            manager.context,
            config,
            self,
            CdrWriter(self.id, write_nothing, self._cdr_writer.now),
            dial=Dial(0, DestinationKind.EXTENSION, account.extension, account.number, self._seconds),
            caller=CallerId(party.number, ""),
        )

    def start(self) -> None:
        """Ring the phones of the monitor."""
        invite = InviteInfo(self.account.number, self.account.name, self._party.number)
        self._cdr_writer.begin(make_header(self._config, self.account, invite), stage=PLACING)
        self._cdr_writer.topics.add(Topic.ARRIVED)  # so that one that fails was missed, and not refused
        self._call.monitor = self
        self._timer = self._loop.call_later(self._seconds, self._fail, Cause.NO_ANSWER)
        self._dialer.start()

    def close(self, reason: HangupReason | CallEndReason = HangupReason.CALLEE_HANGUP) -> None:
        """End the monitor: the talk ends, a command hangs it up, or its phone hung up."""
        if self.is_finished:
            return
        self.is_finished = True
        if self._timer is not None:
            self._timer.cancel()
        self._call.remove_monitor(self)
        self._dialer.stop()
        self._cdr_writer.finish(reason, {}, {})
        self._owner.on_monitor_end(self)

    def _fail(self, cause: Cause) -> None:
        """End the monitor, because its phone does not answer."""
        if not self.is_finished:
            self._note(Topic.FAILED, cause.value)
            self.close(HangupReason.DESTINATION_UNREACHED)

    def _note(self, topic: Topic, detail: str = "", stage: str = "") -> None:
        note = Note(topic, kind=DestinationKind.EXTENSION, number=self._party.number, detail=detail)
        self._cdr_writer.note(note, stage)

    # Callbacks of the dialer

    def on_ringing(self, _dialer: Dialer, _early: Party | None) -> None:
        """Nothing is played while the phone of a monitor rings."""

    def on_answered(self, _dialer: Dialer, party: Party) -> None:
        """Let the monitor receive the call."""
        if self._timer is not None:
            self._timer.cancel()
        self._cdr_writer.answer()
        self._note(Topic.CONNECTED, stage=IvrState.CONNECTED.value)
        self._call.add_monitor(self._party, party, self.mode)

    def on_unreachable(self, _dialer: Dialer, cause: Cause) -> None:
        """No phone of the monitor can be reached, or it declined."""
        self._fail(cause)

    def on_gone(self, _party: Party, _termination: Termination) -> None:
        """The monitor hung up."""
        self.close(HangupReason.CALLER_HANGUP)

    def on_media_timeout(self, _party: Party) -> None:
        """No RTP comes from the monitor."""
        self.close(HangupReason.CALLER_LOST)

    def on_referral(self, _party: Party, referral: Referral) -> None:
        """Reject a transfer: a monitor cannot be handed over."""
        referral.reject(603)


class Monitors:
    """The monitors of this process. Each takes the room of a call."""

    def __init__(self, call_manager: CallManager) -> None:
        self._call_manager = call_manager
        self.calls: dict[str, Monitor] = {}

    def start(
        self, config: CallConfig, account: SipAccount, call: Call, party: Party, mode: MonitorMode
    ) -> Monitor:
        """Ring the phones of a monitor for a party of a call."""
        monitor = Monitor(self._call_manager, config, account, call, party, mode=mode, owner=self)
        self.calls[monitor.id] = monitor
        self._call_manager.waiting += 1
        monitor.start()
        return monitor

    def on_monitor_end(self, monitor: Monitor) -> None:
        if self.calls.pop(monitor.id, None) is not None:
            self._call_manager.waiting -= 1
