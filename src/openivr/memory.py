"""What a calls process that starts again has to know: out of the database, and what is not in there yet.

A phone that was told 200 is registered, also where the process that said so was killed before the clerk had
read of it. So the rest of the journal is read as well.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from openivr.calls.limits import Start
from openivr.journal.entries import Began, Bound, Leg, LegChanged, Unbound
from openivr.journal.reader import read
from openivr.menu.model import Kind
from openivr.store import calls, journal, registrations


@dataclass(frozen=True, slots=True)
class Memory:
    """Registrations as `registrar.plain` makes them, and the calls that were placed outside."""

    bindings: list[Mapping[str, Any]]
    starts: set[Start]


def recall(connection: Connection, node: str, folder: Path, since: int) -> Memory:
    """What this node's processes knew; calls outside from a time on, in Unix milliseconds.

    `folder` has the journal. Entries that the database has already may be read again: it comes to the same.
    """
    bound = {
        (one.extension_id, one.contact): one.data for one in registrations.list_registrations(connection)
    }
    starts = {
        Start(route, caller, at / 1000) for route, caller, at in calls.recent_outside(connection, since)
    }
    callers: dict[str, str] = {}
    placed: list[tuple[str, Leg]] = []
    for place in read(folder, journal.positions(connection, node), sys.maxsize):
        match place.entry:
            case Bound(extension=extension, contact=contact, data=data):
                bound[extension, contact] = data
            case Unbound(extension=extension, contact=contact):
                bound.pop((extension, contact), None)
            case Began(call=call, caller=caller):
                callers[call] = caller
            case LegChanged(call=call, state=leg) if leg.kind == Kind.EXTERNAL and leg.began >= since:
                placed.append((call, leg))
    known = calls.load(connection, {call for call, _ in placed} - callers.keys())
    callers |= {ident: record.caller for ident, record in known.items()}
    starts |= {Start(leg.target, callers.get(call, ""), leg.began / 1000) for call, leg in placed}
    return Memory(list(bound.values()), starts)
