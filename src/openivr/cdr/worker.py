"""The clerk: a process that reads the journal a few times a second and commits what it finds.

It may be killed at any moment: what it had committed tells it where to go on. While the database cannot be
reached the journal grows, and nothing of it is lost.
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
LOOK_SECONDS = 0.1  # between two looks at the journal
MOST = 2000  # entries a transaction
TIDY_SECONDS = 60
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """For how many days things are kept; 0: for ever."""

    records: int = 0
    recordings: int = 0  # the sound of calls, which goes with its record at the latest
    messages: int = 0

    def first_recording(self) -> int:
        """Days for recordings, as no record can name those that outlive it."""
        return min((days for days in (self.recordings, self.records) if days), default=0)


FOR_EVER = RetentionPolicy()


class CdrWorker:
    """Keeps one node's journal and the database together, and deletes what was kept long enough.

    `folder` has the journal, and the messages that wait; `recordings` the sound of calls.
    """

    def __init__(
        self,
        database: Database,
        node: str,
        folder: Path,
        keep: RetentionPolicy = FOR_EVER,
        recordings: Path | None = None,
    ) -> None:
        self.database, self.node, self.folder, self.keep = database, node, folder, keep
        self.recordings = recordings

    def run(self, is_over: Callable[[float], bool]) -> None:
        """Work until `is_over`, which waits so many seconds at most, says so; then finish what is there."""
        tidied = 0.0
        wait = LOOK_SECONDS
        while not is_over(wait):
            wait = self.work()
            if time.monotonic() - tidied > TIDY_SECONDS:
                self.tidy()
                tidied = time.monotonic()
        self.catch_up()

    def work(self) -> float:
        """Commit what is there; how long to wait then."""
        try:
            return 0.0 if self.commit_some() == MOST else LOOK_SECONDS
        except (OperationalError, InterfaceError) as error:
            log.error("calls cannot be recorded: the database does not answer", error=str(error.orig))
            return 1.0

    def catch_up(self) -> None:
        """Commit all that is there."""
        while self.commit_some():
            pass

    def commit_some(self) -> int:
        """Commit the next entries, at most MOST; how many."""
        with self.database.reading() as connection:
            known = journal_positions.positions(connection, self.node)
        places = list(read(self.folder, known, MOST))
        if places:
            self.commit(places)
        return len(places)

    def commit(self, places: list[JournalPosition]) -> None:
        """Commit entries. One that the database refuses is reported and left out, so that others are not."""
        try:
            with self.database.writing() as connection:
                batch = Batch(connection, self.node, self.folder, self.recordings)
                batch.apply(places)
        except (OperationalError, InterfaceError):
            raise
        except (DBAPIError, IntegrityError, ValueError) as error:
            if len(places) > 1:
                half = len(places) // 2
                self.commit(places[:half])
                self.commit(places[half:])
            else:
                log.error("an entry of the journal is refused", place=places[0].end, error=str(error))
                with self.database.writing() as connection:
                    journal_positions.save_positions(connection, self.node, {places[0].file: places[0].end})
            return
        for path in batch.taken:
            path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove files that are in the database, registrations that ran out, and old records."""
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
            log.error("call records cannot be tidied: the database does not answer", error=str(error.orig))

    def delete_old(self) -> None:
        """Delete what is older than it is kept, in small transactions."""
        for days, delete in (
            (self.keep.records, call_records.delete_old),
            (self.keep.messages, voicemail.delete_old),
        ):
            deleted = days
            while deleted:
                with self.database.writing() as connection:
                    deleted = delete(connection, days_ago(days))
        days = self.keep.first_recording()
        if days and self.recordings is not None:
            delete_files(self.recordings, days_ago(days))
            with self.database.writing() as connection:
                call_records.forget_recordings(connection, self.node, days_ago(days))


def days_ago(days: int) -> int:
    """A time in Unix milliseconds."""
    return int(time.time() * 1000) - days * DAY_MS


def delete_files(folder: Path, before: int) -> None:
    """Delete the recordings in a folder that were written to last before a time, in Unix milliseconds."""
    for path in folder.glob("*.wav"):
        if path.stat().st_mtime * 1000 < before:
            path.unlink(missing_ok=True)
