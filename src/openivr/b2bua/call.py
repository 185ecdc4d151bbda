"""Runs one call: executes the commands of the IVR on SIP and media, and feeds events back."""

from asyncio import TimerHandle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, assert_never

import msgspec
import structlog

from openivr.b2bua.call_commands import MonitorMode, TalkAction
from openivr.b2bua.call_recorder import CallRecorder
from openivr.b2bua.cdr_writer import CallHeader, CdrWriter
from openivr.b2bua.context import CallContext, HoursUnavailable, PinUncheckable
from openivr.b2bua.dialer import Dialer
from openivr.b2bua.dialplan import DialplanMatch, leads_outside
from openivr.b2bua.fork import CallerId
from openivr.b2bua.limits import RouteSlot
from openivr.b2bua.party import NO_LISTENER, Party, PartyListener
from openivr.b2bua.prompt_player import PromptPlayer
from openivr.b2bua.reception import Monitoring, Seat
from openivr.b2bua.sip_causes import STATUSES, status_of
from openivr.b2bua.talk import CHANGES, Talk
from openivr.b2bua.voicemail import Voicemail
from openivr.cdr.journal.entries import CallEndReason, LegRecord, LegResult
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import (
    Answer,
    CallTimer,
    CheckPin,
    Command,
    DeleteMessage,
    Dial,
    Hangup,
    HangupReason,
    Note,
    OpenMailbox,
    Play,
    Record,
    SetTimer,
    StopDial,
    StopPlay,
    StopRecord,
    SwitchHours,
    Topic,
)
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    Event,
    HoursRefused,
    HoursSwitched,
    HungUp,
    PinAccepted,
    PinRefused,
    PromptEnded,
    TimerFired,
)
from openivr.ivr.model import DestinationKind
from openivr.ivr.periods import with_period
from openivr.ivr.session import UNCONFIRMED, IvrSession
from openivr.ivr.state import IvrState
from openivr.media.audio.tone import hold_tone, ringback
from openivr.sip.address import uri_host
from openivr.sip.dialog.refer import Referral
from openivr.sip.termination import FailureReason, Termination

log = structlog.get_logger(__name__)
REJECTED = 603
Origin = SipAccount | TrunkAccount


# Failures that end the leg of a call without a BYE of the peer.
LOST = frozenset(FailureReason) - {FailureReason.CANCELLED, FailureReason.NO_MEDIA}
GONE: dict[FailureReason | None, str] = {
    **dict.fromkeys(LOST, HangupReason.CALLER_LOST),
    FailureReason.NO_MEDIA: CallEndReason.NO_MEDIA,
}


def read_reason(code: str) -> HangupReason | CallEndReason:
    """Return the reason of a `HungUp`."""
    if not code:
        return HangupReason.CALLER_HANGUP
    return HangupReason(code) if code in set(HangupReason) else CallEndReason(code)


@dataclass(frozen=True, slots=True)
class CallerNames:
    """Names of a caller: the one that came with the call, and that of the company contact, "" without one."""

    received: str = ""
    contact: str = ""


class CallOwner(Protocol):
    """Callbacks of a call to the call manager."""

    def on_referral(self, call: "Call", party: Party, referral: Referral) -> None:
        """A party of the call asks for a transfer."""
        ...

    def on_call_end(self, call: "Call") -> None:
        """The call is finished. Called once, last."""
        ...


class CallMonitor(Protocol):
    """The part of a monitor that its call uses."""

    def close(self) -> None:
        """Hang up the monitor, because the talk ends."""
        ...


def ignore_outcome(_status: int) -> None:
    """Stands for `on_outcome` where no transfer waits for it."""


class Call(PartyListener):
    """One call of one caller, from its arrival to its end.

    Events come in by the methods `on_*`: of the caller's party and of a callee that replaced another as
    `PartyListener`, of the dialer as `DialObserver`, and of the player and the recorder.
    """

    def __init__(  # noqa: PLR0913 - a call has many circumstances
        self,
        context: CallContext,
        config: CallConfig,
        origin: Origin,
        caller: Party,
        *,
        call_id: str,
        names: CallerNames,
        owner: CallOwner,
        cdr_writer: CdrWriter | None = None,
    ) -> None:
        self.context, self.config, self.id = context, config, call_id
        self.origin, self.caller, self.names = origin, caller, names
        self.cdr_writer = cdr_writer or CdrWriter(call_id, context.write_entry, context.event_clock().now)
        self.session = IvrSession(config.snapshot)
        self.dialer: Dialer | None = None  # rings the callee, or has connected it
        self.callee: Party | None = None  # that the caller is connected to
        self.is_finished = False
        self.on_outcome: Callable[[int], object] = ignore_outcome  # called once: 200, or the callee's status
        self.slots: list[RouteSlot] = []  # of outbound calls whose party was joined to this call
        self.owner = owner
        self._events: list[Event] = []  # that wait for the end of the present one
        self._is_dispatching = False
        self._hangup_reason: HangupReason | CallEndReason = HangupReason.CALLER_HANGUP
        self._has_failed = False
        self._is_caller_gone = False  # and the session may still wait for a message to be kept
        self._timers: dict[CallTimer, TimerHandle] = {}
        self._player = PromptPlayer(context, self.on_play_end)
        self._voicemail = Voicemail(context, call_id, self.dispatch)
        self._dial: Dial | None = None
        self._cause: Cause | None = None  # of the last dial, if it failed
        self._media_stats: dict[str, Any] = {}  # by side
        self._status = 0  # of the response to a caller whom a command hangs up before an answer
        self.recorder = CallRecorder(context, call_id)
        self.monitor: CallMonitor | None = None  # from its ringing on
        self.talk: Talk | None = None  # once its audio was commanded, until the bridge ends
        self._alert_info = ""  # of the inbound route that took the call
        self._joined: dict[Party, int] = {}  # parties that took the place of others, and their legs
        self._detached: set[Party] = set()  # parties that go on in another call
        caller.listener = self

    @property
    def account(self) -> SipAccount | None:
        """The caller's account; None if the call came over a trunk."""
        return self.origin if isinstance(self.origin, SipAccount) else None

    def other(self, party: Party) -> Party | None:
        """Return the party that this one is connected to."""
        if self.callee is None or party not in (self.caller, self.callee):
            return None
        return self.caller if party is self.callee else self.callee

    def party_at(self, place: int) -> Party | None:
        """Return the party of a leg of the record; -1 is the caller. None: it has ended."""
        if place < 0:
            return self.caller
        joined = next((party for party, leg in self._joined.items() if leg == place), None)
        if joined is not None or self.dialer is None:
            return joined
        return self.dialer.party_of_leg(place)

    def line_of(self, party: Party) -> str:
        """Return the name of the trunk that a party is reached over, "" for a phone."""
        if party is self.caller and isinstance(self.origin, TrunkAccount):
            return self.origin.name
        if party in self._joined:
            return self.cdr_writer.legs[self._joined[party]].via if party.account is None else ""
        winner = self.dialer.winner if self.dialer is not None else None
        return winner.record.via if winner is not None and party.account is None else ""

    def start(self, header: CallHeader, match: DialplanMatch) -> None:
        """Offer the call to the IVR at its destination."""
        self.cdr_writer.begin(header, is_outside=leads_outside(match))
        if self.caller.is_answered:
            self.cdr_writer.answer()
        self.arrive(match, is_answered=self.caller.is_answered)

    def arrive(self, match: DialplanMatch, *, is_answered: bool = False) -> None:
        """Offer the call to the IVR. Its record has begun.

        The caller of a call that a program placed is on the phone already, and the call is not answered
        before its destination is reached.
        """
        self._alert_info = match.alert_info
        number = self.caller.number
        arrival = CallArrived(number, match.destination, match.route_ids, is_answered, self._moment())
        arrival = replace(arrival, hours_action=match.hours.action, extension=match.hours.extension)
        arrival = replace(arrival, is_internal=self.account is not None)
        self.dispatch(with_period(arrival, match.decision, match.announcements))

    def _moment(self) -> int:
        """Return the wall-clock time for the menus, in seconds. 0 if nothing depends on it."""
        return self.context.now() // 1000 if self.config.snapshot.is_timed else 0

    # Callbacks of the parties

    def on_key(self, party: Party, key: str) -> None:
        if party is self.caller:
            self.dispatch(Digit(key, self._moment()))

    def on_gone(self, party: Party, termination: Termination) -> None:
        if party is self.caller:
            self.dispatch(HungUp(GONE.get(termination.failure, "")))
        else:
            self._end_dial(party, HangupReason.CALLEE_LOST if termination.failure in LOST else "")

    def on_media_timeout(self, party: Party) -> None:
        side = "caller" if party is self.caller else "callee"
        log.info("media timeout", call=self.id, side=side)
        if party is self.caller:
            self.dispatch(HungUp(HangupReason.CALLER_LOST))
        else:
            self._end_dial(party, HangupReason.CALLEE_LOST)

    def on_referral(self, party: Party, referral: Referral) -> None:
        self.owner.on_referral(self, party, referral)

    # The IVR

    def dispatch(self, event: Event) -> None:
        """Handle an event in the IVR session and execute its commands. Events that these cause are queued."""
        self._events.append(event)
        if self._is_dispatching:
            return
        self._is_dispatching = True
        try:
            while self._events and not self.is_finished:
                self._handle_safely(self._events.pop(0))
        finally:
            self._is_dispatching = False

    def _handle_safely(self, event: Event) -> None:
        """Handle an event. An error must neither affect other calls nor leave this one open for ever."""
        try:
            self._handle(event)
        except Exception:
            log.exception("call failed", call=self.id)
            if self._has_failed:
                self._finish(CallEndReason.SERVER_ERROR)
            else:
                self._has_failed = True
                self.close(CallEndReason.SERVER_ERROR)

    def _handle(self, event: Event) -> None:
        was_ended, was_private = self.session.ended, self.session.private
        commands = self.session.handle(event)
        if not was_ended:
            self.cdr_writer.step(event, commands, self.session, was_private=was_private)
        for command in commands:
            self._execute(command)
        if isinstance(event, HungUp) and not self._is_caller_gone:
            self._is_caller_gone = True
            self._hangup_reason = read_reason(event.reason)
        if self._is_caller_gone and self.session.ended:
            self._finish(self._hangup_reason)

    def _execute(self, command: Command) -> None:  # noqa: PLR0912 - one case a command
        match command:
            case Note():
                if command.topic is Topic.FAILED and not self.caller.is_answered:
                    self._cause = Cause(command.detail)  # also without a dial: the status says it
            case Answer():
                self._answer()
            case Play():
                self._start_play(command)
            case StopPlay():
                self._voicemail.mark_heard(self._player.stop(command.token, self.caller))
            case SetTimer():
                self._set_timer(command)
            case Dial():
                self._start_dial(command)
            case StopDial():
                self._stop_dial()
            case Record():
                self._player.forget()
                self._voicemail.record(command, self.caller)
            case StopRecord():
                self._voicemail.stop()
            case OpenMailbox():
                self.context.spawn(self._voicemail.open(command))
            case CheckPin():
                self.context.spawn(self._check_pin(command))
            case SwitchHours():
                self.context.spawn(self._switch_hours(command))
            case DeleteMessage():
                self._voicemail.delete(command, self.config.snapshot)
            case Hangup():
                self._finish(command.reason)
            case _:
                assert_never(command)

    def _answer(self) -> None:
        self.cdr_writer.answer()  # first: a 200 that was sent must be in the record, whatever follows
        self.caller.answer()
        if self.caller not in self._detached:  # the call that has lent it may record it already
            self.recorder.record_by_policy(self.caller.media)

    async def _check_pin(self, command: CheckPin) -> None:
        try:
            is_right = await self.context.check_pin(command.pin_list, self.caller.number, command.pin)
        except PinUncheckable:
            self.dispatch(PinRefused(command.token, is_unchecked=True))
        else:
            self.dispatch((PinAccepted if is_right else PinRefused)(command.token))

    async def _switch_hours(self, command: SwitchHours) -> None:
        """Switch business hours if the extension may and the PIN is right."""
        try:
            decision = await self.context.switch_hours(command.extension, command.action, command.pin)
        except HoursUnavailable:
            self.dispatch(HoursRefused(command.token, is_unchecked=True))
            return
        if decision is None:
            self.dispatch(HoursRefused(command.token))
        else:
            period, reason = decision.period.value, decision.reason.value
            self.dispatch(HoursSwitched(command.token, period, reason, decision.name))

    # Prompts

    def _start_play(self, play: Play) -> None:
        is_failed = self._cause is not None and self.session.state is IvrState.NOTICE
        self._report_outcome(STATUSES[self._cause] if self._cause and is_failed else 200)
        self._player.start(play, self.caller, self._voicemail.messages)

    def on_play_end(self, play: Play, missing: tuple[str, ...]) -> None:
        """A play has ended; `missing` names prompts that were not found."""
        self._voicemail.mark_heard(name for name in play.prompts if name not in missing)
        self.dispatch(PromptEnded(play.token, missing))

    # Timers

    def _set_timer(self, command: SetTimer) -> None:
        self._cancel_timer(command.timer)
        fire = partial(self._on_timer, command.token)
        self._timers[command.timer] = self.context.loop.call_later(command.seconds, fire)

    def _on_timer(self, token: int) -> None:
        self.dispatch(TimerFired(token, self._moment()))

    def _cancel_timer(self, timer: CallTimer) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    # The callee

    def _start_dial(self, dial: Dial) -> None:
        self._stop_dial()
        self._player.forget()
        dial = replace(dial, alert_info=dial.alert_info or self._alert_info)
        self._dial, self._cause = dial, None
        self.dialer = Dialer(
            self.context, self.config, self, self.cdr_writer, dial=dial, caller=self._caller_id(dial)
        )
        if self.caller.is_answered:
            self._play_ringback()
        if dial.prompt:
            self.context.spawn(self._play_join_prompt(dial))
        self.dialer.start()

    def _play_ringback(self) -> None:
        """Play the ringing tone until the callee answers or sends early media."""
        if self._is_ringing():
            self.caller.media.play((ringback(),), loop=True)

    async def _play_join_prompt(self, dial: Dial) -> None:
        """Play the prompt of a ring group once, in place of the ringing tone."""
        await self.context.prompts.load((dial.prompt,))
        clips = self.context.prompts.cached((dial.prompt,))
        if clips and self._dial is dial and self._is_ringing():
            self.caller.media.play(clips, self._play_ringback)

    def _is_ringing(self) -> bool:
        return self._dial is not None and self.callee is None and self.caller.media.partner is None

    def _caller_id(self, dial: Dial) -> CallerId:
        """Return the caller ID for callees: the caller's number, and the menu's name if one dials.

        Phones show the caller's name by the contacts instead, if there is one.
        """
        ivr = self.config.snapshot.ivrs.get(dial.ivr)
        account = self.account
        outside = account.caller_id if account is not None else ""
        name = ivr.name if ivr else self.names.received
        return CallerId(self.caller.number, name, outside, self.names.contact or name)

    def _stop_dial(self) -> None:
        self._end_talk()
        if self.callee is not None:
            self._collect_stats(self.callee, "callee")
            self.caller.media.unbridge()
        if self.dialer is not None:
            self.dialer.stop()
            self.caller.media.unbridge()
            self.caller.media.stop()
        if self.callee is not None:
            self.callee.hang_up()
        self.dialer = self.callee = self._dial = None

    def on_ringing(self, dialer: Dialer, early: Party | None) -> None:
        """Relay ringing or early media to the caller."""
        if dialer is not self.dialer:
            return
        self.caller.ring(is_early=early is not None)
        if early is not None and self.caller.terms is not None and self.caller.media.partner is None:
            self.caller.media.stop()
            self.caller.media.bridge(early.media)

    def on_answered(self, dialer: Dialer, party: Party) -> None:
        """Connect the caller to the party that answered."""
        dial = self._dial
        if dialer is not self.dialer or dial is None:
            party.hang_up()
            return
        self._cancel_timer(CallTimer.WAIT)
        self.callee = party
        self._bridge()
        self._report_outcome(200)
        self.dispatch(DialAnswered(dial.token))

    def connect_existing(self, party: Party) -> None:
        """Connect the caller to a party that is answered already, instead of the phones that ring."""
        if self.dialer is None:
            party.hang_up()
        else:
            self.dialer.adopt(party)

    def _bridge(self) -> None:
        """Bridge the media of caller and callee."""
        if self.callee is None:
            return
        if not self.cdr_writer.is_answered:
            self._answer()
        self.caller.media.stop()
        if self.caller.media.partner is not self.callee.media:
            self.caller.media.unbridge()
            self.callee.media.unbridge()
            self.caller.media.bridge(self.callee.media)

    def lend(self) -> None:
        """End the talk of caller and callee while one of them talks in another call."""
        self._end_talk()
        self.caller.media.unbridge()

    def borrow(self, party: Party) -> None:
        """Do not hang up the caller at the end: it is lent by another call, and returns there."""
        self._detached.add(party)

    def keep(self, party: Party) -> None:
        """Keep a caller that was lent, because the call that lent it is over."""
        self._detached.discard(party)
        party.listener = self
        self._bridge()

    def reconnect(self) -> None:
        """Connect caller and callee again after one was lent to another call."""
        self._bridge()

    def _add_joined(self, party: Party, line: str, *, is_caller: bool) -> None:
        """Record a party that took the place of another as a leg."""
        account, now = party.account, self.cdr_writer.now()
        source = party.leg.source if party.leg is not None else None
        address = f"{uri_host(source.host)}:{source.port}" if source is not None else ""
        record = LegRecord(
            kind=(DestinationKind.EXTENSION if account else DestinationKind.EXTERNAL).value,
            target=account.extension if account else 0,
            number=account.number if account else party.number,
            via=address if account else line,
            began=now,
            answered=now,
            result=LegResult.ANSWERED,
            status=200,
            is_caller=is_caller,
        )
        self._joined[party] = self.cdr_writer.add_leg(record)

    def _end_joined(self, party: Party, result: LegResult = LegResult.ANSWERED) -> None:
        """Record that a party that took the place of another has left."""
        leg = self._joined.pop(party, None)
        if leg is not None:
            record = self.cdr_writer.legs[leg]
            ended = msgspec.structs.replace(record, ended=self.cdr_writer.now(), result=result)
            self.cdr_writer.change_leg(leg, ended)

    def replace_party(self, old: Party, new: Party, line: str = "") -> None:
        """Put an answered party in the place of the caller or the callee. `line`: the name of its trunk."""
        self._end_talk()
        self._end_joined(old, LegResult.TRANSFERRED)
        is_caller = old is self.caller
        self._collect_stats(old, "caller" if old is self.caller else "callee")
        old.media.unbridge()
        old.listener = NO_LISTENER
        if old is self.caller:
            self.caller = new
        else:
            if self.dialer is not None and (slot := self.dialer.detach()):
                self.slots.append(slot)
            self.callee = new
        new.listener = self
        self._add_joined(new, line, is_caller=is_caller)
        self._bridge()

    def on_unreachable(self, dialer: Dialer, cause: Cause) -> None:
        """Report to the IVR that the dial failed."""
        dial = self._dial
        if dialer is self.dialer and dial is not None:
            self._cause = cause
            self.caller.media.unbridge()
            self.caller.media.stop()
            self.dialer = self._dial = None
            self.dispatch(DialFailed(dial.token, cause))

    def _end_dial(self, party: Party, reason: str) -> None:
        """Report to the IVR that the callee is gone; `reason`: "" if the callee hung up."""
        if party is self.callee and self._dial is not None:
            self._end_talk()
            token = self._dial.token
            self._collect_stats(party, "callee")
            self._end_joined(party)
            self.caller.media.unbridge()
            party.hang_up()
            self.callee = None
            self.dispatch(DialEnded(token, reason))

    # Commands about the talk

    def change_talk(self, party: Party, action: TalkAction) -> bool:
        """Hold, mute or record. Return False if the call is in no state for it."""
        if action not in CHANGES:
            return party.is_answered and self.recorder.carry_out(action, self.caller.media)
        callee = self.callee
        if callee is None or party not in (self.caller, callee):
            return False
        seat = Seat.CALLER if party is self.caller else Seat.CALLEE
        talk = self.talk or Talk(self.caller.media, callee.media, hold_tone())
        state = CHANGES[action](talk.state, seat)
        if state is None:
            return False
        self.talk = talk
        if state.holding != talk.state.holding:
            self.cdr_writer.hold(self._places(state.holding))
        talk.change(state)
        return True

    def can_be_monitored(self, party: Party) -> bool:
        """Return True if a party is an extension that talks, and no monitor is there."""
        is_talking = self.callee is not None and party in (self.caller, self.callee)
        return is_talking and party.account is not None and self.monitor is None

    def add_monitor(self, party: Party, monitor: Party, mode: MonitorMode) -> None:
        """Let a monitor receive the talk, and be received as its mode says."""
        if self.callee is not None:
            self.talk = self.talk or Talk(self.caller.media, self.callee.media, hold_tone())
            seat = Seat.CALLER if party is self.caller else Seat.CALLEE
            self.talk.add_monitor(monitor.media, Monitoring(seat, mode))

    def remove_monitor(self, monitor: CallMonitor) -> None:
        """Go on without the monitor."""
        if self.monitor is monitor:
            self.monitor = None
            if self.talk is not None:
                self.talk.remove_monitor()

    def _places(self, seats: Iterable[Seat]) -> Iterator[int]:
        """Yield the places of parties in the record: -1 is the caller, others are legs."""
        for seat in seats:
            party = self.caller if seat is Seat.CALLER else self.callee
            if party in self._joined:
                yield self._joined[party]
            elif seat is Seat.CALLER:
                yield -1
            elif self.dialer is not None and self.dialer.winner is not None:
                yield self.dialer.winner.leg

    def _end_talk(self) -> None:
        """Forget what was commanded, before caller and callee are separated."""
        if self.monitor is not None:
            self.monitor.close()
        talk, self.talk = self.talk, None
        if talk is not None:
            talk.end()
            if talk.state.holding:
                self.cdr_writer.hold(())

    # The end

    def hang_up(self, party: Party) -> None:
        """Hang up a party, as if it had hung up or declined itself."""
        if party is self.caller:
            self._status = REJECTED
            self.dispatch(HungUp())
        elif party is self.callee:
            self._end_dial(party, "")
        elif self.dialer is not None:
            self.dialer.decline(party)

    def _finish(self, reason: HangupReason | CallEndReason) -> None:
        if self.is_finished:
            return
        self.is_finished = True
        self._player.close()
        for timer in list(self._timers):
            self._cancel_timer(timer)
        self._voicemail.close()
        self._stop_dial()
        for party in list(self._joined):
            self._end_joined(party)
        has_caller = self.caller not in self._detached
        if has_caller:
            self._collect_stats(self.caller, "caller")
        self.cdr_writer.finish(reason, self._describe_input(), self._media_stats, self.recorder.file)
        if has_caller:
            ivr_reason = reason if isinstance(reason, HangupReason) else None
            status = status_of(ivr_reason, self._cause) if ivr_reason else 480
            self.caller.hang_up(self._status or status)
        for slot in self.slots:
            self.context.limiter.end_outbound(slot)
        self._report_outcome(480 if self._cause is None else STATUSES[self._cause])
        self.owner.on_call_end(self)

    def close(self, reason: CallEndReason, *, at_once: bool = False) -> None:
        """End the call for a reason outside of the IVR: the server stops, or a transfer.

        A call in which a message is recorded ends once it is known what became of it: the record says it.
        With `at_once` it does not wait for that.
        """
        if self.session.state in UNCONFIRMED and not at_once:
            self.dispatch(HungUp(reason))
        else:
            self._finish(reason)

    def detach(self, party: Party) -> RouteSlot | None:
        """Release a party, which goes on in another call. Return the slot that it still holds."""
        self._end_talk()
        self._collect_stats(party, "caller" if party is self.caller else "callee")
        party.media.unbridge()
        party.listener = NO_LISTENER
        self._detached.add(party)
        self._end_joined(party, LegResult.TRANSFERRED)
        slot = None
        if party is self.callee:
            slot = self.dialer.detach() if self.dialer is not None else None
            slot = slot or (self.slots.pop() if self.slots else None)
            self.callee = self.dialer = None
        return slot

    def _report_outcome(self, status: int) -> None:
        on_outcome, self.on_outcome = self.on_outcome, ignore_outcome
        on_outcome(status)

    def _collect_stats(self, party: Party, side: str) -> None:
        """Keep the media statistics of a party before its session is closed."""
        stats = msgspec.to_builtins(party.media.statistics())
        self._media_stats[side] = {key: value for key, value in stats.items() if value is not None}

    def _describe_input(self) -> dict[str, object]:
        """Return the DTMF methods that the caller's phone negotiated, and those that were received."""
        terms = self.caller.terms
        negotiated = ["rfc4733"] if terms is not None and terms.events_in is not None else ["inband"]
        return {
            "negotiated": negotiated if terms is not None else [],
            "heard": {method.value: count for method, count in self.caller.key_counts.items()},
        }
