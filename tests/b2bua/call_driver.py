"""A simulated call, acted out on telephones: what was simulated is done by real phones, in the same order.

The timers of calls run by a clock that the driver moves from one simulated event to the next, so a call of
minutes takes a second, and a timer that is set to another time than it should be is seen. Signalling and
sound run by the real clock. A sound ends when the driver comes to its end in the simulated call.
"""

import asyncio
import heapq
import io
import wave
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

import numpy as np

from openivr.b2bua.limits import CallLimiter
from openivr.b2bua.pin_lockout import PinListLockout
from openivr.b2bua.prompt_cache import PromptCache
from openivr.cdr.journal.entries import CallBegan, CallStepped, JournalEntry
from openivr.cdr.journal.event_codec import TimedEvent, describe, read_events
from openivr.ivr.commands import Dial, Note
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    Event,
    HungUp,
    PromptEnded,
    RecordEnded,
    RecordResult,
    TimerFired,
)
from openivr.ivr.model import DestinationKind
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.ivr.states import dialling
from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import FRAME, Law
from openivr.media.audio.tone import sines
from openivr.simulate.replay import replay_commands
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import STAND_IN, World
from openivr.sip.dialog.uas import InboundLeg
from openivr.store.cdr import call_records, voicemail
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.voicemail import VoicemailMessage
from tests.b2bua.pbx import Pbx, open_pbx
from tests.b2bua.phone import Line, Phone

PATIENCE = 60.0  # seconds in which something that must happen does
MESSAGE_BYTES = 10_000  # of a wav in which there is a message worth keeping
OUTSIDE_ROUTES = (  # name, number called, caller, id of the extension; before the routes to the demo's menus
    ("Customer", "4416329600XX", "+447700900123", 4),
    ("Withheld", "4416329600XX", "anonymous", 3),
    ("Direct", "+441632960001", "", 2),
    ("Rest", "44163296000X", "", 1),
)
GUARDED = "6204"
STATUSES = {Cause.BUSY: 486, Cause.DECLINED: 603, Cause.UNAVAILABLE: 404}
TONE = Clip.from_samples(sines((440,), 1.0, 10))
SILENCE = Clip.from_samples(np.zeros(FRAME, np.int16))


class Clock:
    """Stands in for the loop where calls set timers; milliseconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 0
        self._loop, self._numbers = loop, count()
        self._timers: list[tuple[int, int, asyncio.Future[None], Callable[[], object]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def time(self) -> float:
        return self.now / 1000

    def call_later(
        self, seconds: float, callback: Callable[..., object], *args: object
    ) -> asyncio.Future[None]:
        """Set a timer; what is given back can be cancelled."""
        timer = self._loop.create_future()
        due = self.now + round(seconds * 1000)
        heapq.heappush(self._timers, (due, next(self._numbers), timer, lambda: callback(*args)))
        return timer

    def fire_next(self, until: int) -> bool:
        """Fire the next timer that is due by then. False: none is."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers or self._timers[0][0] > until:
            return False
        self.now, _, _, fire = heapq.heappop(self._timers)
        fire()
        return True


class HeldClip:
    """Silence that goes on until sounds may end. Stands in for a clip."""

    def __init__(self, sounds: "Sounds") -> None:
        self._sounds = sounds

    def frames(self, law: Law) -> "HeldFrames":
        return HeldFrames(self._sounds, SILENCE.frames(law)[0])


class HeldFrames:
    """The frames of a held clip."""

    def __init__(self, sounds: "Sounds", frame: bytes) -> None:
        self._sounds, self._frame = sounds, frame

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[bytes]:
        while not self._sounds.may_end:
            yield self._frame


class Sounds:
    """The prompt cache, with clips that end when the driver lets them."""

    def __init__(self, cache: PromptCache) -> None:
        self._cache = cache
        self.may_end = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def cached(self, names: Iterable[str]) -> list[HeldClip] | None:
        found = self._cache.cached(names)
        return [HeldClip(self) for _ in found[:1]] if found is not None else None


class CallDriver:
    """A PBX whose calls come over a trunk, and the phones of everybody who may be rung."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx, self.context = pbx, pbx.process.context
        self.clock = Clock(self.context.loop)
        self.calls: list[str] = []
        self.steps: list[CallStepped] = []
        self.changed = asyncio.Event()
        self.simulation = Simulation(pbx.process.config_cache.configuration.snapshot)
        self._start = self.context.now()
        self._write = self.context.write_entry
        self.context.write_entry = self._note
        self.context.now = lambda: self._start + self.clock.now
        self.context.loop = cast("asyncio.AbstractEventLoop", self.clock)
        self.sounds = Sounds(self.context.prompts)
        self.context.prompts = cast("PromptCache", self.sounds)

    async def start_phones(self) -> None:
        """Start the phones and add the trunk and its routes."""
        pbx = self.pbx
        self.extensions = {number: await pbx.phone(number, None) for number in pbx.demo.extensions}
        self.caller, self.outside = await pbx.stranger(), await pbx.stranger()
        self.outside.answers = None
        trunk = pbx.create("trunk", name="In", **address_of(self.caller))
        for name, did, caller, extension in OUTSIDE_ROUTES:
            pbx.create(
                "inbound_route",
                name=name,
                did_pattern_list=[{"did_pattern": did}],
                cid_pattern_list=[{"cid_pattern": caller}] if caller else [],
                def_dest="extension",
                def_dest_value=str(extension),
            )
        self._add_guarded_menu()
        await pbx.process.config_cache.current()
        for number in ("6200", "6201", "6202", "6203", GUARDED):
            pbx.create(
                "inbound_route",
                name=f"To {number}",
                did_pattern_list=[{"did_pattern": number}],
                trunk_list=[{"type": "trunk", "value": str(trunk)}],
                def_dest="ivr",
                def_dest_value=str(pbx.ivr(number)),
            )
        await pbx.process.config_cache.current()

    def _add_guarded_menu(self) -> None:
        """Add a menu whose key 1 asks for a PIN: the one of simulated calls."""
        pins = self.pbx.create("pin_list", name="Staff", pin_list=f"{STAND_IN[:4]},7392")
        self.pbx.create(
            "ivr",
            number=GUARDED,
            name="Guarded",
            prompt="default",
            prompt_repeat=2,
            resp_timeout=5,
            digit_timeout=3,
            dial_ext_option="disable",
            press1_dest="extension",
            press1_dest_value="2",
            press1_pin_list_id=pins,
            press2_dest="end_call",
            invalid_dest="ivr",
            invalid_dest_value=str(self.pbx.ivr("6203")),
        )

    async def switch_trunk(self, *, is_on: bool) -> None:
        """Let the demo's menus call outside, or not."""
        self.pbx.change("trunk", 1, enable=int(is_on), **address_of(self.outside))
        await self.pbx.process.config_cache.current()

    def _note(self, entry: JournalEntry) -> None:
        self._write(entry)
        if isinstance(entry, CallBegan):
            self.calls.append(entry.call)
        if isinstance(entry, CallStepped):
            self.sounds.may_end = False
            self.steps.append(entry)
            self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for the calls process, or for what only a look tells."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.02)
                except TimeoutError:
                    continue

    # One call

    async def act(self, simulation: Simulation, *, by_info: bool = False) -> CallRecord:
        """Do on telephones what was simulated, up to the caller's end; the record of it."""
        if not simulation.session.ended:
            simulation.hang_up()
        self.simulation, self.steps = simulation, []
        self.context.limiter = CallLimiter()  # forget earlier calls
        await self._fill_mailboxes(simulation.world)
        try:
            await self._follow(simulation, by_info)
        finally:
            self.line.hang_up()
            await self.pbx.until_quiet()
            await self.until(
                lambda: all(is_over(line) for phone in self._everybody() for line in phone.lines)
            )
        self.pbx.records()
        with self.pbx.database.reading() as connection:
            record = call_records.find_call(connection, self.calls[-1])
        assert record is not None
        return record

    async def _follow(self, simulation: Simulation, by_info: bool) -> None:
        start, shadow = self.clock.now, IvrSession(simulation.snapshot)
        self.dial: Dial | None = None
        for place, happening in enumerate(simulation.events):
            if shadow.ended:
                break
            await self._let_ring()
            await self._pass_time(start + happening.at, happening)
            if shadow.state is IvrState.RECORDING and self._is_message(place):
                await self._speak()
            await self._cause(happening.event, by_info)
            try:
                await self.until(partial(self._has_steps, place + 1))
            except TimeoutError:
                raise AssertionError(self._say_missing(place)) from None
            for command in shadow.handle(happening.event):
                self.dial = command if isinstance(command, Dial) else self.dial
            if shadow.state is not IvrState.DIALLING:
                self.dial = None

    def _has_steps(self, count: int) -> bool:
        return len(self.steps) >= count

    def _say_missing(self, place: int) -> str:
        expected = [describe(one) for one in self.simulation.events[: place + 1]]
        told = [step.event for step in self.steps]
        return "\n".join(["this never happened:", f"  {expected[-1]}", "but this did:", *map(str, told)])

    async def _pass_time(self, until: int, happening: TimedEvent) -> None:
        """Move the clock; only an event that is a timer's may come from it."""
        is_timer = isinstance(happening.event, TimerFired)
        before = len(self.steps)
        last = until if is_timer else until - 1
        while len(self.steps) == before and self.clock.fire_next(last):  # noqa: ASYNC110 - its turn, no time
            await asyncio.sleep(0)
        self.clock.now = until

    async def _let_ring(self) -> None:
        """Let time go by only when everybody rings who should."""
        if self.dial is not None:
            phones = self._phones(self.dial)
            await self.until(lambda: all(ringing(phone) for phone in phones))

    def _phones(self, dial: Dial) -> list[Phone]:
        """Who rings."""
        snapshot = self.simulation.snapshot
        if dial.kind is DestinationKind.EXTERNAL:
            return [self.outside]
        group = snapshot.ring_groups.get(dial.target) if dial.kind is DestinationKind.RING_GROUP else None
        members = [dial.target] if group is None else dialling.members(snapshot, group)
        return [self.extensions[snapshot.extensions[member].number] for member in members]

    def _is_message(self, place: int) -> bool:
        """Whether the caller says something before this event, because a message is kept after it."""
        later = [happening.event for happening in self.simulation.events[place:]]
        results = [event.result for event in later if isinstance(event, RecordEnded)]
        is_end = isinstance(later[0], Digit | HungUp | RecordEnded)
        return is_end and results[:1] == [RecordResult.KEPT]

    async def _cause(self, event: Event, by_info: bool) -> None:
        """Do what makes this happen. Timers and mailboxes need nothing."""
        match event:
            case CallArrived(caller, destination):
                self.caller.user = caller
                incoming = self.simulation.incoming
                called = incoming.called[0] if incoming else ""
                self.line = self.caller.call(
                    called or self.simulation.snapshot.ivrs[destination.target].number
                )
            case Digit(key):
                await self._press(key, by_info)
            case PromptEnded():
                self.sounds.may_end = True
            case HungUp():
                self.line.hang_up()
            case RecordEnded():
                self.line.media.stop()
            case DialAnswered() | DialFailed() if self.dial is not None:
                self._pick_up(self._phones(self.dial), getattr(event, "cause", None))
            case DialEnded():
                self._reached().hang_up()
            case _:
                pass

    async def _press(self, key: str, by_info: bool) -> None:
        await self.line.until_answered()
        if by_info and self.line.leg is not None:
            self.line.leg.send_dtmf_info(key)
        else:
            self.line.media.send_dtmf(key)

    def _pick_up(self, phones: list[Phone], cause: Cause | None) -> None:
        """Let one of them answer, or none because of this."""
        if cause is None:
            ringing(phones[-1])[0].answer()
        elif cause in STATUSES:
            for phone in phones:
                ringing(phone)[0].hang_up(STATUSES[cause])

    def _reached(self) -> Line:
        """The line of whom the caller talks to."""
        [line] = [line for phone in self._everybody() for line in phone.lines if line.is_answered]
        return line

    def _everybody(self) -> list[Phone]:
        """Who may be rung."""
        return [*self.extensions.values(), self.outside]

    async def _speak(self) -> None:
        """Begin to say something after the tone, if it was not begun yet."""
        folder = self.pbx.journal
        self.line.media.play((TONE,), loop=True)
        await self.until(lambda: any(one.stat().st_size > MESSAGE_BYTES for one in folder.glob("vm-*.wav")))

    async def _fill_mailboxes(self, world: World) -> None:
        snapshot = self.pbx.process.config_cache.configuration.snapshot
        for number, box in world.mailboxes.items():
            owner = snapshot.numbers[number].target
            self.pbx.change("extension", owner, vm_pin=box.pin)
            with self.pbx.database.writing() as connection:
                for name in box.messages:
                    voicemail.save(connection, VoicemailMessage(name, owner, "", "", 0, 1000), silence())
        self.pbx.process.pin_lockout.reset("1000")
        self.pbx.process.pin_list_lockout = PinListLockout()

    def messages(self) -> set[str]:
        """The calls in which the messages in all mailboxes were left."""
        self.pbx.records()
        with self.pbx.database.reading() as connection:
            return {message.call_id for message in voicemail.list_messages(connection)[1]}

    def notes(self, record: CallRecord) -> list[Note]:
        """What was noted in the real call."""
        return self.pbx.notes(record.id)


def address_of(phone: Phone) -> dict[str, Any]:
    """The fields of a trunk that is known by this phone's address."""
    return {"type": "peer", "hostname": "127.0.0.1", "port": phone.address.port}


def ringing(phone: Phone) -> list[Line]:
    """The calls that wait for this phone's answer."""
    return [
        line
        for line in phone.lines
        if isinstance(line.leg, InboundLeg) and line.leg.is_early and not line.leg.is_terminated
    ]


def is_over(line: Line) -> bool:
    """Whether nobody is on it any more."""
    return line.leg is None or line.leg.is_terminated


def silence() -> bytes:
    """A second of nothing, as wav."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))
    return file.getvalue()


def retell_notes(simulation: Simulation, record: CallRecord) -> list[Note]:
    """The notes that the events in a record lead to."""
    told = replay_commands(simulation.snapshot, read_events(record.events))
    return [command for commands in told for command in commands if isinstance(command, Note)]


@asynccontextmanager
async def open_call_driver(folder: Path) -> AsyncIterator[CallDriver]:
    """Open an pbx for calls that were simulated."""
    async with open_pbx(folder) as pbx:
        driver = CallDriver(pbx)
        await driver.start_phones()
        yield driver
