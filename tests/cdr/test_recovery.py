"""What a calls process knows when it starts again, wherever the clerk was when its predecessor died."""

from pathlib import Path
from typing import Any

import pytest

from openivr.b2bua.limits import OutboundCall
from openivr.cdr.journal.entries import (
    BindingAdded,
    BindingRemoved,
    CallBegan,
    JournalEntry,
    LegChanged,
    LegRecord,
    LegResult,
)
from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.server.recovery import RecoveredState, recover
from openivr.store.database import Database

FAR = 2**31  # Unix seconds
NODE = "node"


def bound(contact: str, extension: int = 1, **data: Any) -> BindingAdded:
    data = {"user": "1000", "contact": contact} | data
    return BindingAdded(at=1, extension=extension, contact=contact, expires=FAR, data=data)


def began(call: str, caller: str) -> CallBegan:
    facts: dict[str, Any] = {"source_kind": "extension", "source_id": 1, "source": caller, "revision": 1}
    return CallBegan(call=call, n=1, at=5000, caller=caller, called="95550001", **facts)


def placed(call: str, n: int, began: int, result: LegResult | None = None) -> LegChanged:
    leg = LegRecord(kind="external_num", target=7, number="5550001", began=began, result=result)
    return LegChanged(call=call, n=n, at=began, leg=0, state=leg)


ENTRIES: tuple[JournalEntry, ...] = (
    bound("sip:a"),
    bound("sip:b"),
    bound("sip:a", seconds=60),
    began("call-1", "1000"),
    placed("call-1", 2, 5100),
    bound("sip:c", extension=2, user="1001"),
    BindingRemoved(at=2, extension=1, contact="sip:b"),
    placed("call-1", 3, 5100, result=LegResult.BUSY),
    began("call-2", "1001"),
    placed("call-2", 2, 900),  # too long ago
    placed("call-2", 3, 6000),
)


def remember(database: Database, folder: Path) -> RecoveredState:
    with database.reading() as connection:
        return recover(connection, NODE, folder, 1000)


@pytest.mark.parametrize("committed", range(len(ENTRIES) + 1))
def test_all_that_was_written_is_known_wherever_the_clerk_was(
    database: Database, tmp_path: Path, committed: int
) -> None:
    journal = Journal(tmp_path)
    for entry in ENTRIES[:committed]:
        journal.write(entry)
    CdrWorker(database, NODE, tmp_path).catch_up()
    for entry in ENTRIES[committed:]:
        journal.write(entry)
    journal.close()
    Journal(tmp_path).close()  # the one who asks has begun a file of its own
    memory = remember(database, tmp_path)
    found = sorted(memory.bindings.values(), key=lambda data: str(data["contact"]))
    assert found == [
        {"user": "1000", "contact": "sip:a", "seconds": 60},
        {"user": "1001", "contact": "sip:c"},
    ]
    assert memory.outbound_calls == {OutboundCall(7, "1000", 5.1), OutboundCall(7, "1001", 6.0)}


def test_without_a_past_nothing_is_known(database: Database, tmp_path: Path) -> None:
    assert remember(database, tmp_path) == RecoveredState({}, set())
