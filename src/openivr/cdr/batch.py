"""One transaction: entries of the journal, and how far they reach, come into the database together."""

import re
import wave
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection

from openivr.cdr.journal.entries import (
    BindingAdded,
    BindingRemoved,
    CallEntry,
    Heartbeat,
    JournalEntry,
    MessageDeleted,
    MessageHeard,
    MessageLeft,
    RunStarted,
    TrunkStateChanged,
)
from openivr.cdr.journal.reader import JournalPosition
from openivr.cdr.reducer import apply_entry, interrupt, notes_in
from openivr.store.cdr import call_counts, call_records, journal_positions, voicemail
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.runtime import liveness, registrations
from openivr.store.runtime.registrations import Registration, TrunkStatus

log = structlog.get_logger(__name__)
UNFINISHED = re.compile(r"vm-(?P<call>.+)-(?P<extension>\d+)\.wav")  # as `calls.messages` names them
SHORTEST_MS = 500  # of a message that is worth keeping


class Batch:
    """Gathers what entries change, so that each record is written once."""

    def __init__(
        self, connection: Connection, node: str, messages: Path, recordings: Path | None = None
    ) -> None:
        self.connection, self.node = connection, node
        self.messages, self.recordings = messages, recordings
        self.records: dict[str, CallRecord] = {}
        self.changed: dict[str, CallRecord] = {}
        self.notes: list[tuple[str, int, CallNote]] = []
        self.positions: dict[str, int] = {}
        self.ended: Counter[str] = Counter()  # by outcome
        self.has_registrations = False
        self.alive = 0  # when the calls process was heard of last
        self.taken: list[Path] = []  # sound files that are in the database when this has committed

    def apply(self, places: Iterable[JournalPosition]) -> None:
        """Take entries in, and write what they change."""
        places = list(places)
        idents = {place.entry.call for place in places if isinstance(place.entry, CallEntry)}
        self.records = call_records.load(self.connection, idents)
        for place in places:
            if place.entry is not None:
                self.take(place.entry, run_of(place.file))
            self.positions[place.file] = place.end
        self.write_calls()
        if self.has_registrations:
            registrations.show_online(self.connection)
        call_counts.count_ended(self.connection, +self.ended)
        if self.alive:
            liveness.note_alive(self.connection, self.node, self.alive)
        journal_positions.save_positions(self.connection, self.node, self.positions)

    def take(self, entry: JournalEntry, run: str) -> None:
        match entry:
            case CallEntry():
                self.take_call(entry, run)
            case RunStarted():
                self.alive = entry.at
                self.close_others(entry.run)
            case Heartbeat():
                self.alive = entry.at
            case BindingAdded() | BindingRemoved():
                self.take_registration(entry)
            case TrunkStateChanged():
                state = TrunkStatus(entry.trunk, entry.state, entry.detail, entry.at, self.node)
                registrations.save_trunks(self.connection, [state])
            case MessageLeft():
                self.take_message(entry)
            case MessageHeard():
                voicemail.mark_heard(self.connection, [entry.id])
            case MessageDeleted():
                voicemail.delete_message(self.connection, entry.id)

    def take_call(self, entry: CallEntry, run: str) -> None:
        record = self.records.get(entry.call)
        if record is None:
            record = self.records[entry.call] = CallRecord(entry.call, self.node, run, started=entry.at)
        was_live = record.is_live
        if apply_entry(record, entry):
            self.changed[entry.call] = record
            self.ended[record.outcome] += was_live and not record.is_live
            self.notes.extend(notes_in(entry))

    def close_others(self, run: str) -> None:
        """A new process began: what another one of this node left open will not go on."""
        self.write_calls()
        left = call_records.load_open(self.connection, self.node, run)
        for record in left:
            interrupt(record)
            if self.recordings is not None and (self.recordings / f"{record.id}.wav").exists():
                record.recording = f"{record.id}.wav"
            self.ended[record.outcome] += 1
            self.records[record.id] = self.changed[record.id] = record
        if left:
            log.warning("calls were interrupted", calls=len(left), ids=[record.id for record in left[:20]])
        self.take_unfinished(run)

    def write_calls(self) -> None:
        call_records.save(self.connection, self.changed.values())
        call_records.save_notes(self.connection, self.notes)
        call_records.save_menus(self.connection, [one.id for one in self.changed.values() if not one.is_live])
        self.changed, self.notes = {}, []

    def take_unfinished(self, run: str) -> None:
        """Keep what callers had said into mailboxes when a process of this node died."""
        found = {path: UNFINISHED.fullmatch(path.name) for path in self.messages.glob("vm-*.wav")}
        names = {path: match for path, match in found.items() if match and path not in self.taken}
        known = call_records.load(self.connection, {match["call"] for match in names.values()}) | self.records
        for path, match in names.items():
            record = known.get(match["call"])
            if record is None or record.is_live or record.run == run:
                continue  # somebody is speaking
            milliseconds = measure(path)
            self.taken.append(path)
            if milliseconds >= SHORTEST_MS:
                facts: dict[str, Any] = {"call_id": record.id, "caller": record.caller}
                message = VoicemailMessage(
                    path.stem,
                    int(match["extension"]),
                    **facts,
                    created=record.started,
                    milliseconds=milliseconds,
                )
                voicemail.save(self.connection, message, path.read_bytes())
                log.warning("a message was cut off", call=record.id, message=path.stem)

    def take_registration(self, entry: BindingAdded | BindingRemoved) -> None:
        self.has_registrations = True
        if isinstance(entry, BindingAdded):
            row = Registration(entry.extension, entry.contact, entry.expires, entry.data, self.node)
            registrations.bind(self.connection, row)
        else:
            registrations.unbind(self.connection, entry.extension, entry.contact)

    def take_message(self, entry: MessageLeft) -> None:
        path = self.messages / Path(entry.file).name
        try:
            audio = path.read_bytes()
        except OSError as error:
            # It is also missing where the database was put back to an earlier state.
            log.error("the sound of a message is missing", message=entry.id, error=error.strerror)
            return
        facts: dict[str, Any] = {"call_id": entry.call, "caller": entry.caller, "created": entry.at}
        message = VoicemailMessage(entry.id, entry.extension, **facts, milliseconds=entry.milliseconds)
        voicemail.save(self.connection, message, audio)
        self.taken.append(path)


def measure(path: Path) -> int:
    """The milliseconds in a wav; 0 if it is none."""
    try:
        with wave.open(str(path)) as file:
            return int(1000 * file.getnframes() / file.getframerate())
    except (wave.Error, EOFError, OSError):
        return 0


def run_of(file: str) -> str:
    """The run that wrote a file of the journal."""
    return file.rpartition("-")[0]
