"""Names to addresses: a system that cannot find one holds nobody up."""

import asyncio
import socket
import threading

import pytest

from openivr.sip.transport import resolver as resolver_module
from openivr.sip.transport.resolver import Resolver


def test_a_name_that_takes_long_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def look_up(*_args: object, **_options: object) -> list[object]:
        asked.set()
        goes_on.wait(60)
        return []

    async def run() -> None:
        resolver = Resolver()
        resolver.resolve("sip.example.com", lambda _addresses: None)
        await asyncio.get_running_loop().run_in_executor(None, asked.wait)
        resolver.close()

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    waiting = threading.Timer(20, goes_on.set)  # whoever waits for the system waits for this
    waiting.start()
    asyncio.run(run())
    assert not goes_on.is_set()
    waiting.cancel()
    goes_on.set()


def test_a_look_up_has_a_limit_of_time_and_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "MAX_WAITING", 1)

    async def never(_name: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async def run() -> None:
        resolver, answers = Resolver(never, seconds=0.01), list[tuple[str, ...]]()
        ended = asyncio.Event()
        resolver.resolve("slow.example", answers.append)
        resolver.resolve("slow.example", lambda _addresses: ended.set())
        resolver.resolve("one.too.many.example", answers.append)
        assert answers == [()]
        await ended.wait()
        assert answers == [(), ()]
        resolver.resolve("slow.example", answers.append)  # remembered
        assert answers == [(), (), ()]
        resolver.close()

    asyncio.run(run())
