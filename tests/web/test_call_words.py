"""Calls in words: nothing that records can say has none, and what is hidden stays hidden."""

import time
from dataclasses import replace
from typing import Any

import pytest

from openivr.b2bua.dialplan import NoMatch
from openivr.cdr.journal.entries import CallEndReason, CallOutcome, LegResult
from openivr.ivr.commands import HIDDEN, HangupReason, Note, Topic
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind
from openivr.ivr.policy import Refusal
from openivr.ivr.state import PASSING, IvrState
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.simulate.scenario import ACTS, OBSERVED
from openivr.simulate.words import Why
from openivr.sip.termination import FailureReason
from openivr.sip.trunk.trunk_state import TrunkReason
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.web import messages
from openivr.web.calls.labels import (
    REASONS,
    TONES,
    describe_input,
    lasting,
    length_of,
    percent,
    read_legs,
    say_moment,
    say_reason,
    say_result,
    talked,
)
from openivr.web.calls.timeline import NoteContext, list_events, make_timeline, phrase, trace
from openivr.web.simulator.handset import SIGNS

NOON = int(time.mktime((2026, 3, 5, 12, 0, 0, 0, 0, -1))) * 1000
MINUTE, DAY = 60_000, 86_400_000


def test_every_reason_that_the_server_writes_has_words() -> None:
    assert {match.reason for match in NoMatch} < set(CallEndReason)
    assert set(REASONS) == {*HangupReason, *CallEndReason}
    assert [reason for reason in REASONS if not messages.has_text(f"why.{reason}")] == []


@pytest.mark.parametrize(
    ("section", "texts"),
    [
        ("result", CallOutcome),
        ("result_about", CallOutcome),
        ("cause", Cause),
        ("leg", LegResult),
        ("refusal", Refusal),
        ("trunk_reason", [reason for reason in (*TrunkReason, *FailureReason) if reason]),
        ("because", Why),
        ("verb", [*OBSERVED, *ACTS, *SIGNS]),
        ("stage", [state.value for state in IvrState if state not in PASSING]),
        ("input", [f"heard_{kind}" for kind in DtmfMethod]),
    ],
)
def test_everything_else_too(section: str, texts: Any) -> None:
    assert [text for text in texts if not messages.has_text(f"{section}.{text}")] == []


DETAILS = {Topic.MAILBOX: ("opened", "refused", "deleted"), Topic.PIN: ("accepted", "refused", "unchecked")}


@pytest.mark.parametrize("topic", Topic)
def test_every_note_can_be_told(topic: Topic) -> None:
    for kind in (None, *DestinationKind):
        for detail in DETAILS.get(topic, ("busy", "<b>")):
            text, _ = phrase(Note(topic, 1, "1", kind, 1, "1000", 0, detail), NoteContext("ivr", "a name"))
            assert text


def test_a_limit_is_shown_where_it_is_known() -> None:
    def told(topic: Topic, detail: str, limit: int) -> tuple[str, str]:
        return phrase(Note(topic, 1, detail=detail, limit=limit), NoteContext("ivr", ""))

    assert "after 30 rounds" in told(Topic.ENDED, HangupReason.HOP_LIMIT, 30)[0]
    assert say_reason("hop_limit") in told(Topic.ENDED, HangupReason.HOP_LIMIT, 0)[0]
    assert told(Topic.INVALID, Refusal.TOO_LONG, 15)[1] == "longer than 15 digits"
    assert told(Topic.INVALID, Refusal.TOO_LONG, 0)[1] == "too many digits"


def test_what_another_release_wrote_is_shown_as_it_is() -> None:
    assert say_reason("something new") == "something new"
    told = say_result(CallRecord("a", ended=1, outcome="sung to"))
    assert (told.text, told.tone) == ("sung to", "")
    assert set(TONES) == set(CallOutcome)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (0, "Today 12:00"),
        (11 * 60 * MINUTE, "Today 01:00"),
        (13 * 60 * MINUTE, "Yesterday 23:00"),
        (36 * 60 * MINUTE, "Yesterday 00:00"),
        (37 * 60 * MINUTE, "2026-03-03 23:00"),
        (365 * DAY, "2025-03-05 12:00"),
    ],
)
def test_moments(ago: int, expected: str) -> None:
    assert say_moment(NOON - ago, NOON) == expected


def test_lengths() -> None:
    assert [lasting(ms) for ms in (-5, 400, 600, 65_000, 3_661_000)] == [
        "0:00",
        "0:00",
        "0:01",
        "1:05",
        "1:01:01",
    ]
    call = CallRecord("a", started=NOON, updated=NOON + 1000)
    assert length_of(call, NOON + MINUTE) == "1:00"
    assert length_of(replace(call, ended=NOON + 2000), NOON + MINUTE) == "0:02"
    assert [percent(part) for part in (0, 0.0001, 0.004, 0.5, 1)] == [
        "0 %",
        "< 0.1 %",
        "0.4 %",
        "50 %",
        "100 %",
    ]


def leg(**facts: Any) -> dict[str, Any]:
    return {"kind": "extension", "target": 1, "number": "1000", "began": NOON, **facts}


def test_who_was_rung() -> None:
    call = CallRecord("a", started=NOON, updated=NOON, ended=NOON + MINUTE, called="6200")
    call.legs = [
        leg(ended=NOON + 5000, result="busy", status=486),
        {},
        leg(answered=NOON + 10_000, ended=NOON + 40_000, result="answered", status=200),
        leg(
            kind="external_num",
            number="0123456",
            via="Provider",
            ended=NOON + 1000,
            result="answered_elsewhere",
        ),
    ]
    busy, reached, outside = read_legs(call, NOON)
    assert (busy.result, busy.rang, busy.talked, busy.status) == ("was busy", "0:05", "", 486)
    assert (reached.result, reached.tone, reached.rang, reached.talked) == (
        "answered",
        "good",
        "0:10",
        "0:30",
    )
    assert (outside.number, outside.via) == (HIDDEN, "Provider")
    assert talked(call) == 30_000
    dialled = replace(call, called="0123456", source_kind="extension")
    assert [one.number for one in read_legs(dialled, NOON)] == ["1000", "1000", "0123456"]


def test_who_is_rung_just_now() -> None:
    call = CallRecord("a", started=NOON, updated=NOON, legs=[leg(), leg(answered=NOON + 1000)])
    ringing, talking = read_legs(call, NOON + 3000)
    assert (ringing.result, ringing.rang) == ("ringing", "0:03")
    assert (talking.result, talking.talked) == ("talking", "0:02")


SOUND = {"sent": 1000, "heard": 1000, "lost": 0, "jitter_ms": 1.5, "strangers": 0}
ENDED = CallRecord("a", answered=1, ended=2, path="6200")


def diagnose(**facts: Any) -> dict[str, str]:
    return {
        sentence.text.partition(":")[0].partition(".")[0]: sentence.tone
        for sentence in describe_input(replace(ENDED, **facts))
    }


def test_diagnosis() -> None:
    events = {"negotiated": ["rfc4733"], "heard": {"rfc4733": 2}}
    assert list(diagnose(input=events, media={"caller": SOUND}).values()) == ["good", "", "good"]
    tones = diagnose(input={"negotiated": ["inband"], "heard": {"inband": 1}})
    assert "warn" in tones.values()
    assert "1 key received as a tone" in tones
    mixed = diagnose(input={"negotiated": ["rfc4733"], "heard": {"inband": 1}})
    assert "warn" in mixed.values()
    assert "No keys received" in diagnose(input={"negotiated": ["rfc4733"], "heard": {}})
    for bad in ({"heard": 0}, {"lost": 100}, {"jitter_ms": 45.0}, {"far_lost": 100}):
        assert "warn" in diagnose(media={"callee": SOUND | bad}).values(), bad
    assert any("unexpected address" in text for text in diagnose(media={"caller": SOUND | {"strangers": 3}}))
    assert list(diagnose(ended=None)) == ["Audio details appear when the call is over"]
    assert list(diagnose(answered=None)) == ["The call was not answered, so there is no audio"]


def find(kind: str, target: int, number: str) -> NoteContext:
    return NoteContext(kind, {"ivr": f"menu {target}"}.get(kind, number or f"{kind} {target}"))


def notes(*found: Note) -> list[CallNote]:
    return [CallNote(1000 * at, note) for at, note in enumerate(found)]


WAY = notes(
    Note(Topic.ARRIVED, number="2000"),
    Note(Topic.ENTERED, 3, number="6200"),
    Note(Topic.INVALID, 3, "7", detail=Refusal.UNKNOWN_NUMBER),
    Note(Topic.ENTERED, 3, number="6200"),
    Note(Topic.CHOSE, 3, "4", DestinationKind.IVR, 2),
    Note(Topic.ENTERED, 2, number="6203"),
    Note(Topic.CHOSE, 2, "1", DestinationKind.EXTENSION, 1),
    Note(Topic.DIALLED, 2, "", DestinationKind.EXTENSION, 1, "1000"),
    Note(Topic.FAILED, 2, "", DestinationKind.EXTENSION, 1, detail=Cause.BUSY),
    Note(Topic.ENTERED, 2, number="6203"),
    Note(Topic.TIMED_OUT, 2, "", DestinationKind.EXTENSION, 2),
    Note(Topic.DIALLED, 2, "", DestinationKind.EXTENSION, 2, "1001"),
    Note(Topic.CONNECTED, 2, "", DestinationKind.EXTENSION, 2),
    Note(Topic.ENDED, 2, detail=HangupReason.CALLEE_HANGUP),
)


def test_the_way_of_a_call() -> None:
    steps = trace(WAY, find)
    assert [(step.place.text, step.how, step.tries, step.result) for step in steps] == [
        ("menu 3", "", ("7: wrong",), ""),
        ("menu 2", "4", (), ""),
        ("1000", "1", (), "busy"),
        ("menu 2", "", (), ""),
        ("1001", "no key pressed", (), "answered"),
    ]
    assert [step.tone for step in steps[2:]] == ["warn", "", "good"]


def test_a_way_that_leads_nowhere() -> None:
    way = notes(
        Note(Topic.ENTERED, 3, number="6200"),
        Note(Topic.CHOSE, 3, HIDDEN, DestinationKind.EXTERNAL, 0, HIDDEN),
        Note(Topic.FAILED, 3, "", DestinationKind.EXTERNAL, 0, HIDDEN, detail=Cause.UNAVAILABLE),
        Note(Topic.RECORDED, 3, "", DestinationKind.VOICEMAIL, 1),
    )
    steps = [(step.how, step.result) for step in trace(way, find)]
    assert steps == [("", ""), ("outside number", "can't be reached"), ("", "message left")]
    assert trace([], find) == []


def test_the_story_has_every_note() -> None:
    lines = list(make_timeline(CallRecord("a", started=0), WAY, find))
    assert len(lines) == len(WAY)
    assert lines[2].why == "this number doesn't exist"
    assert lines[-1].text == "Call ended: called side hung up"
    assert lines[5].at == 5000


def test_events_keep_what_is_hidden() -> None:
    events = [
        {"at": 0, "event": "CallArrived", "caller": "2000", "destination": {"number": "secret"}},
        {"at": 1500, "event": "Digit", "key": "9"},
    ]
    call = CallRecord("a", events=events)
    assert list(list_events(call, [])) == [(0.0, "CallArrived", "caller 2000"), (1.5, "Digit", "key 9")]
    hidden = notes(Note(Topic.CHOSE, 3, HIDDEN, DestinationKind.EXTERNAL))
    assert list(list_events(call, hidden))[1] == (1.5, "Digit", "key •")
