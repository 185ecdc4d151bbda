"""The live calls of this process as the API shows them, from the entries that it writes to the journal.

So a query shows what events report, without the way through the database.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openivr.b2bua.call_commands import QueryCalls
from openivr.cdr.call_events import SOURCE, Members, channel_key, list_members
from openivr.cdr.journal.entries import CallBegan, CallEnded, CallEntry, JournalEntry, LegChanged
from openivr.cdr.reducer import apply_entry
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.routing_stages import number_call


@dataclass(frozen=True, slots=True)
class CallChannel:
    """A leg of a live call: its place is that of a `Member`."""

    call: str
    place: int


@dataclass(slots=True)
class LiveCall:
    """The record of a call. Entries are applied when it is asked for, which is rare."""

    _record: CallRecord
    _waiting: list[CallEntry] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # of its channels, by place + 1

    def add(self, entry: CallEntry) -> None:
        self._waiting.append(entry)

    @property
    def record(self) -> CallRecord:
        """The record of the call until now."""
        for entry in self._waiting:
            apply_entry(self._record, entry)
        self._waiting.clear()
        return self._record

    @property
    def number(self) -> str:
        """The id of the call in the API."""
        return number_call(self._record.id, self._record.started // 1000)

    @property
    def members(self) -> Members:
        """The members that have not hung up."""
        return list_members(self.record)


class LiveCallRecords:
    """Follows the calls of a run of this process."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._calls: dict[str, LiveCall] = {}
        self._channels: dict[str, CallChannel] = {}  # by the last part of the id

    def on_entry(self, entry: JournalEntry) -> None:
        """Take in an entry that was written to the journal."""
        match entry:
            case CallBegan():
                record = CallRecord(entry.call, run=self.run, started=entry.at)
                self._calls[entry.call] = LiveCall(record)
                self._add(entry)
                self._add_channel(entry.call, SOURCE)
            case CallEnded():
                self._forget(entry.call)
            case LegChanged():
                self._add(entry)
                self._add_channel(entry.call, entry.leg)
            case CallEntry():
                self._add(entry)

    def _add(self, entry: CallEntry) -> None:
        if call := self._calls.get(entry.call):
            call.add(entry)

    def _add_channel(self, id_: str, place: int) -> None:
        call = self._calls.get(id_)
        while call is not None and len(call.keys) <= place + 1:
            key = channel_key(self.run, id_, len(call.keys) - 1)
            self._channels[key] = CallChannel(id_, len(call.keys) - 1)
            call.keys.append(key)

    def _forget(self, id_: str) -> None:
        call = self._calls.pop(id_, None)
        for key in call.keys if call is not None else ():
            self._channels.pop(key, None)

    def find_channel(self, id_: str) -> CallChannel | None:
        """Return the channel with this id. None: it never was, or it has hung up."""
        channel = self._channels.get(id_.rpartition("-")[2])
        call = self._calls.get(channel.call) if channel is not None else None
        member = call.members.get(channel.place) if call is not None and channel is not None else None
        return channel if member is not None and member.channel == id_ else None

    def number_of(self, id_: str) -> str:
        """Return the id that the API has for a call, "" if it has ended."""
        call = self._calls.get(id_)
        return call.number if call is not None else ""

    def query(self, query: QueryCalls) -> Iterator[dict[str, Any]]:
        """Yield the calls that fit, as the API shows them."""
        for call in self._calls.values():
            if query.call_id not in ("", call.number):
                continue
            members = call.members
            is_chosen = query.type in ("", type_of(call.record)) and (
                not query.extension or any(is_extension(each, query.extension) for each in members.values())
            )
            if is_chosen:
                shown = [member.describe(empty="") for member in members.values()]
                yield {"call_id": call.number, "members": shown}


def is_extension(member: Any, number: str) -> bool:
    """Return True for a member that is this extension."""
    return bool(member.kind == "extension" and member.number == number)


def type_of(record: CallRecord) -> str:
    """Return the type of a live call: one to the outside is outbound from its first leg there."""
    if record.source_kind == "trunk":
        return "inbound"
    is_outbound = any(leg and leg["kind"] == DestinationKind.EXTERNAL for leg in record.legs)
    return "outbound" if is_outbound else "internal"
