"""Proxies, time-outs and cancellation, each over real sockets on loopback."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from openivr.client import Client, Lost, Unreachable

from .conftest import QUICK, Asked, Connect, OddServer


def test_a_proxy(odd: OddServer, connect: Connect) -> None:
    """The odd server stands in for a proxy: it is asked for a name that does not exist."""
    driven = connect("http://pbx.invalid", replace(QUICK, proxy=odd.url))
    assert len(driven.rows()) == 5
    assert odd.asked[0].headers["Host"] == "pbx.invalid"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def test_proxies_of_the_environment_are_not_used(
    odd: OddServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(connect(odd.url).rows()) == 5


@pytest.mark.parametrize(("path", "times"), [("ivr/get", 3), ("ivr/delete", 1)])
def test_a_server_that_falls_silent(odd: OddServer, connect: Connect, path: str, times: int) -> None:
    finished = threading.Event()
    odd.behave = lambda asked: finished.wait(20) and None if asked.path == path else None
    driven = connect(odd.url, replace(QUICK, read_seconds=0.1))
    with pytest.raises(Lost, match=path):
        driven.do(lambda client: getattr(client.ivr, path.removeprefix("ivr/"))(1))
    finished.set()
    assert odd.count(path) == times


def test_a_task_that_is_cancelled_during_the_login_holds_up_nobody(odd: OddServer) -> None:
    asked, finished = threading.Event(), threading.Event()

    def behave(one: Asked) -> Any:
        if one.path == "get_token" and odd.count("get_token") == 1:
            asked.set()
            finished.wait(20)

    async def main() -> int:
        async with Client(odd.url, "id", "the-secret", QUICK) as client:
            first = asyncio.create_task(client.ivr.list())
            await asyncio.to_thread(asked.wait, 10)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            return len((await client.ivr.list()).data)

    odd.behave = behave
    assert asyncio.run(main()) == 5
    finished.set()


def test_many_pages_at_once_wait_for_a_connection(odd: OddServer) -> None:
    async def main() -> int:
        async with Client(odd.url, "id", "the-secret", replace(QUICK, connections=2)) as client:
            pages = await asyncio.gather(*(client.ivr.list() for _ in range(20)))
            return sum(len(page.data) for page in pages)

    assert asyncio.run(main()) == 100


def test_no_server_at_all(connect: Connect) -> None:
    with pytest.raises(Unreachable, match="get_token"):
        connect("http://127.0.0.1:9").do(lambda client: client.ivr.list())
