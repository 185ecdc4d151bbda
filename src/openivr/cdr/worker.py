"""The CDR worker: moves entries of the journal into the database, a few times a second.

It may be killed at any moment, because the read positions are committed together with the records. While the
database is unreachable the journal grows and loses nothing.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from openivr import clock
from openivr.cdr.batch import Batch
from openivr.cdr.journal.reader import JournalPosition, finished_files, list_files, read
from openivr.cdr.retention import KEEP_ALL, RetentionClock, RetentionPolicy
from openivr.cdr.state_events import ExtensionStates, report_registration
from openivr.store.availability import is_unavailable
from openivr.store.cdr import call_records, call_writer, cdr_rows, journal_positions, voicemail
from openivr.store.database import Database
from openivr.store.events import outbox
from openivr.store.events.interest import Interest
from openivr.store.runtime import registrations

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.1  # between two reads of the journal
SOON_SECONDS = 0.012  # the same while subscribers wait for events
LOOK_SECONDS = 0.004  # between two looks at the size of the journal
REST_SECONDS = 1.0  # between two reads of a journal that does not change
MAX_ENTRIES = 2000  # in a transaction
TIDY_SECONDS = 60
SILENT_SECONDS = 60.0  # without an entry, after which the calls process is taken to be gone
MAX_DELETED_FILES = 200  # recordings a turn
DAY_MS = 86_400_000


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
        self.last_entry = clock.steady()
        self._retention_clock: RetentionClock | None = None
        self._newest, self._seen_size = "", 0  # file of the last entry that was read, and its size by then
        self._rest: tuple[int, int] | None = None  # state of the journal when a read found nothing
        self._rested = 0.0
        self._states: ExtensionStates | None = None  # None: as the database has them

    def run(self, wait_for_stop: Callable[[float], bool], interest: Interest | None = None) -> None:
        """Work until `wait_for_stop(seconds)` returns True, then store what the journal still holds.

        While there is `interest` in events, an entry is stored soon after it was written.
        """
        tidied = 0.0
        wait = POLL_SECONDS
        while not self.wait_for_entries(wait, wait_for_stop, interest):
            wait = POLL_SECONDS if self.is_at_rest() else self.work()
            if time.monotonic() - tidied > TIDY_SECONDS:
                self.tidy()
                tidied = time.monotonic()
        try:
            self.catch_up()
        except DBAPIError as error:
            log.error("call records stay in the journal: database unavailable", error=str(error.orig))

    def wait_for_entries(
        self, seconds: float, wait_for_stop: Callable[[float], bool], interest: Interest | None
    ) -> bool:
        """Wait so long, or less if subscribers wait for an entry. Return True if the worker has to stop."""
        if seconds != POLL_SECONDS or interest is None or not interest.exists:
            return wait_for_stop(seconds)
        waited, step = 0.0, SOON_SECONDS
        while waited < seconds:
            if wait_for_stop(step):
                return True
            if self.newest_size() != self._seen_size:
                return False
            waited, step = waited + step, LOOK_SECONDS
        return False

    def newest_size(self) -> int:
        """Return the size of the journal file that was read last, 0 if it is gone."""
        try:
            return os.stat(self.folder / self._newest).st_size if self._newest else 0
        except FileNotFoundError:
            return 0

    def is_at_rest(self) -> bool:
        """Return True if nothing was written since the last read, which found nothing.

        Once a second the journal is read all the same, because times of folders are coarse.
        """
        is_recent = time.monotonic() - self._rested < REST_SECONDS
        return is_recent and self._rest is not None and self.read_state() == self._rest

    def read_state(self) -> tuple[int, int] | None:
        """Return what changes with the journal, None before its first entry was read."""
        try:
            return (os.stat(self.folder).st_mtime_ns, self.newest_size()) if self._newest else None
        except FileNotFoundError:
            return None

    def work(self) -> float:
        """Store new entries. Return the seconds to wait before the next time."""
        try:
            return 0.0 if self.commit_some() == MAX_ENTRIES else POLL_SECONDS
        except DBAPIError as error:
            if not is_unavailable(error):
                raise
            log.error("call records cannot be stored: database unavailable", error=str(error.orig))
            return 1.0

    def catch_up(self) -> None:
        """Store all entries of the journal."""
        while self.commit_some():
            pass

    def commit_some(self) -> int:
        """Store the next entries, MAX_ENTRIES at most. Return their number."""
        state, self._rest, self._rested = self.read_state(), None, time.monotonic()
        with self.database.reading() as connection:
            known = journal_positions.positions(connection, self.node)
        self._seen_size = self.newest_size()  # before reading: what grows meanwhile is seen again
        entries = list(read(self.folder, known, MAX_ENTRIES))
        if entries:
            self.last_entry = clock.steady()
            if entries[-1].file != self._newest:
                self._newest, self._seen_size = entries[-1].file, entries[-1].end
            self.commit(entries)
        else:
            self._rest = state
        return len(entries)

    def commit(self, entries: list[JournalPosition]) -> None:
        """Store entries. An entry that the database rejects is logged and skipped; it must block no other."""
        states, self._states = self._states, None  # what follows may fail half way
        try:
            with self.database.writing() as connection:
                batch = Batch(connection, self.node, self.folder, self.recordings, states)
                batch.apply(entries)
            self._states = batch.states
        except (DBAPIError, ValueError) as error:
            if is_unavailable(error):
                raise
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
                # A calls process that is alive reports what has expired, by a clock that does not step.
                is_alive = clock.steady() - self.last_entry < SILENT_SECONDS
                registrations.expire(connection, int(time.time()), self.node, is_alive=is_alive)
                # What expired without a calls process is reported here; the rest was with its entries.
                changed = registrations.show_online(connection)
                now = clock.wall_ms()
                reports = [report_registration(*change, now) for change in changed]
                outbox.append(connection, reports)
            self.delete_old()
            with self.database.writing() as connection:
                outbox.delete_old(connection, clock.wall_ms())
        except DBAPIError as error:
            if not is_unavailable(error):
                raise
            log.error("call records cannot be tidied: database unavailable", error=str(error.orig))

    def delete_old(self) -> None:
        """Delete data past its retention, a bounded number of each kind a turn."""
        now = self.retention_clock().now() * 1000
        with self.database.writing() as connection:
            days = self.retention.records
            cdr_rows.move_horizon(connection, int(now) - days * DAY_MS if days else 0)
        for days, delete, what in (
            (self.retention.records, call_writer.delete_old, "call records"),
            (self.retention.messages, voicemail.delete_old, "voicemail messages"),
        ):
            if days:
                with self.database.writing() as connection:
                    deleted = delete(connection, int(now) - days * DAY_MS)
                if deleted:
                    log.info("old data deleted", what=what, count=deleted)
        self.delete_recordings(int(now))

    def delete_recordings(self, now: int) -> None:
        """Delete recordings past their retention, and the oldest ones beyond the quota."""
        days, quota = self.retention.recording_days(), self.retention.recording_bytes
        if self.recordings is None:
            return
        before = now - days * DAY_MS if days else 0
        files = delete_files(self.recordings, before, quota) if days or quota else []
        if files:
            log.info("old data deleted", what="recordings", count=len(files))
            with self.database.writing() as connection:
                call_records.forget_recordings(connection, self.node, files)

    def retention_clock(self) -> RetentionClock:
        """Return the clock by which data is old."""
        if self._retention_clock is None:
            with self.database.reading() as connection:
                newest = call_records.find_newest(connection) / 1000
            self._retention_clock = RetentionClock(self.folder, newest, boot_id=clock.read_boot_id())
        return self._retention_clock


def delete_files(folder: Path, before: int, quota: int = 0) -> list[str]:
    """Delete the oldest recordings, a bounded number at a time. Return their names.

    Those are recordings from before a time in Unix milliseconds, and those beyond a quota in bytes.
    """
    files = sorted((time_of(path, status), status.st_size, path) for path, status in list_recordings(folder))
    excess = sum(size for _, size, _ in files) - quota if quota else 0
    deleted: list[str] = []
    for at, size, path in files[:MAX_DELETED_FILES]:
        if at >= before and excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess -= size
        deleted.append(path.name)
    return deleted


def time_of(path: Path, status: os.stat_result) -> float:
    """Return the time of a recording in Unix milliseconds: when it was written, or when its call began.

    The file system has the time of the wall clock, which may have been wrong; the id of a call has its start.
    """
    started = path.name.split("-", 1)[0]
    with suppress(ValueError):
        return max(status.st_mtime * 1000, float(int(started, 16)))
    return status.st_mtime * 1000


def list_recordings(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the recordings in a folder. One that is deleted meanwhile is left out."""
    for path in folder.glob("*.wav"):
        with suppress(FileNotFoundError):
            yield path, path.stat()
