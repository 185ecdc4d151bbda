"""A12: the client without the server: built, installed into an empty environment, and used there."""

import json
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import openivr
from tests.client.conftest import Pbx

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]
SECONDS = 300  # for each step, on a slow machine

PROGRAM = """
import json, sys
from importlib import metadata, util
from openivr.client import BlockingClient
with BlockingClient(*sys.argv[1:]) as client:
    menus = [menu.name for menu in client.ivr.each()]
strange = ("openivr.server", "openivr.ivr", "sqlalchemy", "numpy", "uvicorn", "pip")
print(json.dumps({
    "menus": menus,
    "version": metadata.version("openivr-client"),
    "found": [name for name in strange if util.find_spec(name)],
}))
"""


def run(*command: str | Path) -> str:
    """Run a program and return what it prints."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built without a network."""
    if find_spec("hatchling") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("hatchling is missing: see CONTRIBUTING.md")
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, ROOT / "client")
    [path] = folder.glob("*.whl")
    return path


def needed(name: str, seen: set[str]) -> Iterator[str]:
    """The distributions that one needs, and those that they need."""
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in seen:
            seen.add(requirement.name)
            yield requirement.name
            yield from needed(requirement.name, seen)


def link(distributions: Iterator[str], folder: Path) -> None:
    """Put the modules of installed distributions into a folder, and no others."""
    folder.mkdir()
    for name in distributions:
        distribution = metadata.distribution(name)
        for part in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (folder / part).symlink_to(str(distribution.locate_file(part)))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the distribution and what its metadata name, nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "environment"
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        wheel,
    )
    [packages] = folder.glob("lib/python*/site-packages")
    direct = [Requirement(text).name for text in PROJECT["dependencies"]]
    seen = set(direct)
    link(iter([*direct, *(name for first in direct for name in needed(first, seen))]), folder / "needed")
    (packages / "needed.pth").write_text(f"{folder / 'needed'}\n")
    return python


def test_a12_the_client_alone_is_installed_and_used(python: Path, pbx: Pbx) -> None:
    answer = json.loads(run(python, "-I", "-c", PROGRAM, pbx.url, *pbx.account))
    assert "VoiceMenu Navigator" in answer["menus"]
    assert (answer["version"], answer["found"]) == (openivr.__version__, [])


def test_a12_it_needs_of_the_server_what_the_server_says() -> None:
    """The two lists of dependencies, and the two copies of the licence, are one."""
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {Requirement(text).name for text in PROJECT["dependencies"]} == {"httpx", "msgspec"}
    assert set(PROJECT["dependencies"]) < set(server["dependencies"])
    assert PROJECT["requires-python"] == server["requires-python"]
    assert (ROOT / "client/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
