"""The clerk: a process that reads the journal a few times a second and commits what it finds.

It may be killed at any moment: what it had committed tells it where to go on. While the database cannot be
reached the journal grows, and nothing of it is lost.
"""

import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from openivr.clerk.batch import Batch
from openivr.journal.reader import Place, finished_files, list_files, read
from openivr.store import calls, journal, registrations
from openivr.store.database import Database

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.1  # between two looks at the journal
MOST = 2000  # entries a transaction
TIDY_SECONDS = 60
DAY_MS = 86_400_000


class Clerk:
    """Keeps one node's journal and the database together. `keep_days` 0 keeps call records for ever."""

    def __init__(self, database: Database, node: str, folder: Path, keep_days: int = 0) -> None:
        self.database, self.node, self.folder, self.keep_days = database, node, folder, keep_days

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
            known = journal.positions(connection, self.node)
        places = list(read(self.folder, known, MOST))
        if places:
            self.commit(places)
        return len(places)

    def commit(self, places: list[Place]) -> None:
        """Commit entries. One that the database refuses is reported and left out, so that others are not."""
        try:
            with self.database.writing() as connection:
                batch = Batch(connection, self.node, self.folder)
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
                    journal.save_positions(connection, self.node, {places[0].file: places[0].end})
            return
        for path in batch.taken:
            path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove files that are in the database, registrations that ran out, and old records."""
        try:
            with self.database.writing() as connection:
                known = journal.positions(connection, self.node)
                for path in finished_files(self.folder, known):
                    path.unlink()
                gone = known.keys() - set(list_files(self.folder))
                journal.forget(connection, self.node, gone)
                registrations.expire(connection)
                registrations.show_online(connection)
            self.delete_old()
        except (OperationalError, InterfaceError) as error:
            log.error("call records cannot be tidied: the database does not answer", error=str(error.orig))

    def delete_old(self) -> None:
        """Delete records that are older than they are kept, in small transactions."""
        before = int(time.time() * 1000) - self.keep_days * DAY_MS
        deleted = self.keep_days
        while deleted:
            with self.database.writing() as connection:
                deleted = calls.delete_old(connection, before)
