"""Rows of call detail records: a stage for each place that a call came to."""

import time
from dataclasses import replace
from typing import Any

import pytest

from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.routing_stages import (
    CdrCall,
    CdrRow,
    Names,
    ObjectName,
    make_call,
    make_rows,
    make_uid,
    number_call,
    uid_key,
)

START = 1_782_844_637_250
NAMES: Names = {
    ("ivr", 1): ObjectName("6200", "Welcome"),
    ("ivr", 2): ObjectName("6201", "Departments"),
    ("ring_group", 1): ObjectName("6300", "Support"),
    ("extension", 1): ObjectName("1000", "Ada Byron", "441632960001"),
    ("extension", 2): ObjectName("1001", "Grace Hopper"),
    ("trunk", 1): ObjectName("", "Provider", "441632960000"),
}
CALL = CallRecord(
    id=f"{START:x}-0000abcd",
    started=START,
    answered=START,
    caller="0599123456",
    called="+441632960000",
    source_kind="trunk",
    source_id=1,
    source="Provider",
    outcome="connected",
    reason="caller_hangup",
)
PHONE = replace(
    CALL, caller="1000", called="1001", source_kind="extension", source="1000", answered=START + 5_000
)
IVR, EXTENSION, GROUP = DestinationKind.IVR, DestinationKind.EXTENSION, DestinationKind.RING_GROUP
OUTSIDE, MAILBOX = DestinationKind.EXTERNAL, DestinationKind.VOICEMAIL


def read(call: CallRecord, seconds: float, *notes: tuple[float, Note]) -> tuple[list[CdrRow], CdrCall]:
    """Rows and whole of a call of so many seconds, with notes at seconds of it."""
    call = replace(call, ended=START + round(seconds * 1000))
    timed = [(START + round(at * 1000), note) for at, note in notes]
    rows = make_rows(call, timed, NAMES, time.gmtime)
    return rows, make_call(call, rows)


def places(rows: list[CdrRow]) -> list[tuple[Any, ...]]:
    return [
        (
            *(row.to_kind, row.call_to, row.call_to_name, row.disposition),
            *(row.started - START // 1000, row.duration, row.ring_duration, row.talk_duration),
        )
        for row in rows
    ]


def test_a_call_through_two_menus_and_a_ring_group_to_a_phone() -> None:
    leg = {"kind": "extension", "target": 2, "number": "1001"}
    lost = leg | {"target": 1, "number": "1000", "began": START + 20_000, "ended": START + 26_000}
    won = leg | {"began": START + 22_000, "answered": START + 26_000, "ended": START + 86_000}
    rows, whole = read(
        replace(CALL, legs=[lost, won], path="6200 6201"),
        86,
        (0, Note(Topic.ARRIVED, number="0599123456")),
        (0, Note(Topic.ENTERED, 1, number="6200")),
        (13, Note(Topic.CHOSE, 1, "1", IVR, 2)),
        (13, Note(Topic.ENTERED, 2, number="6201")),
        (20, Note(Topic.CHOSE, 2, "3", GROUP, 1)),
        (20, Note(Topic.DIALLED, 2, "", GROUP, 1, "6300")),
        (26, Note(Topic.CONNECTED, 2, "", GROUP, 1)),
        (86, Note(Topic.ENDED, 2, detail="caller_hangup")),
    )
    assert places(rows) == [
        ("ivr", "6200", "Welcome", "ANSWERED", 0, 13, 0, 13),
        ("ivr", "6201", "Departments", "ANSWERED", 13, 7, 0, 7),
        ("ring_group", "6300", "Support", "ANSWERED", 20, 66, 6, 60),
        ("extension", "1001", "Grace Hopper", "ANSWERED", 22, 64, 4, 60),
    ]
    assert [row.leg for row in rows] == [1, 2, 3, 4]
    assert {(row.uid, row.call_type, row.src_trunk, row.did_number) for row in rows} == {
        (whole.uid, "Inbound", "Provider", "+441632960000")
    }
    assert [row.is_recorded for row in rows] == [0, 0, 0, 1]
    assert (whole.last_status, whole.call_to) == ("ANSWERED", "1001")
    assert (whole.call_duration, whole.routing_duration, whole.handling_duration) == (86, 26, 60)


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        ("busy", "BUSY"),
        ("declined", "BUSY"),
        ("no_answer", "NO ANSWER"),
        ("unavailable", "FAILED"),
        ("limit_reached", "FAILED"),
    ],
)
def test_a_phone_that_does_not_answer_and_the_menu_again(cause: str, disposition: str) -> None:
    rows, whole = read(
        replace(CALL, outcome="menu"),
        40,
        (0, Note(Topic.ENTERED, 1, number="6200")),
        (5, Note(Topic.CHOSE, 1, "1", EXTENSION, 1)),
        (5, Note(Topic.DIALLED, 1, "", EXTENSION, 1, "1000")),
        (15, Note(Topic.FAILED, 1, "", EXTENSION, 1, detail=cause)),
        (40, Note(Topic.ENDED, 1, detail="menu_timeout")),
    )
    assert places(rows) == [
        ("ivr", "6200", "Welcome", "ANSWERED", 0, 5, 0, 5),
        ("extension", "1000", "Ada Byron", disposition, 5, 10, 10, 0),
        ("ivr", "6200", "Welcome", "ANSWERED", 15, 25, 0, 25),
    ]
    assert whole.handling_duration == 0


def test_a_message_after_a_ring_group_that_nobody_answers() -> None:
    rows, whole = read(
        replace(CALL, outcome="message", reason="message_left"),
        50,
        (0, Note(Topic.ENTERED, 1, number="6200")),
        (5, Note(Topic.CHOSE, 1, "1", GROUP, 1)),
        (5, Note(Topic.DIALLED, 1, "", GROUP, 1, "6300")),
        (25, Note(Topic.FAILED, 1, "", GROUP, 1, detail="no_answer")),
        (45, Note(Topic.RECORDED, 1, "", MAILBOX, 2)),
        (50, Note(Topic.ENDED, 1, detail="message_left")),
    )
    assert places(rows)[1:] == [
        ("ring_group", "6300", "Support", "NO ANSWER", 5, 20, 20, 0),
        ("ext_vm", "1001", "Grace Hopper", "VOICEMAIL", 25, 25, 0, 25),
    ]
    assert whole.last_status == "VOICEMAIL"


@pytest.mark.parametrize(
    ("failed", "stages"),
    [
        (
            ((15, Note(Topic.FAILED, 1, "", EXTENSION, 1, detail="no_answer")),),
            ("extension", "1000", "Ada Byron", "NO ANSWER", 5, 10, 10, 0),
        ),
        ((), ("extension", "1000", "Ada Byron", "NO ANSWER", 5, 10, 10, 0)),
    ],
)
def test_a_call_that_an_extension_forwards_is_not_back_in_the_menu(
    failed: tuple[tuple[int, Note], ...], stages: tuple[object, ...]
) -> None:
    rows, whole = read(
        replace(CALL, outcome="message", reason="message_left"),
        50,
        (0, Note(Topic.ENTERED, 1, number="6200")),
        (5, Note(Topic.CHOSE, 1, "1", EXTENSION, 1)),
        *failed,
        (15, Note(Topic.FORWARDED, 1, "1000", MAILBOX, 1, detail="no_answer")),
        (45, Note(Topic.RECORDED, 1, "", MAILBOX, 1)),
        (50, Note(Topic.ENDED, 1, detail="message_left")),
    )
    assert places(rows)[1:] == [stages, ("ext_vm", "1000", "Ada Byron", "VOICEMAIL", 15, 35, 0, 35)]
    assert whole.last_status == "VOICEMAIL"


def test_phones_that_call_each_other() -> None:
    rows, whole = read(
        PHONE,
        65,
        (0, Note(Topic.ARRIVED, number="1000")),
        (0, Note(Topic.DIALLED, 0, "", EXTENSION, 2, "1001")),
        (5, Note(Topic.CONNECTED, 0, "", EXTENSION, 2)),
        (65, Note(Topic.ENDED, detail="callee_hangup")),
    )
    assert places(rows) == [("extension", "1001", "Grace Hopper", "ANSWERED", 0, 65, 5, 60)]
    (row,) = rows
    assert (row.call_from, row.call_from_name, row.call_type) == ("1000", "Ada Byron", "Internal")
    assert (row.src_trunk, row.did_number, row.dod_number) == ("", "", "")
    assert (whole.routing_duration, whole.handling_duration) == (5, 60)


def test_who_hangs_up_while_it_rings_has_abandoned_the_call() -> None:
    ringing = (0, Note(Topic.DIALLED, 0, "", EXTENSION, 2, "1001"))
    rows, whole = read(replace(PHONE, answered=None, outcome="missed"), 9, ringing)
    assert places(rows) == [("extension", "1001", "Grace Hopper", "NO ANSWER", 0, 9, 9, 0)]
    assert whole.last_status == "ABANDONED"
    _, other = read(
        replace(PHONE, answered=None, outcome="missed", reason="destination_unreached"), 9, ringing
    )
    assert other.last_status == "NO ANSWER"


def test_outside_numbers_are_shown_to_those_who_dialled_them_only() -> None:
    leg = {"kind": "external_num", "target": 7, "number": "02079460000", "began": START, "via": "Provider"}
    notes = (
        (0, Note(Topic.DIALLED, 0, "", OUTSIDE, 7, "...", 1)),
        (5, Note(Topic.CONNECTED, 0, "", OUTSIDE, 7, "...")),
    )
    (row,), _ = read(replace(PHONE, called="902079460000", legs=[leg]), 20, *notes)
    assert (row.call_to, row.call_type, row.dst_trunk) == ("902079460000", "Outbound", "Provider")
    assert row.dod_number == "441632960001", "that of the extension"
    entered = (0, Note(Topic.ENTERED, 1, number="6200"))
    rows, _ = read(replace(CALL, path="6200", legs=[leg]), 20, entered, *notes)
    assert [(row.to_kind, row.call_to, row.dst_trunk) for row in rows] == [
        ("ivr", "6200", ""),
        ("external_num", "", "Provider"),
    ]
    assert (rows[1].dod_number, rows[1].call_type) == ("441632960000", "Inbound")


def test_calls_that_come_to_nothing_have_a_row() -> None:
    refused = replace(PHONE, called="99", answered=None, outcome="refused", reason="unknown_number")
    rows, whole = read(refused, 0)
    assert places(rows) == [("", "99", "", "FAILED", 0, 0, 0, 0)]
    assert whole.last_status == "FAILED"
    died = replace(CALL, outcome="interrupted", reason="server_interrupted")
    assert read(died, 30)[0][0].disposition == "FAILED"


def test_owners_at_their_mailbox_and_prompts() -> None:
    at_mailbox = replace(PHONE, called="*02", outcome="menu", answered=START)
    rows, _ = read(at_mailbox, 30, (8, Note(Topic.MAILBOX, 0, detail="opened", number="1000")))
    assert places(rows) == [("mailbox", "*02", "", "ANSWERED", 0, 30, 0, 30)]
    rows, _ = read(
        CALL,
        20,
        (0, Note(Topic.ENTERED, 1, number="6200")),
        (5, Note(Topic.CHOSE, 1, "4", DestinationKind.PLAY_PROMPT, 0, "opening-hours.wav")),
        (15, Note(Topic.ENTERED, 1, number="6200")),
    )
    assert places(rows)[1] == ("play_prompt", "", "opening-hours.wav", "ANSWERED", 5, 10, 0, 10)
    assert len(rows) == 3


def test_times_of_a_clock_that_went_back_are_not_negative() -> None:
    rows, whole = read(CALL, -100, (-50, Note(Topic.ENTERED, 1, number="6200")))
    assert [(row.duration, row.talk_duration) for row in rows] == [(0, 0)]
    assert whole.call_duration == 0


def test_ids_of_the_api() -> None:
    uid = make_uid(CALL.id, START, time.gmtime)
    assert uid == "20260630183717" + "0FA" + "0000ABCD"
    assert number_call(CALL.id, START // 1000) == "1782844637.43981"
    assert number_call("call-001", 5) == number_call("call-001", 5) != number_call("call-002", 5)
    others = [make_uid(CALL.id, START + later, time.gmtime) for later in (0, 1, 749, 750, 86_400_000)]
    assert sorted(others, key=uid_key) == sorted(others) == others
