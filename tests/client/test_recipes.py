"""The programs of docs/client.md, each run as it stands there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openivr.client import BlockingClient

from .conftest import QUICK, Pbx, open_demo
from .test_pull import sound

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
PROGRAMS = {
    section.partition("\n")[0]: section.partition("```python\n")[2].partition("```")[0]
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)
    if "```python" in section
}
Run = Callable[..., str]


@pytest.fixture
def run(fresh_pbx: Pbx, tmp_path: Path) -> Run:
    """Runs the program under a heading, in a folder of its own; its output."""

    def run(heading: str, *arguments: str, **more: str) -> str:
        url, (id_, secret) = fresh_pbx.url, fresh_pbx.account
        environment = {"PBX_URL": url, "PBX_ID": id_, "PBX_SECRET": secret, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAMS[heading], *arguments],
            env=environment | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


@pytest.fixture
def client(fresh_pbx: Pbx) -> Iterator[BlockingClient]:
    with fresh_pbx.client() as client:
        yield client


def test_blocking_and_async(run: Run) -> None:
    assert run("Blocking and async").splitlines()[:2] == ["4", "6202 VoicePrompt"]


def test_list_all_menus(run: Run) -> None:
    assert [line.split()[0] for line in run("List all menus").splitlines()] == [
        "6200",
        "6201",
        "6202",
        "6203",
    ]


def test_export_everything_every_night(run: Run, client: BlockingClient, tmp_path: Path) -> None:
    run("Export everything every night")
    (file,) = tmp_path.glob("menus-*.json")
    menus = json.loads(file.read_text())
    assert menus == [{"id": row.id, **client.ivr.get(row.id).body()} for row in client.ivr.each()]


def test_change_a_greeting(run: Run, client: BlockingClient, tmp_path: Path) -> None:
    (tmp_path / "closed.wav").write_bytes(sound())
    before = client.ivr.get(3)
    run("Change a greeting at six o'clock", "6200", "closed.wav")
    (tmp_path / "closed.wav").unlink()  # uploaded once
    run("Change a greeting at six o'clock", "6200", "closed.wav")
    assert client.ivr.get(3).body() == before.body() | {"prompt": "closed.wav"}
    assert client.ivr.get(1).prompt == "default"
    assert client.custom_prompt.download(client.custom_prompt.list().data[0].id) == sound()


def test_find_menus_that_lead_nowhere(run: Run, client: BlockingClient) -> None:
    assert run("Find menus that lead nowhere") == ""
    body = client.ivr.get(1).body() | {"number": "6298", "name": "Lost"}
    for name in body:
        if name.startswith("press"):
            body[name] = ""
    client.ivr.create(**body)
    client.ivr.create(**body | {"number": "6299", "dial_ext_option": "all"})
    assert run("Find menus that lead nowhere") == "6298 Lost leads nowhere\n"


def test_copy_a_menu(run: Run, client: BlockingClient, tmp_path: Path) -> None:
    with (
        open_demo(tmp_path / "other") as other,
        BlockingClient(other.url, *other.account, QUICK) as there,
    ):
        group = there.ringgroup.get(1)
        there.ringgroup.create(**group.body() | {"number": "6301", "name": "Second"})
        client.ringgroup.create(**group.body() | {"number": "6309", "name": "Filler"})
        mine = client.ringgroup.create(**group.body() | {"number": "6301", "name": "Second"})
        keys = {"press7_dest": "ring_group", "press7_dest_value": str(mine)}
        body = client.ivr.get(3).body()
        gone = client.ivr.create(**body | {"number": "6260", "name": "Not there"})
        more = {"press8_dest": "ivr", "press8_dest_value": str(gone), "number": "6250", "name": "Copy me"}
        client.ivr.create(**body | keys | more)
        where = {"TO_URL": other.url, "TO_ID": other.account[0], "TO_SECRET": other.account[1]}
        id_ = int(run("Copy a menu to another PBX", "6250", **where).split()[1])
        copy = there.ivr.get(id_)
        assert (copy.number, copy.name) == ("6250", "Copy me")
        assert there.ringgroup.get(int(copy.keys["7"].value)).number == "6301"
        assert copy.keys["7"].value != str(mine)
        assert "8" not in copy.keys
        assert copy.dial_ext_option == "disable"


def test_every_program_is_run() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == 6
