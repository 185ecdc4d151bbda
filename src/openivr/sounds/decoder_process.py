"""Converts mp3 files in a process of its own: libmpg123 writes to standard error, past any log.

The process reads the file from its standard input, and writes a line of JSON and the telephone version.
"""

import json
import subprocess
import sys

from openivr.sounds.containers import AudioFault, NotAudio
from openivr.sounds.decode import ConvertedAudio, convert_here

SECONDS = 60  # for a conversion


def convert_apart(data: bytes, extension: str, *, keeps_level: bool) -> ConvertedAudio:
    """Convert a file in another process. Raises NotAudio, also if that process fails."""
    command = [sys.executable, "-m", __name__, extension, *(["keep"] if keeps_level else [])]
    try:
        result = subprocess.run(  # noqa: S603 - our own program, with an extension as argument
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
        head, _, wav = result.stdout.partition(b"\n")
        facts = json.loads(head)
    except (subprocess.SubprocessError, ValueError) as error:
        raise NotAudio(AudioFault.TYPE) from error
    if "fault" in facts:
        raise NotAudio(AudioFault(facts["fault"]), **facts["params"])
    return ConvertedAudio(wav, facts["seconds"], facts["loudness"])


def main() -> None:
    """Convert standard input."""
    wav = b""
    try:
        result = convert_here(sys.stdin.buffer.read(), sys.argv[1], keeps_level=len(sys.argv) > 2)
        facts: dict[str, object] = {"seconds": result.seconds, "loudness": result.loudness}
        wav = result.wav
    except NotAudio as error:
        facts = {"fault": error.fault.value, "params": error.params}
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + wav)


if __name__ == "__main__":
    main()
