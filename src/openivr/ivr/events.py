"""Events of a call: all that a driver reports to an `IvrSession`.

A token names the play, timer, dial, recording or mailbox that an event is about: the one in the command that
started it. An event whose token is no longer current changes nothing, so a driver need not prevent races.
"""

from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.ivr.model import Destination


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A call is offered. Comes first, once."""

    caller: str  # the caller's number, "" if withheld
    destination: Destination  # where the inbound route or the dialled number leads
    route_ids: tuple[int, ...] = ()  # external_num: those that this caller may use; none: all, by position
    is_answered: bool = False  # a call that was transferred is
    moment: int = 0  # Unix seconds. 0: unknown, and destinations are those of open hours
    announcements: tuple[str, ...] = ()  # prompts that are played before the call goes to its destination
    period: str = ""  # of a route with a time condition: a `PeriodKind` and a `PeriodReason`
    holiday: str = ""  # its name
    hours_action: str = ""  # of a feature code for business hours: a `HoursAction`
    extension: int = 0  # id of the one that dialled it
    is_internal: bool = False  # an extension calls


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key: 0-9, *, #, A-D."""

    key: str
    moment: int = 0


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """A play came to its end by itself (not by `StopPlay`)."""

    token: int
    failed: tuple[str, ...] = ()  # names that could not be played after all


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time of a `SetTimer` is over."""

    token: int
    moment: int = 0


@unique
class Cause(StrEnum):
    """Why a dial did not lead to a conversation."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNAVAILABLE = "unavailable"  # not registered, switched off, gone, trunk down, congestion
    LIMIT = "limit_reached"  # the route's `Limits`, or the system's


@dataclass(frozen=True, slots=True)
class DialAnswered:
    """The dialled side answered and is connected with the caller."""

    token: int


@dataclass(frozen=True, slots=True)
class DialFailed:
    """The dialled side will not be connected."""

    token: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class DialEnded:
    """The dialled side hung up after it had answered, or its line was lost."""

    token: int
    reason: str = ""  # "callee_lost" where nothing came from it any longer; "": it hung up


@unique
class RecordResult(StrEnum):
    """Results of the recording of a message."""

    KEPT = "kept"
    EMPTY = "empty"  # silence, or too short
    MAILBOX_FULL = "mailbox_full"
    DISK_FULL = "disk_full"
    FAILED = "failed"  # the audio could not be written, or the driver did not report


@dataclass(frozen=True, slots=True)
class RecordEnded:
    """A recording is over: by silence or its length, or after `StopRecord`.

    Earlier releases wrote it without a result, and only for a message that they kept.
    """

    token: int
    result: RecordResult = RecordResult.KEPT


@dataclass(frozen=True, slots=True)
class MailboxOpened:
    """The PIN was right."""

    token: int
    messages: tuple[str, ...] = ()  # names of its messages, playable, newest first
    number: str = ""  # of the extension, as in `OpenMailbox`


@dataclass(frozen=True, slots=True)
class MailboxRefused:
    """No such mailbox, or the PIN was wrong: the caller is not told which."""

    token: int
    number: str = ""  # of the extension, as in `OpenMailbox`
    is_unchecked: bool = False  # the PIN could not be checked, because the database does not answer


@dataclass(frozen=True, slots=True)
class PinAccepted:
    """The PIN is in the list of the key."""

    token: int


@dataclass(frozen=True, slots=True)
class PinRefused:
    """The PIN is not in the list, or there were too many wrong ones: the caller is not told which."""

    token: int
    is_unchecked: bool = False  # the PIN could not be checked, because the database does not answer


@dataclass(frozen=True, slots=True)
class HoursSwitched:
    """Business hours are as a feature code asked, and this period holds now."""

    token: int
    period: str  # a `PeriodKind`
    reason: str  # a `PeriodReason`
    holiday: str = ""  # its name


@dataclass(frozen=True, slots=True)
class HoursRefused:
    """The extension may not switch business hours, or the PIN was wrong."""

    token: int
    is_unchecked: bool = False  # nothing could be switched or checked at present


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller hung up, or is gone for another reason."""

    reason: str = ""  # code of another reason: "caller_lost", "no_media", "server_stopped"; "": hung up


Event = (
    CallArrived
    | Digit
    | PromptEnded
    | TimerFired
    | DialAnswered
    | DialFailed
    | DialEnded
    | RecordEnded
    | MailboxOpened
    | MailboxRefused
    | PinAccepted
    | PinRefused
    | HoursSwitched
    | HoursRefused
    | HungUp
)
