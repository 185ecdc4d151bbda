"""Measures `ivr/list` beside a bare uvicorn on the same core, in alternating runs, and the cost of changes.

Everything is on that is on in production: token, parameters, total, freshness, access log, metrics.
"""

import http.client
import json
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.machine import Load, free_port, median, memory, print_table, put_load, python, running
from openivr.resources import KINDS
from openivr.resources.order import name_key, number_key
from openivr.store.auth import clients, tokens
from openivr.store.caches.list_snapshot import EMPTY, apply_changes
from openivr.store.database import Database
from openivr.store.schema import migrate
from openivr.store.tables import COUNTER, NUMBER, OBJECTS

RUNS, SECONDS = 5, 3
SCRIPT = Path(__file__).with_name("random_pages.lua")
BATCH = 10_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first_start(Path(folder) / "demo")
        measure(Path(folder) / "small", 100)
        measure(Path(folder) / "large", 1_000_000)


def first_start(data: Path) -> None:
    """Measure the first start on an empty folder: schema, demo, ready."""
    started = time.monotonic()
    with openivr(data, "--demo") as (process, _base):
        ready = time.monotonic() - started
        rows = [(f"{ready:.2f} s", f"{memory(process.pid):.0f} MiB")]
        print_table("First start with the demo", ("start to ready", "memory"), rows)


def measure(data: Path, total: int) -> None:
    token = fill(data, total)
    started = time.monotonic()
    with openivr(data) as (process, base):
        ready = time.monotonic() - started
        path = f"{base}/openapi/v1.0/ivr/list?access_token={token}"
        size = len(fetch(base, f"/openapi/v1.0/ivr/list?access_token={token}&page_size=20"))
        port = free_port()
        with running(*python("-m", "bench.bare", str(port), str(size)), url=f"http://127.0.0.1:{port}/"):
            compare(total, path, f"http://127.0.0.1:{port}/", size)
        changes(base, token, total, path)
        figures = (f"{ready:.2f} s", f"{time_load(data):.2f} s", f"{memory(process.pid):.0f} MiB")
        print_table(
            f"The process with {total:,} IVRs", ("start to ready", "building the lists", "memory"), [figures]
        )


def time_load(data: Path) -> float:
    """Return the seconds that loading every list from the database takes."""
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    started = time.monotonic()
    with database.reading() as connection:
        apply_changes(connection, EMPTY)
    taken = time.monotonic() - started
    database.close()
    return taken


def fill(data: Path, total: int) -> str:
    """Make a data folder with so many IVRs. Return it with an access token."""
    data.mkdir()
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    migrate(database)
    with database.changing() as change:
        for start in range(1, total + 1, BATCH):
            rows = [ivr_row(ident) for ident in range(start, min(start + BATCH, total + 1))]
            change.connection.execute(OBJECTS["ivr"].insert(), rows)
            owners = [{"number": row["number"], "kind": "ivr", "object_id": row["id"]} for row in rows]
            change.connection.execute(NUMBER.insert(), owners)
        change.connection.execute(COUNTER.update().where(COUNTER.c.kind == "ivr").values(last=total))
        clients.add(change.connection, "bench", "bench", "bench")
        policy = tokens.TokenPolicy(access_life=7200)
        pair = tokens.issue(change.connection, policy, "bench", int(time.time()))
    database.close()
    if not isinstance(pair, tokens.TokenPair):
        raise TypeError(pair)
    return pair.access


def ivr_row(ident: int) -> dict[str, object]:
    number, name = str(ident * 7919 % 9_999_991), f"Menu {ident * 104_729 % 1_000_003}"
    values = KINDS["ivr"].parse(
        {
            "number": number,
            "name": name,
            "prompt": "default",
            "prompt_repeat": 3,
            "resp_timeout": 5,
            "digit_timeout": 3,
            "dial_ext_option": "all",
        }
    )
    return {"id": ident, **values, "number_order": number_key(number), "name_order": name_key(name)}


@contextmanager
def openivr(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    base = f"http://127.0.0.1:{free_port()}"
    command = python(
        "-m", "openivr", "api", "--data", str(data), "--http", base.removeprefix("http://"), *options
    )
    with running(*command, url=f"{base}/readyz") as process:
        yield process, base


def fetch(base: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(base.removeprefix("http://"))
    connection.request("GET", path, headers={"User-Agent": "bench"})
    body = connection.getresponse().read()
    connection.close()
    return body


def compare(total: int, path: str, bare: str, size: int) -> None:
    """Run the bare server and ours alternately, with first pages and random pages, under the same load."""
    first = f"{path}&page=1&page_size=20&sort_by=id&order_by=asc"
    runs: dict[str, list[Load]] = {"bare": [], "first page": [], "random pages": []}
    for _ in range(RUNS):
        runs["bare"].append(put_load(bare, SCRIPT, SECONDS, TOTAL=0))
        runs["first page"].append(put_load(first, SCRIPT, SECONDS, TOTAL=0))
        runs["random pages"].append(put_load(path, SCRIPT, SECONDS, TOTAL=total))
    loads = {name: median(found) for name, found in runs.items()}
    yardstick = loads["bare"]
    rows = [row(name, load, yardstick) for name, load in loads.items()]
    head = ("", "requests/s", "share of bare", "p50 ms", "p99 ms", "p99 / bare", "errors")
    print_table(f"ivr/list, {total:,} IVRs, 20 rows a page ({size} bytes)", head, rows)


def row(name: str, load: Load, bare: Load) -> Sequence[object]:
    share, tail = load.rate / bare.rate, load.p99 / bare.p99
    return (
        name,
        f"{load.rate:,.0f}",
        f"{share:.2f}",
        f"{load.p50:.2f}",
        f"{load.p99:.2f}",
        f"{tail:.2f}",
        load.errors,
    )


def changes(base: str, token: str, total: int, path: str) -> None:
    """Measure creates and updates one after the other, then updates while the list is read at full speed."""
    created = timed(base, token, "create", [new_ivr(at) for at in range(200)])
    first = total + 1
    updated = timed(base, token, "update", [{"id": first, "name": f"Renamed {at}"} for at in range(200)])
    found: list[Load] = []
    reader = threading.Thread(target=lambda: found.append(put_load(path, SCRIPT, SECONDS + 2, TOTAL=total)))
    reader.start()
    during = timed(base, token, "update", [{"id": first, "name": f"Again {at}"} for at in range(100)])
    reader.join()
    rows = [
        ("create", f"{1 / statistics.mean(created):,.0f}", f"{statistics.median(created) * 1000:.1f}", ""),
        ("update", f"{1 / statistics.mean(updated):,.0f}", f"{statistics.median(updated) * 1000:.1f}", ""),
        (
            "update under full load",
            f"{1 / statistics.mean(during):,.0f}",
            f"{statistics.median(during) * 1000:.1f}",
            f"{found[0].worst:.1f}",
        ),
    ]
    head = ("", "per second", "median ms", "slowest list request meanwhile, ms")
    print_table(f"Changes with {total:,} IVRs, one client", head, rows)


def timed(base: str, token: str, action: str, bodies: list[dict[str, object]]) -> list[float]:
    """Return the seconds of each request, over one connection."""
    connection = http.client.HTTPConnection(base.removeprefix("http://"))
    found = []
    for body in bodies:
        started = time.perf_counter()
        connection.request(
            "POST",
            f"/openapi/v1.0/ivr/{action}?access_token={token}",
            json.dumps(body),
            {"User-Agent": "bench", "Content-Type": "application/json"},
        )
        answer = json.loads(connection.getresponse().read())
        found.append(time.perf_counter() - started)
        if answer["errcode"]:
            raise ValueError(answer)
    connection.close()
    return found


def new_ivr(at: int) -> dict[str, object]:
    return {
        "number": f"00{at:05d}",
        "name": f"New {at}",
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 3,
        "dial_ext_option": "all",
    }


if __name__ == "__main__":
    main()
