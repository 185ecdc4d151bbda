"""`openivr announce` on a data folder of its own."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from openivr.cli import main
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from tests.live_server import prepared_data
from tests.store.bodies import create, ivr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    shutil.copytree(prepared_data(is_demo=False), folder)
    database = Database(f"sqlite:///{folder / 'openivr.db'}")
    create(database, "timezone", {"name": "Office", "timezone": "Europe/Berlin", "is_default": 1})
    create(database, "ivr", ivr("6200"))
    create(database, "inbound_route", {"name": "Main line", "def_dest": "end_call"})
    database.close()
    return folder


def run(data: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--data", str(data)])
    assert result.exit_code == 0, result.output
    return result.output


def test_an_announcement_is_stored_listed_and_stopped(data: Path) -> None:
    assert run(data, "announce") == "no announcements\n"
    until = ("--until", "2199-12-24 18:00", "--name", "Storm")
    told = run(data, "announce", "play", "default", "--before", "6200", "--before", "Main line", *until)
    assert told == "default is played until Tue 2199-12-24 18:00\n"
    expected = "Storm  default  playing, until Tue 2199-12-24 18:00, before 6200, Main line\n"
    assert run(data, "announce") == expected
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    with database.reading() as connection:
        (row,) = load_snapshot(connection).announcements.values()
    database.close()
    assert (row.ivr_ids, row.inbound_route_ids, row.begin) == ((1,), (1,), 0)
    assert row.end == 7_257_488_400  # 17:00 UTC
    told = run(data, "simulate", "call", "6200", "--at", "2026-12-24 17:59")
    assert "announces" in told
    run(data, "announce", "stop", "Storm")
    assert run(data, "announce") == "no announcements\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("play", "default", "--before", "6200", "--until", "2020-01-01"),
        ("play", "default", "--before", "6200", "--until", "tonight"),
        ("play", "default", "--before", "6999", "--until", "2199-01-01 10:00"),
        ("play", "nothing.wav", "--before", "6200", "--until", "2199-01-01 10:00"),
        ("stop", "Storm"),
    ],
)
def test_bad_arguments_change_nothing(data: Path, arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["announce", *arguments, "--data", str(data)])
    assert result.exit_code in (1, 2)
    assert run(data, "announce") == "no announcements\n"
