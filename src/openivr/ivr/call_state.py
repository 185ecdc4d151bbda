"""One call's memory, and the few things that every state does with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique

from openivr.ivr import builtin_sounds
from openivr.ivr.commands import (
    Answer,
    CallTimer,
    Command,
    Hangup,
    HangupReason,
    Note,
    Play,
    SetTimer,
    StopPlay,
    Topic,
)
from openivr.ivr.events import Cause
from openivr.ivr.hours_code import NO_REQUEST, HoursRequest
from openivr.ivr.model import Destination, DestinationKind, DialPolicy, Ivr, IvrSnapshot
from openivr.ivr.periods import announced, announcements, decide_period, in_period, note_period
from openivr.ivr.policy import Allowed, DialAttempt, DialScope, configured, reach
from openivr.ivr.state import IvrState

MAX_HOPS = 20  # moves from menu to menu without a key
NOWHERE = Ivr(id=0, number="", name="", prompt_repeat=1)  # the menu of a call that is in none
NO_DESTINATION = Destination(DestinationKind.END_CALL)
NO_REACH = reach(IvrSnapshot(), DialPolicy())
NOTICES = {Cause.BUSY: builtin_sounds.BUSY, Cause.NO_ANSWER: builtin_sounds.NO_ANSWER}


def sound_name(prompt: str) -> str:
    """Return the name of the sound that a prompt stands for: menus call the built-in greeting `default`."""
    return builtin_sounds.GREETING if prompt == "default" else prompt


@unique
class Ignore(Enum):
    """The keys that belong to an entry that is decided already. A pause ends it."""

    NOTHING = 0
    POUND = 1  # after a choice that acted at once: the `#` that many callers press to complete it
    ALL = 2  # after a refusal that came at once: the rest of what is being typed
    SECRET = 3  # the same after a PIN: nothing may keep these keys


@dataclass(slots=True)
class CallState:
    """The memory of a session. Tokens grow by one with each use, and 0 is none."""

    snapshot: IvrSnapshot
    state: IvrState = IvrState.NEW
    ivr: Ivr = NOWHERE
    reach: DialScope = NO_REACH
    typed: str = ""
    ignore: Ignore = Ignore.NOTHING  # of the keys that follow
    entry: int = 0  # the timer that ends the entry, 0: no entry is being ignored
    wrong: int = 0  # wrong entries in this menu since the last valid one
    plays: int = 0  # announcements of this menu so far
    hops: int = 0  # moves that no key asked for, since the last key
    forwarded: frozenset[int] = frozenset()  # extensions that forwarded the call since then
    is_internal: bool = False  # an extension calls
    final: bool = True  # nobody chose where the call is going: if that fails, the call ends
    destination: Destination = NO_DESTINATION
    route_ids: tuple[int, ...] = ()  # for an outside destination
    attempts: tuple[DialAttempt, ...] = ()  # ways to an outside number that are left
    choices: tuple[int, ...] = ()  # extensions whose names fit
    mailbox: str = ""  # extension number whose messages are heard
    messages: tuple[str, ...] = ()
    guarded_key: str = ""  # key of the menu whose PIN is asked for
    tries: int = 0  # to open a mailbox or use a key, or times that a name was asked for
    after_notice: IvrState = IvrState.RETURN  # where the call goes on after a notice
    reason: HangupReason = HangupReason.PROMPT_PLAYED  # of the end that follows the last words
    answered: bool = False
    moment: int = 0  # of the last event that has one, in Unix seconds
    heard_prompts: frozenset[str] = frozenset()  # announcements, which are played once in a call
    hours: HoursRequest = NO_REQUEST  # what a feature code asked for
    early: str = ""  # keys from before the call was taken
    tokens: int = 0
    spare_tokens: int = 0  # count down: records of releases without these timers have the others
    leaving: str = ""  # why the caller or the line is gone; the message is still to be kept
    activity: int = 0  # the play, dial, recording or mailbox that is under way
    wait: int = 0  # the timer of the state
    limit: int = 0  # the timer of the call
    interruptible: bool = False
    out: list[Command] = field(default_factory=list)

    def begin(self) -> int:
        """Make the token of a new activity; what the old one reports is stale from now on."""
        self.tokens += 1
        self.activity = self.tokens
        return self.activity

    def set_timer(self, seconds: int, timer: CallTimer = CallTimer.WAIT) -> None:
        """Start or restart a timer."""
        if timer is CallTimer.ENTRY:
            self.entry = self._set_spare(seconds, timer)
            return
        self.tokens += 1
        if timer is CallTimer.WAIT:
            self.wait = self.tokens
        else:
            self.limit = self.tokens
        self.out.append(SetTimer(self.tokens, timer, seconds))

    def await_result(self, seconds: int) -> None:
        """Wait for the driver to report what became of a message."""
        self.wait = self._set_spare(seconds, CallTimer.WAIT)

    def _set_spare(self, seconds: int, timer: CallTimer) -> int:
        self.spare_tokens -= 1
        self.out.append(SetTimer(self.spare_tokens, timer, seconds))
        return self.spare_tokens

    def play(self, prompts: Sequence[str], interruptible: bool = True) -> bool:
        """Play what there is of these prompts. False: there was nothing to play."""
        playable = tuple(self._playable(prompts))
        if not playable:
            return False
        self.answer()
        self.interruptible = interruptible
        self.wait = 0
        self.out.append(Play(self.begin(), playable, interruptible))
        return True

    def _playable(self, prompts: Sequence[str]) -> list[str]:
        names = list(map(sound_name, prompts))
        self.note_missing(name for name in dict.fromkeys(names) if not self.has(name))
        return [name for name in names if self.has(name)]

    def has(self, prompt: str) -> bool:
        """Return True if a prompt can be played: configured, built in, or a message of the opened mailbox."""
        return prompt in self.snapshot.prompts or prompt in builtin_sounds.SOUNDS or prompt in self.messages

    def stop_play(self) -> None:
        """Stop what plays, if anything does and it may be stopped."""
        if self.activity and self.interruptible:
            self.out.append(StopPlay(self.activity))
            self.activity = 0

    def end_entry(self, ignore: Ignore) -> None:
        """Decide an entry before a pause: keys that still belong to it are ignored until one comes."""
        self.ignore = ignore
        self.set_timer(self.ivr.digit_timeout, CallTimer.ENTRY)

    def ignore_key(self, key: str) -> None:
        """Take a key that belongs to a decided entry. After a refusal, the pause begins again with each.

        `#` ends the rest of a PIN as well.
        """
        if self.ignore is Ignore.ALL or (self.ignore is Ignore.SECRET and key != "#"):
            self.set_timer(self.ivr.digit_timeout, CallTimer.ENTRY)
        else:
            self.forget_entry()

    def forget_entry(self) -> None:
        """A pause is over, or a new entry begins: no key is ignored any longer."""
        self.ignore, self.entry = Ignore.NOTHING, 0

    def answer(self) -> None:
        """Answer the caller, once."""
        if not self.answered:
            self.answered = True
            self.out.append(Answer())

    def heard(self) -> None:
        """The caller pressed a key: somebody is there, so moves are counted afresh."""
        self.hops = 0
        self.forwarded = frozenset()
        self.final = False

    def note(self, topic: Topic, detail: str = "", number: str = "", limit: int = 0) -> None:
        """Write a line for the call record."""
        self.out.append(Note(topic, self.ivr.id, number=number, detail=detail, limit=limit))

    def note_destination(self, topic: Topic, detail: str = "", typed: str = "") -> None:
        """Write a line about the present destination."""
        to = self.destination
        number = to.prefix + to.number or to.prompt
        private = to.kind is DestinationKind.EXTERNAL
        line = Note(topic, self.ivr.id, typed, to.kind, to.target, number, 0, detail, private)
        self.out.append(line)

    def note_missing(self, names: Iterable[str]) -> None:
        """Write down prompts that could not be played."""
        for name in names:
            self.note(Topic.MISSING, name)

    def redirect(self, destination: Destination) -> IvrState:
        """Go where no key sent the call: by a time-out, or on from a ring group."""
        return self.move_on(configured(self.snapshot, destination))

    def move_on(self, allowed: Allowed) -> IvrState:
        """Go where no key sent the call. One hop too many ends it."""
        self.hops += 1
        return self.end(HangupReason.HOP_LIMIT) if self.hops > MAX_HOPS else self.follow(allowed)

    def follow(self, allowed: Allowed) -> IvrState:
        """Go to a destination that policy or configuration allows."""
        self.destination = allowed.destination
        self.route_ids = allowed.route_ids
        self.attempts = ()
        return IvrState.ROUTE

    def present_ivr(self) -> Ivr:
        """Return the menu with the keys and destinations of this moment."""
        return in_period(self.snapshot, self.ivr, self.moment)

    def preface(self, prompts: Iterable[str], state: IvrState) -> IvrState:
        """Play announcements that were not heard yet before the call goes where `state` leads."""
        new = [name for name in dict.fromkeys(prompts) if name not in self.heard_prompts]
        self.heard_prompts |= frozenset(new)
        if state is not IvrState.ROUTE or not self.play(new):
            return state
        for name in filter(self.has, map(sound_name, new)):
            self.note(Topic.ANNOUNCED, name)
        return IvrState.PREFACE

    def announce_before(self, ivr: Ivr) -> IvrState:
        """Play the announcements of a menu that hold now and were not heard yet. ROUTE: there is none."""
        if not self.snapshot.announcements:
            return IvrState.ROUTE
        return self.preface(announced(self.snapshot, ivr=ivr.id, moment=self.moment), IvrState.ROUTE)

    def note_period(self, key: str) -> tuple[str, ...]:
        """Write down the period that a key, "timeout" or "invalid" depends on. Return its announcements."""
        by = self.ivr.by_period.get(key)
        decision = decide_period(self.snapshot, by.calendar, self.moment) if by else None
        if decision is None:
            return ()
        self.out.append(note_period(decision, self.ivr.id))
        return announcements(decision)

    def fail(self, cause: Cause) -> IvrState:
        """Tell the caller that the destination cannot be had, then go back.

        Who was not answered, being in no menu, is told by the status: busy is busy, and costs nothing.
        """
        self.note_destination(Topic.FAILED, cause)
        if not self.answered:
            return self.end(HangupReason.DESTINATION_UNREACHED)
        return self.notify(NOTICES.get(cause, builtin_sounds.UNAVAILABLE))

    def notify(self, sound: str, then: IvrState = IvrState.RETURN) -> IvrState:
        """Play a notice, then go on: back to the menu, or where `then` says."""
        self.after_notice = then
        self.play((sound,))
        return IvrState.NOTICE

    def close(self, prompts: Sequence[str], reason: HangupReason) -> IvrState:
        """Say the last words, if any, and end."""
        self.reason = reason
        return IvrState.LAST_WORDS if self.play(prompts, interruptible=False) else self.end(reason)

    def end(self, reason: HangupReason) -> IvrState:
        """End the call from our side."""
        self.note(Topic.ENDED, reason, limit=MAX_HOPS if reason is HangupReason.HOP_LIMIT else 0)
        self.out.append(Hangup(reason))
        return IvrState.ENDED
