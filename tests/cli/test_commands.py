"""Commands as people and scripts call them."""

import json
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from openivr.cli import COMMANDS, main
from openivr.clock import LIFETIME_FILE, read_boot_id, steady
from openivr.resources.secret import fingerprint
from openivr.server import control_socket
from openivr.store.auth import tokens
from openivr.store.database import Database
from openivr.store.tables import TOKEN
from tests.live_server import SECRET, Api, Running, prepared_data, start


def run(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], env=environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_the_printed_curl_line_works_when_pasted(tmp_path: Path) -> None:
    server = start(tmp_path)
    assert server.process.stdout is not None
    line = server.process.stdout.readline().strip()
    assert line.startswith("curl ")
    shell = subprocess.run(["bash", "-c", line], check=False, capture_output=True, text=True, timeout=60)
    answer = shell.stdout
    assert '"total_number":4' in answer
    assert '"number":"6202"' in answer
    server.stop()


def test_a_token_is_good_at_once_and_any_number_may_be_asked_for(server: Running) -> None:
    for _ in range(12):
        token = run("token", "--data", server.data).output.strip()
    other = Api(server.address, token)
    assert other.get("ivr/list")["errcode"] == 0
    other.close()


def test_f5_a_token_lives_by_the_clock_of_the_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(prepared_data(is_demo=False), data)
    ahead = time.time() + 3600  # after the wall clock went back an hour
    (data / LIFETIME_FILE).write_text(json.dumps([ahead, steady(), read_boot_id()]))
    command = [sys.executable, "-m", "openivr", "token", "--data", str(data)]
    token = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    with database.reading() as connection:
        expires = tokens.live_tokens(connection, 0)[fingerprint(token)]
    database.close()
    assert abs(expires - ahead - 1800) < 60


def test_a13_a_token_is_printed_again_while_it_lives(server: Running) -> None:
    first, second = (run("token", "--data", server.data).output.strip() for _ in range(2))
    assert first == second
    kept = server.data / "cli-token"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (first, 0o600)
    soon = update(TOKEN).values(access_expires=int(time.time()) + 299)
    with server.database() as database, database.changing("auth") as change:
        change.connection.execute(soon.where(TOKEN.c.client_id == "openivr-token"))
    third = run("token", "--data", server.data).output.strip()
    assert third != first
    kept.write_bytes(b"\xff")
    fourth = run("token", "--data", server.data).output.strip()
    assert fourth not in {first, third}
    for token in (first, third, fourth):
        other = Api(server.address, token)
        assert other.get("ivr/list")["errcode"] == 0
        other.close()


def test_a13_a_client_whose_tokens_are_used_up_is_logged_out(server: Running) -> None:
    server.add_client("crowded")
    other = Api(server.address)
    login = {"username": "crowded", "password": SECRET}
    pairs = [other.post("get_token", login) for _ in range(8)]
    assert other.post("get_token", login)["errcode"] == 60002
    assert run("client", "log-out", "crowded", "--data", server.data).output == "ended 8 tokens of crowded\n"
    other.token = pairs[0]["access_token"]
    assert other.get("ivr/list")["errcode"] == 10004
    other.token = ""
    assert other.post("refresh_token", {"refresh_token": pairs[1]["refresh_token"]})["errcode"] == 10004
    assert other.post("get_token", login)["errcode"] == 0
    other.close()
    assert run("client", "log-out", "nobody", "--data", server.data).exit_code != 0


def test_clients_come_and_go(server: Running, api: Api) -> None:
    added = run("client", "add", "CRM", "--id", "crm", "--secret", "its secret", "--data", server.data)
    assert "secret  its secret" in added.output
    assert api.post("get_token", {"username": "crm", "password": "its secret"})["errcode"] == 0
    listed = run("client", "list", "--data", server.data)
    assert "CRM" in listed.output
    assert "its secret" not in listed.output
    again = run("client", "add", "CRM", "--data", server.data)
    assert again.exit_code != 0
    assert "is used by client CRM" in again.output
    assert run("client", "revoke", "CRM", "--data", server.data).exit_code == 0
    assert api.post("get_token", {"username": "crm", "password": "its secret"})["errcode"] == -1
    assert run("client", "revoke", "CRM", "--data", server.data).exit_code != 0


def test_the_allow_list_is_kept(server: Running, api: Api) -> None:
    assert run("allow", "list", "--data", server.data).output == "allowed  all addresses\n"
    assert run("allow", "add", "192.0.2.7/24", "--data", server.data).output == "allowed 192.0.2.0/24\n"
    assert api.get("ivr/list")["errcode"] == 70087
    assert run("allow", "add", "nonsense", "--data", server.data).exit_code == 2
    assert run("allow", "remove", "192.0.2.0/24", "--data", server.data).exit_code == 0
    assert api.get("ivr/list")["errcode"] == 0


def test_a_file_goes_out_and_in(server: Running, api: Api, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    assert run("export", file, "--data", server.data).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    file.write_text(text.replace("name: VoicePrompt", "name: Spoken"))
    dry = run("import", file, "--dry-run", "--data", server.data)
    assert "update  ivr 6202  (name: VoicePrompt → Spoken)" in dry.output
    assert api.get("ivr/list")["data"][0]["name"] == "VoicePrompt"
    assert run("import", file, "--data", server.data).exit_code == 0
    assert api.get("ivr/list")["data"][0]["name"] == "Spoken"
    file.write_text(text)
    assert run("import", file, "--data", server.data).exit_code == 0
    assert run("export", "-", "--data", server.data).output == text


def test_a_mistake_in_a_file_is_told_by_line(server: Running, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    run("export", file, "--data", server.data)
    lines = file.read_text().splitlines()
    at = next(at for at, line in enumerate(lines) if "resp_timeout" in line)
    lines[at] = "  resp_timeout: 99"
    file.write_text("\n".join(lines))
    result = run("import", file, "--data", server.data)
    assert result.exit_code == 1
    assert f"config.yaml:{at + 1}: resp_timeout must be from 1 to 10" in result.output
    assert "nothing was changed" in result.output


def test_a_backup_comes_back_under_a_running_server(server: Running, api: Api, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert run("backup", copy, "--data", server.data).exit_code == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    assert run("backup", copy, "--data", server.data).exit_code == 1
    before = api.get("ivr/list")
    api.post("ivr/update", {"id": 1, "name": "Changed"})
    assert api.get("ivr/list") != before  # the server has read the change, which no log has after the restore
    assert run("restore", copy, "--yes", "--data", server.data).exit_code == 0
    assert api.get("ivr/list") == before
    junk = tmp_path / "junk"
    junk.write_text("not a database, but long enough to be one" * 10)
    refused = run("restore", junk, "--yes", "--data", server.data)
    assert refused.exit_code == 1
    assert "is not a backup" in refused.output


def test_a_backup_is_restored_into_a_new_folder(server: Running, tmp_path: Path) -> None:
    run("backup", tmp_path / "copy", "--data", server.data)
    assert run("restore", tmp_path / "copy", "--yes", "--data", tmp_path / "new").exit_code == 0
    expected = run("export", "-", "--data", server.data).output
    assert run("export", "-", "--data", tmp_path / "new").output == expected


NEEDS_DATA: dict[str, list[str]] = {  # every command that works on data, and what it is called with
    "calls list": [],
    "calls show": ["abc"],
    "calls bans": [],
    "call": ["6200"],
    "hours": [],
    "hours switch": ["closed"],
    "hours import": ["FILE"],
    "hours holidays": ["--country", "DE"],
    "announce": [],
    "announce play": ["default", "--before", "6200", "--until", "2199-01-01"],
    "announce stop": ["Storm"],
    "mail": [],
    "mail set": ["--server", "mail.example.com", "--sender", "pbx@example.com"],
    "mail off": [],
    "mail test": ["sam@example.com"],
    "mail list": [],
    "mail resend": ["voicemail-1"],
    "simulate call": ["6200"],
    "simulate replay": ["FILE"],
    "simulate test": [],
    "check": [],
    "route": ["441632960000"],
    "graph": [],
    "client add": ["CRM"],
    "client list": [],
    "client log-out": ["CRM"],
    "client revoke": ["CRM"],
    "allow add": ["192.0.2.1"],
    "allow remove": ["192.0.2.1"],
    "allow list": [],
    "allow unblock": ["192.0.2.1"],
    "admin reset-password": [],
    "token": [],
    "export": ["-"],
    "import": ["FILE", "--keep"],
    "backup": ["copy"],
    "diff": [],
}
BRINGS_DATA = {"serve", "api", "calls run", "import", "pull", "restore"}


def test_f19_every_command_is_known() -> None:
    names = {
        path.removeprefix("openivr ")
        for path, command in all_commands(main)
        if "data" in [parameter.name for parameter in command.params]
    }
    assert names == NEEDS_DATA.keys() | BRINGS_DATA


def list_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("has_file", [False, True], ids=["no folder", "an empty file"])
@pytest.mark.parametrize("command", [name for name in NEEDS_DATA if name != "diff"])
def test_f19_a_command_makes_no_data(
    command: str, has_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document: Any = {"events": [], "commands": []} if "replay" in command else {"openivr": 1}
    Path("file").write_text(json.dumps(document))
    if has_file:
        Path("data").mkdir()
        Path("data/openivr.db").touch()  # as an earlier release left it behind
    before = list_files(tmp_path)
    words = [*command.split(), *(word.replace("FILE", "file") for word in NEEDS_DATA[command])]
    result = run(*words, "--data", "data")
    assert result.exit_code == 1, result.output
    bans = "no server is running calls on the data in data"
    said = "there is no data in data; start `openivr serve --data data`"
    assert (bans if command == "calls bans" else said) in result.output
    assert list_files(tmp_path) == before
    if has_file:
        assert Path("data/openivr.db").stat().st_size == 0


def test_f19_an_import_says_that_it_makes_a_database(
    tmp_path: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("export", "file", "--data", server.data).exit_code == 0
    before = list_files(tmp_path)
    dry = run("import", "file", "--dry-run", "--data", "data")
    assert "create  ivr 6200" in dry.output
    assert list_files(tmp_path) == before
    Path("wrong").write_text("openivr: 1\nivr:\n- number: x\n")
    refused = run("import", "wrong", "--data", "data")
    assert "nothing was changed" in refused.output
    assert not Path("data").exists()
    done = run("import", "file", "--data", "data")
    assert "creating a new database in data" in done.output
    assert Path("data").stat().st_mode & 0o777 == 0o700
    assert run("export", "-", "--data", "data").output == Path("file").read_text()
    again = run("import", "file", "--data", "data")
    assert "creating" not in again.output


def test_f19_a_backup_that_is_none_makes_no_data(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a database, but long enough to be one" * 10)
    assert run("restore", junk, "--yes", "--data", tmp_path / "new").exit_code == 1
    assert list_files(tmp_path) == [junk]


def test_options_come_from_the_environment_and_a_file(server: Running, tmp_path: Path) -> None:
    assert "openivr: 1" in run("export", "-", OPENIVR_DATA=str(server.data)).output
    config = tmp_path / "openivr.toml"
    config.write_text(f"data = {str(server.data)!r}\n")
    assert "openivr: 1" in run("--config", config, "export", "-").output
    other = run("--config", config, "export", "-", "--data", tmp_path / "missing")
    assert other.exit_code == 1
    assert "allowed" in run("--config", config, "allow", "list").output
    config.write_text("prot = 8088\n")
    unknown = run("--config", config, "export", "-")
    assert unknown.exit_code == 2
    assert "no command has an option prot" in unknown.output
    config.write_text("not toml")
    broken = run("--config", config, "export", "-")
    assert broken.exit_code == 2
    assert str(config) in broken.output


def test_help_is_fast_because_it_imports_little(tmp_path: Path) -> None:
    code = "import sys; from openivr.cli import main; main(['--help'], standalone_mode=False);"
    code += "print(sorted({n.split('.')[0] for n in sys.modules} & {'sqlalchemy', 'uvicorn', 'numpy'}))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    assert out.splitlines()[-1] == "[]", shlex.quote(out)


def all_commands(command: click.Command, path: str = "openivr") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below is not None
            yield from all_commands(below, f"{path} {name}")


def test_every_command_and_option_has_help() -> None:
    silent = []
    for path, command in all_commands(main):
        options = [option for option in command.params if isinstance(option, click.Option)]
        silent += [f"{path} {option.opts[0]}" for option in options if not option.help]
        silent += [] if command.help else [path]
    assert silent == []


def test_a_server_that_does_not_respond_is_not_called_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_socket, "SECONDS", 0.01)
    path = tmp_path / control_socket.NAME
    with socket.socket(socket.AF_UNIX) as silent, control_socket.address_of(path) as address:
        silent.bind(address)
        silent.listen()
        result = CliRunner().invoke(main, ["calls", "bans", "--data", str(tmp_path)])
    assert (result.exit_code, "did not respond" in result.output) == (1, True)
    result = CliRunner().invoke(main, ["calls", "bans", "--data", str(tmp_path)])
    assert (result.exit_code, "no server is running" in result.output) == (1, True)
