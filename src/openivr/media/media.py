"""Opens the legs of calls: the one thing that the rest of the house needs to hold."""

import asyncio
from dataclasses import dataclass
from weakref import WeakSet

from openivr.media.pump import Pump
from openivr.media.rtp.ports import Interface, Ports
from openivr.media.session import MediaSession


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Where sound is received, and how long it may be missing."""

    interfaces: tuple[Interface, ...] = (Interface("127.0.0.1"),)  # see `find_interface`
    ports: range = range(10000, 20000)
    dead_seconds: float = 30


class Media:
    """The pump and the ports. To be made in the running event loop, the one that signalling uses too."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._ports = Ports(settings.ports)
        self._legs: WeakSet[MediaSession] = WeakSet()
        self._pump = Pump(asyncio.get_running_loop())

    @property
    def pairs(self) -> int:
        """How many legs there are ports for."""
        return self._ports.pairs

    @property
    def missed(self) -> int:
        """Turns of 20 ms that were left out, because the process was busy or asleep. For the metrics."""
        return self._pump.missed

    def open(self, towards: str) -> MediaSession:
        """A leg for whoever is at this numeric address. NoPorts if there are none left."""
        interface, pair = self._ports.bind(self._settings.interfaces, towards)
        leg = MediaSession(self._pump, interface.advertised(towards), pair, self._settings.dead_seconds)
        self._legs.add(leg)
        return leg

    async def close(self) -> None:
        """Close all legs, stop sending and reading, and wait until all recordings are complete."""
        for leg in list(self._legs):
            leg.close()
        await self._pump.close()
