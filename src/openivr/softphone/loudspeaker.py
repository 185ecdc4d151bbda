"""What is heard, through the loudspeaker: piped into whatever program of this machine plays sound."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process

from openivr.media.audio.g711 import Law, decode
from openivr.media.rtp.packet import Packet

# programs in the order of trying: 16 bit, 8 kHz, one channel on their standard input
PROGRAMS = (
    "aplay --quiet --file-type raw --format S16_LE --rate 8000 --channels 1 -",
    "paplay --raw --format=s16le --rate=8000 --channels=1",
    "pw-play --raw --format s16 --rate 8000 --channels 1 -",
    "ffplay -nodisp -autoexit -loglevel quiet -f s16le -ar 8000 -i -",
)
MOST_BYTES = 8000  # half a second that may wait; what comes then is left out, so that nothing comes late


class NoPlayer(Exception):
    """No program of this machine plays sound."""


class Loudspeaker:
    """A running program that plays what it is given."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> "Loudspeaker":
        """Start the first program that is there; NoPlayer where none is."""
        command = next((one.split() for one in PROGRAMS if shutil.which(one.split()[0])), None)
        if command is None:
            names = ", ".join(one.split()[0] for one in PROGRAMS)
            raise NoPlayer(f"none of these programs is installed: {names}")
        # A group of its own, for Ctrl-C ends the call first.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
        return cls(process)

    def hear(self, packet: Packet, law: Law) -> None:
        """Play a packet."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing() and pipe.transport.get_write_buffer_size() < MOST_BYTES:
            pipe.write(decode(packet.payload, law).astype("<i2").tobytes())

    async def close(self, seconds: float = 2.0) -> None:
        """Let it play what it has, for a moment, and end it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
