"""Measures RTP alone: the number of calls that one core can send a prompt to on time while they send audio.

    python -m bench.sound [CALLS ...]

Without signalling: the ports are given to callers that speak only RTP.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence

from bench.machine import SERVER_CORE, print_table, python
from bench.office import LOUD, square_wave
from bench.phones import Found, open_files_allowed, place_calls
from openivr.media.audio.clip import Clip
from openivr.media.media import Media, MediaSettings
from openivr.media.rtp.remote import RemoteMedia

FIRST_PORT = 20_000
STEPS = (300, 600, 1200, 1800)
SECONDS = 10


async def serve(calls: int) -> None:
    """Play to so many legs until standard input ends."""
    media = Media(MediaSettings(ports=range(FIRST_PORT, FIRST_PORT + 2 * calls)))
    clip = Clip.from_samples(square_wave(LOUD, 10))
    legs = [media.open("127.0.0.1") for _ in range(calls)]
    for leg in legs:
        leg.connect(RemoteMedia("127.0.0.1", 9, events_out=101, events_in=101))
        leg.play([clip], loop=True)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await media.close()


def measure(calls: int) -> Found:
    server = ["taskset", "-c", SERVER_CORE, *python("-m", "bench.sound", "serve", str(calls))]
    with subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        address = f"127.0.0.1:{FIRST_PORT}"
        found = place_calls(address, "--bare", "--calls", calls, "--settle", 2, "--seconds", SECONDS)
        process.communicate()
    return found


def main(steps: Sequence[int] = STEPS) -> None:
    open_files_allowed()
    rows = []
    for calls in steps:
        found = measure(calls)
        jitter = [f"{found[f'jitter_{what}']:.2f}" for what in ("p50", "p99", "max")]
        expected = calls * 50 * SECONDS
        rows.append([calls, *jitter, f"{found['received'] / expected:.4f}", found["lost"]])
    head = ["calls", "jitter p50, ms", "p99", "max", "packets received, share", "lost"]
    print_table(f"A prompt to many callers, {SECONDS} s each", head, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        open_files_allowed()
        asyncio.run(serve(int(sys.argv[2])))
    else:
        main([int(word) for word in sys.argv[1:]] or STEPS)
