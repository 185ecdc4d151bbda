"""The state machine of a call, as one table. `Session` runs it, `docs/menu.md` shows it, tests walk it.

Rules that the table does not show, because they hold in every state:

1. `HungUp` and the call's own timer lead to ENDED, from which nothing leads anywhere. While a message is
   recorded they lead to KEEPING, which ends once the driver has reported what became of it.
2. An event that a state has no row for changes nothing.
3. An event with a stale token changes nothing.
4. One entry is one decision. A `#` that follows a choice at once belongs to it. After a refusal that came at
   once the rest of the entry is ignored, until no key has come for `digit_timeout`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openivr.ivr.events import (
    CallArrived,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    HoursRefused,
    HoursSwitched,
    MailboxOpened,
    MailboxRefused,
    PinAccepted,
    PinRefused,
    PromptEnded,
    RecordEnded,
    TimerFired,
)
from openivr.ivr.state import IvrState as S
from openivr.ivr.states import destinations, directory, hours, pin, voicemail
from openivr.ivr.states import dialling as dial
from openivr.ivr.states import menu as menus


@dataclass(frozen=True, slots=True)
class Move:
    """One row: in this state, on this event (None: at once), do this; and where that may lead."""

    source: S
    event: type | None
    act: Callable[..., S]
    to: frozenset[S]


def _move(source: S, event: type | None, act: Callable[..., S], *to: S) -> Move:
    return Move(source, event, act, frozenset(to))


CHOSEN = (S.COLLECTING, S.ROUTE, S.PREFACE, S.INVALID, S.ASK_KEY_PIN)
RUNG = (
    S.DIALLING,
    S.NOTICE,
    S.ROUTE,
    S.ENDED,
)  # the next line; a notice; on from a ring group or by a forward; one hop too many
OFFERED = (S.OFFERING, S.NOTICE)

MOVES: tuple[Move, ...] = (
    _move(S.NEW, CallArrived, menus.arrive, S.ROUTE, S.PREFACE, S.HOURS_PIN, S.SWITCHING),
    _move(S.NEW, Digit, menus.keep_key, S.NEW),
    # at once
    _move(
        *(S.ROUTE, None, destinations.follow),
        *(S.ENTER, S.PREFACE, S.ASIDE, S.LAST_WORDS, S.JOINING, S.DIALLING, S.NOTICE, S.ROUTE),
        *(S.SPELLING, S.INVITING, S.MAILBOX, S.ENDED),
    ),
    _move(S.ENTER, None, menus.enter, S.ANNOUNCING, S.WAITING),
    _move(S.RETURN, None, menus.come_back, S.ANNOUNCING, S.WAITING, S.ENDED),
    _move(S.ASK_NAME, None, directory.ask, S.SPELLING),
    _move(S.ASK_KEY_PIN, None, pin.ask, S.KEY_PIN),
    _move(S.TIMED_OUT, None, menus.time_out, S.ROUTE, S.PREFACE, S.ENDED),
    _move(S.INVALID, None, menus.refuse, S.ROUTE, S.PREFACE, S.NOTICE, S.ENDED),
    # in a menu
    _move(S.ANNOUNCING, PromptEnded, menus.hear_end, S.WAITING),
    _move(S.ANNOUNCING, Digit, menus.press, *CHOSEN),
    _move(S.WAITING, TimerFired, menus.hear_nothing, S.ANNOUNCING, S.WAITING, S.TIMED_OUT),
    _move(S.WAITING, Digit, menus.press, *CHOSEN),
    _move(S.COLLECTING, TimerFired, menus.hear_no_more, S.ROUTE, S.PREFACE, S.INVALID, S.ASK_KEY_PIN),
    _move(S.COLLECTING, Digit, menus.press, *CHOSEN),
    # at a key with a PIN list
    _move(S.KEY_PIN, PromptEnded, pin.hear_question, S.KEY_PIN),
    _move(S.KEY_PIN, Digit, pin.press, S.KEY_PIN, S.CHECKING, S.ENTER),
    _move(S.KEY_PIN, TimerFired, pin.hear_no_more, S.KEY_PIN, S.CHECKING, S.TIMED_OUT),
    _move(S.CHECKING, PinAccepted, pin.accept, S.ROUTE, S.PREFACE, S.INVALID),
    _move(S.CHECKING, PinRefused, pin.refuse, S.KEY_PIN, S.PIN_REFUSED, S.NOTICE),
    _move(S.CHECKING, TimerFired, pin.miss_result, S.NOTICE),
    _move(S.CHECKING, Digit, pin.overhear, S.CHECKING),
    _move(S.PIN_REFUSED, PromptEnded, pin.hear_refusal, S.INVALID),
    # heard
    _move(S.NOTICE, PromptEnded, menus.hear_notice, S.RETURN, S.ENTER, S.ASK_NAME),
    _move(S.NOTICE, Digit, menus.interrupt, S.NOTICE, *CHOSEN),
    _move(S.ASIDE, PromptEnded, menus.hear_aside, S.ENTER, S.ENDED),
    _move(S.ASIDE, Digit, menus.interrupt, S.ASIDE, *CHOSEN),
    _move(S.PREFACE, PromptEnded, menus.hear_preface, S.ROUTE),
    _move(S.PREFACE, Digit, menus.skip_preface, S.ROUTE),
    _move(S.LAST_WORDS, PromptEnded, menus.hear_last_words, S.ENDED),
    # put through
    _move(S.JOINING, PromptEnded, dial.hear_join_prompt, S.DIALLING),
    _move(S.DIALLING, DialAnswered, dial.connect, S.CONNECTED),
    _move(S.DIALLING, DialFailed, dial.hear_failure, *RUNG),
    _move(S.DIALLING, TimerFired, dial.give_up, S.NOTICE, S.ROUTE, S.ENDED),
    _move(S.DIALLING, Digit, dial.press, S.DIALLING, S.ENTER, S.ROUTE),
    _move(S.CONNECTED, DialEnded, dial.hear_callee_gone, S.ENDED),
    # dial by name
    _move(S.SPELLING, PromptEnded, directory.hear_question, S.SPELLING),
    _move(
        *(S.SPELLING, Digit, directory.press_letter),
        *(S.SPELLING, S.ENTER, S.ROUTE, S.PREFACE, S.ASK_KEY_PIN, S.ENDED, *OFFERED),
    ),
    _move(S.SPELLING, TimerFired, directory.hear_no_letter, S.SPELLING, *OFFERED),
    _move(S.OFFERING, PromptEnded, directory.hear_offer, S.OFFERING),
    _move(S.OFFERING, Digit, directory.press_answer, S.ROUTE, *OFFERED),
    _move(S.OFFERING, TimerFired, directory.hear_no_answer, S.RETURN),
    # voicemail: leaving a message
    _move(S.INVITING, PromptEnded, voicemail.hear_invitation, S.RECORDING),
    _move(S.INVITING, Digit, voicemail.press_skip, S.INVITING, S.RECORDING),
    _move(S.RECORDING, Digit, voicemail.press_done, S.RECORDING, S.KEEPING),
    _move(S.RECORDING, RecordEnded, voicemail.receive_result, S.LAST_WORDS),
    _move(S.RECORDING, TimerFired, voicemail.hear_long_message, S.KEEPING),
    _move(S.KEEPING, RecordEnded, voicemail.receive_result, S.LAST_WORDS, S.ENDED),
    _move(S.KEEPING, TimerFired, voicemail.miss_result, S.LAST_WORDS, S.ENDED),
    # voicemail: hearing one's own
    _move(S.MAILBOX, PromptEnded, voicemail.hear_question, S.MAILBOX),
    _move(S.MAILBOX, Digit, voicemail.press_mailbox, S.MAILBOX, S.PIN, S.ENTER, S.ENDED),
    _move(S.MAILBOX, TimerFired, voicemail.hear_mailbox, S.PIN, S.RETURN),
    _move(S.PIN, PromptEnded, voicemail.hear_question, S.PIN),
    _move(S.PIN, Digit, voicemail.press_pin, S.PIN, S.OPENING, S.ENTER, S.ENDED),
    _move(S.PIN, TimerFired, voicemail.hear_pin, S.OPENING),
    _move(S.OPENING, MailboxOpened, voicemail.hear_opened, S.MESSAGES),
    _move(S.OPENING, MailboxRefused, voicemail.hear_refusal, S.PIN, S.LAST_WORDS, S.NOTICE),
    _move(S.OPENING, TimerFired, voicemail.miss_check, S.NOTICE),
    _move(S.MESSAGES, PromptEnded, voicemail.hear_question, S.MESSAGES),
    _move(S.MESSAGES, Digit, voicemail.press_command, S.MESSAGES, S.ENTER, S.LAST_WORDS, S.ENDED),
    _move(S.MESSAGES, TimerFired, voicemail.hear_no_command, S.LAST_WORDS),
    # business hours by feature code
    _move(S.HOURS_PIN, PromptEnded, hours.hear_question, S.HOURS_PIN),
    _move(S.HOURS_PIN, Digit, hours.press_pin, S.HOURS_PIN, S.SWITCHING),
    _move(S.HOURS_PIN, TimerFired, hours.hear_pin, S.SWITCHING, S.LAST_WORDS),
    _move(S.SWITCHING, HoursSwitched, hours.hear_switched, S.LAST_WORDS),
    _move(S.SWITCHING, HoursRefused, hours.hear_refusal, S.HOURS_PIN, S.LAST_WORDS),
    _move(S.SWITCHING, TimerFired, hours.miss_result, S.LAST_WORDS),
)

ACTS: dict[S, dict[type, Callable[[Any, Any], S]]] = {
    state: {move.event: move.act for move in MOVES if move.source is state and move.event} for state in S
}
AT_ONCE: dict[S, Callable[[Any], S]] = {move.source: move.act for move in MOVES if move.event is None}
