"""Reports of calls, from entries of the journal: lists in, lists out."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from openivr.cdr.call_events import list_members, report_end, report_entry
from openivr.cdr.journal.entries import (
    CallAnswered,
    CallBegan,
    CallEnded,
    CallEntry,
    CallStepped,
    HoldChanged,
    LegChanged,
    LegRecord,
    LegResult,
)
from openivr.cdr.reducer import apply_entry
from openivr.cdr.state_events import ExtensionStates
from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.routing_stages import make_call, make_rows
from openivr.store.events.event_types import EventType
from openivr.store.events.outbox import EventReport

START = 1_700_000_000_000
CALL = "18bcfe56800-00000368"
CALL_ID = "1700000000.872"


class Story:
    """Writes the entries of one call."""

    def __init__(self, source_kind: str = "trunk") -> None:
        self.entries: list[CallEntry] = []
        source = "Line" if source_kind == "trunk" else "1000"
        caller = "5503301" if source_kind == "trunk" else "1000"
        self.add(
            CallBegan,
            caller=caller,
            called="6200",
            source_kind=source_kind,
            source_id=1,
            source=source,
            revision=1,
        )

    def add(self, kind: type[CallEntry], **fields: Any) -> "Story":
        n = len(self.entries) + 1
        self.entries.append(kind(call=CALL, n=n, at=START + 100 * n, **fields))
        return self

    def note(self, topic: Topic, **fields: Any) -> "Story":
        return self.add(CallStepped, event={}, notes=(Note(topic, **fields),))

    def key(self, key: str, keys: str) -> "Story":
        return self.add(CallStepped, event={"at": 1, "event": "Digit", "key": key}, keys=keys)

    def leg(self, place: int, number: str = "2000", kind: str = "extension", **fields: Any) -> "Story":
        via = "Line" if kind == "external_num" else "192.0.2.7:5060"
        state = LegRecord(kind=kind, target=2, number=number, via=via, began=START, **fields)
        return self.add(LegChanged, leg=place, state=state)

    def hold(self, *places: int) -> "Story":
        return self.add(HoldChanged, holding=places)

    def end(self, reason: str = "caller_hangup", outcome: str = "connected") -> "Story":
        return self.add(CallEnded, outcome=outcome, reason=reason)


def follow(entries: Sequence[CallEntry], record: CallRecord | None = None) -> list[EventReport]:
    record = CallRecord(CALL, "node", "0123-run", started=START) if record is None else record
    reports: list[EventReport] = []
    for entry in entries:
        before = list_members(record)
        if apply_entry(record, entry):
            reports += report_entry(record, entry, before)
    return reports


def statuses(report: EventReport) -> list[tuple[str, str, str]]:
    return [
        (kind, fields.get("number", fields.get("from")), fields["member_status"])
        for member in report.message["members"]
        for kind, fields in member.items()
    ]


def test_a_call_through_a_menu_to_an_extension_is_reported_step_by_step() -> None:
    story = Story().add(CallAnswered).note(Topic.ENTERED, ivr=1, number="6200").key("1", "1")
    story.leg(0).leg(0, answered=START + 500).leg(0, answered=START + 500, ended=START + 900).end()
    reports = follow(story.entries)
    told = [(report.type, statuses(report) if "members" in report.message else []) for report in reports]
    caller = ("inbound", "5503301")
    assert told == [
        (30011, [(*caller, "ALERT")]),
        (30011, [(*caller, "ANSWERED")]),
        (30011, [(*caller, "ANSWERED")]),  # its path is another now
        (90001, []),
        (30017, [(*caller, "ANSWERED")]),
        (30011, [(*caller, "ANSWERED"), ("extension", "2000", "RING")]),
        (30011, [(*caller, "ANSWERED"), ("extension", "2000", "ANSWER")]),
        (30011, [(*caller, "ANSWERED"), ("extension", "2000", "BYE")]),
        (30011, [(*caller, "BYE")]),
    ]
    assert {report.call for report in reports} == {CALL}
    assert {report.message["call_id"] for report in reports} == {CALL_ID}
    inbound = reports[2].message["members"][0]["inbound"]
    assert list(inbound) == ["from", "to", "trunk_name", "channel_id", "member_status", "call_path"]
    assert (inbound["to"], inbound["trunk_name"], inbound["call_path"]) == ("6200", "Line", "6200")
    assert reports[0].message["members"][0]["inbound"]["call_path"] == " "
    assert inbound["channel_id"].startswith("PJSIP/trunk-Line-endpoint-")
    assert reports[3].message == {"call_id": CALL_ID, "ivr_id": 1, "ivr_number": "6200"}


def test_each_key_is_reported_with_its_place_and_the_keys_so_far() -> None:
    reports = [each for each in follow(Story().key("4", "4").key("#", "4#").entries) if each.type == 30017]
    assert [(one.message["info"], one.message["flag"], one.message["infos"]) for one in reports] == [
        ("4", 0, "4"),
        ("#", 1, "4#"),
    ]
    assert list(reports[0].message) == ["call_id", "members", "info", "flag", "infos"]


def test_a_key_of_private_input_is_not_reported() -> None:
    reports = follow(Story().key("•", "4•").key("5", "4•5").entries)
    digits = [one.message for one in reports if one.type == 30017]
    assert [(one["info"], one["flag"], one["infos"]) for one in digits] == [("5", 1, "45")]


def test_an_outside_number_is_shown_where_a_phone_has_dialled_it() -> None:
    dialled = Story("extension").leg(0, "05551234", "external_num", status=183)
    outbound = follow(dialled.entries)[-1].message["members"][1]["outbound"]
    assert (outbound["from"], outbound["to"], outbound["member_status"]) == ("1000", "6200", "EARLYMEDIA")
    menu = Story().note(Topic.ENTERED, ivr=1, number="6200").leg(0, "05551234", "external_num")
    assert follow(menu.entries)[-1].message["members"][1]["outbound"]["to"] == ""


def test_a_member_that_holds_the_call_is_reported_so_until_it_does_not() -> None:
    story = Story("extension").add(CallAnswered).leg(0, answered=START + 5)
    story.hold(0).hold(-1, 0).hold(-1).hold().end()
    states = [[status for _, _, status in statuses(report)] for report in follow(story.entries)]
    assert states[3:] == [
        ["ANSWERED", "HOLD"],
        ["HOLD", "HOLD"],
        ["HOLD", "ANSWER"],
        ["ANSWERED", "ANSWER"],
        ["BYE", "BYE"],
    ]


def test_an_extension_that_holds_a_call_is_busy() -> None:
    states, record = ExtensionStates(), CallRecord(CALL, "node", "run", started=START)
    told = []
    for entry in (
        Story("extension").add(CallAnswered).leg(0, answered=START + 5).hold(-1, 0).hold().end().entries
    ):
        apply_entry(record, entry)
        told += [(one.message["extension"], one.message["status"]) for one in states.follow(record, entry.at)]
    assert sorted(told) == [("1000", "Busy"), ("1000", "Idle"), ("2000", "Busy"), ("2000", "Idle")]


def test_failures_and_transfers_have_reports_of_their_own() -> None:
    busy = Story().note(Topic.FAILED, kind=DestinationKind.EXTENSION, detail="busy")
    failure = next(one for one in follow(busy.entries) if one.type == 30015)
    assert list(failure.message) == ["call_id", "reason", "members"]
    assert failure.message["reason"] == "486 Busy here"
    unknown = follow(Story().end("unknown_number", "refused").entries)
    assert [one.message["reason"] for one in unknown if one.type == 30015] == ["404 NOT found"]
    forwarded = Story().note(Topic.FORWARDED, input="1000", kind=DestinationKind.VOICEMAIL, target=1)
    (report,) = (one for one in follow(forwarded.entries) if one.type == 30014)
    assert list(report.message) == ["call_id", "members"]
    moved = follow(Story().end("transferred").entries)
    assert [one.type for one in moved] == [30011, 30011, 30013]
    leg = Story().leg(0).leg(0, ended=START + 5, result=LegResult.TRANSFERRED).end("transferred")
    assert [one.type for one in follow(leg.entries)].count(30013) == 1


def test_the_end_has_the_fields_of_the_page_in_its_order() -> None:
    story = Story("extension").add(CallAnswered).end(outcome="menu")
    record = CallRecord(CALL, "node", "run", started=START)
    follow(story.entries, record)
    rows = make_rows(record, [], {}, time.gmtime)
    [report] = report_end(record, make_call(record, rows), rows, time.gmtime)
    assert report.type == EventType.CALL_END
    assert report.message == {
        "call_id": CALL_ID,
        "time_start": "2023-11-14 22:13:20",
        "call_from": "1000",
        "call_to": "6200",
        "call_duration": 0,
        "talk_duration": 0,
        "src_trunk_name": " ",
        "dst_trunk_name": " ",
        "pin_code": " ",
        "status": "ANSWERED",
        "type": "Internal",
        "recording": " ",
        "did_number": " ",
        "did_name": " ",
        "agent_ring_time": 0,
        "uid": "2023111422132006400000368",
        "call_note_id": " ",
        "enb_call_note": 0,
    }


def test_extensions_ring_talk_and_are_idle_again_over_all_of_their_calls() -> None:
    states = ExtensionStates()
    record = CallRecord(CALL, "node", "run", started=START)
    told = []
    for entry in Story().leg(0).leg(0, answered=START + 5).end().entries:
        apply_entry(record, entry)
        told += [one.message for one in states.follow(record, entry.at)]
    assert told == [
        {"extension": "2000", "status": "Ringing"},
        {"extension": "2000", "status": "Busy"},
        {"extension": "2000", "status": "Idle"},
    ]
    first, second = (CallRecord(call, "node", "run", started=START) for call in ("a", "b"))
    for each in (first, second):
        each.source_kind, each.source = "extension", "1000"
    assert [len(list(states.follow(each, 0))) for each in (first, second)] == [1, 0]
    first.ended = START
    assert list(states.follow(first, 0)) == []  # it still talks in the other one
    second.ended = START
    assert [one.message["status"] for one in states.follow(second, 0)] == ["Idle"]


LEG = st.tuples(
    st.just("leg"),
    st.integers(0, 3),
    st.sampled_from(("ring", "early", "answer", "end")),
    st.sampled_from(("extension", "external_num")),
)
MOVE = st.one_of(
    LEG,
    st.tuples(st.sampled_from(("answered", "entered", "failed", "hold"))),
    st.tuples(st.just("key"), st.sampled_from("0123456789*#•")),
)


@st.composite
def stories(draw: st.DrawFn) -> list[CallEntry]:
    """A call whose legs ring, are answered and end in any order that a dialer can make."""
    story, legs, keys = Story(draw(st.sampled_from(("trunk", "extension")))), dict[int, str](), ""
    order = {"": 0, "ring": 1, "early": 2, "answer": 3, "end": 4}
    kinds: dict[int, str] = {}
    answered_places: set[int] = set()
    for move in draw(st.lists(MOVE, max_size=20)):
        match move:
            case ("leg", place, state, kind):
                if place > len(legs) or order[state] <= order[legs.get(place, "")]:
                    continue
                if place == len(legs) and state != "ring":
                    continue
                answered = START + 1 if "answer" in (state, legs.get(place)) else 0
                legs[place] = state
                if state == "answer":
                    answered_places.add(place)
                story.leg(
                    place,
                    str(2000 + place),
                    kinds.setdefault(place, kind),
                    answered=answered,
                    ended=START + 2 if state == "end" else 0,
                    status=183 if state == "early" else 180,
                )
            case ("key", key):
                keys += key
                story.key(key, keys)
            case ("answered",):
                story.add(CallAnswered)
                answered_places.add(-1)
            case ("hold",):
                story.hold(*sorted(draw(st.sets(st.integers(-1, 3))) & answered_places))
            case ("entered",):
                story.note(Topic.ENTERED, ivr=1, number=draw(st.sampled_from(("6200", "6201"))))
            case _:
                story.note(Topic.FAILED, kind=DestinationKind.EXTENSION, detail="busy")
    return story.end().entries


RANK = {"ALERT": 0, "RING": 0, "EARLYMEDIA": 1, "ANSWERED": 2, "ANSWER": 2, "HOLD": 2, "BYE": 3}


@given(stories(), st.data())
def test_every_sequence_of_reports_is_one_that_a_call_can_have(
    entries: list[CallEntry], data: st.DataObject
) -> None:
    reports = follow(entries)
    seen: dict[str, list[str]] = {}
    for report in reports:
        if report.type == EventType.CALL_STATUS:
            for member in report.message["members"]:
                for fields in member.values():
                    seen.setdefault(fields["channel_id"], []).append(fields["member_status"])
    for story in seen.values():
        assert all(RANK[one] <= RANK[next_] for one, next_ in pairwise(story))
        assert story.count("BYE") == 1
        assert story[-1] == "BYE"
    assert all(msgspec.json.decode(msgspec.json.encode(each.message)) == each.message for each in reports)
    # What is read again after a kill adds nothing, wherever that was.
    cut, back = (data.draw(st.integers(0, len(entries))) for _ in range(2))
    record = CallRecord(CALL, "node", "0123-run", started=START)
    first = follow(entries[:cut], record)
    assert first + follow(entries[min(cut, back) :], record) == reports
