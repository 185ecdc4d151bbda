"""An office to call, and a desk from which calls are made on a virtual clock."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionRule,
    Ivr,
    IvrSnapshot,
    OutboundRoute,
    Prompt,
    RingGroup,
    Trunk,
    by_id,
)
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import World

Office = Callable[..., IvrSnapshot]

PEOPLE = (
    Extension(1, "1000", "Ada", "Byron"),
    Extension(2, "1001", "Alan", "Turing"),
    Extension(3, "1002", "Grace", "Hopper", enabled=False),
    Extension(4, "1003", "Adele", "Goldberg", voicemail=False, ring_seconds=10),
)
MAIN = Ivr(
    id=1,
    number="6200",
    name="Main",
    prompts=("welcome.wav", "keys.wav"),
    prompt_repeat=2,
    resp_timeout=5,
    digit_timeout=3,
)


@pytest.fixture
def office() -> Office:
    """Build a configuration; keywords change the main menu, `ivrs` adds menus, `groups` ring groups."""

    def build(ivrs: tuple[Ivr, ...] = (), groups: tuple[RingGroup, ...] = (), **changes: Any) -> IvrSnapshot:
        return IvrSnapshot(
            ivrs=by_id([replace(MAIN, **changes), *ivrs]),
            extensions=by_id(PEOPLE),
            ring_groups=by_id(groups or [RingGroup(1, "6300", "All", (1, 2), ring_seconds=20)]),
            trunks=by_id([Trunk(1, "A"), Trunk(2, "B")]),
            outbound_routes=by_id(
                [
                    OutboundRoute(1, "Local", (DialPattern("9XXX", strip=1),), (1, 2), position=2),
                    OutboundRoute(2, "Any", (DialPattern("9."), DialPattern("+.")), (2,), position=1),
                ]
            ),
            prompts={name: Prompt(name, 4) for name in ("welcome.wav", "keys.wav", "hours.wav")},
        )

    return build


ALL = DialPolicy(ExtensionRule.ALL)
MENU_CALL = Destination(DestinationKind.IVR, 1)


@dataclass
class Desk:
    """One call, told in (verb, text) pairs."""

    simulation: Simulation

    def do(self, keys: str) -> "Desk":
        """Press keys, wait, hang up: the language of `openivr simulate --keys`."""
        act_out(self.simulation, read_keys(keys))
        return self

    def finish(self) -> "Desk":
        """Let the call run to its end."""
        self.simulation.finish()
        return self

    def told(self, *verbs: str) -> list[tuple[str, str]]:
        """What happened, of these verbs."""
        return [(line.what, line.text) for line in self.simulation.lines if line.what in verbs]

    def at(self, verb: str) -> list[float]:
        """When it happened, in seconds."""
        return [line.at / 1000 for line in self.simulation.lines if line.what == verb]

    def texts(self, verb: str) -> list[str]:
        """What happened, of one verb."""
        return [text for _, text in self.told(verb)]


@pytest.fixture
def ring() -> Callable[..., Desk]:
    """Call the main menu, or another destination."""

    def ring(
        snapshot: IvrSnapshot,
        world: dict[str, str] | None = None,
        destination: Destination = MENU_CALL,
        **outside: Any,
    ) -> Desk:
        simulation = Simulation(snapshot, World(world or {}, **outside))
        simulation.call(destination, "2000")
        return Desk(simulation)

    return ring
