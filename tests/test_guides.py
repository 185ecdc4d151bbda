"""docs/calls.md is true: its commands, options, files and numbers are those of the program."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import openivr
from openivr.cli import main
from openivr.config.settings import Settings
from openivr.ivr.model import IvrSnapshot
from openivr.resources import KINDS
from openivr.server.bootstrap import prepare
from openivr.store.caches import loaded_config
from openivr.store.database import Database

TEXT = (Path(__file__).parents[1] / "docs" / "calls.md").read_text()


def commands() -> Iterator[list[str]]:
    """Yield the commands of the page, without comments and redirections."""
    for line in re.findall(r"^    (openivr .*)$|`(openivr [^`]*)`", TEXT, re.MULTILINE):
        words = shlex.split("".join(line), comments=True)
        yield [word for word in words[1:] if not word.startswith("2>")]


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that these words call, and its arguments."""
    command: click.Command = main
    while isinstance(command, click.Group) and words:
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            break
        command, words = below, words[1:]
    return command, words


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_can_be_given_so(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("question.wav", "secret", "chain.pem", "trunk.yaml"):
        Path(name).touch()
    command, arguments = find(words)
    assert command is not main
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= known
    if "question.wav" not in arguments:  # it is read when it is given
        command.make_context("openivr", arguments).close()


def test_every_option_in_the_text_is_one() -> None:
    known = {name for words in commands() for parameter in find(words)[0].params for name in parameter.opts}
    assert set(re.findall(r"`(--[a-z-]+)", TEXT)) <= known


def test_the_files_are_taken(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    prepare(settings, is_demo=True)
    trunk, limits = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    for text in (trunk, trunk + limits):  # the route is the last one in the file
        file = tmp_path / "trunk.yaml"
        file.write_text(text)
        result = CliRunner().invoke(main, ["import", str(file), "--keep", "--data", str(tmp_path)])
        assert result.exit_code == 0, result.output
    database = Database(settings.url)
    with database.reading() as connection:
        rows = loaded_config.load(connection).rows
    database.close()
    [route] = [row for row in rows["outbound_route"].values() if row["name"] == "Calls with 9"]
    assert [route[name] for name in LIMITS] == [10, 200, 20]
    assert route["dial_pattern_list"] == [{"pattern": "90X.", "strip": 1, "prepend": ""}]
    assert "Carrier" in {row["name"] for row in rows["trunk"].values()}


def test_log_lines_in_the_text_are_logged() -> None:
    events = re.findall(r"`([a-z][a-z ]+)`(?: is| in) the log|in the log \(`([a-z ]+)`\)", TEXT)
    source = "".join(path.read_text() for path in (Path(openivr.__file__).parent).rglob("*.py"))
    quoted = ["".join(event) for event in events]
    assert len(quoted) > 2
    assert [event for event in quoted if f'"{event}"' not in source] == []


LIMITS = ("max_calls", "max_calls_per_hour", "max_calls_per_caller")


def test_the_limits_are_those_of_a_new_route() -> None:
    fields = {field.name: field for field in KINDS["outbound_route"].fields}
    usual = [getattr(fields[name], "default", None) for name in LIMITS]
    words = re.search(r"at most (\d+) calls at a time, (\d+) in an hour and (\d+) in an hour", TEXT)
    assert words is not None
    assert [int(word) for word in words.groups()] == usual


def test_the_firewall_opens_what_the_server_listens_on() -> None:
    serve = main.get_command(click.Context(main), "serve")
    assert serve is not None
    usual = {parameter.name: parameter.default for parameter in serve.params}
    first, last = str(usual["rtp_ports"]).split("-")
    sip, http = (re.findall(r":(\d+)", str(usual[name]))[-1] for name in ("sip", "http"))
    assert f"ufw allow {first}:{last}/udp" in TEXT
    assert f"udp dport {first}-{last} accept" in TEXT
    assert TEXT.count(f"ufw allow {sip}") == 2
    assert f"udp dport {sip} accept" in TEXT
    assert TEXT.count(f"port {http}") == 2
    for rules in re.findall(r"```\n(flush ruleset.*?)```", TEXT, re.DOTALL):
        assert rules.count("{") == rules.count("}")


def test_the_code_of_the_voicemail_is_the_usual_one() -> None:
    assert f"`{IvrSnapshot().voicemail_code}` is the voicemail" in TEXT
