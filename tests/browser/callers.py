"""Telephones beside a browser: in an event loop of a thread of their own, for ours waits for the browser."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.sip.address import Target
from tests.b2bua.phone import Line, Phone, open_media
from tests.live_server import Running

T = TypeVar("T")


class Callers:
    """Telephones of the demo's extensions."""

    def __init__(self, running: Running, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.server = Target("UDP", "127.0.0.1", running.sip_port)
        self.secrets = json.loads((running.data / "demo-secrets.json").read_text())["extensions"]
        self.media = self.run(self._open_media())
        self.phones: dict[str, Phone] = {}

    async def _open_media(self) -> Any:
        return open_media()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def phone(self, number: str) -> Phone:
        """The telephone of an extension, registered."""
        if number not in self.phones:
            self.phones[number] = self.run(self._register(Phone(self.server, number, self.secrets[number])))
        return self.phones[number]

    async def _register(self, phone: Phone) -> Phone:
        await phone.start(self.media)
        assert await phone.register() == 200
        return phone

    def call(self, caller: str, number: str) -> Line:
        """Call from an extension; returns when it is answered."""
        return self.run(self._call(self.phone(caller), number))

    async def _call(self, phone: Phone, number: str) -> Line:
        line = phone.call(number)
        await line.until_answered()
        await line.until(lambda: line.packets > 0)
        return line

    def press(self, line: Line, keys: str) -> None:
        self.loop.call_soon_threadsafe(line.press, keys, DtmfMethod.EVENT)

    def hang_up(self, line: Line) -> None:
        self.loop.call_soon_threadsafe(line.hang_up)

    async def close(self) -> None:
        for phone in self.phones.values():
            phone.close()
        await self.media.close()


@contextmanager
def open_callers(running: Running) -> Iterator[Callers]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    callers = Callers(running, loop)
    yield callers
    callers.run(callers.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
