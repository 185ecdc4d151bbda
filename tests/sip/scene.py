"""An agent with its owner, and a phone beside it, for every test over sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from openivr.sip.agent import Agent
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.settings import AgentSettings
from tests.sip.wire import House, Phone, running


@dataclass
class Scene:
    """What a test over sockets plays with."""

    agent: Agent
    house: House
    phone: Phone


@asynccontextmanager
async def scene(
    on_call: Callable[[InboundLeg], None] | None = None, config: AgentSettings | None = None
) -> AsyncIterator[Scene]:
    house = House(on_call)
    agent = await running(house, config)
    phone = Phone(agent.listening[0], agent.listening[0].host)
    try:
        yield Scene(agent, house, phone)
    finally:
        phone.close()
        agent.close()


def play(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test on an event loop of its own."""

    def run() -> None:
        asyncio.run(test())  # type: ignore[arg-type]

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run
