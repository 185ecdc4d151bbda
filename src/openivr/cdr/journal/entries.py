"""Entries of the journal.

The calls process appends a line for every event, in a write() that survives a crash of the process. The CDR
worker reads the lines and updates the database. A line is a JSON object whose "k" names the type of entry.
The entries of a call are numbered, so that reading one twice has no effect. Times are Unix milliseconds.
"""

from enum import StrEnum, unique
from typing import Any

import msgspec

from openivr.cdr.journal.event_codec import EventFields
from openivr.ivr.commands import Note


@unique
class CallOutcome(StrEnum):
    """Outcome of a call, for lists and reports."""

    CONNECTED = "connected"  # caller and callee talked
    MESSAGE = "message"  # a voicemail message was left
    MENU = "menu"  # answered by a menu, and not connected
    MISSED = "missed"  # never answered
    REFUSED = "refused"  # by policy or a limit, before a phone rang
    INTERRUPTED = "interrupted"  # the calls process died


@unique
class CallEndReason(StrEnum):
    """Reasons for the end of a call that its menu did not end. Records hold these beside `HangupReason`."""

    UNKNOWN_NUMBER = "unknown_number"
    NO_INBOUND_ROUTE = "no_inbound_route"
    CALLER_BLOCKED = "caller_blocked"  # by a rule of blocked numbers
    NUMBER_BLOCKED = "number_blocked"  # the called number, likewise
    NO_OUTBOUND_ROUTE = "no_outbound_route"  # that the calling extension may use
    NO_MEDIA = "no_media"  # the caller describes no audio that can be used
    TRANSFERRED = "transferred"
    TRANSFER_FAILED = "transfer_failed"  # the transferee was connected with the transferor again
    SERVER_STOPPED = "server_stopped"
    SERVER_INTERRUPTED = "server_interrupted"  # the calls process died
    SERVER_ERROR = "server_error"


@unique
class LegResult(StrEnum):
    """Result of a leg. A leg that is ringing has none."""

    ANSWERED = "answered"
    TRANSFERRED = "transferred"  # answered, and goes on in another call
    CANCELLED = "cancelled"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    BUSY = "busy"  # this and those below: a `Cause` of the same value
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    UNAVAILABLE = "unavailable"
    LIMIT_REACHED = "limit_reached"


PLACING = "placing"  # stage of a call until its caller's phone answers


class JournalEntry(msgspec.Struct, tag_field="k", frozen=True, omit_defaults=True, kw_only=True):
    """Any entry."""

    at: int


class RunStarted(JournalEntry, tag="run", frozen=True):
    """A calls process starts; first in every file. Open calls of earlier runs of the node are over."""

    run: str
    sip: str = ""  # HOST:PORT that it listens on, by UDP and TCP


class Heartbeat(JournalEntry, tag="alive", frozen=True):
    """The calls process is alive; written every 15 s."""


class CallEntry(JournalEntry, frozen=True, kw_only=True):
    """An entry of one call; `n` counts them from 1."""

    call: str
    n: int


class CallBegan(CallEntry, tag="began", frozen=True, kw_only=True):
    """A call was offered."""

    caller: str
    called: str
    source_kind: str  # "trunk" or "extension"
    source_id: int
    source: str
    revision: int
    caller_name: str = ""
    diverted_by: str = ""  # the number that diverted the call here (Diversion, History-Info)
    stage: str = ""  # PLACING: a program places the call, and the phone of the caller rings first


class CallStepped(CallEntry, tag="step", frozen=True, kw_only=True):
    """The IVR handled an event."""

    event: EventFields
    notes: tuple[Note, ...] = ()  # private ones are masked
    stage: str = ""  # the state after it
    menu: int = 0
    keys: str = ""  # all keys so far, private ones masked


class CallAnswered(CallEntry, tag="answered", frozen=True):
    """The caller's call was answered."""


class LegRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A leg that was placed for a call."""

    kind: str  # "extension" or "external_num"
    target: int  # the extension, or the outbound route
    number: str
    via: str = ""  # the phone's address, or the trunk's name
    began: int
    answered: int = 0
    ended: int = 0
    result: LegResult | None = None  # None while it rings
    status: int = 0  # the last SIP status
    is_caller: bool = False  # it took the place of the caller, who left the call


class LegChanged(CallEntry, tag="leg", frozen=True, kw_only=True):
    """New state of a leg; `leg` counts them from 0."""

    leg: int
    state: LegRecord


class HoldChanged(CallEntry, tag="hold", frozen=True, kw_only=True):
    """The members that hold the call: -1 is the caller, from 0 on they are legs."""

    holding: tuple[int, ...]


class CallEnded(CallEntry, tag="end", frozen=True, kw_only=True):
    """The call ended."""

    outcome: str
    reason: str  # a `HangupReason` or a `CallEndReason`
    input: dict[str, Any] = {}
    media: dict[str, Any] = {}
    recording: str = ""


class BindingAdded(JournalEntry, tag="bound", frozen=True, kw_only=True):
    """A phone registered or refreshed. `data` is the binding as `registrar.plain` writes it."""

    extension: int
    contact: str
    expires: int  # Unix seconds
    data: dict[str, Any]


class BindingRemoved(JournalEntry, tag="unbound", frozen=True, kw_only=True):
    """A registration ended: it was removed, replaced or has expired."""

    extension: int
    contact: str


class TrunkStateChanged(JournalEntry, tag="trunk", frozen=True, kw_only=True):
    """New state of a trunk: up or down, why as a code, and the far side's own words where it rejected us."""

    trunk: int
    state: str
    detail: str = ""
    answer: str = ""  # "403 Forbidden"


class MessageLeft(JournalEntry, tag="message", frozen=True, kw_only=True):
    """A voicemail message is complete; `file` in the journal folder holds its sound."""

    id: str
    extension: int
    call: str
    caller: str
    milliseconds: int
    file: str


class MessageHeard(JournalEntry, tag="heard", frozen=True, kw_only=True):
    """The owner listened to a message."""

    id: str


class MessageDeleted(JournalEntry, tag="deleted", frozen=True, kw_only=True):
    """The owner deleted a message."""

    id: str
    extension: int


AnyEntry = (
    RunStarted
    | Heartbeat
    | CallBegan
    | CallStepped
    | CallAnswered
    | LegChanged
    | HoldChanged
    | CallEnded
    | BindingAdded
    | BindingRemoved
    | TrunkStateChanged
    | MessageLeft
    | MessageHeard
    | MessageDeleted
)
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AnyEntry).decode  # raises msgspec.DecodeError
