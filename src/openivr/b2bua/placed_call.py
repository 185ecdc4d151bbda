"""Calls that programs place (P-Series: make-a-call): the caller's phone is rung first, then the callee.

The record is that of a call from the caller to the callee. The caller's phone is no leg of it, as it is none
of a call that the phone places itself. Until the phone answers, the stage of the call is `PLACING`.
"""

from asyncio import TimerHandle
from dataclasses import dataclass
from typing import Protocol

from openivr.b2bua.call import Call
from openivr.b2bua.call_manager import CallManager, InviteInfo, make_header
from openivr.b2bua.cdr_writer import CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.dialer import Dialer
from openivr.b2bua.dialplan import DialplanMatch, NoMatch, dial_from_phone, leads_outside
from openivr.b2bua.fork import CallerId
from openivr.b2bua.party import Party
from openivr.cdr.journal.entries import PLACING, CallEndReason, JournalEntry
from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.commands import Dial, HangupReason, Note, Topic
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind, Extension
from openivr.sip.dialog.refer import Referral
from openivr.sip.message.message import Header
from openivr.sip.termination import Termination

# Phones that allow it answer by themselves on one of these: RFC 5373, and what phones had before it.
AUTO_ANSWER: tuple[Header, ...] = (
    ("Answer-Mode", "Auto"),
    ("Call-Info", "<sip:openivr.invalid>;answer-after=0"),
    ("Alert-Info", "<http://openivr.invalid>;info=alert-autoanswer;delay=0"),
)


class PlacedCallOwner(Protocol):
    """Callbacks of a placed call to the call manager."""

    def on_caller_answered(self, placed: "PlacedCall", party: Party) -> Call:
        """The caller's phone answered. Return the call, which goes on with it."""
        ...

    def on_placed_call_end(self, placed: "PlacedCall") -> None:
        """The call ended before the caller's phone answered. Called once, last."""
        ...


def write_nothing(_entry: JournalEntry) -> None:
    """Stands for the journal where legs are not recorded."""


class PlacedCall:
    """A call whose caller's phone rings. It is its `DialObserver`."""

    def __init__(  # noqa: PLR0913 - a call has many circumstances
        self,
        context: CallContext,
        config: CallConfig,
        account: SipAccount,
        *,
        extension: Extension,
        invite: InviteInfo,
        match: DialplanMatch,
        call_id: str,
        owner: PlacedCallOwner,
        shown_name: str = "",
        headers: tuple[Header, ...] = (),
    ) -> None:
        self.context, self.config, self.id = context, config, call_id
        self.account, self.invite, self.match = account, invite, match
        self.cdr_writer = CdrWriter(call_id, context.write_entry, context.event_clock().now)
        self.is_finished = False
        self._owner = owner
        self._seconds = extension.ring_seconds
        self._timer: TimerHandle | None = None
        self._dialer = Dialer(
            context,
            config,
            self,
            CdrWriter(call_id, write_nothing, self.cdr_writer.now),
            dial=Dial(0, DestinationKind.EXTENSION, extension.id, extension.number, self._seconds),
            caller=CallerId(invite.called, "", inside=shown_name),
            headers=headers,
        )

    def start(self) -> None:
        """Ring the caller's phones."""
        header = make_header(self.config, self.account, self.invite)
        self.cdr_writer.begin(header, is_outside=leads_outside(self.match), stage=PLACING)
        self.cdr_writer.topics.add(Topic.ARRIVED)  # so that one that fails was missed, and not refused
        self._timer = self.context.loop.call_later(self._seconds, self._give_up)
        self._dialer.start()

    def close(self, reason: CallEndReason | HangupReason = HangupReason.CALLER_HANGUP) -> None:
        """End the call: a command hangs it up, or the server stops."""
        if not self.is_finished:
            self._end()
            self._dialer.stop()
            self.cdr_writer.finish(reason, {}, {})
            self._owner.on_placed_call_end(self)

    def _give_up(self) -> None:
        self._dialer.stop()
        self._fail(Cause.NO_ANSWER)

    def _fail(self, cause: Cause) -> None:
        """End the call, because the caller's phone does not answer."""
        if not self.is_finished:
            self._end()
            kind = self.match.destination.kind
            number, is_private = self.invite.called, leads_outside(self.match)
            note = Note(Topic.FAILED, kind=kind, number=number, detail=cause, private=is_private)
            self.cdr_writer.note(note)
            self.cdr_writer.finish(HangupReason.DESTINATION_UNREACHED, {}, {})
            self._owner.on_placed_call_end(self)

    def _end(self) -> None:
        self.is_finished = True
        if self._timer is not None:
            self._timer.cancel()

    # Callbacks of the dialer

    def on_ringing(self, _dialer: Dialer, _early: Party | None) -> None:
        """Ringing of the caller's phone is nothing that anybody waits for."""

    def on_answered(self, dialer: Dialer, party: Party) -> None:
        """Go on with the phone that answered, as if it had called."""
        if self.is_finished:
            party.hang_up()
            return
        self._end()
        slot = dialer.detach()
        call = self._owner.on_caller_answered(self, party)
        if slot is not None:  # the phone has forwarded to the outside
            call.slots.append(slot)
        call.arrive(self.match)

    def on_unreachable(self, _dialer: Dialer, cause: Cause) -> None:
        """No phone of the caller can be reached, or it declined."""
        self._fail(cause)

    def on_gone(self, _party: Party, _termination: Termination) -> None:
        """Nothing: the phone that answered belongs to the call."""

    def on_media_timeout(self, _party: Party) -> None:
        """Nothing, likewise."""

    def on_referral(self, _party: Party, referral: Referral) -> None:
        """Reject a transfer before there is a call."""
        referral.reject(603)


@dataclass(frozen=True, slots=True)
class DialRequest:
    """A call that a program asks for."""

    caller: SipAccount
    callee: str  # number
    rights: SipAccount  # the extension that may dial it or not
    is_auto_answered: bool = False


class CallPlacer:
    """Places calls and keeps them until the caller's phone answers."""

    def __init__(self, call_manager: CallManager) -> None:
        self._call_manager = call_manager
        self.calls: dict[str, PlacedCall] = {}

    def place(self, config: CallConfig, request: DialRequest) -> PlacedCall | NoMatch:
        """Ring the phones of the caller. A callee that may not be dialled is recorded, and nothing rings."""
        manager, account = self._call_manager, request.caller
        invite = InviteInfo(account.number, account.name, request.callee)
        match = dial_from_phone(config, request.rights, request.callee)
        if isinstance(match, NoMatch):
            manager.record_unrouted(config, account, invite, match, match.reason)
            return match
        placed = PlacedCall(
            manager.context,
            config,
            account,
            extension=config.snapshot.extensions[account.extension],
            invite=invite,
            match=match,
            call_id=manager.new_call_id(),
            owner=self,
            shown_name=name_of(config, match),
            headers=AUTO_ANSWER if request.is_auto_answered else (),
        )
        self.calls[placed.id] = placed
        manager.waiting += 1
        placed.start()
        return placed

    def on_caller_answered(self, placed: PlacedCall, party: Party) -> Call:
        self.on_placed_call_end(placed)
        return self._call_manager.make(
            placed.config, placed.account, party, placed.invite, cdr_writer=placed.cdr_writer
        )

    def on_placed_call_end(self, placed: PlacedCall) -> None:
        if self.calls.pop(placed.id, None) is not None:
            self._call_manager.waiting -= 1

    def close(self) -> None:
        """End all calls whose caller has not answered, because the server stops."""
        for placed in list(self.calls.values()):
            placed.close(CallEndReason.SERVER_STOPPED)


def name_of(config: CallConfig, match: DialplanMatch) -> str:
    """Return the name of a destination, for the display of the caller's phone; "" if it has none."""
    snapshot, to = config.snapshot, match.destination
    match to.kind:
        case DestinationKind.EXTENSION:
            return snapshot.extensions[to.target].name
        case DestinationKind.IVR:
            return snapshot.ivrs[to.target].name
        case DestinationKind.RING_GROUP:
            return snapshot.ring_groups[to.target].name
        case _:
            return ""
