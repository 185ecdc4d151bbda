"""Texts of hours and holidays: what is read, and what is refused with which fault."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.hours import reading
from openivr.hours.calendar import EVERY_WEEKDAY, TimeSpan
from openivr.hours.reading import HoursError, HoursFault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("00:00-24:00", HoursFault.NO_SUCH_TIME),
        ("24:00-23:00", HoursFault.NO_SUCH_TIME),
        ("09:00-25:00", HoursFault.NO_SUCH_TIME),
        ("09:00-17:60", HoursFault.NO_SUCH_TIME),
        ("18:00-09:00", HoursFault.SPAN_ORDER),
        ("09:00-09:00", HoursFault.SPAN_ORDER),
        ("23:59-23:59", HoursFault.SPAN_ORDER),
        ("9-17", HoursFault.SPAN_FORMAT),
        ("", HoursFault.SPAN_FORMAT),
        ("09:00-18:00 13:00", HoursFault.SPAN_FORMAT),
        ("٠٩:00-18:00", HoursFault.SPAN_FORMAT),
    ],
)
def test_a_span_that_is_none(text: str, fault: HoursFault) -> None:
    with pytest.raises(HoursError) as error:
        reading.read_span(text)
    assert error.value.fault is fault


def test_spans() -> None:
    assert reading.read_span("9:00 - 18:30") == TimeSpan(540, 1110)
    assert reading.read_span("00:00-23:59") == TimeSpan(0, 1440)
    assert reading.read_span("22:00-06:00", overnight=True) == TimeSpan(1320, 1800)


@given(st.integers(0, 1438), st.integers(1, 1440))
def test_a_span_is_written_as_it_is_read(start: int, end: int) -> None:
    if start < end != 1439:
        assert reading.read_span(reading.write_span(TimeSpan(start, end))) == TimeSpan(start, end)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026/12/25-2026/12/26", date(2026, 12, 25), date(2026, 12, 26)),
        ("2026/12/25", date(2026, 12, 25), date(2026, 12, 25)),
        ("2026-12-25", date(2026, 12, 25), date(2026, 12, 25)),
        ("2026-12-25-2026-12-26", date(2026, 12, 25), date(2026, 12, 26)),
        ("2026-12-25/2027-01-02", date(2026, 12, 25), date(2027, 1, 2)),
        ("2026-12-25 to 2026-12-26", date(2026, 12, 25), date(2026, 12, 26)),
    ],
)
def test_dates_in_the_display_format_and_in_iso(text: str, first: date, last: date) -> None:
    assert reading.read_dates(text) == (first, last)


@pytest.mark.parametrize(
    ("read", "text", "fault"),
    [
        (reading.read_dates, "2026/02/31-2026/03/01", HoursFault.NO_SUCH_DATE),
        (reading.read_dates, "2027/02/29", HoursFault.NO_SUCH_DATE),
        (reading.read_dates, "2026/13/01", HoursFault.NO_SUCH_DATE),
        (reading.read_dates, "0000/01/01", HoursFault.NO_SUCH_DATE),
        (reading.read_dates, "2026/12/26-2026/12/25", HoursFault.DATE_ORDER),
        (reading.read_dates, "25.12.2026", HoursFault.DATE_FORMAT),
        (reading.read_dates, "12/25", HoursFault.DATE_FORMAT),
        (reading.read_dates, "", HoursFault.DATE_FORMAT),
        (reading.read_yearly, "02/31", HoursFault.NO_SUCH_DATE),
        (reading.read_yearly, "2026/12/25", HoursFault.DATE_FORMAT),
        (reading.read_weekdays, "mon moon", HoursFault.UNKNOWN_WORD),
        (reading.read_days, "0", HoursFault.UNKNOWN_WORD),
        (reading.read_days, "32", HoursFault.UNKNOWN_WORD),
        (reading.read_zone, "Europe/Nowhere", HoursFault.UNKNOWN_ZONE),
        (reading.read_zone, "../../etc/passwd", HoursFault.UNKNOWN_ZONE),
        (reading.read_zone, "", HoursFault.UNKNOWN_ZONE),
        (reading.read_zone, "Europe", HoursFault.UNKNOWN_ZONE),
    ],
)
def test_what_is_refused(read: Callable[[str], Any], text: str, fault: HoursFault) -> None:
    with pytest.raises(HoursError) as error:
        read(text)
    assert error.value.fault is fault


def test_days_of_every_year() -> None:
    assert reading.read_yearly("02/29") == (date(2000, 2, 29), date(2000, 2, 29))
    assert reading.write_yearly(*reading.read_yearly("12-24-12/26")) == "12/24-12/26"


def test_words_are_written_in_their_order() -> None:
    assert reading.write_weekdays(reading.read_weekdays("sun mon,tue")) == "mon tue sun"
    assert reading.read_weekdays("all") == EVERY_WEEKDAY
    assert reading.write_months(reading.read_months("dec jan")) == "jan dec"
    assert reading.write_days(reading.read_days("31 1")) == "1 31"
