"""`openivr calls list` and `show`, on calls that were recorded."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.cli import main
from openivr.server.bootstrap import load_demo
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.schema import migrate
from tests.cdr.simulated_calls import record


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with one call that ended in the menu 6202 and a live one."""
    folder = tmp_path_factory.mktemp("data")
    database = Database(f"sqlite:///{folder / 'openivr.db'}")
    migrate(database)
    with database.changing() as change:
        load_demo(change)
    with database.reading() as connection:
        snapshot = load_snapshot(connection)
    navigator = snapshot.ivr_by_number("6200")
    assert navigator is not None
    journal = Journal(folder / "journal")
    for entry in record(snapshot, "ended-1", "3", menu=navigator.id).end():
        journal.write(entry)
    for entry in record(snapshot, "live-1", menu=navigator.id).entries:
        journal.write(entry)
    journal.close()
    CdrWorker(database, "node", folder / "journal").catch_up()
    with database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE call_record SET period = 'closed', caller = '1001' WHERE id = 'ended-1'"
        )
    yield folder
    database.close()


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["calls", *arguments, "--data", str(data)])


def listed(data: Path, *arguments: str) -> list[str]:
    answer = json.loads(run(data, "list", "--json", *arguments).output)
    assert answer["total_number"] == len(answer["data"])
    return [row["id"] for row in answer["data"]]


def test_calls_are_listed_as_a_table(data: Path) -> None:
    text = run(data, "list").output
    assert "6200 > 6202" in text
    assert "no key came" in text
    assert "now announcing" in text
    assert "2 of 2 calls" in text


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--live"], ["live-1"]),
        (["--outcome", "menu"], ["ended-1"]),
        (["--menu", "6202"], ["ended-1"]),
        (["--number", "6300"], []),
        (["--period", "none"], ["live-1"]),
        (["--period", "closed"], ["ended-1"]),
        (["--period", "closed", "--menu", "6202"], ["ended-1"]),
        (["--period", "open"], []),
        (["--did", "6200"], []),
        (["--extension-group", "Sales"], ["ended-1"]),
        (["--extension-group", "Sales", "--menu", "6202"], ["ended-1"]),
        (["--since", "2h"], []),
        (["--until", "2024-01-01"], ["live-1", "ended-1"]),
        (["--since", "2023-11-14", "--until", "2023-11-16T00:00"], ["live-1", "ended-1"]),
    ],
)
def test_calls_are_chosen(data: Path, options: list[str], found: list[str]) -> None:
    assert sorted(listed(data, *options)) == sorted(found)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--since", "yesterday"], "neither a time"),
        (["--until", "99999999999999w"], "neither a time"),
        (["--period", "lunch"], "'lunch' is not one of 'open', 'break', 'closed', 'holiday', 'none'"),
        (["--menu", "1000"], "no menu has the number 1000"),
        (["--extension-group", "None"], "no extension group has the name None"),
    ],
)
def test_invalid_filters_are_refused(data: Path, options: list[str], complaint: str) -> None:
    result = run(data, "list", *options)
    assert result.exit_code == 2
    assert complaint in result.output


def test_a_call_is_shown(data: Path) -> None:
    text = run(data, "show", "ended").output
    for part in (
        "outcome     menu",
        "menus       6200 > 6202",
        "heard (rfc4733 1)",
        "extension 1000: answered",
        "presses    3",
        "enters     6202",
    ):
        assert part in text
    assert "has changed since" not in text


def test_a_call_as_json_can_be_replayed(data: Path, tmp_path: Path) -> None:
    whole = json.loads(run(data, "show", "ended-1", "--json").output)
    assert whole["events"][0]["event"] == "CallArrived"
    assert [note["note"]["topic"] for note in whole["notes"]][:2] == ["arrived", "entered"]


def test_a_call_whose_menus_have_changed_is_shown_with_its_stored_notes(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    copy.mkdir()
    (copy / "openivr.db").write_bytes(b"")
    assert CliRunner().invoke(main, ["backup", str(tmp_path / "all.db"), "--data", str(data)]).exit_code == 0
    (tmp_path / "all.db").replace(copy / "openivr.db")
    database = Database(f"sqlite:///{copy / 'openivr.db'}")
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE ivr SET keys = '{}'")
    database.close()
    text = run(copy, "show", "ended-1").output
    assert "The configuration has changed since" in text
    assert "topic chose" in text


@pytest.mark.parametrize("ident", ["nobody", "", "%"])
def test_no_call_has_this_id(data: Path, ident: str) -> None:
    result = run(data, "show", ident)
    assert result.exit_code != 0
    assert "no call, or more than one" in result.output
