"""Reads journal lines of releases that wrote English texts where codes are now.

After an update the worker takes in what the release before has left unread.
"""

from dataclasses import replace
from typing import Any

import msgspec

from openivr.cdr.journal.entries import (
    AnyEntry,
    CallEnded,
    CallEntry,
    CallStepped,
    JournalEntry,
    TrunkStateChanged,
)
from openivr.ivr import former_words
from openivr.ivr.commands import Note
from openivr.ivr.former_words import LEG_RESULTS, REASONS, STAGES, TOPICS


def decode_former(line: bytes) -> JournalEntry:
    """Decode a line whose topics or leg result are texts. Raises msgspec.DecodeError for other lines."""
    row: Any = msgspec.json.decode(line)
    if isinstance(row, dict):
        for note in row.get("notes", ()):
            note["topic"] = TOPICS.get(note["topic"], note["topic"])
        state = row.get("state")
        if isinstance(state, dict) and "result" in state:
            state["result"] = LEG_RESULTS.get(state["result"], state["result"])
    entry: JournalEntry = msgspec.convert(row, AnyEntry)
    return entry


def to_codes(entry: JournalEntry) -> JournalEntry:
    """Return an entry with codes in the place of texts; one that has none is returned as it is."""
    match entry:
        case CallStepped():
            return _step_to_codes(entry)
        case CallEnded() if entry.reason in REASONS:
            return msgspec.structs.replace(entry, reason=REASONS[entry.reason])
        case TrunkStateChanged() if not entry.answer:
            detail, answer = former_words.trunk_code(entry.detail)
            return msgspec.structs.replace(entry, detail=detail, answer=answer)
        case _:
            return entry


def _step_to_codes(entry: CallStepped) -> CallEntry:
    notes = tuple(map(_note_to_codes, entry.notes))
    event, stage = former_words.event_codes(entry.event), STAGES.get(entry.stage, entry.stage)
    if (notes, event, stage) == (entry.notes, entry.event, entry.stage):
        return entry
    return msgspec.structs.replace(entry, notes=notes, event=event, stage=stage)


def _note_to_codes(note: Note) -> Note:
    detail = former_words.detail_code(note.topic, note.detail)
    limit = note.limit or former_words.LIMITS.get((note.topic, detail), 0)
    return note if (detail, limit) == (note.detail, note.limit) else replace(note, detail=detail, limit=limit)
