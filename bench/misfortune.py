"""Holds calls while the database stops, hangs and restarts, the clock jumps and the disk fills.

    python -m bench.misfortune [--minutes N] [--calls N]

Needs root, for a small disk, and Debian's "postgresql" and "gcc". Prints what happens, and in the end the
calls that were refused or lost and the records that are missing. The exit status is 0 if all are 0, and if
at most one call in a hundred was without audio for a second.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from bench.machine import need
from bench.office import FIRST_SOURCE, MENU, SOURCES, descendants, serve
from bench.phones import Found, open_files_allowed, place_calls
from openivr.store.database import Database
from openivr.store.tables import CALL
from tests import postgres
from tests.small_disk import SmallDisk, small_disk
from tests.wall_clock import WallClock

HOUR, DAY = 3600, 86_400
DISK_MIB = 64
RATE = 50  # calls started per second until all are up
HOLD = 20  # seconds of a call
DRAIN_SECONDS = 120  # for the last records to be stored
LOST = ("unanswered", "dropped", "missed_byes")


class PostgreSQL:
    """A PostgreSQL server that is stopped, paused and started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"

    def control(self, *words: str) -> None:
        programs = postgres.find_programs()
        assert programs is not None
        flags = f"-c listen_addresses= -k {self.folder} -c dynamic_shared_memory_type=mmap"
        start = ("-o", flags, "-l", str(self.folder / "log")) if words[0] in {"start", "restart"} else ()
        postgres.run(programs / "pg_ctl", "-w", "-D", self.data, *words, *start)

    def signal(self, signum: signal.Signals) -> None:
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        for process in descendants(pid):
            os.kill(process, signum)


@dataclass(frozen=True, slots=True)
class Misfortune:
    """Something that happens at a share of the time."""

    at: float
    name: str
    act: Callable[[], object]


def plan(database: PostgreSQL, clock: WallClock, disk: SmallDisk) -> list[Misfortune]:
    """List what happens, in order. Each comes to an end before the next."""
    return [
        Misfortune(0.05, "PostgreSQL stops", partial(database.control, "stop", "-m", "fast")),
        Misfortune(0.20, "PostgreSQL starts", partial(database.control, "start")),
        Misfortune(0.25, "PostgreSQL hangs", partial(database.signal, signal.SIGSTOP)),
        Misfortune(0.35, "PostgreSQL goes on", partial(database.signal, signal.SIGCONT)),
        Misfortune(0.40, "PostgreSQL restarts", partial(database.control, "restart", "-m", "immediate")),
        Misfortune(0.45, "the clock is 2 hours ahead", partial(clock.move, 2 * HOUR)),
        Misfortune(0.50, "the clock is an hour behind", partial(clock.move, -HOUR)),
        Misfortune(0.55, "the clock is 400 days ahead", partial(clock.move, 400 * DAY)),
        Misfortune(0.60, "the clock is right", partial(clock.move, 0)),
        Misfortune(0.65, "the disk is full", disk.fill),
        Misfortune(0.80, "the disk has space", disk.empty),
    ]


def carry_out(misfortunes: Sequence[Misfortune], seconds: float, base: str, ended: threading.Event) -> None:
    """Let everything happen at its time, and print it with what the server says of itself."""
    began = time.monotonic()
    for misfortune in misfortunes:
        if ended.wait(max(0.0, began + misfortune.at * seconds - time.monotonic())):
            return
        misfortune.act()
        print(f"{time.monotonic() - began:6.1f} s  {misfortune.name}", flush=True)
        if not ended.wait(3.0):
            print(f"{'':9}/readyz: {ready(base)}", flush=True)


def ready(base: str) -> str:
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=5) as answer:
            return str(answer.read().decode()).strip().replace("\n", ", ")
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode().strip()}"
    except OSError as error:
        return f"no answer: {error}"


def tell(line: Found) -> None:
    """Print a report of the phones."""
    if line["what"] in {"settled", "progress", "measured"}:
        failed = ", ".join(f"{line[name]} {name}" for name in ("refused", *LOST, "silent") if line[name])
        print(f"{'':9}{line['calls']} calls up, {line['answered']} answered, {failed or 'none failed'}")


def count_records(url: str) -> tuple[int, int]:
    """Return how many records there are, and how many of them are of calls that have ended."""
    database = Database(url)
    try:
        with database.reading() as connection:
            total = connection.execute(select(func.count()).select_from(CALL)).scalar_one()
            ended = select(func.count()).select_from(CALL).where(CALL.c.ended.is_not(None))
            return total, connection.execute(ended).scalar_one()
    finally:
        database.close()


def wait_for_records(url: str, expected: int) -> int:
    """Return the number of records of ended calls, once it is as expected or the time is up."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        ended = count_records(url)[1]
        if ended >= expected or time.monotonic() > deadline:
            return ended
        time.sleep(0.5)


def run(minutes: float, calls: int) -> bool:
    """Hold calls while all of it happens. Return True if nothing was refused or lost."""
    need("gcc")
    with (
        postgres.running() as socket,
        tempfile.TemporaryDirectory(prefix="openivr-misfortune-") as name,
        small_disk(Path(name) / "data", DISK_MIB) as disk,
    ):
        folder, phone = Path(name), 5080
        clock, url = WallClock(folder), postgres.create_database(socket, "misfortune")
        database = PostgreSQL(Path(socket))
        options = ("--min-free", "8")
        seconds = 60 * minutes
        with serve(folder, phone, *options, database=url, environment=clock.environment) as server:
            ended = threading.Event()
            arguments = (plan(database, clock, disk), seconds, f"http://127.0.0.1:{server.http}", ended)
            happening = threading.Thread(target=carry_out, args=arguments)
            happening.start()
            try:
                found = place_calls(
                    *(f"127.0.0.1:{server.sip}", "--local", FIRST_SOURCE, "--sources", SOURCES),
                    *("--sip-port", phone, "--number", MENU, "--calls", calls, "--rate", RATE),
                    *("--hold", HOLD, "--keys", 5, "--settle", 1, "--seconds", seconds, "--report", 30),
                    tell=tell,
                )
            finally:
                ended.set()
                happening.join()
            records = wait_for_records(url, found["begun"])
            if records < found["begun"]:
                shutil.copy(server.log, "build/misfortune.log")
                print("the server's log is in build/misfortune.log")
    refused, lost = int(found["refused"]), sum(int(found[what]) for what in LOST)
    missing = int(found["begun"]) - records
    print(f"\n{found['begun']} calls, {found['answered']} answered, {found['keys']} keys")
    print(f"calls refused: {refused}")
    print(f"calls lost: {lost}")
    print(f"records lost: {missing}")
    print(f"seconds without audio: {found['silent']}")  # of single calls: some, where the machine is busy
    return refused == lost == missing == 0 and int(found["silent"]) <= int(found["answered"]) / 100


def main(words: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.misfortune", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calls", type=int, default=300)
    arguments = parser.parse_args(words)
    open_files_allowed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that started servers are ended too
    sys.exit(not run(arguments.minutes, arguments.calls))


if __name__ == "__main__":
    main(sys.argv[1:])
