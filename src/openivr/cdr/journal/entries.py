"""The lines of the journal.

The calls process appends a line for every step of a call, with one write() that outlives the process; the
clerk reads them and keeps the database up to date. Each is a JSON object whose "k" names its kind. A call's
entries are numbered, so that whoever has read one before can tell. Times are Unix milliseconds.
"""

from enum import StrEnum, unique
from typing import Any

import msgspec

from openivr.cdr.journal.event_codec import EventFields
from openivr.ivr.commands import Note


@unique
class CallOutcome(StrEnum):
    """What became of a call, in one word for lists and reports."""

    CONNECTED = "connected"  # the caller talked to somebody
    MESSAGE = "message"  # left in a mailbox
    MENU = "menu"  # heard menus and prompts, and nobody else
    MISSED = "missed"  # never answered
    REFUSED = "refused"  # by policy or a limit, before anybody was rung
    INTERRUPTED = "interrupted"  # the server died


class JournalEntry(msgspec.Struct, tag_field="k", frozen=True, omit_defaults=True, kw_only=True):
    """Any line."""

    at: int


class RunStarted(JournalEntry, tag="run", frozen=True):
    """A calls process begins; first in every file. Whatever another run of this node left open is over."""

    run: str
    sip: str = ""  # HOST:PORT that it listens on, by UDP and TCP


class Heartbeat(JournalEntry, tag="alive", frozen=True):
    """The calls process is there; written now and then, so that its silence says something too."""


class CallEntry(JournalEntry, frozen=True, kw_only=True):
    """A line about one call; `n` counts them from 1."""

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


class CallStepped(CallEntry, tag="step", frozen=True, kw_only=True):
    """The menu core was told something."""

    event: EventFields
    notes: tuple[Note, ...] = ()  # those that are private without what they hide
    stage: str = ""  # the state after it
    menu: int = 0
    keys: str = ""  # all that was typed so far, without what is private


class CallAnswered(CallEntry, tag="answered", frozen=True):
    """The caller's call was answered."""


class LegRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody who was rung for a call."""

    kind: str  # "extension" or "external_num"
    target: int  # the extension, or the outbound route
    number: str
    via: str = ""  # the phone's address, or the trunk's name
    began: int
    answered: int = 0
    ended: int = 0
    result: str = ""  # "answered", a `Cause`, "cancelled", "transferred"
    status: int = 0  # the last SIP status


class LegChanged(CallEntry, tag="leg", frozen=True, kw_only=True):
    """A leg as it is now; `leg` counts them from 0."""

    leg: int
    state: LegRecord


class CallEnded(CallEntry, tag="end", frozen=True, kw_only=True):
    """The call is over."""

    outcome: str
    reason: str
    input: dict[str, Any] = {}
    media: dict[str, Any] = {}
    recording: str = ""


class BindingAdded(JournalEntry, tag="bound", frozen=True, kw_only=True):
    """A phone registered, or did so again. `data` is the binding as the registrar keeps it."""

    extension: int
    contact: str
    expires: int  # Unix seconds
    data: dict[str, Any]


class BindingRemoved(JournalEntry, tag="unbound", frozen=True, kw_only=True):
    """A registration ended: taken back, replaced or run out."""

    extension: int
    contact: str


class TrunkStateChanged(JournalEntry, tag="trunk", frozen=True, kw_only=True):
    """The state of a trunk: registered, reachable, unreachable, refused ..."""

    trunk: int
    state: str
    detail: str = ""


class MessageLeft(JournalEntry, tag="message", frozen=True, kw_only=True):
    """A message for a mailbox is complete; its sound waits in `file`, in the folder for messages."""

    id: str
    extension: int
    call: str
    caller: str
    milliseconds: int
    file: str


class MessageHeard(JournalEntry, tag="heard", frozen=True, kw_only=True):
    """The owner has listened to a message."""

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
