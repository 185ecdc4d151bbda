"""Whether sound or silence is heard, from the packets of one side of a call."""

from dataclasses import dataclass, field
from enum import StrEnum, unique

import numpy as np

from openivr.media.audio.g711 import Law, decode
from openivr.media.recording.audio_recording import QUIET
from openivr.media.rtp.packet import Packet

LOUD_PACKETS = 3  # on end, which are 60 ms: a click is no sound
QUIET_PACKETS = 50  # a second: shorter pauses are those of speech


@unique
class LevelChange(StrEnum):
    """What has begun."""

    SOUND = "sound"
    SILENCE = "silence"


@dataclass(slots=True)
class LevelDetector:
    """Tells sound from silence, with some patience."""

    is_loud: bool = field(default=False, init=False)
    _run: int = field(default=0, init=False)  # packets on end that say the opposite

    def take(self, packet: Packet, law: Law) -> LevelChange | None:
        """Take the next packet; what has begun with it, if anything."""
        loud = float(np.abs(decode(packet.payload, law).astype(np.int32)).mean()) >= QUIET
        self._run = 0 if loud is self.is_loud else self._run + 1
        if self._run < (QUIET_PACKETS if self.is_loud else LOUD_PACKETS):
            return None
        self.is_loud, self._run = loud, 0
        return LevelChange.SOUND if loud else LevelChange.SILENCE
