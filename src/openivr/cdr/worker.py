"""The CDR worker: moves entries of the journal into the database, a few times a second.

It may be killed at any moment, because the read positions are committed together with the records. While the
database is unreachable the journal grows and loses nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from openivr.cdr.batch import Batch
from openivr.cdr.journal.reader import JournalPosition, finished_files, list_files, read
from openivr.store.cdr import call_records, journal_positions, voicemail
from openivr.store.database import Database
from openivr.store.runtime import registrations

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.1  # between two reads of the journal
MAX_ENTRIES = 2000  # in a transaction
TIDY_SECONDS = 60
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days to keep records, recordings and messages; 0: for ever."""

    records: int = 0
    recordings: int = 0  # of calls; deleted with the record at the latest
    messages: int = 0

    def recording_days(self) -> int:
        """Return the days to keep recordings, which no record names once it is deleted."""
        return min((days for days in (self.recordings, self.records) if days), default=0)


KEEP_ALL = RetentionPolicy()


class CdrWorker:
    """Stores the journal of one node in the database, and deletes data whose retention has ended.

    `folder` holds the journal and the messages that wait, `recordings` the recordings of calls.
    """

    def __init__(
        self,
        database: Database,
        node: str,
        folder: Path,
        retention: RetentionPolicy = KEEP_ALL,
        recordings: Path | None = None,
    ) -> None:
        self.database, self.node, self.folder, self.retention = database, node, folder, retention
        self.recordings = recordings

    def run(self, wait_for_stop: Callable[[float], bool]) -> None:
        """Work until `wait_for_stop(seconds)` returns True, then store what the journal still holds."""
        tidied = 0.0
        wait = POLL_SECONDS
        while not wait_for_stop(wait):
            wait = self.work()
            if time.monotonic() - tidied > TIDY_SECONDS:
                self.tidy()
                tidied = time.monotonic()
        self.catch_up()

    def work(self) -> float:
        """Store new entries. Return the seconds to wait before the next time."""
        try:
            return 0.0 if self.commit_some() == MAX_ENTRIES else POLL_SECONDS
        except (OperationalError, InterfaceError) as error:
            log.error("call records cannot be stored: database unavailable", error=str(error.orig))
            return 1.0

    def catch_up(self) -> None:
        """Store all entries of the journal."""
        while self.commit_some():
            pass

    def commit_some(self) -> int:
        """Store the next entries, MAX_ENTRIES at most. Return their number."""
        with self.database.reading() as connection:
            known = journal_positions.positions(connection, self.node)
        entries = list(read(self.folder, known, MAX_ENTRIES))
        if entries:
            self.commit(entries)
        return len(entries)

    def commit(self, entries: list[JournalPosition]) -> None:
        """Store entries. An entry that the database rejects is logged and skipped; it must block no other."""
        try:
            with self.database.writing() as connection:
                batch = Batch(connection, self.node, self.folder, self.recordings)
                batch.apply(entries)
        except (OperationalError, InterfaceError):
            raise
        except (DBAPIError, IntegrityError, ValueError) as error:
            if len(entries) > 1:
                half = len(entries) // 2
                self.commit(entries[:half])
                self.commit(entries[half:])
            else:
                log.error(
                    "journal entry rejected by the database",
                    file=entries[0].file,
                    position=entries[0].end,
                    error=str(error),
                )
                with self.database.writing() as connection:
                    journal_positions.save_positions(connection, self.node, {entries[0].file: entries[0].end})
            return
        for path in batch.stored_files:
            path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove journal files that are stored, expired registrations, and data past its retention."""
        try:
            with self.database.writing() as connection:
                known = journal_positions.positions(connection, self.node)
                for path in finished_files(self.folder, known):
                    path.unlink()
                gone = known.keys() - set(list_files(self.folder))
                journal_positions.forget(connection, self.node, gone)
                registrations.expire(connection)
                registrations.show_online(connection)
            self.delete_old()
        except (OperationalError, InterfaceError) as error:
            log.error("call records cannot be tidied: database unavailable", error=str(error.orig))

    def delete_old(self) -> None:
        """Delete data past its retention, in small transactions."""
        for days, delete in (
            (self.retention.records, call_records.delete_old),
            (self.retention.messages, voicemail.delete_old),
        ):
            deleted = days
            while deleted:
                with self.database.writing() as connection:
                    deleted = delete(connection, days_ago(days))
        days = self.retention.recording_days()
        if days and self.recordings is not None:
            delete_files(self.recordings, days_ago(days))
            with self.database.writing() as connection:
                call_records.forget_recordings(connection, self.node, days_ago(days))


def days_ago(days: int) -> int:
    """Return the time so many days ago, in Unix milliseconds."""
    return int(time.time() * 1000) - days * DAY_MS


def delete_files(folder: Path, before: int) -> None:
    """Delete recordings last modified before a time in Unix milliseconds."""
    for path in folder.glob("*.wav"):
        if path.stat().st_mtime * 1000 < before:
            path.unlink(missing_ok=True)
