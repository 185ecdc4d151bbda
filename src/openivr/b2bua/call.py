"""Drives one call: does on telephones what the menu core commands, and tells it what happens there."""

from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

import msgspec
import structlog

from openivr.b2bua.cdr_writer import CallHeader, CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.dialer import CallerId, Dialer
from openivr.b2bua.dialplan import DialplanMatch, leads_outside
from openivr.b2bua.party import Party, ignore
from openivr.b2bua.prompt_player import PromptPlayer
from openivr.b2bua.sip_causes import STATUSES, status_of
from openivr.b2bua.voicemail import Voicemail
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import (
    Answer,
    CallTimer,
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
)
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    Event,
    HungUp,
    PromptEnded,
    TimerFired,
)
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.media.audio.tone import ringback
from openivr.sip.dialog.refer import Referral
from openivr.sip.termination import Termination

log = structlog.get_logger(__name__)
FAILED = "an error of the server"
REASONS = frozenset(HangupReason)  # those of the menu; whoever ends a call from outside has others
Origin = SipAccount | TrunkAccount


class Call:
    """One call of one caller, from its arrival to its end."""

    def __init__(  # noqa: PLR0913 - a call has many circumstances
        self,
        house: CallContext,
        configuration: CallConfig,
        origin: Origin,
        caller: Party,
        *,
        ident: str,
        caller_name: str,
        on_end: "Callable[[Call], object]",
    ) -> None:
        self.house, self.configuration, self.id = house, configuration, ident
        self.origin, self.caller, self.caller_name = origin, caller, caller_name
        self.scribe = CdrWriter(ident, house.write, house.now)
        self.session = IvrSession(configuration.snapshot)
        self.ringing: Dialer | None = None  # whom the caller waits for, or talks to
        self.callee: Party | None = None  # who the caller talks to
        self.is_over = False
        self.on_referral: Callable[[Call, Party, Referral], object] = refuse_referral
        self.on_fate: Callable[[int], object] = ignore  # told once: 200, or why nobody was reached
        self.lines: list[tuple[int, int]] = []  # routes and trunks that calls which were joined go on to use
        self._on_end = on_end
        self._events: deque[Event] = deque()
        self._is_telling = False
        self._timers: dict[CallTimer, TimerHandle] = {}
        self._player = PromptPlayer(house, self._play_ended)
        self._voicemail = Voicemail(house, ident, self.tell)
        self._dial: Dial | None = None
        self._cause: Cause | None = None  # why nobody was reached
        self._heard: dict[str, Any] = {}
        self._recording = ""  # file
        self._released: set[Party] = set()  # sides that go on elsewhere
        self._take(caller)

    @property
    def account(self) -> SipAccount | None:
        """The caller's account, if a phone of the house calls."""
        return self.origin if isinstance(self.origin, SipAccount) else None

    def other(self, party: Party) -> Party | None:
        """Who this side of the call talks to, if it does."""
        if self.callee is None or party not in (self.caller, self.callee):
            return None
        return self.caller if party is self.callee else self.callee

    def _take(self, caller: Party) -> None:
        self.caller = caller
        caller.on_key = lambda key: self.tell(Digit(key))
        caller.on_gone = self._caller_gone
        caller.on_lost = self._lost
        caller.on_referral = lambda party, referral: self.on_referral(self, party, referral)

    def begin(self, facts: CallHeader, way: DialplanMatch) -> None:
        """The call is offered: follow where it leads."""
        self.scribe.begin(facts, is_outside=leads_outside(way))
        if self.caller.is_answered:
            self.scribe.answer()
        number, is_answered = self.caller.number, self.caller.is_answered
        self.tell(CallArrived(number, way.destination, way.route_ids, is_answered))

    # The menu core

    def tell(self, event: Event) -> None:
        """Tell the core what happened, and do what it says. What happens meanwhile waits its turn."""
        self._events.append(event)
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._events and not self.is_over:
                self._handle(self._events.popleft())
        except Exception:  # one call's trouble must not become another's, and must not last for ever
            log.exception("a call failed", call=self.id)
            self._finish(FAILED)
        finally:
            self._is_telling = False

    def _handle(self, event: Event) -> None:
        was_ended, was_private = self.session.ended, self.session.private
        commands = self.session.handle(event)
        if not was_ended:
            self.scribe.step(event, commands, self.session, was_private=was_private)
        for command in commands:
            self._do(command)
        if isinstance(event, HungUp):
            self._finish(HangupReason.CALLER)

    def _do(self, command: Command) -> None:  # noqa: PLR0912 - one case a command
        match command:
            case Note():
                pass
            case Answer():
                self._answer()
            case Play():
                self._start_play(command)
            case StopPlay():
                self._player.stop(command.token, self.caller)
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
                self.house.spawn(self._voicemail.open(command))
            case DeleteMessage():
                self._voicemail.delete(command, self.configuration.snapshot)
            case Hangup():
                self._finish(command.reason)
            case _:
                assert_never(command)

    def _answer(self) -> None:
        self.scribe.answer()  # first: what a phone has been told is in its record, whatever happens then
        self.caller.answer()
        folder = self.house.recordings
        if folder is not None and not self._recording:
            self._recording = f"{self.id}.wav"
            self.caller.media.record(folder / self._recording, both=True)

    # Sounds

    def _start_play(self, play: Play) -> None:
        self._voicemail.mark_heard(play.prompts)
        is_failed = self._cause is not None and self.session.state is IvrState.NOTICE
        self._tell_fate(STATUSES[self._cause] if self._cause and is_failed else 200)
        self._player.start(play, self.caller, self._voicemail.messages)

    def _play_ended(self, play: Play, missing: tuple[str, ...]) -> None:
        self.tell(PromptEnded(play.token, missing))

    # Time

    def _set_timer(self, command: SetTimer) -> None:
        self._cancel_timer(command.timer)
        fire = partial(self.tell, TimerFired(command.token))
        self._timers[command.timer] = self.house.loop.call_later(command.seconds, fire)

    def _cancel_timer(self, timer: CallTimer) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    # Somebody else

    def _start_dial(self, dial: Dial) -> None:
        self._stop_dial()
        self._player.forget()
        self._dial, self._cause = dial, None
        self.ringing = Dialer(
            self.house, self.configuration, self, self.scribe, dial=dial, caller=self._show_caller(dial)
        )
        if self.caller.is_answered:
            self.caller.media.play((ringback(),), loop=True)
        self.ringing.start()

    def _show_caller(self, dial: Dial) -> CallerId:
        """Who is shown to those who are rung: the caller, or the menu's name with the caller's number."""
        ivr = self.configuration.snapshot.ivrs.get(dial.ivr)
        account = self.account
        outside = account.caller_id if account is not None else ""
        return CallerId(self.caller.number, ivr.name if ivr else self.caller_name, outside)

    def _stop_dial(self) -> None:
        if self.callee is not None:
            self._gather(self.callee, "callee")
            self.caller.media.unbridge()
        if self.ringing is not None:
            self.ringing.stop()
            self.caller.media.unbridge()
            self.caller.media.stop()
        if self.callee is not None:
            self.callee.hang_up()
        self.ringing = self.callee = self._dial = None

    def rang(self, ringing: Dialer, early: Party | None) -> None:
        """It rings there: so it does here, or what is heard there is heard here."""
        if ringing is not self.ringing:
            return
        self.caller.ring(is_early=early is not None)
        if early is not None and self.caller.terms is not None and self.caller.media.partner is None:
            self.caller.media.stop()
            self.caller.media.bridge(early.media)

    def reached(self, ringing: Dialer, party: Party) -> None:
        """Somebody answered: the two are connected."""
        dial = self._dial
        if ringing is not self.ringing or dial is None:
            party.hang_up()
            return
        self._cancel_timer(CallTimer.WAIT)
        self._take_callee(party)
        self._bridge()
        self._tell_fate(200)
        self.tell(DialAnswered(dial.token))

    def meet(self, party: Party) -> None:
        """Connect the caller with somebody who is on the line already, as if who is rung had answered."""
        dial, ringing = self._dial, self.ringing
        if dial is None or ringing is None:
            party.hang_up()
            return
        ringing.stop()
        party.on_gone = lambda party, _ending: self.left(party)
        self.reached(ringing, party)

    def _take_callee(self, party: Party) -> None:
        self.callee = party
        party.on_referral = lambda asking, referral: self.on_referral(self, asking, referral)
        party.on_lost = self._lost

    def _bridge(self) -> None:
        """Let the two sides hear each other."""
        if self.callee is None:
            return
        if not self.caller.is_answered:
            self._answer()
        self.caller.media.stop()
        if self.caller.media.partner is not self.callee.media:
            self.caller.media.unbridge()
            self.callee.media.unbridge()
            self.caller.media.bridge(self.callee.media)

    def swap(self, old: Party, new: Party) -> None:
        """Put somebody, who is answered, in the place of one side."""
        self._gather(old, "caller" if old is self.caller else "callee")
        old.media.unbridge()
        old.forget()
        if old is self.caller:
            self._take(new)
        else:
            if self.ringing is not None and (line := self.ringing.release()):
                self.lines.append(line)
            self._take_callee(new)
            new.on_gone = lambda party, _ending: self.left(party)
        self._bridge()

    def unreached(self, ringing: Dialer, cause: Cause) -> None:
        """Nobody will answer."""
        dial = self._dial
        if ringing is self.ringing and dial is not None:
            self._cause = cause
            self.caller.media.unbridge()
            self.caller.media.stop()
            self.ringing = self._dial = None
            self.tell(DialFailed(dial.token, cause))

    def left(self, party: Party) -> None:
        """Who was reached has hung up."""
        if party is self.callee and self._dial is not None:
            token = self._dial.token
            self._gather(party, "callee")
            self.caller.media.unbridge()
            party.hang_up()
            self.callee = None
            self.tell(DialEnded(token))

    def _caller_gone(self, _party: Party, _ending: Termination) -> None:
        self.tell(HungUp())

    def _lost(self, party: Party) -> None:
        """Its line is dead: nothing was heard for long, and nobody said good-bye."""
        log.info(
            "no sound for a long time", call=self.id, side="caller" if party is self.caller else "callee"
        )
        if party is self.caller:
            self.tell(HungUp())
        else:
            self.left(party)

    # The end

    def _finish(self, reason: str) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._player.close()
        for timer in list(self._timers):
            self._cancel_timer(timer)
        self._voicemail.close()
        self._stop_dial()
        is_ours = self.caller not in self._released
        if is_ours:
            self._gather(self.caller, "caller")
        self.scribe.finish(reason, self._input(), self._heard, self._recording)
        if is_ours:
            why = HangupReason(reason) if reason in REASONS else None
            self.caller.hang_up(status_of(why, self._cause) if why else 480)
        for line in self.lines:
            self.house.usage.end(*line)
        self._tell_fate(480 if self._cause is None else STATUSES[self._cause])
        self._on_end(self)

    def close(self, reason: str) -> None:
        """End the call from outside of the menu: the server stops, or it was transferred."""
        self._finish(reason)

    def release(self, party: Party) -> tuple[int, int] | None:
        """Give up one side, which goes on elsewhere; the route and trunk that it still uses, if it does."""
        self._gather(party, "caller" if party is self.caller else "callee")
        party.media.unbridge()
        party.forget()
        self._released.add(party)
        line = None
        if party is self.callee:
            line = self.ringing.release() if self.ringing is not None else None
            line = line or (self.lines.pop() if self.lines else None)
            self.callee = self.ringing = None
        return line

    def _tell_fate(self, status: int) -> None:
        told, self.on_fate = self.on_fate, ignore
        told(status)

    def _gather(self, party: Party, name: str) -> None:
        """Keep how its sound fared, before that is closed."""
        found = msgspec.to_builtins(party.media.statistics())
        self._heard[name] = {key: value for key, value in found.items() if value is not None}

    def _input(self) -> dict[str, object]:
        """Which kinds of keys the caller's phone agreed on, and which were heard."""
        terms = self.caller.terms
        negotiated = ["rfc4733"] if terms is not None and terms.events_in is not None else ["inband"]
        return {
            "negotiated": negotiated if terms is not None else [],
            "heard": {kind.value: count for kind, count in self.caller.heard.items()},
        }


def refuse_referral(_call: Call, _party: Party, referral: Referral) -> None:
    """Nobody may transfer."""
    referral.reject(603)
