"""Rebuilds the state of the calls process after a restart, from the database and the unread journal.

A phone that received 200 to its REGISTER is registered, even if the process was killed before the CDR worker
stored the binding. So the journal entries that the database does not have yet are read too.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from openivr.b2bua.limits import OutboundCall
from openivr.cdr.journal.entries import BindingAdded, BindingRemoved, CallBegan, LegChanged, LegRecord
from openivr.cdr.journal.reader import read
from openivr.ivr.model import DestinationKind
from openivr.store.caches.saved_state import SavedBinding
from openivr.store.cdr import call_records, journal_positions
from openivr.store.runtime import registrations


@dataclass(frozen=True, slots=True)
class RecoveredState:
    """Registrations as they are stored, by extension and contact, and recent outbound calls."""

    bindings: Mapping[tuple[int, str], Mapping[str, Any]]
    outbound_calls: set[OutboundCall]


def recover_without_database(saved: Iterable[SavedBinding], folder: Path) -> RecoveredState:
    """Recover the registrations from those kept on disk and from all entries of the journal."""
    bound: dict[tuple[int, str], Mapping[str, Any]] = {
        (binding.extension, binding.contact): binding.data for binding in saved
    }
    for position in read(folder, {}, sys.maxsize):
        match position.entry:
            case BindingAdded(extension=extension, contact=contact, data=data):
                bound[extension, contact] = data
            case BindingRemoved(extension=extension, contact=contact):
                bound.pop((extension, contact), None)
    return RecoveredState(bound, set())


def recover(connection: Connection, node: str, folder: Path, since: int) -> RecoveredState:
    """Recover the state of this node's processes, with the outbound calls since a time in Unix milliseconds.

    `folder` is the journal's. Entries that the database has already may be read again, with the same result.
    """
    bound = {
        (row.extension_id, row.contact): row.data for row in registrations.list_registrations(connection)
    }
    calls = {
        OutboundCall(route, caller, at / 1000)
        for route, caller, at in call_records.recent_outside(connection, since)
    }
    callers: dict[str, str] = {}
    placed: list[tuple[str, LegRecord]] = []
    for position in read(folder, journal_positions.positions(connection, node), sys.maxsize):
        match position.entry:
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
    callers |= {call: record.caller for call, record in known.items()}
    calls |= {OutboundCall(leg.target, callers.get(call, ""), leg.began / 1000) for call, leg in placed}
    return RecoveredState(bound, calls)
