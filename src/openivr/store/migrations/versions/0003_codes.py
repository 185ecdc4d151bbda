"""Codes in the place of English texts in records, notes, legs, events, trunk states and scenarios."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from openivr.ivr import former_words
from openivr.ivr.former_words import CAUSES, LEG_RESULTS, REASONS, REFUSALS, STAGES, TOPICS

revision = "0003"
down_revision = "0002"

BATCH = 500
NOT_OUTCOMES = frozenset(("mailboxes", "answer_after", "fail_after", "talk", "message"))  # of a world
JSON_COLUMNS = (sa.column("legs", sa.JSON), sa.column("events", sa.JSON))
RECORD = sa.table("call_record", *map(sa.column, ("id", "reason", "stage")), *JSON_COLUMNS)
NOTE = sa.table("call_note", sa.column("topic"), sa.column("detail"))
TRUNK = sa.table("trunk_state", *map(sa.column, ("trunk_id", "node", "detail", "answer")))
SCENARIO = sa.table("scenario", sa.column("id"), sa.column("document", sa.JSON))


def upgrade() -> None:
    op.add_column("trunk_state", sa.Column("answer", sa.Text(), nullable=False, server_default=""))
    if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
        op.alter_column("trunk_state", "answer", server_default=None)
    connection = op.get_bind()
    rename(connection, RECORD.c.reason, REASONS)
    rename(connection, RECORD.c.stage, STAGES)
    for topic, words in (("invalid", REFUSALS), ("failed", CAUSES), ("ended", REASONS)):
        rename(connection, NOTE.c.detail, words, NOTE.c.topic == topic)
    rename(connection, NOTE.c.topic, TOPICS)
    rewrite_calls(connection)
    rewrite_trunks(connection)
    rewrite_scenarios(connection)


def rename(
    connection: sa.Connection,
    column: sa.ColumnClause[Any],
    words: Mapping[str, str],
    *where: sa.ColumnElement[bool],
) -> None:
    """Put codes in the place of the texts of a column."""
    assert isinstance(column.table, sa.TableClause)  # noqa: S101 - the columns above
    for text, code in words.items():
        changed = sa.update(column.table).where(column == text, *where)
        connection.execute(changed.values({column.name: code}))


def rewrite_calls(connection: sa.Connection) -> None:
    """Rewrite the results of legs and the causes of events. Numbers and names in them stay."""
    columns = (sa.cast(RECORD.c.legs, sa.Text), sa.cast(RECORD.c.events, sa.Text))
    holds = sa.or_(*(column.contains(f'"{text}"') for column in columns for text in LEG_RESULTS))
    query = sa.select(RECORD.c.id, RECORD.c.legs, RECORD.c.events).where(holds)
    for row in walk(connection, query, RECORD.c.id):
        legs = [leg_codes(leg) for leg in row.legs]
        events = [former_words.event_codes(event) for event in row.events]
        write(connection, RECORD, row.id, legs=legs, events=events)


def leg_codes(leg: Mapping[str, Any]) -> dict[str, Any]:
    """Return a leg with the code of its result."""
    result = leg.get("result", "")
    return {**leg, "result": LEG_RESULTS[result]} if result in LEG_RESULTS else dict(leg)


def rewrite_trunks(connection: sa.Connection) -> None:
    """Part the server's codes from what the far side said."""
    for row in connection.execute(sa.select(TRUNK)).all():
        detail, answer = former_words.trunk_code(row.detail)
        one = (TRUNK.c.trunk_id == row.trunk_id) & (TRUNK.c.node == row.node)
        connection.execute(sa.update(TRUNK).where(one).values(detail=detail, answer=answer))


def rewrite_scenarios(connection: sa.Connection) -> None:
    """Rewrite the outcomes and the steps of stored tests."""
    for row in walk(connection, sa.select(SCENARIO.c.id, SCENARIO.c.document), SCENARIO.c.id):
        write(connection, SCENARIO, row.id, document=document_codes(row.document))


def document_codes(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a scenario in codes."""
    changed = document | {"steps": [step_codes(step) for step in document.get("steps", ())]}
    if document.get("world"):
        changed["world"] = {
            name: value if name in NOT_OUTCOMES else CAUSES.get(value, value)
            for name, value in document["world"].items()
        }
    return changed


def step_codes(step: str | dict[str, str]) -> str | dict[str, str]:
    """Return a step in codes; its time stays."""
    if isinstance(step, str):
        return former_words.step_code(step, "")[0]
    return dict(former_words.step_code(what, text) for what, text in step.items())


def walk(
    connection: sa.Connection, query: sa.Select[Any], key: sa.ColumnClause[Any]
) -> Iterator[sa.Row[Any]]:
    """Yield rows in the order of their key. Some are read at a time, as there may be millions of calls."""
    last: Any = None
    while True:
        part = query if last is None else query.where(key > last)
        rows = list(connection.execute(part.order_by(key).limit(BATCH)))
        if not rows:
            return
        yield from rows
        last = rows[-1][0]


def write(connection: sa.Connection, table: sa.TableClause, id_: Any, **values: Any) -> None:
    """Write JSON columns of one row."""
    connection.execute(sa.update(table).where(table.c.id == id_).values(values))
