"""Entry point of the media engine: opens media sessions."""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakSet

from openivr.media.inactivity import InactivityLimits
from openivr.media.pump import Pump
from openivr.media.rtp.ports import Interface, Ports
from openivr.media.session import MediaSession


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Local addresses and ports for RTP, and the inactivity limits."""

    interfaces: tuple[Interface, ...] = (Interface("127.0.0.1"),)  # see `find_interface`
    ports: range = range(10000, 20000)
    inactivity: InactivityLimits = field(default_factory=InactivityLimits)


class Media:
    """Owns the pump and the ports. Create it in the running event loop that signalling uses too."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._ports = Ports(settings.ports)
        self._sessions: WeakSet[MediaSession] = WeakSet()
        self._pump = Pump(asyncio.get_running_loop())

    @property
    def capacity(self) -> int:
        """Number of sessions that the port range has room for."""
        return self._ports.capacity

    @property
    def missed_ticks(self) -> int:
        """Turns of 20 ms that were skipped because the process was busy or suspended. For the metrics."""
        return self._pump.missed_ticks

    def open(self, towards: str) -> MediaSession:
        """Open a session towards a numeric address. Raises NoPorts if no ports are free."""
        interface, pair = self._ports.bind(self._settings.interfaces, towards)
        session = MediaSession(self._pump, interface.advertised(towards), pair, self._settings.inactivity)
        self._sessions.add(session)
        return session

    async def close(self) -> None:
        """Close all sessions, stop sending and reading, and wait until all recordings are complete."""
        for session in list(self._sessions):
            session.close()
        await self._pump.close()
