"""The fail2ban filters match lines that a server has written, and no line that a client has made up."""

import http.client
import shutil
import socket
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.deploy.tools import DEPLOY, require, run
from tests.live_server import Api, Running, start

FILTERS = DEPLOY / "fail2ban" / "filter.d"
FORGED = "192.0.2.66"  # the address that a client puts into its requests
JOURNAL = "Nov 30 08:58:28 pbx openivr[4711]: "  # as journalctl shows a line


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a server after failed logins and a scan."""
    server = start(tmp_path_factory.mktemp("attacked"), command="serve")
    api = Api(server.address)
    for _ in range(3):
        assert api.post("get_token", {"username": "x", "password": "y"})["errcode"] == -1
    api.send("POST", f'/openapi/v1.0/get_token","address":"{FORGED}","errcode":-1,')
    api.close()
    sign_in(server, "wrong")
    scan(server.sip_port, "friendly-scanner")
    scan(server.sip_port, "sipvicious")
    server.expect_log("sip source banned")
    server.stop()
    return server.folder / "log"


def sign_in(server: Running, password: str) -> None:
    form = urlencode({"name": f'","event":"sign-in refused","address":"{FORGED}', "password": password})
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": server.base}
    connection.request("POST", "/sign-in", form, kind)
    assert connection.getresponse().status == 401
    connection.close()


def scan(port: int, agent: str) -> None:
    """Send a REGISTER as a scanning tool does."""
    lines = (
        f"REGISTER sip:127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK{agent}",
        "Max-Forwards: 70",
        f"From: <sip:100@{FORGED}>;tag=1",
        f"To: <sip:100@{FORGED}>",
        f"Call-ID: {agent}",
        "CSeq: 1 REGISTER",
        f"User-Agent: {agent}",
        "Content-Length: 0",
        "",
        "",
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto("\r\n".join(lines).encode(), ("127.0.0.1", port))


def matched(log: Path, name: str) -> list[str]:
    """The addresses that a filter finds in a log."""
    program = require("fail2ban-regex", "fail2ban")
    return run(program, "--out", "<ip>", log, FILTERS / f"openivr-{name}.conf").split()


def test_failed_logins_are_found(log: Path) -> None:
    assert matched(log, "login") == ["127.0.0.1"] * 4


def test_banned_sources_are_found(log: Path) -> None:
    assert matched(log, "sip") == ["127.0.0.1"]


def test_lines_from_the_journal_are_found(log: Path, tmp_path: Path) -> None:
    prefixed = tmp_path / "log"
    prefixed.write_text("".join(f"{JOURNAL}{line}\n" for line in log.read_text().splitlines()))
    assert matched(prefixed, "login") == ["127.0.0.1"] * 4
    assert matched(prefixed, "sip") == ["127.0.0.1"]


def test_a_ban_of_one_client_or_user_is_no_ban_of_the_address(tmp_path: Path) -> None:
    line = (
        '{"source":"127.0.0.1","port":%d,"user":"%s","reason":"wrong passwords","event":"sip source banned",'
        '"level":"warning","time":"2026-11-30T09:48:57.539927Z"}\n'
    )
    network = line.replace("127.0.0.1", "2001:db8::/64")
    log = tmp_path / "log"
    log.write_text(line % (0, "1001") + line % (5060, "") + line % (0, "") + network % (0, ""))
    assert matched(log, "sip") == ["127.0.0.1", "2001:db8::/64"]


def test_the_jails_are_accepted(tmp_path: Path) -> None:
    client = require("fail2ban-client", "fail2ban")
    folder = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", folder)
    shutil.rmtree(folder / "jail.d")
    shutil.copytree(DEPLOY / "fail2ban", folder, dirs_exist_ok=True)
    assert "OK" in run(client, "-c", folder, "--test")
    dump = run(client, "-c", folder, "--dump")
    assert "['add', 'openivr-login'" in dump
    assert "['add', 'openivr-sip'" in dump
