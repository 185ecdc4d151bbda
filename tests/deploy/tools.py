"""Programs of Debian packages that the examples in deploy/ are for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
SECONDS = 60


def require(program: str, package: str) -> str:
    """Return the path of a program. Without it the test is skipped, in CI it fails."""
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        message = f"needs {program} (Debian: apt-get install {package})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return path


def run(*command: str | Path, folder: Path | None = None) -> str:
    """Run a command to its end and return its output; it must succeed."""
    done = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
