"""Measures calls: capacity, response times and jitter, beside Asterisk in the same run if available.

    python -m bench.calls [--asterisk WHERE] [--only NAME,...] [--runs N] [--calls N] [--rates N,...]
    python -m bench.calls --soak MINUTES [--calls N]

The server has one core with all its processes, the callers have the other. `bench/asterisk.py` says what
WHERE can be; an `asterisk` on the PATH is used by default. Every trial is also a line in
build/bench-calls.jsonl.
"""

import argparse
import json
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from bench.asterisk import asterisk
from bench.machine import free_port, memory, print_table, resident
from bench.office import CALLEE, FIRST_SOURCE, MENU, SOURCES, cpu_seconds, descendants, open_files, openivr
from bench.phones import PROGRAM, Found, open_files_allowed, place_calls

EVEN = 5.0  # ms of jitter at p99, not audible
QUICK = 20.0  # ms from INVITE to 200 at p99 under which a rate of calls counts as carried
SECONDS = 8
FEW = 300  # calls of a moderate load
LOADS = (300, 1000, 2000)  # callers in a menu for the costs per caller
TRIES = 2  # of a step that fails: on a shared machine one failure says little
RAMP = 100  # calls started per second, unless that is measured
RATES = (100, 200, 300, 400, 600, 800, 1000, 1200, 1500)
TRIALS = PROGRAM.with_name("bench-calls.jsonl")
FAILURES = ("refused", "unanswered", "dropped", "missed_byes", "full", "silent", "unheard", "stray")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    address: str
    pid: int  # 0: not started by us
    phone: int  # the SIP port of the callers


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is tried."""

    runs: int
    calls: int  # 0: as many as can be
    rates: Sequence[int]


Start = Callable[[], AbstractContextManager[Server]]


@contextmanager
def start(
    name: str, open_server: Callable[[int], AbstractContextManager[tuple[str, int]]]
) -> Iterator[Server]:
    phone = free_port()
    with open_server(phone) as (address, pid):
        yield Server(name, address, pid, phone)


def find_servers(where: str | None) -> dict[str, Start]:
    """Return a function to start each of the compared servers."""
    found: dict[str, Start] = {"OpenIVR": partial(start, "OpenIVR", openivr)}
    if where := where or shutil.which("asterisk"):
        found["Asterisk"] = partial(start, "Asterisk", partial(asterisk, where))
    return found


def sources(server: Server) -> tuple[object, ...]:
    return server.address, "--local", FIRST_SOURCE, "--sources", SOURCES, "--sip-port", server.phone


def try_calls(server: Server, *options: object, seconds: float = SECONDS) -> Found:
    """Make calls to a server and return the results, with the server's CPU time and memory."""
    costs: list[tuple[float, float, int, float]] = []

    def weigh(line: Found) -> None:
        if server.pid and line["what"] in {"settled", "measured"}:
            usage = cpu_seconds(server.pid), memory(server.pid), open_files(server.pid)
            costs.append((*usage, time.monotonic()))

    before = memory(server.pid) if server.pid else 0
    found = place_calls(*sources(server), "--settle", 2, "--seconds", seconds, *options, tell=weigh)
    if len(costs) == 2:
        (begun, _, _, first), (used, held, files, last) = costs
        found |= {"core": (used - begun) / (last - first), "memory": held - before, "files": files}
    found |= {"server": server.name, "options": list(map(str, options)), "time": time.time()}
    with TRIALS.open("a") as log:
        log.write(json.dumps(found) + "\n")
    if found.get("late_p99", 0) > EVEN / 2:
        print(f"(the callers were {found['late_p99']:.1f} ms late: this trial says little)")
    return found


def faults(found: Found) -> str:
    """Return the faults of a trial as text; "" if there are none. Slowness is no fault."""
    wrong = [f"{found[name]} {name}" for name in FAILURES if found[name]]
    if found["lost"] > found["received"] / 1000:
        wrong.append(f"{found['lost']} packets lost")
    return ", ".join(wrong)


def is_even(found: Found, calls: int) -> bool:
    """Return True if all calls were answered, complete and on time."""
    expected = found["sent"] * 0.995
    up = found["answered"] >= calls and found["received"] >= expected
    return up and not faults(found) and found["jitter_p99"] < EVEN


def show(found: Found, *names: str) -> list[str]:
    return [f"{found[name]:.2f}" if name in found else "-" for name in names]


def middle(trials: Sequence[Found]) -> Found:
    """Return the median of every number."""
    names = [name for name, value in trials[0].items() if isinstance(value, int | float)]
    return {name: statistics.median(trial.get(name, 0) for trial in trials) for name in names}


def run_alternately(servers: dict[str, Start], runs: int, *options: object) -> dict[str, list[Found]]:
    """Run the same trial on each server in turn, several times, each time with a new server."""
    trials: dict[str, list[Found]] = {name: [] for name in servers}
    for _ in range(runs):
        for name, begin in servers.items():
            with begin() as server:
                trials[name].append(try_calls(server, *options))
    return trials


# What is measured


def menu(servers: dict[str, Start], extent: Extent) -> None:
    """Measure a moderate number of callers who hear a prompt and send audio, with continuous turnover."""
    options = ("--number", MENU, "--calls", FEW, "--rate", RAMP, "--hold", 10)
    rows = []
    for name, trials in run_alternately(servers, extent.runs, *options).items():
        found = middle(trials)
        each = found["memory"] * 1024 / FEW if "memory" in found else 0
        figures = show(found, "setup_p50", "setup_p99", "jitter_p50", "jitter_p99", "jitter_max")
        rows.append([name, *figures, f"{found.get('core', 0):.0%}", f"{each:.0f}", faults(found)])
    head = [
        "",
        "INVITE to 200 p50, ms",
        "p99",
        "jitter p50, ms",
        "p99",
        "max",
        "of a core",
        "KiB per call",
        "faults",
    ]
    print_table(f"{FEW} callers in a menu, each for 10 s", head, rows)


def keys(servers: dict[str, Start], extent: Extent) -> None:
    """Measure the time from the first packet of a key to the first packet of the next prompt."""
    options = ("--number", MENU, "--calls", FEW, "--rate", RAMP, "--keys", 2)
    rows = [
        [name, *show(middle(trials), "key_p50", "key_p99", "key_max"), faults(middle(trials))]
        for name, trials in run_alternately(servers, extent.runs, *options).items()
    ]
    print_table(f"From a key to the next prompt, {FEW} calls", ["", "p50, ms", "p99", "max", "faults"], rows)


def loads(servers: dict[str, Start], extent: Extent) -> None:
    """Measure CPU time per caller at fixed loads, up to the first load that a server does not carry."""
    rows = []
    for name, begin in servers.items():
        for calls in LOADS:
            trials = run_alternately(
                {name: begin}, extent.runs, "--number", MENU, "--calls", calls, "--rate", RAMP
            )
            found = middle(trials[name])
            core = found.get("core", 0)
            figures = [f"{core:.0%}", f"{1000 * core / calls:.2f}", *show(found, "jitter_p99")]
            rows.append([name, calls, *figures, faults(found)])
            if faults(found):
                break
    head = ["", "callers", "of a core", "ms of CPU per caller and second", "jitter p99, ms", "faults"]
    print_table("Callers in a menu at fixed loads", head, rows)


def search(trial: Callable[[int], Found]) -> int:
    """Return the largest number of calls that pass: grow by half, then bisect. Failed steps are repeated."""
    good, bad = 0, 0
    while not bad or bad - good > max(20, good // 16):
        calls = (good + bad) // 2 if bad else max(2 * FEW, good * 3 // 2)
        if passing(trial, calls) is None:
            bad = calls
        else:
            good = calls
    return good


def passing(trial: Callable[[int], Found], calls: int) -> Found | None:
    """Return the first trial that passes with so many calls; None if all TRIES fail."""
    trials = (trial(calls) for _ in range(TRIES))
    return next((found for found in trials if is_even(found, calls)), None)


def most(servers: dict[str, Start], extent: Extent, number: str, title: str, *options: object) -> None:
    """Find the largest number of calls, or take the given one, and confirm it; reduce it if that fails."""
    rows = []
    for name, begin in servers.items():

        def trial(calls: int, begin: Start = begin) -> Found:
            with begin() as server:
                return try_calls(server, "--number", number, "--calls", calls, "--rate", RAMP, *options)

        good = extent.calls or search(trial)

        def confirm(calls: int, trial: Callable[[int], Found] = trial) -> Found:
            return middle([trial(calls) for _ in range(extent.runs)])

        found = None
        while good and (found := passing(confirm, good)) is None:
            good -= max(10, good // 16)
        figures = []
        if found:
            figures = show(found, "jitter_p50", "jitter_p99", "jitter_max", "through_p50", "through_p99")
            figures += [f"{found.get('core', 0):.0%}", f"{found.get('memory', 0) * 1024 / good:.0f}"]
        rows.append([name, good, *figures])
    head = ["", "calls", "jitter p50, ms", "p99", "max", "end to end p50, ms", "p99"]
    head += ["of a core", "KiB per call"]
    print_table(title, head, rows)


def menus(servers: dict[str, Start], extent: Extent) -> None:
    title = f"Most callers in a menu with p99 jitter below {EVEN:.0f} ms"
    most(servers, extent, MENU, title)


def bridges(servers: dict[str, Start], extent: Extent) -> None:
    """Measure calls that ring a phone, which answers; audio is checked at both ends."""
    title = f"Most bridged calls with p99 jitter below {EVEN:.0f} ms"
    most(servers, extent, CALLEE, title, "--answer")


def rates(servers: dict[str, Start], extent: Extent) -> None:
    """Measure calls that start at random times, independent of earlier ones: short calls without audio."""
    rows = []
    for name, begin in servers.items():
        for rate in extent.rates:
            trials = []
            for _ in range(extent.runs):
                with begin() as server:
                    options = (
                        "--open-loop",
                        "--rate",
                        rate,
                        "--hold",
                        0.2,
                        "--no-audio",
                        "--calls",
                        4 * rate,
                    )
                    trials.append(try_calls(server, "--number", MENU, *options))
            found = middle(trials)
            rows.append([name, rate, *show(found, "setup_p50", "setup_p99", "setup_max"), faults(found)])
            if found["setup_p99"] > QUICK or faults(found):
                break
    print_table(
        "Calls started per second", ["", "per second", "INVITE to 200 p50, ms", "p99", "max", "faults"], rows
    )


def soak(minutes: float, calls: int) -> None:
    """Hold calls for long, with turnover and keys, and print memory and losses every minute."""
    started = time.monotonic()
    head = "minute  calls made  failed  lost  jitter p99  INVITE to 200 p99  memory  files  of each process"
    print(head, flush=True)

    def tell(line: Found, server: Server) -> None:
        if line["what"] not in {"settled", "progress"}:
            return
        failed = sum(line[name] for name in FAILURES)
        minute = (time.monotonic() - started) / 60
        print(
            f"{minute:6.1f}  {line['finished']:10}  {failed:6}  {line['lost']:4}  "
            f"{line.get('jitter_p99', 0):7.2f} ms  {line.get('setup_p99', 0):14.2f} ms  "
            f"{memory(server.pid):4.0f} MiB  {open_files(server.pid):5}  "
            + " ".join(f"{resident(one):.1f}" for one in descendants(server.pid)),
            flush=True,
        )

    with start("OpenIVR", openivr) as server:
        shape = ("--number", MENU, "--calls", calls, "--rate", RAMP, "--hold", 30, "--keys", 5)
        length = ("--settle", 30, "--seconds", 60 * minutes, "--report", min(60, 6 * minutes))
        found = place_calls(*sources(server), *shape, *length, tell=partial(tell, server=server))
        after = memory(server.pid)
        print(f"{found['finished']} calls, {faults(found) or 'no faults'}; afterwards {after:.0f} MiB")


def read_numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


MEASUREMENTS = {one.__name__: one for one in (menu, keys, loads, rates, menus, bridges)}


def main(words: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--asterisk", metavar="WHERE", help="directory, program or HOST:PORT")
    parser.add_argument("--only", default=",".join(MEASUREMENTS), metavar="NAME,...")
    parser.add_argument(
        "--runs", type=int, default=3, help="number of runs of each trial; medians are printed"
    )
    parser.add_argument(
        "--rates", default=RATES, type=read_numbers, metavar="N,...", help="calls per second, for rates"
    )
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="run a soak test instead")
    calls = "calls for --soak (default: 1000), menus and bridges (default: search for the largest number)"
    parser.add_argument("--calls", type=int, default=0, metavar="N", help=calls)
    arguments = parser.parse_args(words)
    open_files_allowed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that started servers are ended too
    if arguments.soak:
        soak(arguments.soak, arguments.calls or 1000)
        return
    servers = find_servers(arguments.asterisk)
    for name in arguments.only.split(","):
        MEASUREMENTS[name](servers, Extent(arguments.runs, arguments.calls, arguments.rates))


if __name__ == "__main__":
    main(sys.argv[1:])
