"""Stores journal entries and the read positions in one transaction."""

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import structlog
from sqlalchemy import Connection

from openivr import clock
from openivr.cdr.call_events import list_members, report_end, report_entry, report_interruption
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
from openivr.cdr.journal.message_file import PATTERN, MessageFile, is_message
from openivr.cdr.journal.reader import JournalPosition
from openivr.cdr.reducer import apply_entry, find_hang_up, interrupt, notes_in
from openivr.cdr.state_events import ExtensionStates, report_registration, report_trunk
from openivr.store.cdr import call_counts, call_records, call_writer, journal_positions, voicemail
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.events import outbox
from openivr.store.events.outbox import EventReport
from openivr.store.mail.voicemail_mail import request_mail
from openivr.store.runtime import liveness, registrations
from openivr.store.runtime.registrations import Registration, TrunkStatus

log = structlog.get_logger(__name__)


class Batch:
    """Collects the changes of entries, so that each record is written once."""

    def __init__(
        self,
        connection: Connection,
        node: str,
        messages: Path,
        recordings: Path | None = None,
        states: ExtensionStates | None = None,
    ) -> None:
        self.connection, self.node = connection, node
        self.messages, self.recordings = messages, recordings
        self.states = states or ExtensionStates(call_records.load_live(connection, node))
        self.records: dict[str, CallRecord] = {}
        self.reports: list[EventReport] = []
        self.changed: dict[str, CallRecord] = {}
        self.notes: list[tuple[str, int, CallNote]] = []
        self.positions: dict[str, int] = {}
        self.ended: Counter[str] = Counter()  # by outcome
        self.has_registrations = False
        self.last_seen = 0  # Unix ms of the last entry of the calls process
        self.stored_files: list[Path] = []  # message files to delete after the commit

    def apply(self, positions: Iterable[JournalPosition]) -> None:
        """Apply entries, and write what they change."""
        positions = list(positions)
        call_ids = {item.entry.call for item in positions if isinstance(item.entry, CallEntry)}
        self.records = call_records.load(self.connection, call_ids)
        for item in positions:
            if item.entry is not None:
                self.on_entry(item.entry, run_of(item.file))
            self.positions[item.file] = item.end
        self.write_calls()
        if self.has_registrations:
            registrations.show_online(self.connection)
        call_counts.count_ended(self.connection, +self.ended)
        if self.last_seen:
            liveness.note_alive(self.connection, self.node, self.last_seen)
        journal_positions.save_positions(self.connection, self.node, self.positions)
        outbox.append(self.connection, self.reports)  # last, because it locks what all writers share

    def on_entry(self, entry: JournalEntry, run: str) -> None:
        match entry:
            case CallEntry():
                self.on_call_entry(entry, run)
            case RunStarted():
                self.last_seen = entry.at
                self.interrupt_other_runs(entry.run)
            case Heartbeat():
                self.last_seen = entry.at
            case BindingAdded() | BindingRemoved():
                self.on_binding(entry)
            case TrunkStateChanged():
                self.on_trunk_state(entry)
            case MessageLeft():
                self.on_message_left(entry)
            case MessageHeard():
                voicemail.mark_heard(self.connection, [entry.id])
            case MessageDeleted():
                voicemail.delete_message(self.connection, entry.id)

    def on_call_entry(self, entry: CallEntry, run: str) -> None:
        record = self.records.get(entry.call)
        if record is None:
            record = self.records[entry.call] = CallRecord(entry.call, self.node, run, started=entry.at)
        was_live, members = record.is_live, list_members(record)
        if apply_entry(record, entry):
            self.changed[entry.call] = record
            self.reports += report_entry(record, entry, members)
            self.reports += self.states.follow(record, entry.at)
            self.ended[record.outcome] += was_live and not record.is_live
            self.notes.extend(notes_in(entry))

    def interrupt_other_runs(self, run: str) -> None:
        """End the calls that an earlier calls process of this node left open."""
        self.write_calls()
        open_calls = call_records.load_open(self.connection, self.node, run)
        self.keep_unfinished_messages(run)
        for record in open_calls:
            members = list_members(record)
            interrupt(record, has_message=self.has_message(record))
            self.reports += report_interruption(record, members)
            self.reports += self.states.follow(record, record.updated)
            if self.recordings is not None and (self.recordings / f"{record.id}.wav").exists():
                record.recording = f"{record.id}.wav"
            self.ended[record.outcome] += 1
            self.records[record.id] = self.changed[record.id] = record
        if open_calls:
            log.warning(
                "calls were interrupted", calls=len(open_calls), ids=[record.id for record in open_calls[:20]]
            )

    def has_message(self, record: CallRecord) -> bool:
        """Return True if a message was stored of a call that only waited for that."""
        is_over = find_hang_up(record) is not None
        return is_over and bool(voicemail.messages_of(self.connection, record.id))

    def write_calls(self) -> None:
        ended = call_writer.write_calls(self.connection, list(self.changed.values()), self.notes)
        for written in ended:
            self.reports += report_end(*written, time.localtime)
        self.changed, self.notes = {}, []

    def keep_unfinished_messages(self, run: str) -> None:
        """Store messages that were being recorded when a calls process of this node died.

        They are judged as others are: silence is no message, nor is a click.
        """
        from openivr.media.recording.audio_recording import measure_file  # numpy, which is rarely needed

        files = {path: MessageFile.parse(path.name) for path in self.messages.glob(PATTERN)}
        unstored = {path: file for path, file in files.items() if file and path not in self.stored_files}
        records = call_records.load(self.connection, {file.call for file in unstored.values()}) | self.records
        for path, file in unstored.items():
            record = records.get(file.call)
            if record is None or record.run == run:
                continue  # still being recorded
            seconds, sound = measure_file(path)
            self.stored_files.append(path)
            if is_message(seconds, sound):
                message = VoicemailMessage(
                    file.id,
                    file.extension,
                    call_id=record.id,
                    caller=record.caller,
                    created=record.started,
                    milliseconds=round(1000 * seconds),
                )
                self.save_message(message, path.read_bytes())
                log.warning("voicemail message was cut off", call=record.id, message=file.id)

    def on_binding(self, entry: BindingAdded | BindingRemoved) -> None:
        self.has_registrations = True
        was_registered = registrations.is_registered(self.connection, entry.extension)
        if isinstance(entry, BindingAdded):
            row = Registration(entry.extension, entry.contact, entry.expires, entry.data, self.node)
            registrations.bind(self.connection, row)
            binding = entry.data
        else:
            data = registrations.unbind(self.connection, entry.extension, entry.contact)
            binding = data or {}
        is_registered = registrations.is_registered(self.connection, entry.extension)
        if is_registered == was_registered:
            return
        number = registrations.extension_number(self.connection, entry.extension)
        if number:  # an account of a trunk is no extension
            self.reports.append(report_registration(number, is_registered, entry.at, binding))

    def on_trunk_state(self, entry: TrunkStateChanged) -> None:
        state = TrunkStatus(entry.trunk, entry.state, entry.detail, entry.at, self.node, entry.answer)
        before = registrations.find_trunk_state(self.connection, entry.trunk, self.node)
        registrations.save_trunks(self.connection, [state])
        trunk = registrations.find_trunk(self.connection, entry.trunk)
        if trunk is not None and before != (entry.state, entry.detail):
            self.reports.append(report_trunk(trunk, entry.state, entry.detail, entry.at))

    def on_message_left(self, entry: MessageLeft) -> None:
        path = self.messages / Path(entry.file).name
        try:
            audio = path.read_bytes()
        except OSError as error:
            # Also missing if the database was restored from a backup and the journal is read again.
            log.error("sound file of a voicemail message is missing", message=entry.id, error=error.strerror)
            return
        message = VoicemailMessage(
            entry.id,
            entry.extension,
            call_id=entry.call,
            caller=entry.caller,
            created=entry.at,
            milliseconds=entry.milliseconds,
        )
        self.save_message(message, audio)
        self.stored_files.append(path)

    def save_message(self, message: VoicemailMessage, audio: bytes) -> None:
        """Put a message into its mailbox, and a mail about it into the queue if its owner wants one."""
        voicemail.save(self.connection, message, audio)
        request_mail(self.connection, message, int(clock.lifetime.now() * 1000))


def run_of(file: str) -> str:
    """Return the run that wrote a journal file."""
    return file.rpartition("-")[0]
