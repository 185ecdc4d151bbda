"""Numbers about calls for the metrics, cheap to read however many calls there were."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from openivr.store.cdr.call_records import put
from openivr.store.tables import CALL, CALL_COUNT, OBJECTS, REGISTRATION, TRUNK_STATE

COUNTS = select(CALL_COUNT.c.outcome, CALL_COUNT.c.count)


@dataclass(frozen=True, slots=True)
class CallCounts:
    """Calls under way, calls that have ended by outcome, registered phones, and trunks by name: 1 is up."""

    live: int
    ended: Mapping[str, int]
    registrations: int
    trunks: Mapping[str, int]


def read_figures(connection: Connection) -> CallCounts:
    """The figures as they are now."""
    trunk = OBJECTS["trunk"]
    live = select(func.count()).select_from(CALL).where(CALL.c.ended.is_(None))
    phones = select(func.count()).select_from(REGISTRATION)
    states = select(trunk.c.name, TRUNK_STATE.c.state).join(trunk, trunk.c.id == TRUNK_STATE.c.trunk_id)
    up: Counter[str] = Counter()
    for name, state in connection.execute(states.where(trunk.c.enable == 1)):
        up[name] |= state == "up"
    counts = connection.execute(COUNTS)
    return CallCounts(
        live=connection.execute(live).scalar_one(),
        ended={row.outcome: row[1] for row in counts},
        registrations=connection.execute(phones).scalar_one(),
        trunks=up,
    )


def count_ended(connection: Connection, outcomes: Mapping[str, int]) -> None:
    """Count calls that have ended just now, by outcome."""
    if not outcomes:
        return
    known = {row.outcome: row[1] for row in connection.execute(COUNTS)}
    rows = [{"outcome": name, "count": known.get(name, 0) + more} for name, more in outcomes.items()]
    put(connection, CALL_COUNT, rows)
