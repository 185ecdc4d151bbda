"""A whole server while its PostgreSQL is away: calls and lists go on, changes are refused, all comes back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from openivr.store.caches.change_feed import read_revision
from openivr.store.database import Database
from tests import postgres
from tests.live_server import AGENT, Api, Running, start
from tests.postgres import Server

SECONDS = 90
REFUSED = {
    "errcode": -2,
    "errmsg": "INTERNAL SERVER ERROR",
    "submsg": "the database does not answer; nothing was changed",
}


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with postgres.serving() as server:
        yield server


@pytest.fixture(scope="module")
def served(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("served"), "--database", postgresql.url, command="serve")
    secrets = json.loads((running.data / "demo-secrets.json").read_text())
    (running.folder / "password").write_text(secrets["extensions"]["1000"])
    yield running
    running.stop()


@pytest.fixture(scope="module")
def api(served: Running) -> Iterator[Api]:
    logged_in = served.log_in()
    yield logged_in
    logged_in.close()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def fetch(served: Running, path: str) -> tuple[int, str, float]:
    """The status and text of a page, and the seconds that it took."""
    started = time.monotonic()
    try:
        with urlopen(f"{served.base}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode(), time.monotonic() - started
    except HTTPError as error:
        with error:
            return error.code, error.read().decode(), time.monotonic() - started


def is_answered(served: Running) -> bool:
    """Extension 1000 calls the demo's main menu: True if it is answered."""
    server = f"sip:127.0.0.1:{served.sip_port}"
    command = [sys.executable, "-m", "openivr", "call", "6200", "--server", server, "--user", "1000"]
    more = ["--password-file", str(served.folder / "password"), "--hang-up-after", "0.3", "--json"]
    result = subprocess.run([*command, *more], capture_output=True, text=True, timeout=SECONDS, check=False)
    return '"answered"' in result.stdout


def update(api: Api) -> tuple[int, dict[str, object]]:
    content = json.dumps({"id": 1, "resp_timeout": 5}).encode()
    headers = AGENT | {"Content-Type": "application/json"}
    answer = api.send("POST", api.target("ivr/update", {}), content, headers)
    return answer.status, answer.json()


def check_away(served: Running, api: Api, old: int) -> None:
    """What every page says while the database is away, and that a call is answered."""
    until(lambda: fetch(served, "/readyz")[0] == 503, "ready without a database")
    status, text, _ = fetch(served, "/readyz")
    assert status == 503
    assert text.startswith("the database does not answer; the configuration is ")
    status, text, seconds = fetch(served, "/metrics")
    assert status == 200
    assert seconds < 5
    assert "openivr_database_up 0" in text
    assert "openivr_configuration_age_seconds" in text
    assert "openivr_requests" in text
    assert "openivr_registrations" not in text
    assert api.get("ivr/list")["total_number"] == old
    assert update(api) == (503, REFUSED)
    status, text, _ = fetch(served, "/sign-in")
    assert status == 200
    api.connection.request("GET", "/menus", headers={"Cookie": f"openivr={'x' * 32}"})
    page = api.connection.getresponse()
    assert page.status == 503
    assert b"Calls go on with the last known configuration" in page.read()
    assert is_answered(served)


def until_back(served: Running, api: Api) -> None:
    until(lambda: fetch(served, "/readyz")[0] == 200, "not ready again")
    until(lambda: update(api)[1]["errcode"] == 0, "no change is taken again")
    assert "openivr_database_up 1" in fetch(served, "/metrics")[1]
    assert is_answered(served)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_f1_f18_a_stopped_database(served: Running, api: Api, postgresql: Server) -> None:
    old = api.get("ivr/list")["total_number"]
    postgresql.stop()
    try:
        check_away(served, api, old)
    finally:
        postgresql.start()
    until_back(served, api)


def test_f2_a_paused_database(served: Running, api: Api, postgresql: Server) -> None:
    old = api.get("ivr/list")["total_number"]
    with postgresql.paused():
        check_away(served, api, old)
    until_back(served, api)


def test_f3_processes_that_die_while_the_database_is_away(
    served: Running, api: Api, postgresql: Server
) -> None:
    old = api.get("ivr/list")["total_number"]
    until(lambda: is_kept(served, postgresql), "what was changed last is not kept on disk")
    postgresql.stop()
    try:
        for pid in children(served.process.pid):
            os.kill(pid, signal.SIGKILL)
        until(lambda: lists(api, old), "no list from the copy on disk")
        until(lambda: is_answered(served), "no call from the copy on disk")
        check_away(served, api, old)
    finally:
        postgresql.start()
    until_back(served, api)


def is_kept(served: Running, postgresql: Server) -> bool:
    """Return True if both copies on disk are of the newest revision."""
    database = Database(postgresql.url)
    with database.reading() as connection:
        revision = read_revision(connection)
    database.close()
    try:
        config, listed = (
            json.loads((served.data / name).read_text()) for name in ("last-config.json", "last-lists.json")
        )
    except FileNotFoundError:
        return False
    return bool(config["revision"] == listed["config"] == revision)


def lists(api: Api, old: int) -> bool:
    try:
        return bool(api.get("ivr/list").get("total_number") == old)
    except (OSError, AssertionError):
        return False


def test_f3_a_whole_server_starts_while_the_database_is_away(
    postgresql: Server, tmp_path: Path, served: Running, api: Api
) -> None:
    folder = tmp_path / "other"
    url = postgres.create_database(postgresql.socket, "other")
    running = start(folder, "--database", url)
    client = running.log_in()
    old = client.get("ivr/list")["total_number"]
    until((running.data / "last-lists.json").exists, "nothing is kept on disk")
    client.close()
    running.stop()
    postgresql.stop()
    try:
        again = start(folder, "--database", url)
        again_client = Api(again.address, client.token)
        until(lambda: lists(again_client, old), "no list from the copy on disk")
        again_client.close()
    finally:
        postgresql.start()
    until(lambda: fetch(again, "/readyz")[0] == 200, "not ready again")
    again.stop()
    until_back(served, api)
