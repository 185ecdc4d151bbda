"""Callers in every state at once, and what each has been told: for tests that kill the server among them."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from openivr.media.audio.clip import Clip
from openivr.media.audio.tone import sines
from openivr.sip.address import Target
from openivr.sip.message.headers import read_address, read_uri
from openivr.sip.message.message import Request, Response, read
from tests.b2bua.phone import Line, Phone, open_media

MENU, MAILBOX, ANSWERED, RINGING, MOVING = (
    "500",
    "501",
    "502",
    "503",
    "504",
)  # as the provider calls
VOICE = (Clip.from_samples(sines((440,), 0.5, 10)),)


@dataclass
class Attempt:
    """One call of the provider's and what was heard of it."""

    caller: str  # no other call has it
    called: str
    line: Line
    invites: int = 0  # messages sent
    statuses: set[int] = field(default_factory=set)  # of answers to the INVITE
    ended_by_us: bool = False  # a BYE or CANCEL was sent
    bye_confirmed: bool = False  # or came from there
    rang: set[str] = field(default_factory=set)  # extensions whose phones were called

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.statuses)

    def copy_facts(self) -> "Attempt":
        """What is known now, whatever comes."""
        facts = (self.invites, set(self.statuses), self.ended_by_us, self.bye_confirmed, set(self.rang))
        return Attempt(self.caller, self.called, self.line, *facts)


class Callers:
    """A provider that calls all the time, and the phones of extensions 1000 to 1002."""

    def __init__(self, server: Target, passwords: dict[str, str], seed: int) -> None:
        self.server, self.passwords, self.random = server, passwords, random.Random(seed)
        self.media = open_media()
        self.attempts: list[Attempt] = []
        self.by_call: dict[str, Attempt] = {}
        self.by_caller: dict[str, Attempt] = {}
        self.numbers = count(7000001)
        self.is_there = True  # the phone that comes and goes, as it was told last
        self._is_halting = False
        self._moving: asyncio.Task[None] | None = None
        self._calling: list[asyncio.Task[None]] = []

    async def open(self) -> "Callers":
        """Register the phones: one that answers, one that rings, one that comes and goes."""
        self.provider = await Phone(self.server, trace=self._note).start(self.media)
        self.phones: dict[str, Phone] = {}
        for number, answers in (("1000", 200), ("1001", None), ("1002", 200)):
            phone = Phone(self.server, number, self.passwords[number], answers, trace=self._watch(number))
            self.phones[number] = await phone.start(self.media)
            assert await phone.register() == 200
        return self

    async def close(self) -> None:
        for phone in (self.provider, *self.phones.values()):
            phone.close()
        await self.media.close()

    # What is heard

    def _note(self, is_sent: bool, _peer: Target, data: bytes) -> None:
        """Note what a message says about the provider's call that it belongs to."""
        message = read(data)
        attempt = self.by_call.get(message.get("call-id")) if message is not None else None
        if attempt is None or message is None:
            return
        if isinstance(message, Response):
            if message.method == "INVITE":
                attempt.statuses.add(message.status)
            elif message.method == "BYE":
                attempt.bye_confirmed |= message.status == 200
        elif message.method == "INVITE":
            attempt.invites += is_sent
        elif message.method in ("BYE", "CANCEL"):
            attempt.ended_by_us |= is_sent
            attempt.bye_confirmed |= not is_sent

    def _watch(self, number: str) -> Callable[[bool, Target, bytes], None]:
        def note(is_sent: bool, _peer: Target, data: bytes) -> None:
            message = None if is_sent else read(data)
            if isinstance(message, Request) and message.method == "INVITE":
                source = read_address(message.get("from"))
                uri = read_uri(source.uri) if source else None
                if uri is not None and uri.user in self.by_caller:
                    self.by_caller[uri.user].rang.add(number)

        return note

    # What is done

    def call(self, number: str) -> Attempt:
        """Call a number over the trunk, as somebody who never called before."""
        line = self.provider.open_line()
        attempt = Attempt(str(next(self.numbers)), number, line)
        self.attempts.append(attempt)
        self.by_caller[attempt.caller] = attempt
        leg = line.leg = self.provider.agent.call(
            self.provider.uri(number),
            line,
            body=line.session.offer(),
            caller=f"sip:{attempt.caller}@127.0.0.1",
            target=self.server,
        )
        attempt.invites = 1  # sent already
        self.by_call[leg.call_id] = attempt
        return attempt

    async def call_through(self, number: str) -> Attempt:
        """Call a number, and wait until that is answered or has failed."""
        attempt = self.call(number)
        line = attempt.line
        await line.until(lambda: line.ending is not None or 200 in line.statuses)
        return attempt

    def begin(self, callers: int) -> None:
        """Let so many call, one call after another each, and the phone of 1002 come and go."""
        self._is_halting = False
        self._calling = [asyncio.create_task(self._call_on()) for _ in range(callers)]
        self._moving = asyncio.create_task(self._move())

    async def halt(self) -> list[Attempt]:
        """Let nobody begin anything more; the calls since the last halt, as their callers were told by now.

        Waits until the server, which may have been killed meanwhile, has read all that was sent to it.
        """
        self._is_halting = True
        while waiting := [task for task in self._calling if not task.done()]:
            for (
                task
            ) in waiting:  # again, for `asyncio.wait_for` of Python 3.11 may lose what comes at its end
                task.cancel()
            await asyncio.wait(waiting, timeout=0.1)
        for task in self._calling:
            assert task.cancelled() or task.exception() is None, task.exception()
        if self._moving is not None:
            await self._moving
        await self._ask()
        attempts, self.attempts = self.attempts, []
        return [attempt.copy_facts() for attempt in attempts]

    async def _ask(self) -> None:
        """Have an OPTIONS answered."""
        answered = asyncio.Event()
        server = f"sip:{self.server.host}:{self.server.port}"
        agent = self.provider.agent
        agent.request("OPTIONS", server, lambda _reply: answered.set(), target=self.server)
        await answered.wait()

    def hang_up(self) -> None:
        """End whatever the phones think is under way."""
        for attempt in self.by_call.values():
            attempt.line.hang_up()
        self.by_call.clear()
        self.by_caller.clear()
        for phone in self.phones.values():
            for line in phone.lines:
                line.hang_up()
            phone.lines.clear()

    async def _pause(self, most: float) -> None:
        await asyncio.sleep(self.random.uniform(0, most))

    async def _call_on(self) -> None:
        """Call again and again; every state lasts for a random time, so that a kill finds some in each."""
        ways = (self._press, self._talk, self._ring, self._speak, self._give_up)
        while not self._is_halting:
            await self.random.choice(ways)()
            await self._pause(0.1)

    async def _press(self) -> None:
        """In a menu: into another and back, then a key that rings 1000; perhaps mid key, perhaps bridged."""
        line = self.call(MENU).line
        await line.until_answered()
        await self._pause(0.3)
        for key in self.random.choice(("1#", "3*1#", "4*3", "9", "3*")):
            line.media.send_dtmf(key)
            await self._pause(0.4)
        await self._pause(0.6)
        line.hang_up()

    async def _talk(self) -> None:
        line = self.call(ANSWERED).line
        await line.until_answered()
        await self._pause(0.8)
        line.hang_up()

    async def _ring(self) -> None:
        line = self.call(RINGING).line
        await line.until(lambda: 180 in line.statuses or line.ending is not None)
        await self._pause(0.8)
        line.hang_up()

    async def _speak(self) -> None:
        """Leave a message: hang up, or end it with a key, while or before it is recorded."""
        line = self.call(MAILBOX).line
        await line.until_answered()
        line.media.send_dtmf("21#")
        line.media.play(VOICE, loop=True)
        await self._pause(2.5)
        if self.random.random() < 0.5:
            line.media.send_dtmf("#")
            await self._pause(0.3)
        line.hang_up()

    async def _give_up(self) -> None:
        line = self.call(self.random.choice((MENU, ANSWERED))).line
        await self._pause(0.02)
        line.hang_up()

    async def _move(self) -> None:
        """Take the phone of 1002 away and bring it back."""
        while not self._is_halting:
            assert await self.phones["1002"].register(0 if self.is_there else 300) == 200
            self.is_there = not self.is_there
            await self._pause(0.3)
