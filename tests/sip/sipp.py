"""SIPp, a phone that we did not write: scenarios as lists of steps, and a run of one call."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

SECONDS = 20
SDP = """v=0
o=sipp 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000"""


def send(
    method: str, *headers: str, cseq: int, body: str = "", kind: str = "application/sdp", branch: str = ""
) -> str:
    """SIPp sends a request of its call; with a `branch` of its own it can send the same twice."""
    lines = [
        f"{method} sip:100@[remote_ip]:[remote_port] SIP/2.0",
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch or '[branch]'}",
        "From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]T[call_number]",
        "To: <sip:100@[remote_ip]:[remote_port]>[peer_tag_param]",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>",
        "Max-Forwards: 70",
        *headers,
    ]
    return _send(lines, body, kind)


def answer(status: int, *headers: str, body: str = "", cseq: str = "[last_CSeq:]", tag: str = "sipp") -> str:
    """SIPp answers the last request."""
    contact = (
        []
        if any(header.startswith("Contact") for header in headers)
        else ["Contact: <sip:[local_ip]:[local_port]>"]
    )
    lines = [
        f"SIP/2.0 {status} Reason",
        "[last_Via:]",
        "[last_From:]",
        f"[last_To:];tag={tag}" if tag else "[last_To:]",
        "[last_Call-ID:]",
        cseq,
        *contact,
        *headers,
    ]
    return _send(lines, body, "application/sdp")


def _send(lines: list[str], body: str, kind: str) -> str:
    ending = (
        [f"Content-Type: {kind}", "Content-Length: [len]", "", body] if body else ["Content-Length: 0", ""]
    )
    text = "\n".join([*lines, *ending])
    return f"<send><![CDATA[\n{text}\n]]></send>"


def hear(status: int, *, check: str = "", header: str = "") -> str:
    """SIPp waits for a response; `check` is a pattern for one of its headers, or for all of it."""
    optional = '<recv response="100" optional="true"/>' if status >= 180 else ""
    return f'{optional}<recv response="{status}" rrs="true">{_check(check, header)}</recv>'


def take(method: str, *, check: str = "", header: str = "") -> str:
    """SIPp waits for a request."""
    return f'<recv request="{method}">{_check(check, header)}</recv>'


def take_signed(method: str, user: str, password: str) -> str:
    """SIPp waits for a request, and goes on only if its digest is right by SIPp's own sums."""
    verify = f'<verifyauth assign_to="right" username="{user}" password="{password}"/>'
    return (
        f'<recv request="{method}"><action>{verify}</action></recv>'
        '<nop next="1" test="right"/>'
        '<nop><action><error message="wrong digest"/></action></nop><label id="1"/>'
    )


def _check(pattern: str, header: str) -> str:
    if not pattern:
        return ""
    where = f'search_in="hdr" header="{header}"' if header else 'search_in="msg"'
    text = pattern.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'<action><ereg regexp="{text}" {where} check_it="true" assign_to="found"/></action>'


def pause(milliseconds: int) -> str:
    """SIPp does nothing."""
    return f'<pause milliseconds="{milliseconds}"/>'


@asynccontextmanager
async def sipp(steps: list[str], folder: Path, port: int = 0, to: int = 0) -> AsyncIterator[None]:
    """One call of SIPp, as the caller if `to` is a port; when the block ends it must have gone well."""
    program = shutil.which("sipp")
    if program is None:
        assert not os.environ.get("CI"), "sipp is missing: Debian's package sip-tester"
        pytest.skip("sipp is not installed")
    text = "".join(steps)
    used = [name for name in ("found", "right") if f'assign_to="{name}"' in text]
    reference = f'<Reference variables="{",".join(used)}"/>' if used else ""
    path = folder / "scenario.xml"
    path.write_text(
        f'<?xml version="1.0"?>\n<scenario name="probe">{text}{reference}</scenario>\n', encoding="utf-8"
    )
    command = [program, "-sf", str(path), "-m", "1", "-i", "127.0.0.1", "-nostdin"]
    command += [
        "-timeout",
        f"{SECONDS}s",
        "-timeout_error",
        "-trace_err",
        "-error_file",
        str(folder / "errors"),
    ]
    command += ["-p", str(port)] if port else []
    command += [f"127.0.0.1:{to}"] if to else []
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=quiet, stdout=quiet, stderr=quiet, cwd=folder
    )
    try:
        if not to:
            await _listens(port, process)
        yield
        async with asyncio.timeout(SECONDS + 5):
            code = await process.wait()
        errors = folder / "errors"
        assert code == 0, errors.read_text() if errors.exists() else code
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until SIPp has its port: a bind of ours fails then."""
    async with asyncio.timeout(SECONDS):
        while process.returncode is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return
            await asyncio.sleep(0.02)
