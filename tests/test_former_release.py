"""Data of the release before codes: what it stored, left unread in the journal, and wrote into files.

`tests/data/schemas/0001` is what it wrote, with what it read in it; texts became codes by the tables here,
which are the test's own.
"""

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import Connection, text

from openivr.cdr.worker import CdrWorker
from openivr.cli import main
from openivr.config import yaml_document
from openivr.ivr.analysis.check import check
from openivr.ivr.model import Forwarding
from openivr.resources import KINDS
from openivr.simulate.scenario import read_scenario, read_scenarios, run, write_scenario
from openivr.store.backup import restore
from openivr.store.cdr import call_records
from openivr.store.config import import_export, resources, scenarios
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.runtime import registrations
from openivr.store.schema import migrate
from openivr.store.tables import METADATA
from tests.live_server import start
from tests.postgres import create_database
from tests.web.site import Admin

DATA = Path(__file__).parent / "data/schemas/0001"
EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text())
AFTER = EXPECTED["after"]
numbers = count(1)

REASONS = {
    "": "",
    "Invalid key": "invalid_key",
    "timed out, hung up": "menu_timeout",
    "ended by the menu": "end_call",
    "prompt played, hung up": "prompt_played",
    "moved on 20 times without a key": "hop_limit",
    "maximum call length": "call_length_limit",
    "destination not reached": "destination_unreached",
    "message left": "message_left",
    "left the mailbox": "mailbox_left",
    "mailbox refused": "mailbox_refused",
    "called side hung up": "callee_hangup",
    "caller hung up": "caller_hangup",
    "transferred": "transferred",
    "transfer failed, given back": "transfer_failed",
    "nobody has this number": "unknown_number",
    "no inbound route takes this number": "no_inbound_route",
    "no outbound route that this extension may use takes this number": "no_outbound_route",
    "an error of the server": "server_error",
    "the server was stopped": "server_stopped",
    "the server was interrupted": "server_interrupted",
}
REFUSALS = {
    "nobody has this number": "unknown_number",
    "not a number that can be dialled": "not_a_number",
    "this menu lets nobody dial extensions": "extensions_off",
    "extension not on the menu's list": "extension_not_listed",
    "extension on the menu's list of restricted ones": "extension_restricted",
    "extension is disabled": "extension_disabled",
    "ring group not on the menu's list": "ring_group_not_listed",
    "menus cannot be dialled": "menu_not_dialable",
    "this menu does not give access to voicemail": "voicemail_off",
    "longer than 15 digits": "too_long",
    "no outbound route of this menu fits": "no_outbound_route",
}
CAUSES = {
    **{cause: cause for cause in ("busy", "declined", "unavailable")},
    "no answer": "no_answer",
    "limit reached": "limit_reached",
}
LIMITS = {"moved on 20 times without a key": 20, "longer than 15 digits": 15}
TRUNKS = {
    "registered": "registered",
    "answers": "answers",
    "not registered": "not_registered",
    "a call came": "call_received",
    "a call was not answered": "call_unanswered",
    "no answer": "no_answer",
    "no response": "no_response",
    "not reachable": "unreachable",
    "name not found": "name_not_found",
    "no address of its family is listened on": "no_local_address",
    "answer not acknowledged": "no_ack",
    "session timer ran out": "session_expired",
    "cancelled": "cancelled",
}
SAID = {"403 Forbidden", "480 no answer", "503"}  # by the far side: no code stands for it


@dataclass(frozen=True)
class Former:
    """A data folder of the former release and the database that belongs to it."""

    folder: Path
    database: Database


def load_dump(database: Database) -> None:
    """Fill an empty database with the former release's own dump."""
    if database.is_sqlite:
        with closing(sqlite3.connect(database.path)) as connection:
            connection.executescript(gzip.decompress((DATA / "sqlite.sql.gz").read_bytes()).decode())
        return
    url = database.engine.url
    socket, name = str(url.query["host"]), url.database
    with psycopg.connect(host=socket, user="postgres", dbname=name, autocommit=True) as connection:
        connection.execute(gzip.decompress((DATA / "postgresql.sql.gz").read_bytes()))


@pytest.fixture(params=["sqlite", "postgresql"])
def unread(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Former]:
    """The data as they were left: nothing is migrated."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copytree(DATA / "journal", folder / "journal")
    (folder / "node").write_text(EXPECTED["node"])
    if request.param == "sqlite":
        database = Database(f"sqlite:///{folder / 'openivr.db'}")
    else:
        socket = request.getfixturevalue("postgres_socket")
        database = Database(create_database(socket, f"former_{next(numbers)}"))
    load_dump(database)
    yield Former(folder, database)
    database.close()


@pytest.fixture
def former(unread: Former) -> Former:
    """The data after the migration, with the rest of the journal unread."""
    migrate(unread.database)
    return unread


@pytest.fixture
def current(former: Former) -> Former:
    """The data after this release's worker has taken in the rest of the journal."""
    CdrWorker(former.database, EXPECTED["node"], former.folder / "journal").catch_up()
    return former


def describe_call(connection: Connection, id_: str) -> dict[str, Any]:
    record = call_records.find_call(connection, id_)
    assert record is not None
    return {
        "outcome": record.outcome,
        "reason": record.reason,
        "stage": record.stage,
        "notes": [
            [one.note.topic.value, one.note.detail, one.note.limit]
            for one in call_records.notes_of(connection, id_)
        ],
        "legs": [leg.get("result") if leg else None for leg in record.legs],
        "causes": [event["cause"] for event in record.events if "cause" in event],
    }


def in_codes(call: dict[str, Any]) -> dict[str, Any]:
    """A call as the former release read it, in codes."""
    details: dict[str, dict[str, str]] = {"invalid": REFUSALS, "failed": CAUSES, "ended": REASONS}
    return {
        "outcome": call["outcome"],
        "reason": REASONS[call["reason"]],
        "stage": call["stage"].replace(" ", "_"),
        "notes": [
            [
                topic.replace(" ", "_"),
                details[topic][detail] if topic in details else detail,
                LIMITS.get(detail, 0),
            ]
            for topic, detail in call["notes"]
        ],
        "legs": [result and result.replace(" ", "_") for result in call["legs"]],
        "causes": [CAUSES[cause] for cause in call["causes"]],
    }


def compare_calls(connection: Connection, calls: dict[str, dict[str, Any]]) -> None:
    for id_, call in calls.items():
        assert describe_call(connection, id_) == in_codes(call), call["label"]


def compare_trunks(connection: Connection, states: dict[str, dict[str, str]]) -> None:
    read = {str(state.trunk_id): state for state in registrations.list_trunks(connection)}
    assert read.keys() == states.keys()
    for id_, state in states.items():
        answer = state["detail"] if state["detail"] in SAID else ""
        expected = (state["state"], "rejected" if answer else TRUNKS[state["detail"]], answer)
        assert (read[id_].state, read[id_].detail, read[id_].answer) == expected


def count_rows(connection: Connection, tables: dict[str, int]) -> dict[str, int]:
    return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def test_the_data_hold_every_text_that_there_was() -> None:
    calls = [*EXPECTED["calls"].values(), *AFTER["calls_changed_and_new"].values()]
    details = {(topic, detail) for call in calls for topic, detail in call["notes"]}
    assert {call["reason"] for call in calls} == REASONS.keys()
    assert {detail for topic, detail in details if topic == "invalid"} == REFUSALS.keys()
    assert {detail for topic, detail in details if topic == "failed"} == CAUSES.keys()
    assert {state["detail"] for state in EXPECTED["trunk_states"].values()} == TRUNKS.keys() | SAID


def test_records_are_migrated(former: Former) -> None:
    with former.database.reading() as connection:
        compare_calls(connection, EXPECTED["calls"])
        compare_trunks(connection, EXPECTED["trunk_states"])
        assert count_rows(connection, EXPECTED["rows"]) == EXPECTED["rows"]
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_rest_of_the_journal_is_taken_in(current: Former) -> None:
    with current.database.reading() as connection:
        compare_calls(connection, EXPECTED["calls"] | AFTER["calls_changed_and_new"])
        compare_trunks(connection, AFTER["trunk_states"])
        assert count_rows(connection, AFTER["rows"]) == AFTER["rows"]
        counted = connection.execute(text("SELECT outcome, count AS count_ FROM call_count")).all()
        assert {row.outcome: row.count_ for row in counted} == AFTER["call_count"]
        assert registrations.count_traffic(connection).calls == 1, "one call is under way"
    assert not list((current.folder / "journal").glob("*.wav"))


def test_names_that_look_like_texts_stay(current: Former) -> None:
    """What people and far sides call things is no code, whatever it is."""
    queries = {
        "trunk.name": "SELECT name FROM trunk",
        "outbound_route.name": "SELECT name FROM outbound_route",
        "inbound_route.name": "SELECT name FROM inbound_route",
        "ring_group.name": "SELECT name FROM ring_group",
        "ext_group.name": "SELECT name FROM ext_group",
        "ivr.name": "SELECT name FROM ivr",
        "custom_prompt.name, call_note.detail of topic missing prompt": (
            "SELECT detail FROM call_note WHERE topic = 'missing_prompt'"
        ),
        "call_record.caller_name": "SELECT caller_name FROM call_record",
        "call_record.caller, source": "SELECT source FROM call_record",
        "trunk_state.detail, as the far side says it": "SELECT answer FROM trunk_state",
    }
    with current.database.reading() as connection:
        for name, query in queries.items():
            kept = set(connection.execute(text(query)).scalars())
            assert {*EXPECTED["untouched"][name]} <= kept, name
        legs = [leg for record in every_call(connection) for leg in record.legs if leg]
        assert "no answer" in {leg.get("via") for leg in legs}
        names = {stored.name for stored in scenarios.find_all(connection)}
        assert {"message left", "Invalid key", "timed out, hung up"} <= names


REMARKS = [
    {"code": "prompt_missing", "prompt": "welcome.wav"},
    {"code": "destination_unserved", "input": "1", "type": "queue", "name": "Support"},
    {"code": "destination_missing", "input": "2", "type": "extension", "name": "12"},
    {"code": "key_prompt_missing", "input": "3", "prompt": "welcome.wav"},
    {"code": "number_invalid", "input": "4", "type": "external_num", "name": "not a number"},
    {"code": "destination_unserved", "input": "#", "type": "call_flow", "name": "1"},
    {"code": "destination_unserved", "input": "*", "type": "conference", "name": "2"},
    {"code": "destination_unserved", "input": "timeout", "type": "queue", "name": "Support"},
    {"code": "destination_unserved", "input": "invalid", "type": "fax_to_email", "name": "3"},
    {"code": "member_missing", "field": "dial_call_number_list", "type": "ring_group", "name": "no answer"},
]


def test_remarks_of_an_import_become_codes(former: Former) -> None:
    with former.database.reading() as connection:
        menus = {v["number"]: v for _, v in resources.fetch_all(connection, KINDS["ivr"])}
        found = [row for row in check(load_snapshot(connection)) if row.rule.code == "IVR408"]
    assert menus["7010"]["import_remarks"] == REMARKS
    assert not any(values["import_remarks"] for number, values in menus.items() if number != "7010")
    assert [{"code": row.reason, **row.params} for row in found] == sorted(
        REMARKS, key=lambda row: row["code"]
    )


def every_call(connection: Connection) -> list[call_records.CallRecord]:
    ids = connection.execute(text("SELECT id FROM call_record")).scalars().all()
    return [record for id_ in ids if (record := call_records.find_call(connection, id_))]


# Callers hear a menu otherwise since one entry is one decision: a wrong key is announced before the same menu
# comes again, the announcement follows each failed destination, and a wrong PIN asks for the PIN again.
CHANGED = {
    "A number that fits no route is a wrong key",
    "A wrong PIN opens no mailbox, the right one does",
    "An extension outside the Sales group is not, and the menu starts again",
    "Kept: busy, declined, unavailable",
    "Kept: mailbox refused",
    "Kept: no answer",
    "mailbox refused",
}


def test_stored_tests_pass(former: Former) -> None:
    with former.database.reading() as connection:
        snapshot = load_snapshot(connection)
        stored = scenarios.find_all(connection)
    passes = {row["id"]: row["passes"] for row in EXPECTED["scenarios"]}
    changed = set()
    for one in stored:
        scenario = read_scenario(one.document, one.name)
        if run(snapshot, scenario).passed != passes.pop(one.id):
            changed.add(one.name)
        assert write_scenario(scenario) == one.document, "it is stored in codes"
    assert not passes
    assert changed == CHANGED


def test_scenario_files_pass(former: Former) -> None:
    with former.database.reading() as connection:
        snapshot = load_snapshot(connection)
    results = [run(snapshot, scenario) for scenario in read_scenarios(DATA / "scenarios/words.yaml")]
    assert len(results) > 10
    assert [result.scenario.name for result in results if not result.passed] == ["mailbox refused"]


def test_an_export_is_read_and_written_in_codes(former: Former) -> None:
    document = yaml_document.load((DATA / "export.yaml").read_text())
    with former.database.reading() as connection:
        plan = import_export.make_plan(connection, document.entries, document.scenarios)
        assert (plan.mistakes, plan.actions) == ([], [])
        exported = import_export.export(connection, with_audio=False)
    stored = {(one["calls"], one["scenario"]): one for one in exported["scenario"]}
    read = {
        (entry.fields["calls"], entry.fields["scenario"]): entry.fields for entry in document.scenarios or ()
    }
    assert read == stored


def test_extensions_go_on_to_forward_nothing(former: Former) -> None:
    """Calls that were not answered came back to the menu."""
    with former.database.reading() as connection:
        people = load_snapshot(connection).extensions.values()
    assert any(row.voicemail for row in people)
    assert all(row.inside == row.outside == Forwarding() for row in people)


def test_a_backup_is_restored(tmp_path: Path) -> None:
    source, target = (
        Database(f"sqlite:///{tmp_path / 'backup.db'}"),
        Database(f"sqlite:///{tmp_path / 'new.db'}"),
    )
    load_dump(source)
    source.close()
    migrate(target)
    restore(tmp_path / "backup.db", target, lambda _count: None)
    with target.reading() as connection:
        compare_calls(connection, EXPECTED["calls"])
        compare_trunks(connection, EXPECTED["trunk_states"])
    target.close()


def run_command(former: Former, *arguments: str) -> str:
    url = former.database.engine.url.render_as_string(hide_password=False)
    place = ("--data", str(former.folder), "--database", url)
    result = CliRunner().invoke(main, [*arguments, *place])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_simulated_call_is_replayed(former: Former) -> None:
    """The call has a wrong key, which is announced now: it is read, and the first difference is named."""
    with pytest.raises(AssertionError, match="event 8: the commands differ"):
        run_command(former, "simulate", "replay", str(DATA / "simulated.json"))


def test_commands_show_every_call(current: Former) -> None:
    listed = json.loads(run_command(current, "calls", "list", "--json", "--page-size", "1000"))
    assert {row["reason"] for row in listed["data"]} == set(REASONS.values())
    assert "caller hung up" in run_command(current, "calls", "list", "--page-size", "1000")
    with current.database.reading() as connection:
        lost = [record.id for record in every_call(connection) if {} in record.legs]
    assert lost
    for id_ in [*lost, *list(EXPECTED["calls"])[:10]]:
        assert id_ in run_command(current, "calls", "show", id_)


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    """The web admin of this release on the former one's data. No worker runs: the journal stays unread."""
    folder = tmp_path_factory.mktemp("former")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data/node").write_text(EXPECTED["node"])
    database = Database(f"sqlite:///{folder / 'data/openivr.db'}")
    load_dump(database)
    database.close()
    running = start(folder, demo=False)
    admin = Admin(running).enter()
    yield admin
    admin.connection.close()
    running.stop()


def test_old_addresses_list_the_same_calls(admin: Admin) -> None:
    over = [id_ for id_, call in EXPECTED["calls"].items() if call["outcome"]]
    for address, ids in EXPECTED["addresses"].items():
        answer = admin.get(f"{address}{'&' if '?' in address else '?'}page_size=100")
        assert answer.status == 200, address
        listed = answer.content.decode()
        assert [id_ for id_ in over if f"/calls/{id_}" in listed] == sorted(ids), address


def test_pages_show_every_call(admin: Admin) -> None:
    for id_ in EXPECTED["calls"]:
        for page in (f"/calls/{id_}", f"/calls/{id_}/replay"):
            assert admin.get(page).status == 200, page
    for page in ("/calls", "/calls/file", "/reports", "/routes/trunks/16", "/routes/trunks/24"):
        assert admin.get(page).status == 200, page
    assert "480 no answer" in admin.get("/routes/trunks/24").content.decode()
    assert "caller_hangup" in admin.get("/calls/file").content.decode()
    for row in EXPECTED["scenarios"]:
        with admin.running.database() as database, database.reading() as connection:
            ivr = load_snapshot(connection).ivr_by_number(row["menu"])
        assert ivr is not None
        assert admin.get(f"/menus/{ivr.id}/tests/{row['id']}").status == 200
