"""Business hours switched by an extension: its permission, its PIN, and what is stored."""

from openivr.ivr.hours_code import HoursAction
from openivr.store.config.hours_code import ask_by_code, find_switcher, switch_by_code
from openivr.store.config.ivr_snapshot import load_calendars, load_snapshot
from openivr.store.database import Database
from tests.store.bodies import create, extension

NOON = 1_796_040_000  # Monday, 30 November 2026, 12:00 UTC


def test_only_an_extension_with_the_permission_and_the_pin_may_switch(database: Database) -> None:
    free = create(database, "extension", extension("1000", first_name="Ada", enb_switch_hours=1))
    pin = create(database, "extension", extension("1001", enb_switch_hours=1, hours_pin="864209"))
    other = create(database, "extension", extension("1002", hours_pin="864209"))
    with database.reading() as connection:
        assert find_switcher(connection, free, "") == "1000 Ada"
        assert find_switcher(connection, pin, "864209") == "1001"
        assert find_switcher(connection, pin, "864208") is None
        assert find_switcher(connection, pin, "") is None
        assert find_switcher(connection, other, "864209") is None
        assert find_switcher(connection, 99, "") is None
        people = load_snapshot(connection).extensions
    assert [people[id_].has_hours_pin for id_ in (free, pin, other)] == [False, True, True]
    assert [people[id_].may_switch_hours for id_ in (free, pin, other)] == [True, True, False]


def test_a_code_switches_the_default_calendar_until_its_next_change(database: Database) -> None:
    create(database, "timezone", {"name": "Office", "timezone": "UTC", "is_default": 1})
    hours = {"days_of_week": "all", "office_times": [{"value": "09:00-18:00"}]}
    create(database, "businesshour", hours)
    heard = []
    for action in (HoursAction.CLOSE, HoursAction.OPEN, HoursAction.AUTO):
        with database.changing() as change:
            heard.append(switch_by_code(change, action, "1000 Ada", NOON).period.value)
        with database.reading() as connection:
            switch = load_calendars(connection)[0].switch
            assert ask_by_code(connection, NOON).period.value == heard[-1]
        if action is HoursAction.CLOSE:
            assert switch
            assert (switch.by, switch.until, switch.at) == ("1000 Ada", NOON + 6 * 3600, NOON)
    assert heard == ["closed", "open", "open"]
    assert switch is None
