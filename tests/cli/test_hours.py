"""`openivr hours` on a data folder of its own, and the moment of a simulated call."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from openivr.cli import main
from openivr.hours.calendar import PeriodKind
from openivr.hours.period import period
from openivr.store.caches.loaded_config import apply_changes, load
from openivr.store.database import Database
from tests.live_server import prepared_data
from tests.store.bodies import create, ivr

OFFICE = {"days_of_week": "mon tue wed thu fri", "office_times": ["09:00-18:00"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An office in Berlin, whose menu leads elsewhere when it is closed."""
    folder = tmp_path / "data"
    shutil.copytree(prepared_data(is_demo=False), folder)
    database = Database(f"sqlite:///{folder / 'openivr.db'}")
    create(database, "timezone", {"name": "Office", "timezone": "Europe/Berlin", "is_default": 1})
    create(database, "businesshour", OFFICE)
    create(database, "holiday", {"name": "Christmas", "type": "month", "date": "12/25-12/26"})
    create(database, "ivr", ivr("6201"))
    led = {
        "press1_dest": "end_call",
        "press1_outoffice_time_dest": "ivr",
        "press1_outoffice_time_dest_value": "1",
    }
    create(database, "ivr", ivr("6200", enb_time_condition=1, **led))
    database.close()
    return folder


def run(data: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--data", str(data)])
    assert result.exit_code == 0, result.output
    return result.output


def test_hours_are_shown_with_the_next_seven_changes(data: Path) -> None:
    lines = run(data, "hours", "--at", "2026-12-24 17:59").splitlines()
    assert lines[0] == "Thu 2026-12-24 17:59  open until Thu 2026-12-24 18:00, by its hours"
    assert lines[1] == "Thu 2026-12-24 18:00  closed, outside its hours"
    assert lines[2] == "Fri 2026-12-25 00:00  holiday, because of a holiday: Christmas"
    assert len(lines) == 8


def test_an_office_without_hours_is_said_to_have_none(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(prepared_data(is_demo=False), folder)
    none = "no business hours are set: the office counts as closed at all times"
    assert run(folder, "hours").splitlines()[-1] == none
    told = run(folder, "hours", "holidays", "--country", "DE", "--region", "BY", "--dry-run")
    assert told.splitlines()[-1].endswith(" new")
    assert run(folder, "hours").splitlines()[-1] == none
    run(folder, "hours", "holidays", "--country", "DE", "--region", "BY")
    again = run(folder, "hours", "holidays", "--country", "DE", "--region", "BY")
    assert again.splitlines()[-1].endswith(" same")
    assert none not in run(folder, "hours")


def test_a_switch_is_stored_and_reaches_the_configuration_of_calls(data: Path) -> None:
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    with database.reading() as connection:
        before = load(connection)
    assert "closed" in run(data, "hours", "switch", "closed", "--note", "Storm")
    assert "switched by hand by" in run(data, "hours")
    with database.reading() as connection:
        after = apply_changes(connection, before)
        assert load(connection).configuration.snapshot.calendars == after.configuration.snapshot.calendars
    calendar = after.configuration.snapshot.calendars[0]
    assert period(1_795_600_000, calendar).period is PeriodKind.CLOSED
    assert calendar.switch
    assert calendar.switch.note == "Storm"
    run(data, "hours", "switch", "auto")
    with database.reading() as connection:
        assert apply_changes(connection, after).configuration.snapshot.calendars[0].switch is None
    database.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ("hours", "switch", "lunch"),
        ("hours", "switch", "open", "--until", "2020-01-01"),
        ("hours", "switch", "open", "--until", "soon"),
        ("hours", "switch", "open", "--calendar", "Nowhere"),
        ("hours", "--at", "25:00"),
    ],
)
def test_bad_arguments_change_nothing(data: Path, arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(main, [*arguments, "--data", str(data)]).exit_code == 2
    assert "switched" not in run(data, "hours")


@pytest.mark.parametrize(
    ("moment", "text"), [("2026-12-23 17:59:50", "ends"), ("2026-12-23 18:00:02", "6201")]
)
def test_a_simulated_call_happens_at_a_moment(data: Path, moment: str, text: str) -> None:
    told = run(data, "simulate", "call", "6200", "--keys", "1", "--at", moment)
    assert ("6201" in told) == (text == "6201")
    assert "finds" in told


def test_the_demo_has_hours(tmp_path: Path) -> None:
    """A newcomer sees a week with lunch breaks and a holiday. The default calendar has none."""
    folder = tmp_path / "demo"
    shutil.copytree(prepared_data(is_demo=True), folder)
    command = ["hours", "--calendar", "Front desk", "--at", "2026-12-31 12:00"]
    lines = run(folder, *command).splitlines()
    assert lines[:4] == [
        "Thu 2026-12-31 12:00  open until Thu 2026-12-31 12:30, by its hours",
        "Thu 2026-12-31 12:30  break, during a break",
        "Thu 2026-12-31 13:30  open, by its hours",
        "Thu 2026-12-31 18:00  closed, outside its hours",
    ]
    assert "New Year" in lines[4]
