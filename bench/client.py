"""Measures the client's page loop beside plain httpx, and a pull of 1,000 menus from another server.

Plain httpx asks for the same pages with a token that it was given, and parses the JSON; the client minds the
token, checks the envelope and the pages, and makes typed rows. Its login is not in the time.
"""

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from bench.lists import fill, openivr
from bench.machine import LOAD_CORE, core_count, print_table, python
from openivr.client import BlockingClient, Client
from openivr.store.auth import clients
from openivr.store.config import import_export
from openivr.store.database import Database
from openivr.store.schema import migrate

TOTAL, RUNS = 50_000, 5
MENUS, EXTENSIONS = 1000, 100
ACCOUNT = ("bench", "bench")
PATH, AGENT = "/openapi/v1.0/ivr/list", {"User-Agent": "bench"}


def main() -> None:
    if core_count() > 1:
        os.sched_setaffinity(0, {int(LOAD_CORE)})
    with tempfile.TemporaryDirectory() as folder:
        token = fill(Path(folder) / "list", TOTAL)
        with openivr(Path(folder) / "list") as (_, base):
            for size in (50, 1000):
                compare(base, token, size)
        measure_pull(Path(folder))


def compare(base: str, token: str, size: int) -> None:
    """Run alternately over all pages of this size."""
    loops: dict[str, Callable[[], float]] = {
        "httpx.Client": lambda: plain(base, token, size),
        "BlockingClient": lambda: blocking(base, size),
        "httpx.AsyncClient": lambda: asyncio.run(plain_async(base, token, size)),
        "Client": lambda: asyncio.run(awaiting(base, size)),
    }
    pages = -(-TOTAL // size)
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(RUNS):
        for name, loop in loops.items():
            rates[name].append(pages / loop())
    found = {name: statistics.median(some) for name, some in rates.items()}
    yardsticks = {"BlockingClient": "httpx.Client", "Client": "httpx.AsyncClient"}
    rows = [
        (name, f"{rate:,.0f}", f"{rate * size:,.0f}", f"{rate / found[yardsticks.get(name, name)]:.2f}")
        for name, rate in found.items()
    ]
    head = ("", "requests/s", "rows/s", "share of httpx")
    print_table(f"Page loop over {TOTAL:,} menus, {size} rows a page, one after the other", head, rows)


def queries(token: str, size: int) -> Iterator[dict[str, str | int]]:
    for page in range(1, -(-TOTAL // size) + 1):
        yield {"access_token": token, "page": page, "page_size": size}


def since(started: float, rows: int) -> float:
    """Return the seconds that a loop took. It must read every row."""
    if rows != TOTAL:
        raise ValueError(f"{rows} rows were read")
    return time.perf_counter() - started


def plain(base: str, token: str, size: int) -> float:
    with httpx.Client(base_url=base, headers=AGENT) as client:
        started, rows = time.perf_counter(), 0
        for query in queries(token, size):
            rows += len(client.get(PATH, params=query).json()["data"])
        return since(started, rows)


async def plain_async(base: str, token: str, size: int) -> float:
    async with httpx.AsyncClient(base_url=base, headers=AGENT) as client:
        started, rows = time.perf_counter(), 0
        for query in queries(token, size):
            rows += len((await client.get(PATH, params=query)).json()["data"])
        return since(started, rows)


def blocking(base: str, size: int) -> float:
    with BlockingClient(base, *ACCOUNT) as client:
        client.log_in()
        started = time.perf_counter()
        return since(started, sum(1 for _ in client.ivr.each(page_size=size)))


async def awaiting(base: str, size: int) -> float:
    async with Client(base, *ACCOUNT) as client:
        await client.log_in()
        started, rows = time.perf_counter(), 0
        async for _ in client.ivr.each(page_size=size):
            rows += 1
        return since(started, rows)


def measure_pull(folder: Path) -> None:
    """Pull from a server with many menus, pull again, and compare."""
    fill_office(folder / "there")
    (folder / "here").mkdir()
    options = ("--client-id", ACCOUNT[0], "--secret", ACCOUNT[1], "--data", str(folder / "here"))
    rows = []
    with openivr(folder / "there") as (_, base):
        for name, command in (("pull", "pull"), ("pull again", "pull"), ("diff", "diff")):
            started = time.perf_counter()
            done = subprocess.run(
                python("-m", "openivr", command, base, *options), capture_output=True, check=False, text=True
            )
            told = [line.strip() for line in done.stdout.splitlines() if "menus:" in line or "ivr" in line]
            seconds = time.perf_counter() - started
            rows.append((name, f"{seconds:.1f} s", done.returncode, told[0] if told else "nothing"))
    title = f"Moving {MENUS:,} menus and {EXTENSIONS} extensions from one OpenIVR to another"
    print_table(title, ("", "took", "status", "said of menus"), rows)


def fill_office(data: Path) -> None:
    """Make a data folder with menus that lead to extensions, ring groups and each other."""
    data.mkdir()
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    migrate(database)
    numbers = [str(1000 + at) for at in range(EXTENSIONS)]
    people = [extension(number) for number in numbers]
    groups = [ring_group(at, numbers) for at in range(20)]
    menus = [menu(at, numbers) for at in range(MENUS)]
    document = {"extension": people, "ring_group": groups, "ivr": menus}
    with database.changing() as change:
        plan = import_export.make_plan(
            change.connection,
            {kind: [import_export.DocumentEntry(one) for one in some] for kind, some in document.items()},
        )
        if plan.mistakes:
            raise ValueError(plan.mistakes[0])
        import_export.carry_out(change, plan)
        clients.add(change.connection, "bench", *ACCOUNT)
    database.close()


def extension(number: str) -> dict[str, object]:
    return {
        "number": number,
        "first_name": "Person",
        "last_name": number,
        "type": "SIP",
        "presence_status": "available",
        "concurrent_registrations": 1,
        "reg_name": number,
        "reg_password": "$unknown$" + number,
        "user_password": "$argon2id$nobody",
    }


def ring_group(at: int, numbers: list[str]) -> dict[str, object]:
    return {
        "number": str(6300 + at),
        "name": f"Team {at}",
        "ring_strategy": "ring_all",
        "ring_timeout": 20,
        "member_list": [f"extension {numbers[(at * 5 + one) % EXTENSIONS]}" for one in range(5)],
    }


def menu(at: int, numbers: list[str]) -> dict[str, object]:
    return {
        "number": str(70000 + at),
        "name": f"Menu {at}",
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 3,
        "dial_ext_option": "allow",
        "dial_ext_list": [f"extension {numbers[at % EXTENSIONS]}"],
        "keys": {
            "1": f"extension {numbers[at % EXTENSIONS]}",
            "2": f"ring_group {6300 + at % 20}",
            "9": f"ivr {70000 + (at + 1) % MENUS}",
            "timeout": "end_call",
        },
    }


if __name__ == "__main__":
    main()
