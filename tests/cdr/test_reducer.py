"""The reducer: each entry changes a record once, however often it is read."""

from dataclasses import asdict

from openivr.cdr.journal.entries import CallEntry
from openivr.cdr.reducer import apply_entry
from openivr.ivr.model import IvrSnapshot
from openivr.store.cdr.call_records import CallRecord
from tests.cdr.simulated_calls import record


def reduce(entries: list[CallEntry]) -> tuple[CallRecord, list[bool]]:
    """The record of these entries, and which of them changed it."""
    made = CallRecord("x", "node", "run")
    return made, [apply_entry(made, entry) for entry in entries]


def test_an_entry_read_twice_in_a_row_changes_nothing(snapshot: IvrSnapshot) -> None:
    entries = record(snapshot, "x", "3").end()
    once, _ = reduce(entries)
    doubled, changes = reduce([entry for entry in entries for _ in range(2)])
    assert changes == [True, False] * len(entries)
    assert asdict(doubled) == asdict(once)


def test_entries_read_again_from_the_start_change_nothing(snapshot: IvrSnapshot) -> None:
    entries = record(snapshot, "x", "3").end()
    once, _ = reduce(entries)
    for place in range(1, len(entries) + 1):
        again, changes = reduce([*entries[:place], *entries])
        assert changes == [True] * place + [False] * place + [True] * (len(entries) - place)
        assert asdict(again) == asdict(once)


def test_f6_the_duration_of_an_older_record_is_never_negative() -> None:
    assert CallRecord("x", "node", "run", started=1_000_000, ended=700_000).duration == 0
    assert CallRecord("x", "node", "run", started=1_000_000, ended=1_065_000).duration == 65_000
    assert CallRecord("x", "node", "run", started=1_000_000, updated=1_002_000).duration == 2_000
