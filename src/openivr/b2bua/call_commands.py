"""Commands to the calls process, and their results (P-Series: query-calls, make-a-call, transfer-a-call,
hang-up-a-call, hold-a-call, mute-a-call, start-call-recording).

An HTTP worker sends one as a line of JSON over the control socket and waits for the result. A channel is one
leg of a call; its id is the one that events show.
"""

from enum import StrEnum, unique
from typing import Any

import msgspec


class CallCommand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="command"):
    """Any command."""


class QueryCalls(CallCommand, tag="query_calls", frozen=True, kw_only=True):
    """List live calls: the one with a call id, those of a type or those of an extension number."""

    call_id: str = ""
    type: str = ""  # inbound, outbound or internal
    extension: str = ""


class HangUpChannel(CallCommand, tag="hang_up", frozen=True, kw_only=True):
    """Hang up one member of a call."""

    channel: str


@unique
class TransferType(StrEnum):
    """Types of transfers. Of an attended one the transferor talks to the target first."""

    BLIND = "blind"
    ATTENDED = "attended"


@unique
class TransferOperation(StrEnum):
    """An operation on an attended transfer that has begun."""

    COMPLETE = "complete"
    ABORT = "abort"
    SWAP = "swap"
    THREEWAY = "threeway"  # which is never possible here


class TransferChannel(CallCommand, tag="transfer", frozen=True, kw_only=True):
    """Transfer a member of a call: of a blind transfer the transferee, of an attended one the transferor.

    An attended transfer begins with a number. Then it is operated.
    """

    type: TransferType
    channel: str
    number: str = ""
    dial_permission: str = ""  # extension number whose rights are used; "": the transferor's
    operation: TransferOperation | None = None


class DialNumber(CallCommand, tag="dial", frozen=True, kw_only=True):
    """Call the caller, and connect it with the callee once it answers."""

    caller: str
    callee: str
    dial_permission: str = ""  # extension number whose rights are used; "": the caller's
    auto_answer: bool = False


@unique
class TalkAction(StrEnum):
    """A command about one member of a call that talks."""

    HOLD = "hold"  # the member holds the call, and the other one receives the hold sound
    UNHOLD = "unhold"
    MUTE = "mute"  # no other member receives it
    UNMUTE = "unmute"
    RECORD_START = "record_start"
    RECORD_PAUSE = "record_pause"
    RECORD_UNPAUSE = "record_unpause"


class ChangeTalk(CallCommand, tag="talk", frozen=True, kw_only=True):
    """Change what the members of a call receive, or its recording."""

    channel: str
    action: TalkAction


@unique
class MonitorMode(StrEnum):
    """Members that receive a monitor."""

    LISTEN = "listen"  # none
    WHISPER = "whisper"  # the one that is monitored
    BARGE = "barge"  # both


class MonitorCall(CallCommand, tag="monitor", frozen=True, kw_only=True):
    """Ring an extension, and let it monitor the member of a channel."""

    monitor: str  # number of an extension
    channel: str
    mode: MonitorMode


@unique
class CommandOutcome(StrEnum):
    """Outcomes of commands. All but `DONE` have changed nothing."""

    DONE = "done"
    NO_CHANNEL = "no_channel"  # unknown, or it has ended
    NOT_POSSIBLE = "not_possible"  # in the state of the call, or for this member
    NOT_ALLOWED = "not_allowed"  # the extension has no right to it
    WRONG_PARAMETER = "wrong_parameter"
    FULL = "full"  # there is no room for another call
    STOPPED = "stopped"  # no calls process runs
    UNKNOWN = "unknown"  # no response in time: it may be done or not


class CommandResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a command, the call that it is about, and what was asked for."""

    outcome: CommandOutcome = CommandOutcome.DONE
    call_id: str = ""
    calls: list[dict[str, Any]] = []
    parameter: str = ""  # of the API, which is wrong
    problem: str = ""  # a sentence for people


AnyCommand = QueryCalls | HangUpChannel | DialNumber | TransferChannel | ChangeTalk | MonitorCall
