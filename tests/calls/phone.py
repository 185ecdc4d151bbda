"""A telephone for tests, on our own signalling and sound: registers, calls, is called, presses keys."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from openivr.calls.party import Party
from openivr.media.media import Media, MediaSettings
from openivr.sip.agent import Agent
from openivr.sip.authorisation import Authorisation
from openivr.sip.credentials import Credentials, Login
from openivr.sip.endings import Ending, Lost
from openivr.sip.inbound import InboundLeg
from openivr.sip.legs import Leg
from openivr.sip.message import Request, Response
from openivr.sip.owner import Reply
from openivr.sip.settings import Settings
from openivr.sip.targets import Target

numbers = count(1)
WAIT_SECONDS = 10.0
LOOK_SECONDS = 0.02


class Line(Party):
    """One call of a phone, and what happened to it, in order."""

    __slots__ = ("changed", "ending", "keys", "statuses", "transfers")

    def __init__(self, phone: "Phone") -> None:
        now = asyncio.get_running_loop().time
        super().__init__(phone.media.open(phone.server.host), "", next(numbers), now)
        self.changed = asyncio.Event()
        self.statuses: list[int] = []
        self.keys = ""
        self.transfers: list[int] = []  # news of what it asked for by REFER
        self.ending: Ending | None = None
        self.on_progress = self._note_progress
        self.on_answer = self._note_answer
        self.on_gone = self._note_end
        self.on_key = self._note_key

    def _note_progress(self, _party: Party, status: int, _is_early: bool) -> None:
        self.statuses.append(status)
        self.changed.set()

    def _note_answer(self, _party: Party) -> None:
        self.statuses.append(200)
        self.changed.set()

    def _note_end(self, _party: Party, ending: Ending) -> None:
        self.ending = ending
        self.statuses.append(ending.status)
        self.changed.set()
        self.media.close()

    def _note_key(self, key: str) -> None:
        self.keys += key
        self.changed.set()

    def transferring(self, leg: Leg, status: int) -> None:
        self.transfers.append(status)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so; sound comes without a word, so it is looked at again and again."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():
                self.changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), LOOK_SECONDS)

    async def until_answered(self) -> None:
        await self.until(lambda: 200 in self.statuses or self.ending is not None)
        assert 200 in self.statuses, self.ending

    async def until_over(self) -> Ending:
        await self.until(lambda: self.ending is not None)
        assert self.ending is not None
        return self.ending

    @property
    def packets(self) -> int:
        """How many packets of sound have come."""
        return self.media.statistics().heard


@dataclass
class Phone:
    """A telephone. `answers`: what it does when it is called: a status, or None to let it ring."""

    server: Target
    user: str = ""
    password: str = ""
    answers: int | None = 200
    lines: list[Line] = field(default_factory=list)
    invites: list[Request] = field(default_factory=list)

    async def start(self, media: Media) -> "Phone":
        """Open its socket."""
        self.media = media
        self.called_event = asyncio.Event()
        self.agent = Agent(Settings(listen=(Target("UDP", "127.0.0.1", 0),)), self)
        await self.agent.start()
        self.credentials = Credentials(Login(self.user, self.password))
        return self

    @property
    def address(self) -> Target:
        return self.agent.listening[0]

    def uri(self, number: str) -> str:
        return f"sip:{number}@{self.server.host}:{self.server.port}"

    async def register(self, seconds: int = 300) -> int:
        """Register, or with 0 seconds no more; the final status."""
        reply: asyncio.Future[Response | Lost] = asyncio.get_running_loop().create_future()
        contact = self.agent.contact(self.server, self.user)
        self.agent.request(
            "REGISTER",
            f"sip:{self.server.host}:{self.server.port}",
            reply.set_result,
            sender=self.uri(self.user),
            receiver=self.uri(self.user),
            target=self.server,
            headers=(("Contact", f"<{contact}>"), ("Expires", str(seconds))),
            authorise=Authorisation(self.credentials),
        )
        async with asyncio.timeout(WAIT_SECONDS):
            answer = await reply
        return answer.status if isinstance(answer, Response) else 0

    def call(self, number: str, *, has_offer: bool = True) -> Line:
        """Call somebody."""
        line = Line(self)
        line.leg = self.agent.call(
            self.uri(number),
            line,
            body=line.session.offer() if has_offer else b"",
            caller=self.uri(self.user or "anonymous"),
            target=self.server,
            authorise=Authorisation(self.credentials),
        )
        self.lines.append(line)
        return line

    async def until_called(self, times: int = 1) -> Line:
        """The line of a call that has come in."""
        async with asyncio.timeout(WAIT_SECONDS):
            while len(self.invites) < times:
                self.called_event.clear()
                await self.called_event.wait()
        return self.lines[-1]

    def close(self) -> None:
        self.agent.close()

    # What the agent asks

    def hears(self, source: Target) -> bool:
        return True

    def nonsense(self, source: Target) -> None:
        raise AssertionError(f"nonsense from {source}")

    def admit(self, request: Request) -> Reply | None:
        return None

    def registered(self, request: Request) -> Reply:
        return Reply(403)

    def asked(self, request: Request) -> Reply | None:
        return None

    def called(self, leg: InboundLeg) -> None:
        line = Line(self)
        assert line.receive(leg)
        self.lines.append(line)
        self.invites.append(leg.request)
        line.ring()
        if self.answers == 200:
            line.answer()
        elif self.answers is not None:
            leg.reject(self.answers)
        self.called_event.set()


def open_media() -> Media:
    """Sound for the phones of a test."""
    return Media(MediaSettings(ports=range(42_000, 44_000)))
