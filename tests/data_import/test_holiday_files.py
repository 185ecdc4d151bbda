"""Holidays of iCalendar and CSV files: which days are read, and what damaged files are answered."""

from itertools import count
from zoneinfo import ZoneInfo

import pytest

from openivr.data_import.errors import ImportFailed, ImportFault
from openivr.data_import.holiday_files import read_file

BERLIN = ZoneInfo("Europe/Berlin")
YEARS = (2026, 2027)


def calendar(*events: str) -> bytes:
    body = "\r\n".join(f"BEGIN:VEVENT\r\nUID:{n}\r\n{text}\r\nEND:VEVENT" for n, text in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{body}\r\nEND:VCALENDAR\r\n".encode()


def event(name: str, *lines: str) -> str:
    return "\r\n".join((f"SUMMARY:{name}", *lines))


def days(*events: str) -> list[tuple[str, str, str]]:
    rows = read_file(calendar(*events), YEARS, BERLIN)
    return [(row["name"], row["date"], row.get("time_period", "")) for row in rows]


def test_an_event_of_whole_days_ends_before_its_end() -> None:
    text = event("Christmas", "DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261227")
    assert days(text) == [("Christmas", "2026/12/25-2026/12/26", "")]
    text = event("Easter", "DTSTART;VALUE=DATE:20270328")
    assert days(text) == [("Easter", "2027/03/28-2027/03/28", "")]
    text = event("Leave", "DTSTART;VALUE=DATE:20270328", "DURATION:P3D")
    assert days(text) == [("Leave", "2027/03/28-2027/03/30", "")]


def test_events_of_other_years_and_cancelled_ones_are_left_out() -> None:
    old = event("Old", "DTSTART;VALUE=DATE:20251225")
    gone = event("Gone", "DTSTART;VALUE=DATE:20261225", "STATUS:CANCELLED")
    assert days(old, gone, "DTSTART;VALUE=DATE:20261225", event("No day")) == []


def test_events_of_every_year_come_in_both_years() -> None:
    fixed = event("New Year", "DTSTART;VALUE=DATE:20000101", "RRULE:FREQ=YEARLY")
    third = event("Repentance", "DTSTART;VALUE=DATE:20201118", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=3WE")
    ended = event("Ended", "DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY;UNTIL=20260501")
    skipped = event(
        "Skipped", "DTSTART;VALUE=DATE:20200601", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20270601"
    )
    assert days(fixed, third, ended, skipped) == [
        ("New Year", "2026/01/01-2026/01/01", ""),
        ("Ended", "2026/05/01-2026/05/01", ""),
        ("Skipped", "2026/06/01-2026/06/01", ""),
        ("Repentance", "2026/11/18-2026/11/18", ""),
        ("New Year", "2027/01/01-2027/01/01", ""),
        ("Repentance", "2027/11/17-2027/11/17", ""),
    ]


def test_an_event_with_a_time_is_one_of_that_time_by_the_clocks_of_the_calendar() -> None:
    local = event("Outing", "DTSTART:20260706T140000", "DTEND:20260706T170000")
    utc = event("Inventory", "DTSTART:20260707T100000Z", "DTEND:20260707T110000Z")
    night = event("Move", "DTSTART:20260708T220000", "DTEND:20260710T060000")
    moment = event("Bell", "DTSTART:20260711T120000")
    assert days(local, utc, night, moment) == [
        ("Outing", "2026/07/06-2026/07/06", "14:00-17:00"),
        ("Inventory", "2026/07/07-2026/07/07", "12:00-13:00"),
        ("Move", "2026/07/08-2026/07/08", "22:00-23:59"),
        ("Move", "2026/07/09-2026/07/09", ""),
        ("Move", "2026/07/10-2026/07/10", "00:00-06:00"),
    ]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", ImportFault.NOT_TABLE),
        (b"\x00\xff", ImportFault.NOT_TABLE),
        (b"holiday;day\nChristmas;2026/12/25", ImportFault.NOT_TABLE),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", ImportFault.NOT_CALENDAR),
        (calendar(event("A", "DTSTART;VALUE=DATE:20261301")), ImportFault.NOT_CALENDAR),
        (calendar(event("A", "DTSTART;VALUE=DATE:soon")), ImportFault.NOT_CALENDAR),
        (calendar(event("A", "DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=WEEKLY")), ImportFault.UNKNOWN_RULE),
        (calendar(event("A", "DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=YEARLY;BYDAY=9XX")), None),
        (calendar(*[event("A", "DTSTART;VALUE=DATE:20251201")] * 2001), ImportFault.TOO_LARGE),
        (b"x" * 1_000_001, ImportFault.TOO_LARGE),
    ],
)
def test_files_that_cannot_be_read_are_refused(data: bytes, fault: ImportFault | None) -> None:
    with pytest.raises(ImportFailed) as caught:
        read_file(data, YEARS, BERLIN)
    assert caught.value.fault is (fault or ImportFault.NOT_CALENDAR)


def test_the_work_for_a_file_is_limited() -> None:
    rules = [event("A", "DTSTART;VALUE=DATE:20201201", "RRULE:FREQ=YEARLY")] * 9
    seconds = count(0, 1)
    with pytest.raises(ImportFailed) as caught:
        read_file(calendar(*rules), YEARS, BERLIN, lambda: float(next(seconds)))
    assert caught.value.fault is ImportFault.TOO_LARGE


def test_a_csv_file_has_the_fields_of_the_api() -> None:
    text = "﻿name,type,date,month,how_week,weekday,colour\r\nXmas,month,12/25-12/26,,,,red\r\n"
    text += "Bank holiday,weekday,,may,1,mon,\r\n"
    assert read_file(text.encode(), YEARS, BERLIN) == [
        {"name": "Xmas", "type": "month", "date": "12/25-12/26"},
        {"name": "Bank holiday", "type": "weekday", "month": "may", "how_week": "1", "weekday": "mon"},
    ]
