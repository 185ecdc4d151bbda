"""An agent with access control, registrar and trunks, as a server has them, on loopback."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from openivr.sip.access.access_control import AccessControl
from openivr.sip.access.rate_limit import RateLimitPolicy
from openivr.sip.accounts import AccountDirectory, AuthAccount, CallerIdentity, TrunkConfig
from openivr.sip.address import Target
from openivr.sip.agent import Agent
from openivr.sip.auth.server import DigestSecret
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import Admission, LocalResponse
from openivr.sip.message.message import Request
from openivr.sip.registrar.keepalive import BindingKeepalive
from openivr.sip.registrar.registrar import Binding
from openivr.sip.registrar.registrar_service import RegistrarService
from openivr.sip.settings import AgentSettings
from openivr.sip.transport.locator import ServerLocator
from openivr.sip.trunk.trunk_manager import TrunkManager
from openivr.sip.trunk.trunk_state import TrunkHealth, TrunkState
from tests.sip.wire import SECONDS, Ear, settings

PASSWORD = "the-right-password"
ADA = AuthAccount("ada", DigestSecret.make("ada", PASSWORD), contacts=2, names=frozenset({"1000"}))
FREE_PORTS = range(20_000, 32_000)  # above those of RTP
GENEROUS = RateLimitPolicy(rate=10_000, burst=10_000)


@dataclass
class Front:
    """What a test plays with."""

    agent: Agent
    access: AccessControl
    registrar: RegistrarService
    trunks: TrunkManager
    calls: "asyncio.Queue[tuple[CallerIdentity, InboundLeg, Ear]]"
    bindings: "asyncio.Queue[tuple[str, tuple[Binding, ...]]]" = field(default_factory=asyncio.Queue)
    states: "asyncio.Queue[tuple[int, TrunkState]]" = field(default_factory=asyncio.Queue)

    @property
    def target(self) -> Target:
        return self.agent.listening[0]

    def configure(self, *trunks: TrunkConfig, accounts: tuple[AuthAccount, ...] = (ADA,)) -> None:
        by_id = {trunk.id: trunk for trunk in trunks}
        directory = AccountDirectory.make({account.user: account for account in accounts}, by_id)
        self.access.configure(directory)
        self.registrar.configure(directory.accounts)
        self.trunks.configure(by_id)

    async def bound(self, user: str, count: int) -> tuple[Binding, ...]:
        """Wait until an account has so many bindings."""
        async with asyncio.timeout(SECONDS):
            while True:
                told, bindings = await self.bindings.get()
                if told == user and len(bindings) == count:
                    return bindings

    async def line(self, trunk: int, health: TrunkHealth) -> TrunkState:
        """Wait until a line is so."""
        async with asyncio.timeout(SECONDS):
            while True:
                told, state = await self.states.get()
                if told == trunk and state.health is health:
                    return state

    async def call(self) -> tuple[CallerIdentity, InboundLeg, Ear]:
        async with asyncio.timeout(SECONDS):
            return await self.calls.get()


class Calls:
    """The handler of requests: queues each call, and registers phones."""

    def __init__(self, registrar: RegistrarService, on_call: Callable[[InboundLeg], None]) -> None:
        self.registrar, self.on_call = registrar, on_call
        self.calls: asyncio.Queue[tuple[CallerIdentity, InboundLeg, Ear]] = asyncio.Queue()

    def on_invite(self, leg: InboundLeg, admission: Admission) -> None:
        assert admission.caller
        ear = Ear()
        leg.listener = ear
        self.calls.put_nowait((admission.caller, leg, ear))
        self.on_call(leg)

    def on_register(self, request: Request, admission: Admission) -> LocalResponse:
        return self.registrar.on_register(request, admission)

    def on_other_request(self, request: Request, admission: Admission) -> LocalResponse | None:
        return None


@asynccontextmanager
async def front(
    *trunks: TrunkConfig,
    on_call: Callable[[InboundLeg], None] = lambda leg: None,
    policy: RateLimitPolicy = GENEROUS,
    is_full: Callable[[], bool] = lambda: False,
    config: AgentSettings | None = None,
    draw: Callable[[], float] = lambda: 0.0,
    locator: ServerLocator | None = None,
) -> AsyncIterator[Front]:
    access = AccessControl(b"k" * 32, policy=policy, is_full=is_full)
    registrar = RegistrarService()
    calls = Calls(registrar, on_call)
    agent = Agent(config or settings(), access, calls)
    trunk_manager = TrunkManager(
        agent,
        registrar,
        access.set_trunk_targets,
        lambda *told: made.states.put_nowait(told),
        draw=draw,
        locator=locator,
    )
    made = Front(agent, access, registrar, trunk_manager, calls.calls)
    registrar.watchers.append(lambda *told: made.bindings.put_nowait(told))
    await agent.start()
    upkeep = BindingKeepalive(agent, registrar)
    made.configure(*trunks)
    try:
        yield made
    finally:
        await made.trunks.close(0.5)
        upkeep.close()
        agent.close()


def free_port() -> int:
    """Return a port that is free on all addresses, for UDP and TCP.

    It is below those that the kernel gives to connections, so that none of them takes it before it is used.
    """
    while True:
        port = FREE_PORTS[secrets.randbelow(len(FREE_PORTS))]
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    probe.bind((host, port))
                except OSError:
                    return False
    return True
