"""Telephones as load: the program in `caller/`, compiled when it is needed, and what it found.

    python -m bench.phones 127.0.0.1:5060 --calls 300 --number 6200
    python -m bench.phones 127.0.0.1:10000 --bare --calls 300    # RTP alone, to ports 10000, 10002, ...

runs it by hand, on the load's core; it prints JSON lines. Times are in milliseconds.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.machine import LOAD_CORE, need

SOURCE = Path(__file__).parent / "caller"
PROGRAM = SOURCE.parents[1] / "build" / "caller"

Found = dict[str, Any]


def build() -> Path:
    """The program, compiled again if its source has changed."""
    sources = sorted(SOURCE.glob("*.c"))
    newest = max(path.stat().st_mtime for path in [*sources, SOURCE / "caller.h"])
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < newest:
        PROGRAM.parent.mkdir(exist_ok=True)
        command = [need("gcc"), "-O2", "-Wall", "-Wextra", "-std=c11", "-o", PROGRAM, *sources, "-lm"]
        subprocess.run([*map(str, command)], check=True)
    return PROGRAM


def command(*arguments: object) -> list[str]:
    return ["taskset", "-c", LOAD_CORE, str(build()), *map(str, arguments)]


def place_calls(*arguments: object, tell: Callable[[Found], object] = lambda line: None) -> Found:
    """Place calls and give what was measured. `tell` gets each line as it comes."""
    measured: Found = {}
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as phones:
        try:
            for text in phones.stdout or ():
                line: Found = json.loads(text)
                tell(line)
                if line["what"] in {"measured", "ended"}:  # the last line knows also how the calls ended
                    measured = line
        except BaseException:
            phones.kill()
            raise
    if phones.returncode or not measured:
        sys.exit("the telephones failed")
    return measured


def open_files_allowed() -> None:
    """Let this process and those that it starts have as many sockets as the system allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    open_files_allowed()
    sys.exit(subprocess.run(command(*sys.argv[1:]), check=False).returncode)


if __name__ == "__main__":
    main()
