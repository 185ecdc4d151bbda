"""Plays received audio by piping it into a player program of this machine."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process

from openivr.media.audio.g711 import Law, decode
from openivr.media.rtp.packet import Packet

# in order of preference; all take 16 bit, 8 kHz, one channel on standard input
PROGRAMS = (
    "aplay --quiet --file-type raw --format S16_LE --rate 8000 --channels 1 -",
    "paplay --raw --format=s16le --rate=8000 --channels=1",
    "pw-play --raw --format s16 --rate 8000 --channels 1 -",
    "ffplay -nodisp -autoexit -loglevel quiet -f s16le -ar 8000 -i -",
)
MAX_BYTES = 8000  # half a second of backlog; more audio is dropped, so that playback is not delayed


class NoPlayer(Exception):
    """No known player program is installed."""


class Loudspeaker:
    """A running player program."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> "Loudspeaker":
        """Start the first program that is installed. Raises NoPlayer if none is."""
        command = next((one.split() for one in PROGRAMS if shutil.which(one.split()[0])), None)
        if command is None:
            names = ", ".join(one.split()[0] for one in PROGRAMS)
            raise NoPlayer(f"none of these programs is installed: {names}")
        # A process group of its own, so that Ctrl-C ends the call before the player.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
        return cls(process)

    def hear(self, packet: Packet, law: Law) -> None:
        """Play a packet."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing() and pipe.transport.get_write_buffer_size() < MAX_BYTES:
            pipe.write(decode(packet.payload, law).astype("<i2").tobytes())

    async def close(self, seconds: float = 2.0) -> None:
        """Wait until the program has played its input, at most `seconds`, then end it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
