"""Shared by all measurements: processes pinned to a core, a load generator, tables."""

import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, LOAD_CORE = "0", "1"
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Load:
    """Result of the load generator: requests per second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    worst: float
    errors: int


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        sys.exit(f"this measurement needs {program} (Debian: apt-get install {program})")
    return path


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running(*command: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on the server's core. Yields as soon as `url` answers."""
    pinned = ["taskset", "-c", SERVER_CORE, *command]
    process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(url)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_for(url: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "bench"}), timeout=5)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def put_load(url: str, script: Path, seconds: int, **settings: object) -> Load:
    """Send keep-alive requests from the other core for some seconds, by a script of the load generator."""
    command = [need("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
    out = subprocess.run(
        ["taskset", "-c", LOAD_CORE, *command, "-H", "User-Agent: bench", url],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **{name: str(value) for name, value in settings.items()}},
    ).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return Load(
        rate=float(find(r"Requests/sec:\s+([\d.]+)", out)),
        p50=milliseconds(find(r"\n\s+50%\s+(\S+)", out)),
        p99=milliseconds(find(r"\n\s+99%\s+(\S+)", out)),
        worst=milliseconds(find(r"Latency\s+\S+\s+\S+\s+(\S+)", out)),
        errors=int(failed.group(1)) if failed else 0,
    )


def find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"the load generator's output has no {pattern}: {text}")
    return match.group(1)


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def median(loads: Sequence[Load]) -> Load:
    """Return the median of each number over several runs. Errors are added."""
    names = ("rate", "p50", "p99", "worst")
    middle = {name: statistics.median(getattr(load, name) for load in loads) for name in names}
    return Load(**middle, errors=sum(load.errors for load in loads))


def memory(pid: int) -> float:
    """Return the MiB that a process and its children use alone or share among themselves (PSS)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = sum(memory(int(child)) for child in children)
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return total + int(find(r"Pss:\s+(\d+)", rollup)) / 1024


def resident(pid: int) -> float:
    """Return the MiB of a process in memory, shared or not (RSS). Growth is a leak."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(find(r"VmRSS:\s+(\d+)", status)) / 1024


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def core_count() -> int:
    return len(os.sched_getaffinity(0))
