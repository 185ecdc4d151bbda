"""Days by the server's clock, wherever that is and whatever it does in spring and autumn."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.store.cdr.reports import HOUR
from openivr.web.reports import period
from openivr.web.reports.period import Clock, Period, make_period, read_period

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
)
SUMMER, WINTER = timedelta(hours=2) // timedelta(milliseconds=1), HOUR


def clock_of(name: str) -> Clock:
    zone = ZoneInfo(name)

    def clock(second: int) -> int:
        offset = datetime.fromtimestamp(second, zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())

    return clock


BERLIN = clock_of("Europe/Berlin")
NOON = int(datetime(2026, 11, 23, 11, tzinfo=UTC).timestamp())  # noon in Berlin


@pytest.mark.parametrize(
    ("asked", "first", "last", "preset"),
    [
        (("", "", ""), "2026-10-25", "2026-11-23", "month"),
        (("today", "", ""), "2026-11-23", "2026-11-23", "today"),
        (("week", "", ""), "2026-11-17", "2026-11-23", "week"),
        (("nonsense", "", ""), "2026-10-25", "2026-11-23", "month"),
        (("", "2026-01-01", "2026-01-31"), "2026-01-01", "2026-01-31", ""),
        (("", "2026-01-31", "2026-01-01"), "2026-01-01", "2026-01-31", ""),
        (("today", "2026-01-01", "2026-01-31"), "2026-01-01", "2026-01-31", ""),
        (("", "2026-11-01", ""), "2026-11-01", "2026-11-23", ""),
        (("", "", "2026-11-01"), "2026-11-01", "2026-11-01", ""),
    ],
)
def test_days_are_read(asked: tuple[str, str, str], first: str, last: str, preset: str) -> None:
    found = read_period(*asked, NOON, BERLIN)
    assert (str(found.first), str(found.last), found.preset, found.problem) == (first, last, preset, "")


@pytest.mark.parametrize(
    "days",
    [
        ("2026-02-30", ""),
        ("x", "y"),
        ("0001-01-01", "0001-01-02"),
        ("2020-01-01", "2026-01-01"),
        ("", "9999-12-31"),
    ],
)
def test_what_cannot_be_read_is_told(days: tuple[str, str]) -> None:
    found = read_period("", *days, NOON, BERLIN)
    assert (found.preset, bool(found.problem)) == ("month", True)


def test_today_is_that_of_the_clock() -> None:
    late = int(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp())
    assert read_period("today", "", "", late, BERLIN).first == date(2026, 11, 24)
    assert read_period("today", "", "", late, clock_of("UTC")).first == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "hours", "changes"),
    [
        ("2026-03-28", 24, 0),
        ("2026-03-29", 23, 1),  # clocks go forward
        ("2026-10-25", 25, 1),  # clocks go back
    ],
)
def test_days_of_a_change_are_shorter_or_longer(day: str, hours: int, changes: int) -> None:
    found = make_period(date.fromisoformat(day), date.fromisoformat(day), "", BERLIN)
    assert found.span.until - found.span.since == hours * HOUR
    assert len(list(found.hours())) == hours
    assert len(found.zone) == 1 + changes
    assert found.local(found.span.since).hour == 0


def test_a_change_is_found_to_the_second() -> None:
    found = make_period(date(2026, 10, 24), date(2026, 10, 26), "", BERLIN)
    one_in_utc = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp() * 1000)
    assert found.zone == ((found.span.since, SUMMER), (one_in_utc, WINTER))
    assert found.zone_words == "UTC+02:00, UTC+01:00"


@given(st.sampled_from(ZONES), st.dates(date(2025, 1, 1), date(2027, 1, 1)), st.integers(0, 400))
def test_days_follow_one_another(name: str, first: date, more: int) -> None:
    clock = clock_of(name)
    found = make_period(first, first + timedelta(more), "", clock)
    spans = [found.day(day) for day in found.days]
    assert (spans[0].since, spans[-1].until) == (found.span.since, found.span.until)
    assert all(before.until == after.since for before, after in pairwise(spans))
    for day, span in zip(found.days, spans, strict=True):
        assert found.local(span.since).date() == day == found.local(span.until - 1).date()


@given(st.sampled_from(ZONES), st.dates(date(2025, 1, 1), date(2027, 1, 1)), st.floats(0, 1))
def test_every_moment_is_in_an_hour_that_is_listed(name: str, first: date, part: float) -> None:
    found = make_period(first, first + timedelta(3), "", clock_of(name))
    hours = list(found.hours())
    moment = found.span.since + int(part * (found.span.until - found.span.since - 1))
    assert found.hour_of(moment) in hours
    assert hours == sorted(set(hours))
    assert offsets_are_right(found, clock_of(name))


def offsets_are_right(found: Period, clock: Clock) -> bool:
    return all(
        found.offset(at) == clock(at // 1000) * 1000
        for at in range(found.span.since, found.span.until, HOUR // 2)
    )


def test_the_server_has_a_clock() -> None:
    assert abs(period.server_clock(NOON)) < period.FARTHEST
