"""The period of a moment: against the oracle, and at the moments that people ask about."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openivr.hours.calendar import (
    Calendar,
    Holiday,
    HolidayType,
    ManualSwitch,
    OfficeHours,
    PeriodKind,
    TimeSpan,
)
from openivr.hours.period import (
    PeriodReason,
    next_change,
    next_changes,
    period,
    scheduled,
    until_next_change,
)
from tests.effort import scale
from tests.hours.comparison import YEARS, color, differences, read
from tests.hours.oracle import ZONES, first_minute, local_minutes, paint, random_spec

WEEK = OfficeHours(1, frozenset(range(5)), office=(TimeSpan(540, 1080),), breaks=(TimeSpan(720, 780),))
CHRISTMAS = Holiday(
    "Christmas", HolidayType.MONTH, 1, date(2000, 12, 25), date(2000, 12, 26), prompt="xmas.wav"
)
OFFICE = Calendar("Europe/Berlin", 1, "Office", (WEEK,), (CHRISTMAS,))
UTC_WEEK = Calendar("UTC", hours=(WEEK,))


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


# A calendar that is smaller by its seed is no smaller calendar.
@settings(max_examples=scale(8), deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_decisions_and_changes_agree_with_the_oracle(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 10**9))
    zone, year = data.draw(st.sampled_from(ZONES)), data.draw(st.sampled_from(YEARS))
    spec = random_spec(seed)
    calendar, strip = read(spec, zone), paint(spec, year)
    places, start = local_minutes(zone, year), first_minute(year) * 60
    minutes = data.draw(st.lists(st.integers(0, len(places) - 1), min_size=20, max_size=20))
    for minute in minutes:
        moment = start + minute * 60 + data.draw(st.floats(0, 59.99))
        assert color(period(moment, calendar)) == strip[places[minute]]
        change = next_change(moment, calendar)
        end = (change.at - start) // 60 if change else len(places)
        assert {strip[place] for place in places[minute:end]} == {strip[places[minute]]}
        if change and end < len(places):
            assert color(change.decision) == strip[places[end]] != strip[places[minute]]


@pytest.mark.fuzz
@pytest.mark.parametrize("zone", ZONES)
def test_a_year_agrees_with_the_oracle(zone: str) -> None:
    for seed in range(scale(1)):
        assert not list(differences(seed * 7 + 3, zone, YEARS[seed % len(YEARS)], step=5))


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        ("2026-11-30 08:59:59", PeriodKind.CLOSED),
        ("2026-11-30 09:00", PeriodKind.OPEN),
        ("2026-11-30 12:00", PeriodKind.BREAK),
        ("2026-11-30 13:00", PeriodKind.OPEN),
        ("2026-11-30 17:59:59", PeriodKind.OPEN),
        ("2026-11-30 18:00", PeriodKind.CLOSED),
        ("2026-12-24 17:59", PeriodKind.OPEN),
        ("2026-12-25 10:00", PeriodKind.HOLIDAY),
        ("2026-12-27 00:00", PeriodKind.CLOSED),
    ],
)
def test_an_office_week(moment: str, kind: PeriodKind) -> None:
    assert period(at(moment), OFFICE).period is kind


def test_a_decision_names_its_rule() -> None:
    holiday = period(at("2026-12-25 10:00"), OFFICE)
    assert (holiday.reason, holiday.name, holiday.holiday) == (PeriodReason.HOLIDAY, "Christmas", CHRISTMAS)
    assert period(at("2026-11-30 10:00"), OFFICE).hours is WEEK
    assert period(at("2026-11-30 12:30"), OFFICE).reason is PeriodReason.BREAK
    assert period(at("2026-11-29 12:30"), OFFICE).reason is PeriodReason.OUTSIDE


def test_a_calendar_without_rules_is_closed_for_ever() -> None:
    empty = Calendar("UTC")
    assert period(0, empty).period is PeriodKind.CLOSED
    assert next_change(0, empty) is None


def test_a_night_is_one_span_or_two() -> None:
    friday, saturday = frozenset({4}), frozenset({5})
    night = Calendar("UTC", hours=(OfficeHours(1, friday, office=(TimeSpan(1320, 1800),)),))
    pair = Calendar(
        "UTC",
        hours=(
            OfficeHours(1, friday, office=(TimeSpan(1320, 1440),)),
            OfficeHours(2, saturday, office=(TimeSpan(0, 360),)),
        ),
    )
    for calendar in (night, pair):
        assert next_changes(at("2026-12-03 12:00", "UTC"), calendar, 2)[0].at == at("2026-12-04 22:00", "UTC")
        assert next_change(at("2026-12-04 22:00", "UTC"), calendar).at == at("2026-12-05 06:00", "UTC")  # type: ignore[union-attr]


def test_open_hours_of_one_rule_cover_the_break_of_another() -> None:
    lunch = OfficeHours(2, frozenset({0}), office=(TimeSpan(720, 750),))
    both = Calendar("UTC", hours=(WEEK, lunch))
    assert period(at("2026-11-30 12:10", "UTC"), both).hours is lunch
    assert period(at("2026-11-30 12:40", "UTC"), both).period is PeriodKind.BREAK


def test_an_hour_that_comes_twice_is_open_twice_and_one_that_is_skipped_never() -> None:
    early = Calendar("Europe/Berlin", hours=(OfficeHours(office=(TimeSpan(150, 180),)),))
    assert not [c for c in next_changes(at("2026-03-29 00:00"), early, 1) if c.at < at("2026-03-29 12:00")]
    changes = [change.at for change in next_changes(at("2026-10-25 00:00"), early, 4)]
    assert changes == [
        at("2026-10-25 02:30"),
        at("2026-10-25 02:00", fold=1),
        at("2026-10-25 02:30", fold=1),
        at("2026-10-25 03:00"),
    ]


@pytest.mark.parametrize(
    ("type_", "nth", "day"),
    [
        (HolidayType.WEEKDAY, 3, 18),  # the third Monday of May 2026
        (HolidayType.WEEK, 3, 11),  # the Monday of its third week: May begins on a Friday
        (HolidayType.WEEKDAY, 5, 25),
        (HolidayType.WEEK, 5, 25),
        (HolidayType.WEEK, 1, None),  # that Monday is in April
    ],
)
def test_weekdays_of_a_month(type_: HolidayType, nth: int, day: int | None) -> None:
    holiday = Holiday("Day", type_, month=5, nth=nth, weekday=0)
    found = [n for n in range(1, 32) if holiday.includes(date(2026, 5, n))]
    assert found == ([day] if day else [])


def test_a_holiday_may_go_past_new_year() -> None:
    closed = Holiday("Turn", HolidayType.MONTH, first=date(2000, 12, 28), last=date(2000, 1, 2))
    calendar = Calendar("UTC", holidays=(closed,))
    days = ("12-27", "12-28", "12-31", "01-01", "01-02", "01-03")
    found = [period(at(f"2026-{day} 10:00", "UTC"), calendar).name for day in days]
    assert found == ["", "Turn", "Turn", "Turn", "Turn", ""]


def test_a_leap_day_is_found_years_ahead() -> None:
    leap = Holiday("Leap", HolidayType.MONTH, first=date(2000, 2, 29), last=date(2000, 2, 29))
    change = next_change(at("2096-03-01 00:00", "UTC"), Calendar("UTC", holidays=(leap,)))
    assert change
    assert change.at == at("2104-02-29 00:00", "UTC")


def test_a_switch_comes_before_holidays_and_hours() -> None:
    switched = Calendar(
        "UTC", hours=(WEEK,), switch=ManualSwitch(PeriodKind.CLOSED, at("2026-11-30 11:00", "UTC"))
    )
    decision = period(at("2026-11-30 10:00", "UTC"), switched)
    assert (decision.period, decision.reason) == (PeriodKind.CLOSED, PeriodReason.SWITCH)
    assert scheduled(at("2026-11-30 10:00", "UTC"), switched).period is PeriodKind.OPEN
    assert period(at("2026-11-30 11:00", "UTC"), switched).period is PeriodKind.OPEN
    change = next_change(at("2026-11-30 10:00", "UTC"), switched)
    assert change
    assert change.at == at("2026-11-30 11:00", "UTC")


def test_a_switch_that_ends_in_its_own_period_changes_nothing_then() -> None:
    switched = Calendar(
        "UTC", hours=(WEEK,), switch=ManualSwitch(PeriodKind.CLOSED, at("2026-11-30 20:00", "UTC"))
    )
    change = next_change(at("2026-11-30 17:00", "UTC"), switched)
    assert change
    assert change.at == at("2026-12-01 09:00", "UTC")


def test_a_switch_without_an_end_never_changes() -> None:
    switched = Calendar("UTC", hours=(WEEK,), switch=ManualSwitch(PeriodKind.CLOSED))
    assert next_change(at("2026-11-30 17:00", "UTC"), switched) is None


def test_a_switch_until_the_next_change_ends_with_the_calendar_s_own() -> None:
    switch = until_next_change(UTC_WEEK, ManualSwitch(PeriodKind.CLOSED), at("2026-11-30 14:00", "UTC"))
    assert switch.until == at("2026-11-30 18:00", "UTC")
