"""A copy of everything in one SQLite file, whichever database it comes from, and the way back."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select

from openivr.clock import lifetime
from openivr.store.database import Database
from openivr.store.mail.mail_queue import give_up_restored
from openivr.store.schema import migrate
from openivr.store.tables import CDR_STATE, CHANGE, EVENT, EVENT_STATE, METADATA, REVISION

BATCH = 1000
Step = Callable[[int], None]  # told how many rows more are done


def count_rows(connection: Connection) -> int:
    counts = (select(func.count()).select_from(table) for table in METADATA.sorted_tables)
    return sum(connection.execute(count).scalar_one() for count in counts)


def backup(database: Database, target: Path, step: Step) -> None:
    """Copy one committed state to a new file. A server can keep writing meanwhile."""
    copy = Database(f"sqlite:///{target}")
    try:
        migrate(copy)
        with database.reading() as source, copy.writing() as destination:
            copy_tables(source, destination, step)
    finally:
        copy.close()  # the last connection to close leaves one file, without a write-ahead log


def restore(source: Path, database: Database, step: Step) -> None:
    """Put a backup in the place of everything, in one transaction that raises the revisions."""
    original = Database(f"sqlite:///{source}")
    try:
        migrate(original)
        with original.reading() as connection, database.writing() as destination:
            before = destination.execute(select(REVISION)).one()
            last_event = destination.execute(select(EVENT_STATE.c.last)).scalar_one()
            epoch = destination.execute(select(CDR_STATE.c.epoch)).scalar_one()
            copy_tables(connection, destination, step)
            newest = destination.execute(select(REVISION)).one()
            destination.execute(delete(CHANGE))
            # Readers of the old data must see a later revision, whichever of the two was further.
            raised = {
                "config": max(before.config, newest.config) + 1,
                "auth": max(before.auth, newest.auth) + 1,
            }
            destination.execute(REVISION.update().values(raised))
            # Both lines of numbers end here: a consumer that reads on from either of them learns of a gap.
            restored_event = destination.execute(select(EVENT_STATE.c.last)).scalar_one()
            destination.execute(delete(EVENT))
            destination.execute(EVENT_STATE.update().values(last=max(last_event, restored_event) + 1))
            give_up_restored(destination, int(lifetime.now() * 1000))
            restored = destination.execute(select(CDR_STATE.c.epoch)).scalar_one()
            destination.execute(CDR_STATE.update().values(epoch=max(epoch, restored) + 1))
    finally:
        original.close()


def copy_tables(source: Connection, destination: Connection, step: Step) -> None:
    for table in reversed(METADATA.sorted_tables):
        destination.execute(delete(table))
    for table in METADATA.sorted_tables:
        with source.execute(select(table), execution_options={"yield_per": BATCH}) as rows:
            for part in rows.mappings().partitions(BATCH):
                destination.execute(insert(table), [dict(row) for row in part])
                step(len(part))
    if destination.dialect.name == "postgresql":
        reset_sequences(destination)


def reset_sequences(connection: Connection) -> None:
    """Set the sequences of PostgreSQL after the ids of the restored rows."""
    for table in METADATA.sorted_tables:
        if table.autoincrement_column is not None:
            last = select(func.coalesce(func.max(table.c.id), 0) + 1)
            name = func.pg_get_serial_sequence(table.name, "id")
            connection.execute(select(func.setval(name, last.scalar_subquery(), False)))
