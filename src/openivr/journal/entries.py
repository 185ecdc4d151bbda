"""The lines of the journal.

The calls process appends a line for every step of a call, with one write() that outlives the process; the
clerk reads them and keeps the database up to date. Each is a JSON object whose "k" names its kind. A call's
entries are numbered, so that whoever has read one before can tell. Times are Unix milliseconds.
"""

from enum import StrEnum, unique
from typing import Any

import msgspec

from openivr.journal.happening import Described
from openivr.menu.commands import Note


@unique
class Outcome(StrEnum):
    """What became of a call, in one word for lists and reports."""

    CONNECTED = "connected"  # the caller talked to somebody
    MESSAGE = "message"  # left in a mailbox
    MENU = "menu"  # heard menus and prompts, and nobody else
    MISSED = "missed"  # never answered
    REFUSED = "refused"  # by policy or a limit, before anybody was rung
    INTERRUPTED = "interrupted"  # the server died


class Entry(msgspec.Struct, tag_field="k", frozen=True, omit_defaults=True, kw_only=True):
    """Any line."""

    at: int


class Run(Entry, tag="run", frozen=True):
    """A calls process begins; first in every file. Whatever another run of this node left open is over."""

    run: str
    sip: str = ""  # HOST:PORT that it listens on, by UDP and TCP


class Alive(Entry, tag="alive", frozen=True):
    """The calls process is there; written now and then, so that its silence says something too."""


class CallEntry(Entry, frozen=True, kw_only=True):
    """A line about one call; `n` counts them from 1."""

    call: str
    n: int


class Began(CallEntry, tag="began", frozen=True, kw_only=True):
    """A call was offered."""

    caller: str
    called: str
    source_kind: str  # "trunk" or "extension"
    source_id: int
    source: str
    revision: int
    caller_name: str = ""


class Stepped(CallEntry, tag="step", frozen=True, kw_only=True):
    """The menu core was told something."""

    event: Described
    notes: tuple[Note, ...] = ()  # those that are private without what they hide
    stage: str = ""  # the state after it
    menu: int = 0
    keys: str = ""  # all that was typed so far, without what is private


class Answered(CallEntry, tag="answered", frozen=True):
    """The caller's call was answered."""


class Leg(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
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
    state: Leg


class Finished(CallEntry, tag="end", frozen=True, kw_only=True):
    """The call is over."""

    outcome: str
    reason: str
    input: dict[str, Any] = {}
    media: dict[str, Any] = {}
    recording: str = ""


class Bound(Entry, tag="bound", frozen=True, kw_only=True):
    """A phone registered, or did so again. `data` is the binding as the registrar keeps it."""

    extension: int
    contact: str
    expires: int  # Unix seconds
    data: dict[str, Any]


class Unbound(Entry, tag="unbound", frozen=True, kw_only=True):
    """A registration ended: taken back, replaced or run out."""

    extension: int
    contact: str


class TrunkChanged(Entry, tag="trunk", frozen=True, kw_only=True):
    """The state of a trunk: registered, reachable, unreachable, refused ..."""

    trunk: int
    state: str
    detail: str = ""


class MessageLeft(Entry, tag="message", frozen=True, kw_only=True):
    """A message for a mailbox is complete; its sound waits in `file`, in the folder for messages."""

    id: str
    extension: int
    call: str
    caller: str
    milliseconds: int
    file: str


class MessageHeard(Entry, tag="heard", frozen=True, kw_only=True):
    """The owner has listened to a message."""

    id: str


class MessageDeleted(Entry, tag="deleted", frozen=True, kw_only=True):
    """The owner deleted a message."""

    id: str
    extension: int


Line = (
    Run
    | Alive
    | Began
    | Stepped
    | Answered
    | LegChanged
    | Finished
    | Bound
    | Unbound
    | TrunkChanged
    | MessageLeft
    | MessageHeard
    | MessageDeleted
)
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Line).decode  # raises msgspec.DecodeError
