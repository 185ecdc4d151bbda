"""What one side of a call is sent: one stream of packets, whoever made their content. No sockets, no clock.

`tick` is called every 20 ms and sends the next packet of whatever there is: keys, a prompt, or silence. While
the leg is bridged there is no silence of our own, and `forward` sends what the other leg hears. Sequence
numbers and timestamps go on without a gap through all of it; the marker bit says where the timestamp jumped.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import FRAME, Law, transcoding
from openivr.media.audio.tone import key_tone
from openivr.media.dtmf.rfc4733 import KEYS, event_payloads
from openivr.media.rtp.packet import MARKER, Packet, before, pack

KEY_PACKETS = 5  # 100 ms a key
GAP_PACKETS = 4  # 80 ms between keys
TIME = 0xFFFFFFFF
SILENCE = {law: law.silence * FRAME for law in Law}

Send = Callable[[bytes], object]
Tap = Callable[[int, Law, bytes], None]  # RTP timestamp, law, payload


def discard(packet: bytes) -> None:
    """Where packets go that nobody wants."""


class RtpSender:
    """A stream of RTP."""

    __slots__ = (
        "_ahead", "_clips", "_frames", "_from", "_is_bridged", "_keys", "_loop", "_mark", "_on_end",
        "_pending", "_rest", "_sequence_shift", "_started", "_time_shift", "events", "law", "octets",
        "packets", "send", "sequence", "ssrc", "taps", "timestamp",
    )  # fmt: skip

    def __init__(self) -> None:
        self.send: Send = discard
        self.sequence = random.getrandbits(16)
        self.timestamp = random.getrandbits(32)
        self.ssrc = random.getrandbits(32) or 1
        self.packets = self.octets = 0
        self.taps: list[Tap] = []  # hear what is sent
        self.events: int | None = None
        self.law = Law.PCMU
        self._is_bridged = False
        self._mark = MARKER
        self._ahead = False
        self._rest: Iterator[bytes] | None = repeat(SILENCE[self.law])
        self._frames: Iterator[bytes] | None = self._rest
        self._clips: tuple[Clip, ...] = ()
        self._loop = False
        self._started = 0
        self._on_end: Callable[[], None] | None = None
        self._pending: deque[str] = deque()
        self._keys: Iterator[None] | None = None
        self._from: int | None = None  # the SSRC that the shifts below are for
        self._sequence_shift = self._time_shift = 0

    # Every 20 ms

    def tick(self) -> None:
        """Send the packet of this turn."""
        if self._ahead:
            self._ahead = False
            return
        if self._keys is not None:
            if next(self._keys, self) is not self:
                return
            self._keys = None
        if self._frames is None:
            self.timestamp = self.timestamp + FRAME & TIME
            return
        self._emit(next(self._frames, None) or self._end())

    def skip(self, turns: int) -> None:
        """Leave out turns whose time has passed. Nothing that plays is lost; it comes later."""
        if self._ahead:
            self._ahead = False
            turns -= 1
        self.timestamp = self.timestamp + turns * FRAME & TIME
        self._mark = MARKER

    def _emit(self, frame: bytes) -> None:
        sequence, timestamp = self.sequence, self.timestamp
        try:  # noqa: SIM105 - suppress() costs as much as half a packet
            self.send(pack(0x80, self._mark | self.law, sequence, timestamp, self.ssrc) + frame)
        except OSError:  # the other side's port is closed, or our buffer is full: the next may do better
            pass
        for tap in self.taps:
            tap(timestamp, self.law, frame)
        self._mark = 0
        self.packets += 1
        self.octets += FRAME
        self.sequence = sequence + 1 & 0xFFFF
        self.timestamp = timestamp + FRAME & TIME

    def _end(self) -> bytes:
        self._frames = self._rest
        ended, self._on_end, self._clips = self._on_end, None, ()
        if ended:
            ended()
        return SILENCE[self.law]

    # Playing

    def play(self, clips: tuple[Clip, ...], *, loop: bool, on_end: Callable[[], None] | None) -> None:
        """Play clips from their beginning, the first packet at once."""
        self._clips, self._loop, self._on_end = clips, loop, on_end
        self._started = self.timestamp
        self._frames = self._from_clips(0)
        if not self._ahead and self._keys is None and self.send is not discard:
            self.tick()
            self._ahead = True

    def stop(self) -> None:
        """Play nothing more."""
        self._frames, self._clips, self._on_end = self._rest, (), None

    def close(self) -> None:
        """Send nothing more."""
        self.send = discard
        self.stop()
        self._keys = None
        self._pending.clear()

    @property
    def is_playing(self) -> bool:
        return self._frames is not self._rest

    def _from_clips(self, position: int) -> Iterator[bytes]:
        """The frames to play, from this one on."""
        parts = [clip.frames(self.law) for clip in self._clips]
        length = sum(len(part) for part in parts)
        rounds = repeat(parts) if self._loop and length else [parts]
        frames = chain.from_iterable(chain.from_iterable(rounds))
        return islice(frames, position % length if self._loop else position, None) if position else frames

    def set_law(self, law: Law) -> None:
        """Send in this law from now on; a prompt goes on where it is."""
        if law is self.law:
            return
        self.law = law
        is_playing = self.is_playing
        self._rest = None if self._is_bridged else repeat(SILENCE[law])
        position = ((self.timestamp - self._started) & TIME) // FRAME
        self._frames = self._from_clips(position) if is_playing else self._rest

    # Keys

    def send_keys(self, keys: str) -> None:
        """Send keys one after another: as telephone-events, or as tones to who did not agree on them."""
        if wrong := set(keys) - set(KEYS):
            raise ValueError(f"no keys: {''.join(sorted(wrong))}")
        self._pending.extend(keys)
        if self._keys is None and self._pending:
            self._keys = self._key_packets()

    def _key_packets(self) -> Iterator[None]:
        while self._pending:
            key = self._pending.popleft()
            if self.events is None:
                for frame in key_tone(key, 20 * KEY_PACKETS).frames(self.law):
                    self._emit(frame)
                    yield
            else:
                yield from self._event_packets(key, self.events)
            for _ in range(GAP_PACKETS):
                self._emit(SILENCE[self.law])
                yield

    def _event_packets(self, key: str, payload_type: int) -> Iterator[None]:
        start, mark = self.timestamp, MARKER
        for payload in event_payloads(key, KEY_PACKETS, FRAME):
            self._put(mark | payload_type, self.sequence, start, payload)
            self.sequence = self.sequence + 1 & 0xFFFF
            self.timestamp = self.timestamp + FRAME & TIME
            mark = 0
            yield
        self._mark = MARKER

    def _put(self, second: int, sequence: int, timestamp: int, payload: bytes) -> None:
        try:
            self.send(pack(0x80, second, sequence, timestamp, self.ssrc) + payload)
        except OSError:
            return
        self.packets += 1
        self.octets += len(payload)

    # Bridged

    def bridge(self, is_bridged: bool) -> None:
        """Leave the silence to another leg, or take it back. A prompt plays on."""
        is_playing = self.is_playing
        self._is_bridged, self._from = is_bridged, None
        self._rest = None if is_bridged else repeat(SILENCE[self.law])
        if not is_playing:
            self._frames = self._rest
        self._mark = MARKER

    @property
    def is_open(self) -> bool:
        """Whether what another leg hears would be sent: nothing of our own is."""
        return self._frames is None and self._keys is None

    def forward(self, packet: Packet, law: Law) -> None:
        """Send what another leg heard."""
        if not self.is_open:
            self._from = None
            return
        payload = bytes(packet.payload)
        if law is not self.law:
            payload = payload.translate(transcoding(law, self.law))
        timestamp = self._forward(self.law, packet, payload)
        for tap in self.taps:
            tap(timestamp, self.law, payload)
        end = timestamp + len(payload) & TIME
        if before(self.timestamp, end, 32):
            self.timestamp = end

    def press(self, packet: Packet, key: str | None) -> None:
        """Send a telephone-event that another leg heard; as a tone, at its first packet, if need be."""
        if self.events is None:
            self.send_keys(key or "")
        elif self.is_open:
            self._forward(self.events, packet, bytes(packet.payload))

    def _forward(self, payload_type: int, packet: Packet, payload: bytes) -> int:
        """Send a packet with its numbers shifted into ours; the timestamp it went out with."""
        if packet.ssrc != self._from:
            self._from = packet.ssrc
            self._sequence_shift = self.sequence - packet.sequence
            self._time_shift = self.timestamp - packet.timestamp
            self._mark = MARKER
        sequence = packet.sequence + self._sequence_shift & 0xFFFF
        timestamp = packet.timestamp + self._time_shift & TIME
        self._put(self._mark | (MARKER if packet.marker else 0) | payload_type, sequence, timestamp, payload)
        self._mark = 0
        if not before(sequence, self.sequence, 16):
            self.sequence = sequence + 1 & 0xFFFF
        return timestamp
