"""Positions up to which each node's journal is in the database, written in the same transactions."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, delete, select

from openivr.store.cdr.call_records import put
from openivr.store.tables import JOURNAL

POSITIONS = select(JOURNAL.c.file, JOURNAL.c.position).where(JOURNAL.c.node == bindparam("of_node"))


def positions(connection: Connection, node: str) -> dict[str, int]:
    """For each file of a node's journal, where the first entry begins that is not in the database."""
    rows = connection.execute(POSITIONS, {"of_node": node})
    return {row.file: row.position for row in rows}


def save_positions(connection: Connection, node: str, found: Mapping[str, int]) -> None:
    """Write the positions down."""
    put(connection, JOURNAL, [{"node": node, "file": f, "position": at} for f, at in found.items()])


def forget(connection: Connection, node: str, files: Collection[str]) -> None:
    """Forget files that are gone."""
    connection.execute(delete(JOURNAL).where(JOURNAL.c.node == node, JOURNAL.c.file.in_(list(files))))
