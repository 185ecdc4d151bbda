"""The server as processes: starting, stopping, dying, and losing nothing at any of it."""

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from tests.live_server import AGENT, Api, Running, start
from tests.store.bodies import ivr


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether a process runs: a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=30)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fetch(url: str) -> str:
    with urlopen(Request(url, headers=AGENT), timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def test_sigterm_ends_with_status_0(tmp_path: Path) -> None:
    server = start(tmp_path)
    workers = children(server.process.pid)
    assert server.stop() == 0
    assert not any(map(is_alive, workers))


def test_what_is_under_way_is_finished(tmp_path: Path) -> None:
    """A request whose body is still arriving when the server is told to stop gets its answer."""
    server = start(tmp_path)
    api = server.log_in()
    body = b'{"number":"6999","name":"Late","prompt":"default","prompt_repeat":1,"resp_timeout":1,'
    rest = b'"digit_timeout":1,"dial_ext_option":"all"}'
    head = f"POST {api.target('ivr/create', {})} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\r\n"
    with socket.create_connection(server.address) as sock:
        sock.sendall(f"{head}Content-Length: {len(body + rest)}\r\n\r\n".encode() + body)
        fetch(f"{server.base}/healthz")  # answered after what was sent before it
        server.process.terminate()
        wait_until(lambda: "stopping" in server.log)
        sock.sendall(rest)
        with sock.makefile("rb") as file:
            answer = file.read()
    api.close()
    assert b'"errcode":0' in answer
    assert server.stop() == 0


def test_f19_a_first_start_says_that_it_makes_a_database(tmp_path: Path) -> None:
    server = start(tmp_path, is_new=True)
    server.stop()
    assert server.log.count("creating a new database") == 1
    again = start(tmp_path, is_new=True)
    again.stop()
    assert again.log.count("creating a new database") == 1


def test_f19_a_server_whose_database_is_gone_does_not_start_with_an_empty_one(tmp_path: Path) -> None:
    server = start(tmp_path)
    wait_until((server.data / "last-lists.json").exists)
    server.stop()
    for path in server.data.glob("openivr.db*"):
        path.unlink()
    command = [sys.executable, "-m", "openivr", "api", "--http", "127.0.0.1:0", "--data", "data"]
    refused = run(command, tmp_path)
    assert refused.returncode == 1
    assert "last-lists.json is of one that was used before" in refused.stderr
    assert not (server.data / "openivr.db").exists()


def test_a_second_server_on_the_same_data_says_so(tmp_path: Path) -> None:
    server = start(tmp_path)
    command = [sys.executable, "-m", "openivr", "api", "--http", "127.0.0.1:0", "--data", "data"]
    second = run(command, tmp_path)
    assert second.returncode != 0
    assert "another OpenIVR is running on the data" in second.stderr
    assert server.stop() == 0


def test_an_address_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "openivr", "api", "--http", address, "--data", "data"]
        refused = run(command, tmp_path)
    assert refused.returncode != 0
    assert f"cannot listen on {address}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    server = start(tmp_path)
    worker, *others = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: bool({*children(server.process.pid)} - {worker, *others}))
    assert "ok" in fetch(f"{server.base}/healthz")
    assert server.stop() == 0


def test_workers_end_with_their_supervisor(tmp_path: Path) -> None:
    server = start(tmp_path, "--workers", "2")
    workers = children(server.process.pid)
    assert len(workers) == 2 + 2, "two more are for webhooks and mail"
    server.kill()
    wait_until(lambda: not any(map(is_alive, workers)))


def find_workers(server: Running, token: str) -> dict[int, Api]:
    """A connection to each worker. Whose count of open sockets rises has a new connection."""
    found: dict[int, Api] = {}
    for _ in range(100):
        before = {worker: count_sockets(worker) for worker in children(server.process.pid)}
        api = Api(server.address, token)
        assert api.get("ivr/list", page_size=1)["errcode"] == 0
        [worker] = [worker for worker, count in before.items() if count_sockets(worker) > count]
        if worker in found:
            api.close()
            wait_until(partial(has_sockets, worker, before[worker]))
        found.setdefault(worker, api)
        if len(found) == 2:
            break
    return found


def has_sockets(pid: int, count: int) -> bool:
    return count_sockets(pid) == count


def count_sockets(pid: int) -> int:
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            continue
    return found


def test_what_one_worker_committed_the_other_shows_next(tmp_path: Path) -> None:
    server = start(tmp_path, "--workers", "2")
    first = server.log_in()
    one, other = find_workers(server, first.token).values()
    for at in range(25):
        ident = one.post("ivr/create", ivr(f"7{at:03d}"))["id"]
        answer = other.get("ivr/list")
        assert answer["total_number"] == 5 + at
        assert answer["data"][-1]["id"] == ident
        one, other = other, one
    one.get("del_token")
    assert other.get("ivr/list")["errcode"] == 10004
    for api in (first, one, other):
        api.close()
    metrics = fetch(f"{server.base}/metrics")
    assert 'openivr_requests_total{endpoint="ivr/create",errcode="0"} 25.0' in metrics
    assert server.stop() == 0


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Changes as fast as they go; the whole server is killed at a random moment; start, compare, again."""
    random.seed(7)
    known: dict[str, str] = {}  # number -> name, of what the server said is done
    token = pending = ""  # pending: the number that the request without an answer was about
    for round_number in range(4):
        server = start(tmp_path)
        api = server.log_in() if not token else Api(server.address, token)
        token = api.token
        rows = api.get("ivr/list")["data"]
        found = {row["number"]: row["name"] for row in rows}
        if round_number:
            doubtful = found.items() ^ known.items()
            assert {number for number, _ in doubtful} <= {pending}
        known, ids = found, {row["number"]: row["id"] for row in rows}
        timer = threading.Timer(random.uniform(0.05, 0.5), server.process.kill)
        timer.start()
        with suppress(OSError, HTTPException):
            for at in itertools.count():
                pending = f"8{round_number}{at % 60:03d}"
                change(api, known, ids, pending, str(at))
        timer.join()
        server.kill()
        api.close()


def change(api: Api, known: dict[str, str], ids: dict[str, int], number: str, name: str) -> None:
    """Create the menu, rename it, delete it: whichever comes next; and note what was acknowledged."""
    if number not in known:
        ids[number] = api.post("ivr/create", ivr(number))["id"]
        known[number] = f"Menu {number}"
    elif known[number].startswith("Menu"):
        assert api.post("ivr/update", {"id": ids[number], "name": name})["errcode"] == 0
        known[number] = name
    else:
        assert api.get("ivr/delete", id=ids[number])["errcode"] == 0
        del known[number]


def test_a_server_without_a_demo_has_no_objects(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    command = [sys.executable, "-m", "openivr", "api", "--http", "127.0.0.1:0", "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    base = process.stdout.readline().split()[-1]
    token = run([sys.executable, "-m", "openivr", "token", "--data", str(folder)], tmp_path).stdout.strip()
    answer = fetch(f"{base}/openapi/v1.0/ivr/list?access_token={token}")
    assert answer == '{"errcode":0,"errmsg":"SUCCESS","total_number":0,"data":[]}'
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()
