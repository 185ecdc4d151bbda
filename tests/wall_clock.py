"""A wall clock that a test moves, as a server process sees it; steady clocks go on as they are."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


class WallClock:
    """The environment of a process whose wall clock is moved, and how far it is."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("gcc")
        if compiler is None:
            if os.environ.get("CI"):
                raise AssertionError('gcc is missing (Debian: "gcc" and "libc6-dev")')
            pytest.skip("needs gcc")
        library, self._file = folder / "wall_clock.so", folder / "wall_clock.offset"
        self.move(0)
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(self._file)}

    def move(self, seconds: float) -> None:
        """Let the clock be so many seconds ahead of the right time, from now on."""
        offset = int(seconds * 1e9).to_bytes(8, "little", signed=True)
        file = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(file, offset, 0)
        os.close(file)
