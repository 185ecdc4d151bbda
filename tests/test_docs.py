"""docs/api.md is true: its sessions run against a real server, and it leaves nothing out."""

import doctest
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from openivr.api.responses import MESSAGES
from openivr.cli import main
from openivr.server.http_process import all_endpoints
from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from tests.api.past_calls import internal_call, store, write_recording
from tests.live_server import Api, Running, start

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "api.md").read_text()
TOKEN = re.compile(r"\b[A-Za-z0-9]{32}\b")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A new demo, as a reader of the page has it, after one call."""
    running = start(tmp_path_factory.mktemp("docs"))
    call = internal_call(hours=0, recording="call.wav")  # that the page speaks of
    store(running, call)
    write_recording(running, call[0])
    with running.database() as database, database.writing() as connection:
        message = VoicemailMessage("vm-1-2", 2, call[0].id, "1000", call[0].started, 2_000)
        voicemail.save(connection, message, b"RIFF")
    yield running
    running.stop()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def variables(served: Running) -> dict[str, str]:
    names = {"BASE": served.base, "CLIENT_ID": served.client_id, "CLIENT_SECRET": served.client_secret}
    return names | {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def test_the_session_with_curl(served: Running) -> None:
    """Every command prints what the page shows, except tokens."""
    environment = variables(served)
    (session,) = blocks("console")
    steps = re.findall(r"^\$ (.*)\n((?:[^$\n].*\n)+)", session, re.MULTILINE)
    assert len(steps) == session.count("$ curl")
    for command, shown in steps:
        result = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        assert TOKEN.sub("TOKEN", result.stdout) == TOKEN.sub("TOKEN", shown.removesuffix("\n"))
        if "get_token" in command:
            environment["TOKEN"] = TOKEN.findall(result.stdout)[0]


def test_the_session_with_python(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(served).items():
        monkeypatch.setenv(name, value)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks("python")), {}, "docs/api.md", None, 0)
    said: list[str] = []
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.failed == 0, "".join(said)
    assert result.attempted > 40


def test_the_sessions_went_through_every_endpoint(served: Running) -> None:
    """Runs after the other two: the server's metrics have counted their requests."""
    api = Api(served.address)
    metrics = api.send("GET", "/metrics").content.decode()
    api.close()
    succeeded = set(re.findall(r'openivr_requests_total\{endpoint="([^"]+)",errcode="0"\}', metrics))
    names = {endpoint.name for endpoint in all_endpoints()}
    commands = {name for name in names if name.startswith("call/")} - {"call/query"}  # they need phones
    needs_mail_server = {"system/sendemail"}  # tests/api/test_mail.py has one
    assert names - commands - needs_mail_server <= succeeded


def test_every_endpoint_and_error_is_documented() -> None:
    for endpoint in all_endpoints():
        assert f"`{endpoint.name}`" in TEXT
    for code, message in MESSAGES.items():
        if code:
            assert f"| {code} | {message} |" in TEXT


def commands(command: click.Command, path: str = "openivr") -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all its subcommands, each with its full name."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")


def test_every_command_and_its_options_are_documented() -> None:
    pages = "".join(path.read_text() for path in [*DOCS.glob("*.md"), DOCS.parent / "README.md"])
    typed = dict(commands(main))
    names = {name for one in typed.values() for option in one.params for name in option.opts}
    assert len(typed) > 20
    assert [path for path in typed if path not in pages] == []
    assert [name for name in names if name.startswith("--") and name not in pages] == []
