"""`openivr call` as a process: in a terminal of its own, from a pipe, to a server that runs."""

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from openivr.sip.address import Target
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord
from tests.b2bua.pbx import in_loop
from tests.b2bua.phone import Phone, open_media
from tests.live_server import Running, start
from tests.sip.front import free_port

COMMAND = [sys.executable, "-m", "openivr", "call"]
# makes the terminal that of the process, then becomes the command
LOG_IN = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
NOWHERE = Target("UDP", "127.0.0.1", 9)
SECONDS = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("calls"), command="calls")
    yield running
    running.stop()


class Terminal:
    """A pseudo-terminal, and `openivr call` in it."""

    def __init__(self, *arguments: str | Path) -> None:
        self.master, self.slave = os.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOG_IN, str(self.slave), *COMMAND, *map(str, arguments)],
            pass_fds=[self.slave],
        )

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, pattern: str) -> str:
        """All that was shown, as soon as this is in it."""
        deadline = time.monotonic() + SECONDS
        while not re.search(pattern, self.shown, re.MULTILINE):
            assert time.monotonic() < deadline, (pattern, self.shown)
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 4096).decode().replace("\r\n", "\n")
        return self.shown

    @property
    def shows_typing(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def wait(self) -> int:
        """The exit code; the terminal is as it was."""
        code = self.process.wait(SECONDS)
        assert termios.tcgetattr(self.slave) == self.before
        return code


@contextmanager
def terminal(*arguments: str | Path) -> Iterator[Terminal]:
    opened = Terminal(*arguments)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.kill()
            opened.process.wait()
        os.close(opened.master)
        os.close(opened.slave)


def call(
    served: Running, *arguments: str | Path, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments), "--data", served.data],
        input=stdin, env=os.environ | more, check=False, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def last_record(served: Running) -> CallRecord:
    with served.database() as database, database.reading() as connection:
        return call_records.list_calls(connection, CallFilter())[1][0]


def test_keys_are_typed_live_and_q_hangs_up(served: Running) -> None:
    with terminal("6200", "--data", served.data) as term:
        told = term.expect(r"hears +ivr-greeting")
        assert "q hangs up" in told
        assert re.search(r"dials +6200  \(as 1000, at 127.0.0.1:\d+, UDP\)", told)
        assert re.search(r"answered +PCMU, keys by rfc4733", term.expect("answered"))
        assert not term.shows_typing
        term.type("1x")
        term.expect(r"sends +1$")
        term.expect(r"gets +1$")
        term.expect(r"rings +extension 1000")
        term.expect(r"fails +unavailable")
        term.type("q")
        term.expect(r"ended +hung up here")
        term.expect(r"lasted .* heard [1-9]\d*, lost 0")
        told = term.expect(r"kept +openivr calls show \S+  \(menu: caller hung up\)")
        times = [float(line.split()[0]) for line in told.splitlines()[1:] if line.strip()]
        assert times == sorted(times)
        assert term.wait() == 0


@pytest.mark.parametrize("way", ["key", "signal", "hangup"])
def test_a_stop_hangs_up_first(served: Running, way: str) -> None:
    with terminal("6200", "--data", served.data) as term:
        term.expect("answered")
        if way == "key":
            term.type("\x03")
        else:
            term.process.send_signal(signal.SIGTERM if way == "signal" else signal.SIGHUP)
        call_id = re.findall(r"calls show (\S+)", term.expect(r"kept .*caller hung up"))[0]
        assert term.wait() == 0
        assert call_id == last_record(served).id


def test_a_stopped_process_leaves_the_terminal_and_takes_it_back(served: Running) -> None:
    with terminal("6200", "--data", served.data) as term:
        term.expect("answered")
        term.type("\x1a")
        os.waitid(os.P_PID, term.process.pid, os.WSTOPPED | os.WNOWAIT)
        assert termios.tcgetattr(term.slave) == term.before
        term.process.send_signal(signal.SIGCONT)
        term.type("7")
        term.expect(r"gets +7$")
        assert not term.shows_typing
        term.type("q")
        assert term.wait() == 0


def test_lines_of_a_pipe_are_scripts(served: Running) -> None:
    done = call(served, "6202", "--as", "1001", stdin="w0.5 5\nx\n")
    told = done.stdout
    assert done.returncode == 0
    assert "'x' is neither keys" in told
    assert re.search(r"as 1001", told)
    assert re.search(r"gets +5$", told, re.MULTILINE)
    assert re.search(r"ended +the other side hung up", told)
    assert re.search(r"ends +Invalid key|ends +ended by the menu", told)


def test_what_happens_as_json(served: Running) -> None:
    done = call(served, "6200", "--json", "--keys", "0.2s,2,h", "--key-by", "info")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows[:-1] if row["what"] == "answered"] == ["PCMU, keys by info"]
    result = rows[-1]["result"]
    assert (result["verdict"], result["by_peer"], result["sound"]["lost"]) == ("answered", False, 0)
    assert done.returncode == 0


def test_what_is_heard_is_recorded(served: Running, tmp_path: Path) -> None:
    file = tmp_path / "heard.wav"
    done = call(served, "6200", "--hang-up-after", "3", "--record", file, "--keys", "")
    assert done.returncode == 0
    samples, _ = soundfile.read(file, dtype="int16")
    assert 2.5 < len(samples) / 8000 < 3.5
    assert np.abs(samples).max() > 3000
    again = call(served, "6200", "--record", file)
    assert again.returncode == 2
    assert "already exists" in again.stderr


def test_what_is_heard_is_played_by_a_program(served: Running, tmp_path: Path) -> None:
    program = tmp_path / "aplay"
    program.write_text(f"#!/bin/sh\necho $* > {tmp_path}/said\nexec cat > {tmp_path}/played\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = call(served, "6200", "--hang-up-after", "2", "--listen", "--keys", "", PATH=path)
    assert done.returncode == 0
    assert "S16_LE" in (tmp_path / "said").read_text()
    played = np.frombuffer((tmp_path / "played").read_bytes(), "<i2")
    assert np.abs(played).max() > 3000
    nothing = call(served, "6200", "--listen", "--keys", "", PATH=str(tmp_path / "empty"))
    assert nothing.returncode == 1
    assert "none of these programs" in nothing.stderr


def test_calls_that_are_refused_say_why(served: Running, tmp_path: Path) -> None:
    unknown = call(served, "9999")
    assert unknown.returncode == 5
    assert re.search(r"refused +404 Not Found  \(unknown number", unknown.stdout)
    wrong = tmp_path / "password"
    wrong.write_text("wrong\n")
    server = f"sip:127.0.0.1:{served.sip_port}"
    login = call(served, "6200", "--user", "1000", "--password-file", wrong, "--server", server)
    assert login.returncode == 5
    assert re.search(r"refused +401 Unauthorized  \(wrong name or password\)", login.stdout)


def test_a_password_of_ones_own_by_tcp(served: Running, tmp_path: Path) -> None:
    secrets = json.loads((served.data / "demo-secrets.json").read_text())["extensions"]
    file = tmp_path / "password"
    file.write_text(secrets["1002"] + "\n")
    server = f"sip:localhost:{served.sip_port};transport=tcp"
    done = call(
        served,
        "6200",
        "--user",
        "1002",
        "--password-file",
        file,
        "--server",
        server,
        "--keys",
        "1s,h",
        "--trace",
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"dials .*, TCP\)", done.stdout)
    assert re.search(r"sound *$", done.stdout, re.MULTILINE)  # it cannot look into the journal, so it listens
    assert "to 127.0.0.1" in done.stderr
    assert "BYE sip:" in done.stderr
    assert secrets["1002"] not in done.stderr
    assert re.search('response="[0-9a-f]', done.stderr) is None


def test_a_server_on_all_addresses_of_ipv6(tmp_path: Path) -> None:
    running = start(tmp_path, "--sip", "[::]:0", command="calls")
    done = call(running, "6200", "--keys", "0.5s,h")
    assert done.returncode == 0, done.stdout
    assert f"at [::1]:{running.sip_port}, UDP" in done.stdout
    assert re.search(r"lasted .* heard [1-9]", done.stdout)
    running.stop()


def test_tls_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    port = free_port()
    certified = ("--sip-cert", str(files[0]), "--sip-key", str(files[1]))
    running = start(tmp_path / "data", "--sip-tls", f"127.0.0.1:{port}", *certified, command="calls")
    server = f"sip:localhost:{port};transport=tls"
    done = call(running, "6200", "--server", server, "--tls-ca", files[0], "--keys", "0.5s,h")
    assert done.returncode == 0, done.stdout
    assert re.search(r"lasted .* heard [1-9]", done.stdout)
    stranger = call(running, "6200", "--server", server, "--keys", "h")
    assert stranger.returncode == 6
    assert "with a certificate that is trusted?" in stranger.stdout
    running.stop()


def test_a_server_that_cannot_be_reached(served: Running) -> None:
    done = call(served, "6200", "--server", "sip:127.0.0.1:9;transport=tcp")
    assert done.returncode == 6
    assert re.search(r"unreachable +not reachable  \(is a server running there", done.stdout)
    name = call(served, "6200", "--server", "no-such-host.invalid")
    assert name.returncode == 1
    assert "no host" in name.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([""], "no number"),
        (["6200", "--as", "77"], "no extension 77"),
        (["6200", "--user", "x"], "--password-file"),
        (["6200", "--server", "http://x"], "is not sip:HOST:PORT"),
        (["6200", "--keys", "x"], "neither keys"),
        (["6200", "--play", __file__], "is not one of wav"),
    ],
)
def test_what_cannot_be_done_is_said(served: Running, arguments: list[str], complaint: str) -> None:
    done = call(served, *arguments)
    assert done.returncode in (1, 2)
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


@in_loop
async def test_a_phone_that_rings_is_given_up_by_ctrl_c(tmp_path: Path) -> None:
    """Called without a server between: the other telephone is the server."""
    phone = await Phone(NOWHERE, answers=None).start(open_media())
    password = tmp_path / "password"
    password.write_text("x")
    server = f"sip:127.0.0.1:{phone.address.port}"
    with terminal("42", "--user", "me", "--password-file", password, "--server", server) as term:
        line = await phone.until_called()
        await asyncio.to_thread(term.expect, r"rings +180 Ringing")
        term.type("\x03")
        assert (await line.until_over()).status == 487
        assert await asyncio.to_thread(term.wait) == 130
        assert "cancelled" in term.expect("cancelled")
    phone.close()
    await phone.media.close()


@in_loop
async def test_a_busy_phone_is_told_by_the_exit_code(tmp_path: Path) -> None:
    phone = await Phone(NOWHERE, answers=486).start(open_media())
    password = tmp_path / "password"
    password.write_text("x")
    server = f"sip:127.0.0.1:{phone.address.port}"
    with terminal("42", "--user", "me", "--password-file", password, "--server", server) as term:
        assert await asyncio.to_thread(term.wait) == 3
        assert re.search(r"busy +486 Busy Here", term.expect("486"))
    phone.close()
    await phone.media.close()
