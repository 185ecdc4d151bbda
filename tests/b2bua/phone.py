"""A telephone for tests: `openivr.softphone`'s, that notes what happens to it and answers as it is told."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from openivr.b2bua.party import Party, PartyListener
from openivr.media.media import Media
from openivr.sip.address import Target
from openivr.sip.auth.client import Login
from openivr.sip.dialog.call_leg import CallLeg
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import Admission
from openivr.sip.message.message import Request
from openivr.sip.settings import Trace
from openivr.sip.termination import Termination
from openivr.softphone import softphone
from openivr.softphone.softphone import Softphone, open_media

__all__ = ["Line", "Phone", "open_media"]
WAIT_SECONDS = 60.0  # after which a test has failed
LOOK_SECONDS = 0.02


class Line(softphone.SoftphoneCall):
    """One call of a phone, and what happened to it, in order."""

    __slots__ = ("changed", "ending", "keys", "statuses", "transfers")

    def __init__(self, phone: Softphone) -> None:
        super().__init__(phone)
        self.changed = asyncio.Event()
        self.statuses: list[int] = []
        self.keys = ""
        self.transfers: list[int] = []  # news of what it asked for by REFER
        self.ending: Termination | None = None
        self.listener = LineListener(self)

    def on_refer_progress(self, leg: CallLeg, status: int) -> None:
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

    async def until_over(self) -> Termination:
        await self.until(lambda: self.ending is not None)
        assert self.ending is not None
        return self.ending

    @property
    def packets(self) -> int:
        """How many packets of sound have come."""
        return self.media.statistics().heard


class LineListener(PartyListener):
    """Notes in a line what happens to it."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def on_progress(self, _party: Party, status: int, _is_early: bool) -> None:
        self.line.statuses.append(status)
        self.line.changed.set()

    def on_answer(self, _party: Party) -> None:
        self.line.statuses.append(200)
        self.line.changed.set()

    def on_gone(self, _party: Party, termination: Termination) -> None:
        self.line.ending = termination
        self.line.statuses.append(termination.status)
        self.line.changed.set()
        self.line.media.close()

    def on_key(self, _party: Party, key: str) -> None:
        self.line.keys += key
        self.line.changed.set()


class Phone(Softphone):
    """A telephone. `answers`: what it does when it is called: a status, or None to let it ring."""

    def __init__(
        self,
        server: Target,
        user: str = "",
        password: str = "",
        answers: int | None = 200,
        trace: Trace | None = None,
    ) -> None:
        super().__init__(server, Login(user, password), listen=server.host, trace=trace)
        self.password, self.answers = password, answers
        self.forwards_to = ""  # a URI for the Contact of a 302
        self.lines: list[Line] = []
        self.invites: list[Request] = []
        self.called_event = asyncio.Event()

    async def start(self, media: Media) -> "Phone":
        await super().start(media)
        return self

    @property
    def address(self) -> Target:
        return self.agent.listening[0]

    def call(
        self, number: str, line: softphone.SoftphoneCall | None = None, *, has_offer: bool = True
    ) -> Line:
        """Call somebody."""
        made = line if isinstance(line, Line) else self.open_line()
        super().call(number, made, has_offer=has_offer)
        self.lines.append(made)
        return made

    def open_line(self) -> Line:
        return Line(self)

    def on_invite(self, leg: InboundLeg, admission: Admission) -> None:
        line = self.open_line()
        assert line.receive(leg)
        self.lines.append(line)
        self.invites.append(leg.request)
        if self.forwards_to:
            self.called_event.set()
            leg.reject(302, headers=(("Contact", f"<{self.forwards_to}>"),))
            return
        line.ring()
        if self.answers == 200:
            line.answer()
        elif self.answers is not None:
            leg.reject(self.answers)
        self.called_event.set()

    def on_malformed(self, source: Target) -> None:
        raise AssertionError(f"nonsense from {source}")

    async def until_called(self, times: int = 1) -> Line:
        """The line of a call that has come in."""
        async with asyncio.timeout(WAIT_SECONDS):
            while len(self.invites) < times:
                self.called_event.clear()
                await self.called_event.wait()
        return self.lines[-1]
