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

from openivr.b2bua.limits import OutboundCall
from openivr.cdr.journal.entries import BindingAdded, BindingRemoved, CallBegan, LegChanged, LegRecord
from openivr.cdr.journal.reader import read
from openivr.ivr.model import DestinationKind
from openivr.store.cdr import call_records, journal_positions
from openivr.store.runtime import registrations


@dataclass(frozen=True, slots=True)
class RecoveredState:
    """Registrations as `registrar.plain` makes them, and the calls that were placed outside."""

    bindings: list[Mapping[str, Any]]
    starts: set[OutboundCall]


def recover(connection: Connection, node: str, folder: Path, since: int) -> RecoveredState:
    """What this node's processes knew; calls outside from a time on, in Unix milliseconds.

    `folder` has the journal. Entries that the database has already may be read again: it comes to the same.
    """
    bound = {
        (one.extension_id, one.contact): one.data for one in registrations.list_registrations(connection)
    }
    starts = {
        OutboundCall(route, caller, at / 1000)
        for route, caller, at in call_records.recent_outside(connection, since)
    }
    callers: dict[str, str] = {}
    placed: list[tuple[str, LegRecord]] = []
    for place in read(folder, journal_positions.positions(connection, node), sys.maxsize):
        match place.entry:
            case BindingAdded(extension=extension, contact=contact, data=data):
                bound[extension, contact] = data
            case BindingRemoved(extension=extension, contact=contact):
                bound.pop((extension, contact), None)
            case CallBegan(call=call, caller=caller):
                callers[call] = caller
            case LegChanged(call=call, state=leg) if (
                leg.kind == DestinationKind.EXTERNAL and leg.began >= since
            ):
                placed.append((call, leg))
    known = call_records.load(connection, {call for call, _ in placed} - callers.keys())
    callers |= {ident: record.caller for ident, record in known.items()}
    starts |= {OutboundCall(leg.target, callers.get(call, ""), leg.began / 1000) for call, leg in placed}
    return RecoveredState(list(bound.values()), starts)
