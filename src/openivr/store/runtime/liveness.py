"""Live calls, and the heartbeats of calls processes.

Times are Unix milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection, func, select

from openivr.store.cdr.call_records import CallRecord, as_record, put
from openivr.store.tables import CALL, NODE

SILENT_MS = 45_000  # a calls process says every 15 seconds that it is there
SHOWN = [column for column in CALL.c if column.name not in {"input", "media", "events"}]


@dataclass(frozen=True, slots=True)
class Nodes:
    """When the calls process of each node was last heard of, and the time now."""

    alive: Mapping[str, int]
    now: int

    def is_silent(self, node: str) -> bool:
        """Return True if the calls process of this node has been silent for too long."""
        return abs(self.now - self.alive.get(node, 0)) > SILENT_MS

    @property
    def last(self) -> int:
        """Return the time of the last heartbeat of any node, 0 if there was none."""
        return max(self.alive.values(), default=0)

    @property
    def are_silent(self) -> bool:
        """Return True if no calls process is alive."""
        return all(map(self.is_silent, self.alive))


def note_alive(connection: Connection, node: str, at: int) -> None:
    """Its calls process was there at this time."""
    put(connection, NODE, [{"name": node, "alive": at}])


def read_nodes(connection: Connection, now: int) -> Nodes:
    """Return the heartbeats of all nodes."""
    return Nodes({row.name: row.alive for row in connection.execute(select(NODE))}, now)


def list_live(connection: Connection, most: int) -> tuple[int, list[CallRecord]]:
    """Return the number of live calls, and the oldest of them without events, input and media."""
    is_live = CALL.c.ended.is_(None)
    total = connection.execute(select(func.count()).select_from(CALL).where(is_live)).scalar_one()
    page = select(*SHOWN).where(is_live).order_by(CALL.c.started, CALL.c.id).limit(most)
    return total, [as_record(row) for row in connection.execute(page)]


def read_version(connection: Connection, now: int) -> str:
    """A word that changes when a call begins, goes on or ends, or a calls process falls silent or is back."""
    nodes = read_nodes(connection, now)
    live = select(CALL.c.id, CALL.c.sequence).where(CALL.c.ended.is_(None)).order_by(CALL.c.id)
    ended = connection.execute(select(func.max(CALL.c.ended))).scalar()
    silent = [nodes.is_silent(name) for name in sorted(nodes.alive)]
    state = repr((silent, ended, [tuple(row) for row in connection.execute(live)]))
    return blake2b(state.encode(), digest_size=12).hexdigest()
