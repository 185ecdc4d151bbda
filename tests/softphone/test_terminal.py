"""The server of a terminal's call by a name: every address that the name has is tried."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from openivr.simulate.transcript import TranscriptLine
from openivr.sip.address import Target
from openivr.sip.auth.client import Login
from openivr.softphone import conversation
from openivr.softphone.conversation import CallPlan, Result
from openivr.softphone.result import CallResult
from openivr.softphone.softphone import open_media
from openivr.softphone.terminal import CannotCall, TerminalCall, hold
from tests.b2bua.pbx import in_loop
from tests.b2bua.phone import Phone

NOWHERE = Target("UDP", "127.0.0.1", 9)
PLAN = CallPlan("42", script=(None,), reports_audio=False)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A UDP port of ::1 that takes everything and never responds."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as found:
        found.bind(("::1", 0))
        yield found


@pytest.fixture
def localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name's addresses as Debian has them, in every notation that a resolver gives."""
    resolve = socket.getaddrinfo

    def find(host: Any, *arguments: Any, **options: Any) -> Any:
        names = ["::1", "::1", "127.0.0.1"] if host == "localhost" else [host]
        return [found for name in names for found in resolve(name, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", find)


async def call(protocol: str, port: int, shown: list[TranscriptLine]) -> Result:
    terminal_call = TerminalCall(Target(protocol, "localhost", port), Login("me", ""), shown.append)
    return await hold(terminal_call, PLAN)


def places(shown: list[TranscriptLine]) -> list[str]:
    return [line.about.partition(" at ")[2] for line in shown if line.what == "dials"]


@pytest.mark.usefixtures("localhost")
@in_loop
async def test_an_address_that_refuses_is_passed_over_at_once() -> None:
    media, shown = open_media(), list[TranscriptLine]()
    phone = await Phone(NOWHERE).start(media)
    async with asyncio.timeout(conversation.REACH_SECONDS):
        result = await call("UDP", phone.address.port, shown)
    assert result.verdict is CallResult.ANSWERED
    assert places(shown) == [f"127.0.0.1:{phone.address.port}, UDP"]
    phone.close()
    await media.close()


@pytest.mark.usefixtures("localhost")
@in_loop
async def test_after_an_address_that_is_silent_the_next_is_called(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "REACH_SECONDS", 0.3)
    shown = list[TranscriptLine]()
    port = silent.getsockname()[1]
    result = await call("UDP", port, shown)  # nothing is at this port of 127.0.0.1 either
    assert result.verdict is CallResult.UNREACHABLE
    assert places(shown) == [f"[::1]:{port}, UDP", f"127.0.0.1:{port}, UDP"]


@pytest.mark.usefixtures("localhost")
@in_loop
async def test_a_connection_that_is_refused_is_followed_by_the_next() -> None:
    shown = list[TranscriptLine]()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = await call("TCP", port, shown)
    assert result.verdict is CallResult.UNREACHABLE
    assert places(shown) == [f"[::1]:{port}, TCP", f"127.0.0.1:{port}, TCP"]


@in_loop
async def test_a_name_without_an_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_arguments: Any, **_options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", find)
    with pytest.raises(CannotCall, match="there is no host localhost"):
        await call("UDP", 5060, [])
