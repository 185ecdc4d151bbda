"""Commands to the driver of a call, which it carries out in the order given, and notes for the call record.

Once a session has ended, by `Hangup` or after `HungUp`, a driver ends whatever still runs for the call:
plays, timers, legs. A session that was recording ends after `HungUp` only when `RecordEnded` has come.
"""

from dataclasses import dataclass, replace
from enum import StrEnum, unique

from openivr.ivr.model import DestinationKind


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the caller. Comes once, before anything is heard; a call that is only put through has none."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play prompts one after another, then report `PromptEnded`."""

    token: int
    prompts: tuple[str, ...]
    interruptible: bool = True  # whether a `StopPlay` may follow


@dataclass(frozen=True, slots=True)
class StopPlay:
    """Stop this play at once; no `PromptEnded` is needed."""

    token: int


@unique
class CallTimer(StrEnum):
    """The timers of a call. Setting one replaces its earlier setting."""

    WAIT = "wait"  # for a key, an answer, a recording
    CALL = "call"  # for the whole call
    ENTRY = "entry"  # for the pause that ends an entry, after its decision


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Report `TimerFired` after so many seconds."""

    token: int
    timer: CallTimer
    seconds: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring a destination and, once it answers, connect it with the caller; answer the caller if need be.

    Exactly one of `DialAnswered` and `DialFailed` is reported, unless `StopDial` comes first.
    """

    token: int
    kind: DestinationKind  # extension, ring_group or external_num
    target: int  # extension, ring_group: its id. external_num: the id of the outbound route
    number: str  # what to dial: external_num: after the route's changes
    seconds: int  # how long it may ring; the session stops it itself
    trunk: int = 0  # external_num: the id of the trunk
    ivr: int = 0  # the menu that the call comes from
    alert_info: str = ""  # extension, ring_group: value of Alert-Info, if any
    prompt: str = ""  # ring_group: what the caller hears first in place of the ringing tone
    mobile: str = ""  # extension: an outside number that rings too, over routes that the extension may use


@dataclass(frozen=True, slots=True)
class StopDial:
    """Give up a dial that was not answered. An answer that crosses this is hung up again."""

    token: int


@dataclass(frozen=True, slots=True)
class Record:
    """Sound a tone and record the caller until `StopRecord` or silence; keep the message.

    Report `RecordEnded` once its fate is known.
    """

    token: int
    mailbox: int  # id of the extension
    seconds: int  # at most


@dataclass(frozen=True, slots=True)
class StopRecord:
    """End a recording and keep it. `RecordEnded` follows."""

    token: int


@dataclass(frozen=True, slots=True)
class OpenMailbox:
    """Check a PIN in constant time; report `MailboxOpened` or `MailboxRefused`. Never log the PIN."""

    token: int
    number: str  # of the extension, "" if no extension has what was typed: then refuse
    pin: str


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Look for a PIN in a list in constant time; report `PinAccepted` or `PinRefused`. Never log the PIN."""

    token: int
    pin_list: int  # id
    pin: str


@dataclass(frozen=True, slots=True)
class SwitchHours:
    """Do what a feature code asks, if the PIN is right; report `HoursSwitched` or `HoursRefused`.

    Never log the PIN.
    """

    token: int
    extension: int  # id of the one that asks
    action: str  # a `HoursAction`
    pin: str


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    """Delete one message of an opened mailbox."""

    number: str  # of the extension
    message: str


@unique
class HangupReason(StrEnum):
    """Why a menu ended a call. Call records and notes hold the code; each face has its words."""

    INVALID_KEY = "invalid_key"
    MENU_TIMEOUT = "menu_timeout"
    END_CALL = "end_call"  # the destination of a key, a time-out or an invalid key
    PROMPT_PLAYED = "prompt_played"  # called directly, or as the last words
    HOP_LIMIT = "hop_limit"  # `MAX_HOPS` moves without a key
    CALL_LENGTH_LIMIT = "call_length_limit"
    DESTINATION_UNREACHED = "destination_unreached"
    MESSAGE_LEFT = "message_left"
    NO_MESSAGE = "no_message"  # none was spoken, or it could not be kept
    MAILBOX_LEFT = "mailbox_left"  # the owner has heard the messages
    MAILBOX_REFUSED = "mailbox_refused"  # wrong PIN
    CALLEE_HANGUP = "callee_hangup"
    CALLER_HANGUP = "caller_hangup"
    CALLEE_LOST = "callee_lost"  # no RTP, or no answer of its phone to the signalling
    CALLER_LOST = "caller_lost"


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""

    reason: HangupReason


@unique
class Topic(StrEnum):
    """Topics of notes. Comments list the fields that a topic uses."""

    ARRIVED = "arrived"  # number: the caller's
    PERIOD = "period"  # detail: a `PeriodKind` and a `PeriodReason`; number: the name of the holiday
    ANNOUNCED = "announced"  # detail: the prompt that is played before the call goes on
    ENTERED = "entered"  # kind ivr: the caller is in this menu now
    CHOSE = "chose"  # input: the key or number that led to kind, target, number
    INVALID = "invalid"  # input: what was typed; detail: a `Refusal`, with its limit
    TIMED_OUT = "timed_out"  # kind and target: where the call goes on, if anywhere
    MISSING = "missing_prompt"  # detail: the prompt's name
    DIALLED = "dialled"
    FAILED = "failed"  # detail: a `Cause`
    FORWARDED = "forwarded"  # input: the number of the extension; detail: a `ForwardCondition`
    CONNECTED = "connected"
    RECORDED = "recorded"  # target: the mailbox, which has a message more
    NOT_RECORDED = "not_recorded"  # target: the mailbox; detail: a `RecordResult`
    MAILBOX = "mailbox"  # detail: opened, refused, unchecked (no PIN could be checked), deleted
    PIN = "pin"  # input: the key that asked for one; detail: accepted, refused, unchecked
    ENDED = "ended"  # detail: a `HangupReason`, with its limit; or the reason of a `HungUp`


@dataclass(frozen=True, slots=True)
class Note:
    """One line for the call record, reports and transcripts. The driver adds the time."""

    topic: Topic
    ivr: int = 0  # the menu that the caller is in
    input: str = ""
    kind: DestinationKind | None = None
    target: int = 0  # as in `Destination`; external_num: the id of the route, once chosen
    number: str = ""
    trunk: int = 0
    detail: str = ""
    private: bool = False  # input and number must not be shown to everybody: an outside number
    limit: int = 0  # parameter of the detail: hops of `hop_limit`, digits of `too_long`


HIDDEN = "..."


def mask(note: Note) -> Note:
    """Hide what a private note says about numbers; other notes are returned as they are."""
    if not note.private:
        return note
    return replace(note, input=note.input and HIDDEN, number=note.number and HIDDEN)


Command = (
    Answer
    | Play
    | StopPlay
    | SetTimer
    | Dial
    | StopDial
    | Record
    | StopRecord
    | OpenMailbox
    | CheckPin
    | SwitchHours
    | DeleteMessage
    | Hangup
    | Note
)
