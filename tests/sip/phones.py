"""Phones that we did not write: baresip, linphone and SIPp, run on loopback for a test."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from openivr.sip.address import Target
from tests.sip.front import free_port

LIMIT = 20.0  # seconds that a program may run
LEAVE = 3.0  # and take to end
PACKAGES = {"sipp": "sip-tester", "baresip": "baresip-core", "linphonec": "linphone-cli"}


def find(program: str) -> str:
    """The path of a phone; without it the test is skipped, or fails where everything must be there."""
    path = shutil.which(program)
    if path is None:
        message = f"{program} is not installed (Debian: apt-get install {PACKAGES[program]})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return str(path)


async def end(process: Process, by: signal.Signals = signal.SIGTERM) -> str:
    """End a program as its user would, and return what it has said."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(by)
    try:
        async with asyncio.timeout(LEAVE):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        said, _ = await process.communicate()
    return (said or b"").decode(errors="replace")


MODULES = next(Path("/usr/lib").glob("**/baresip/modules"), "")
BARESIP = """
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aubridge,x
audio_player aubridge,x
module_path {modules}
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
"""


@asynccontextmanager
async def baresip(
    folder: Path, server: Target, user: str, password: str, *commands: str, more: str = "", regint: int = 60
) -> AsyncIterator[Process]:
    """A baresip that registers, and leaves when the block ends."""
    program, home = find("baresip"), folder / f"baresip-{user}-{free_port()}"
    home.mkdir()
    (home / "config").write_text(BARESIP.format(modules=MODULES))
    account = f"<sip:{user}@{server.host}:{server.port};transport={server.protocol.lower()}>"
    (home / "accounts").write_text(f"{account};auth_user={user};auth_pass={password};regint={regint}{more}\n")
    flags = [flag for command in commands for flag in ("-e", command)]
    process = await asyncio.create_subprocess_exec(
        program, "-f", str(home), "-t", str(int(LIMIT)), *flags, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    try:
        yield process
    finally:
        await end(process)


class Linphone:
    """A linphonec that takes commands."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def say(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(command.encode() + b"\n")


@asynccontextmanager
async def linphone(folder: Path) -> AsyncIterator[Linphone]:
    program, port = find("linphonec"), free_port()
    home = folder / f"linphone-{port}"
    (home / ".local/share/linphone").mkdir(parents=True)
    (home / "rc").write_text(f"[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\n")
    process = await asyncio.create_subprocess_exec(
        program,
        "-c",
        str(home / "rc"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )
    phone = Linphone(process)
    try:
        yield phone
    finally:
        with suppress(ConnectionError):
            phone.say("quit")
        await end(process, signal.SIGCONT)


async def sipp(folder: Path, scenario: str, server: Target | None = None, port: int = 0) -> tuple[int, str]:
    """Run a scenario once, to its end; its result and what went wrong."""
    program = find("sipp")
    file = folder / "scenario.xml"
    file.write_text(f'<?xml version="1.0"?>\n<scenario name="test">\n{scenario}\n</scenario>\n')
    errors = folder / "errors.log"
    far = [f"{server.host}:{server.port}"] if server else []
    process = await asyncio.create_subprocess_exec(
        program,
        *far,
        *("-sf", str(file), "-i", "127.0.0.1", "-p", str(port or free_port()), "-m", "1"),
        *("-timeout", f"{int(LIMIT)}s", "-timeout_error", "-nostdin"),
        *("-trace_err", "-error_file", str(errors)),
        stdout=DEVNULL,
        stderr=DEVNULL,
        cwd=folder,
    )
    try:
        async with asyncio.timeout(LIMIT + 5):
            await process.wait()
    finally:
        await end(process, signal.SIGKILL)
    return process.returncode or 0, errors.read_text() if errors.exists() else ""


def send(*lines: str) -> str:
    """A request of a SIPp scenario."""
    text = "\n".join(lines)
    return f'<send retrans="200"><![CDATA[\n{text}\nContent-Length: 0\n\n]]></send>\n'


def response(status: int, *headers: tuple[str, str], auth: bool = False) -> str:
    """The response that a SIPp scenario waits for, and what its headers must look like."""
    checks = [
        f'<ereg regexp="{wanted}" search_in="hdr" header="{name}:" check_it="true" assign_to="seen"/>'
        f'<log message="[$seen]"/>'
        for name, wanted in headers
    ]
    challenge = ' auth="true"' if auth else ""
    return f'<recv response="{status}"{challenge}><action>{"".join(checks)}</action></recv>\n'


def registration(number: int, password: str = "") -> str:
    """A REGISTER that a SIPp scenario waits for, known by a number; with a password, it must be right."""
    keep = '<ereg regexp="<sip:.*>" search_in="hdr" header="Contact:" check_it="true" assign_to="contact"/>'
    keep = keep.replace("<sip:.*>", "&lt;sip:.*&gt;")
    verify = f'<verifyauth assign_to="right" username="account" password="{password}"/>' if password else ""
    text = f'<recv request="REGISTER"><action>{keep}<log message="[$contact]"/>{verify}</action></recv>\n'
    if password:
        text += f'<nop test="right" next="{number}"/>\n{answer(500)}<label id="{number}"/>\n'
    return text


def answer(status: int, *headers: str) -> str:
    """An answer of a SIPp scenario."""
    lines = "\n".join(
        [
            f"SIP/2.0 {status} Reason",
            "[last_Via:]",
            "[last_From:]",
            "[last_To:];tag=[call_number]",
            "[last_Call-ID:]",
            "[last_CSeq:]",
            *headers,
        ]
    )
    return f"<send><![CDATA[\n{lines}\nContent-Length: 0\n\n]]></send>\n"


def play_in(test: Callable[[Path], Awaitable[None]]) -> Callable[[Path], None]:
    """Run a test on an event loop of its own, in a folder of its own."""

    def run(tmp_path: Path) -> None:
        asyncio.run(test(tmp_path))  # type: ignore[arg-type]  # a coroutine

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run
