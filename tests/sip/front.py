"""An agent with a door and trunks before it, as a server has them, on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from openivr.sip.agent import Agent
from openivr.sip.directory import Account, Caller, Directory
from openivr.sip.door import Door
from openivr.sip.guard import Policy
from openivr.sip.inbound import InboundLeg
from openivr.sip.lines import Health, State, Trunk
from openivr.sip.registrar import Binding
from openivr.sip.settings import Settings
from openivr.sip.targets import Target
from openivr.sip.trunks import Trunks
from openivr.sip.upkeep import Upkeep
from openivr.sip.verifier import Secret
from tests.sip.wire import SECONDS, Ear, settings

PASSWORD = "the-right-password"
ADA = Account("ada", Secret.make("ada", PASSWORD), contacts=2, names=frozenset({"1000"}))
GENEROUS = Policy(rate=10_000, burst=10_000)


@dataclass
class Front:
    """What a test plays with."""

    agent: Agent
    door: Door
    trunks: Trunks
    calls: "asyncio.Queue[tuple[Caller, InboundLeg, Ear]]" = field(default_factory=asyncio.Queue)
    bindings: "asyncio.Queue[tuple[str, tuple[Binding, ...]]]" = field(default_factory=asyncio.Queue)
    states: "asyncio.Queue[tuple[int, State]]" = field(default_factory=asyncio.Queue)

    @property
    def target(self) -> Target:
        return self.agent.listening[0]

    def configure(self, *trunks: Trunk, accounts: tuple[Account, ...] = (ADA,)) -> None:
        by_id = {trunk.id: trunk for trunk in trunks}
        directory = Directory.make({account.user: account for account in accounts}, by_id)
        self.door.configure(directory)
        self.trunks.configure(by_id)

    async def bound(self, user: str, count: int) -> tuple[Binding, ...]:
        """Wait until an account has so many bindings."""
        async with asyncio.timeout(SECONDS):
            while True:
                told, bindings = await self.bindings.get()
                if told == user and len(bindings) == count:
                    return bindings

    async def line(self, trunk: int, health: Health) -> State:
        """Wait until a line is so."""
        async with asyncio.timeout(SECONDS):
            while True:
                told, state = await self.states.get()
                if told == trunk and state.health is health:
                    return state

    async def call(self) -> tuple[Caller, InboundLeg, Ear]:
        async with asyncio.timeout(SECONDS):
            return await self.calls.get()


@asynccontextmanager
async def front(
    *trunks: Trunk,
    on_call: Callable[[InboundLeg], None] = lambda leg: None,
    policy: Policy = GENEROUS,
    is_full: Callable[[], bool] = lambda: False,
    config: Settings | None = None,
    draw: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Front]:
    def called(leg: InboundLeg, caller: Caller) -> None:
        ear = Ear()
        leg.listener = ear
        made.calls.put_nowait((caller, leg, ear))
        on_call(leg)

    door = Door(b"k" * 32, called, policy=policy, is_full=is_full)
    agent = Agent(config or settings(), door)
    made = Front(agent, door, Trunks(agent, door, lambda *told: made.states.put_nowait(told), draw=draw))
    door.watchers.append(lambda *told: made.bindings.put_nowait(told))
    await agent.start()
    upkeep = Upkeep(agent, door)
    made.configure(*trunks)
    try:
        yield made
    finally:
        await made.trunks.close(0.5)
        upkeep.close()
        agent.close()


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port of loopback that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
