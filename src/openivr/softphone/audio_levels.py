"""Detects where sound and silence begin in received audio."""

from dataclasses import dataclass, field
from enum import StrEnum, unique

import numpy as np

from openivr.media.audio.g711 import Law, decode
from openivr.media.recording.audio_recording import QUIET
from openivr.media.rtp.packet import Packet

LOUD_PACKETS = 3  # consecutive packets, 60 ms: longer than a click
QUIET_PACKETS = 50  # one second: longer than a pause in speech


@unique
class LevelChange(StrEnum):
    """The state that begins."""

    SOUND = "sound"
    SILENCE = "silence"


@dataclass(slots=True)
class LevelDetector:
    """Distinguishes sound from silence, with hysteresis."""

    is_loud: bool = field(default=False, init=False)
    _run: int = field(default=0, init=False)  # consecutive packets of the other state

    def take(self, packet: Packet, law: Law) -> LevelChange | None:
        """Take the next packet. Return the state that begins with it, or None."""
        loud = float(np.abs(decode(packet.payload, law).astype(np.int32)).mean()) >= QUIET
        self._run = 0 if loud is self.is_loud else self._run + 1
        if self._run < (QUIET_PACKETS if self.is_loud else LOUD_PACKETS):
            return None
        self.is_loud, self._run = loud, 0
        return LevelChange.SOUND if loud else LevelChange.SILENCE
