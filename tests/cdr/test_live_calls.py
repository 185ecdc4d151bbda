"""The live calls that a query shows, against the records that the CDR worker makes of the same entries."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.call_commands import QueryCalls
from openivr.cdr.call_events import list_members
from openivr.cdr.journal.entries import (
    PLACING,
    CallAnswered,
    CallBegan,
    CallEnded,
    CallEntry,
    CallStepped,
    LegChanged,
    LegRecord,
    LegResult,
)
from openivr.cdr.reducer import apply_entry
from openivr.server.live_calls import CallChannel, LiveCallRecords
from openivr.store.cdr.call_records import CallRecord

RUN = "0000000000000000001-0a1b2c3d"
CALLS = ("1a2b-00000001", "1a2b-00000002", "1a2b-0000000f")
LEGS = 3


def began(call: str, n: int, source: str, stage: str) -> CallBegan:
    fields: dict[str, Any] = {
        "caller": "1000",
        "called": "1001",
        "source_id": 1,
        "source": "1000",
        "revision": 1,
    }
    return CallBegan(call=call, n=n, at=1000, source_kind=source, stage=stage, **fields)


def leg(call: str, n: int, number: int, kind: str, state: tuple[int, int, bool]) -> LegChanged:
    answered, ended, is_caller = state
    result = LegResult.ANSWERED if answered else None
    record = LegRecord(
        kind=kind,
        target=2,
        number=f"100{number + 1}",
        via="Provider",
        began=1000,
        answered=answered,
        ended=ended,
        result=result,
        is_caller=is_caller,
    )
    return LegChanged(call=call, n=n, at=1001, leg=number, state=record)


@st.composite
def journals(draw: st.DrawFn) -> list[CallEntry]:
    """Entries of a few calls, mixed; those of a call are numbered and begin with its beginning."""
    counts = dict.fromkeys(CALLS, 0)
    over: set[str] = set()
    entries: list[CallEntry] = []
    for call in draw(st.lists(st.sampled_from(CALLS), max_size=25)):
        if call in over:
            continue
        counts[call] += 1
        n = counts[call]
        if n == 1:
            source = draw(st.sampled_from(("trunk", "extension")))
            entries.append(began(call, n, source, draw(st.sampled_from(("", PLACING)))))
            continue
        match draw(st.sampled_from(("leg", "leg", "leg", "answered", "step", "end"))):
            case "leg":
                state = st.tuples(st.sampled_from((0, 1001)), st.sampled_from((0, 1002)), st.booleans())
                number = draw(st.integers(0, LEGS - 1))
                kind = draw(st.sampled_from(("extension", "external_num")))
                entries.append(leg(call, n, number, kind, draw(state)))
            case "answered":
                entries.append(CallAnswered(call=call, n=n, at=1001))
            case "step":
                entries.append(CallStepped(call=call, n=n, at=1001, event={}, stage="dialling"))
            case _:
                over.add(call)
                entries.append(CallEnded(call=call, n=n, at=1002, outcome="menu", reason="caller_hangup"))
    return entries


@given(journals())
def test_a_query_shows_what_events_show_and_finds_exactly_the_channels_of_live_legs(
    entries: list[CallEntry],
) -> None:
    live, asked_last = LiveCallRecords(RUN), LiveCallRecords(RUN)
    records: dict[str, CallRecord] = {}
    channels: set[str] = set()
    for entry in entries:
        live.on_entry(entry)
        asked_last.on_entry(entry)
        record = records.setdefault(entry.call, CallRecord(entry.call, run=RUN, started=entry.at))
        apply_entry(record, entry)
        members = {call: list_members(each) for call, each in records.items() if each.is_live}
        shown = [call["members"] for call in live.query(QueryCalls())]
        assert shown == [[each.describe(empty="") for each in one.values()] for one in members.values()]
        now = {
            member.channel: CallChannel(call, place)
            for call, one in members.items()
            for place, member in one.items()
        }
        assert len(now) == sum(map(len, members.values())), "a channel names one leg"
        channels |= now.keys()
        assert {id_: live.find_channel(id_) for id_ in channels} == {id_: now.get(id_) for id_ in channels}
    assert list(asked_last.query(QueryCalls())) == list(live.query(QueryCalls()))
