"""Phones as load: compiles and runs the program in `caller/`, and reads its results.

    python -m bench.phones 127.0.0.1:5060 --calls 300 --number 6200
    python -m bench.phones 127.0.0.1:10000 --bare --calls 300    # RTP alone, to ports 10000, 10002, ...

runs it by hand on the load's core. It prints JSON lines with times in milliseconds.
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
    """Return the program, compiled again if its source has changed."""
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
    """Make calls and return the results. `tell` is called with each line as it arrives."""
    measured: Found = {}
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as phones:
        try:
            for text in phones.stdout or ():
                line: Found = json.loads(text)
                tell(line)
                if line["what"] in {"measured", "ended"}:  # the last line also has the ends of calls
                    measured = line
        except BaseException:
            phones.kill()
            raise
    if phones.returncode or not measured:
        sys.exit("the phones failed")
    return measured


def open_files_allowed() -> None:
    """Raise the limit of open files of this process and its children as far as the system allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    open_files_allowed()
    sys.exit(subprocess.run(command(*sys.argv[1:]), check=False).returncode)


if __name__ == "__main__":
    main()
