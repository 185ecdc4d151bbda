"""RTP sender: one stream of packets towards the peer. No sockets, no clock.

`tick` is called every 20 ms and sends the next packet: a DTMF digit, a prompt or silence. While the session
is bridged no silence is generated, and `forward` sends the packets of the other session. A feed replaces
both, the silence and the packets of the other session. Sequence numbers and timestamps continue without a
gap through all of these. The marker bit shows where the timestamp jumps.
"""

import random
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import FRAME, Law, transcoding
from openivr.media.audio.tone import dtmf_tone
from openivr.media.dtmf.rfc4733 import DIGITS, event_payloads
from openivr.media.rtp.packet import MARKER, Packet, is_before, pack

DIGIT_PACKETS = 5  # 100 ms a digit
GAP_PACKETS = 4  # 80 ms between digits
TIME = 0xFFFFFFFF
SILENCE = {law: law.silence * FRAME for law in Law}

Send = Callable[[bytes], object]
Tap = Callable[[int, Law, bytes], None]  # RTP timestamp, law, payload
Feed = Callable[[Law], Iterator[bytes]]  # yields a frame for every turn, without end


def discard(packet: bytes) -> None:
    """Drop a packet: the `send` of a stream without a destination."""


class RtpSender:
    """One outgoing RTP stream."""

    __slots__ = (
        "_ahead", "_clips", "_digits", "_feed", "_forwarded_ssrc", "_frames", "_idle_frames", "_is_bridged",
        "_loop", "_mark", "_on_end", "_passes_keys", "_pending", "_sequence_shift", "_started",
        "_time_shift", "events", "law", "noise", "octets", "packets", "payload_type", "send", "sequence",
        "ssrc", "taps", "timestamp",
    )  # fmt: skip

    def __init__(self) -> None:
        self.send: Send = discard
        self.sequence = random.getrandbits(16)
        self.timestamp = random.getrandbits(32)
        self.ssrc = random.getrandbits(32) or 1
        self.packets = self.octets = 0
        self.taps: list[Tap] = []  # called with every audio packet sent
        self.events: int | None = None
        self.noise: int | None = None
        self.law = Law.PCMU
        self.payload_type = self.law.value
        self._is_bridged = False
        self._feed: Feed | None = None
        self._passes_keys = True
        self._mark = MARKER
        self._ahead = False
        self._idle_frames: Iterator[bytes] | None = repeat(SILENCE[self.law])
        self._frames: Iterator[bytes] | None = self._idle_frames
        self._clips: tuple[Clip, ...] = ()
        self._loop = False
        self._started = 0
        self._on_end: Callable[[], None] | None = None
        self._pending = ""  # digits to send
        self._digits: Iterator[None] | None = None
        self._forwarded_ssrc: int | None = None  # for which the shifts below hold
        self._sequence_shift = self._time_shift = 0

    # Every 20 ms

    def tick(self) -> None:
        """Send the packet of this turn."""
        if self._ahead:
            self._ahead = False
            return
        if self._digits is not None:
            if next(self._digits, self) is not self:
                return
            self._digits = None
        if self._frames is None:
            self.timestamp = self.timestamp + FRAME & TIME
            return
        self._emit(next(self._frames, None) or self._end())

    def skip(self, turns: int) -> None:
        """Skip missed turns. The prompt is delayed; none of it is lost."""
        if self._ahead:
            self._ahead = False
            turns -= 1
        self.timestamp = self.timestamp + turns * FRAME & TIME
        self._mark = MARKER

    def _emit(self, frame: bytes) -> None:
        sequence, timestamp = self.sequence, self.timestamp
        try:  # noqa: SIM105 - suppress() costs as much as half a packet
            self.send(pack(0x80, self._mark | self.payload_type, sequence, timestamp, self.ssrc) + frame)
        except OSError:  # the peer's port is closed or the send buffer is full; the next packet may succeed
            pass
        for tap in self.taps:
            tap(timestamp, self.law, frame)
        self._mark = 0
        self.packets += 1
        self.octets += FRAME
        self.sequence = sequence + 1 & 0xFFFF
        self.timestamp = timestamp + FRAME & TIME

    def _end(self) -> bytes:
        self._frames = self._idle_frames
        on_end, self._on_end, self._clips = self._on_end, None, ()
        if on_end:
            on_end()
        return SILENCE[self.law]

    # Playing

    def play(self, clips: tuple[Clip, ...], *, loop: bool, on_end: Callable[[], None] | None) -> None:
        """Play clips from their beginning. The first packet leaves immediately."""
        self._clips, self._loop, self._on_end = clips, loop, on_end
        self._started = self.timestamp
        self._frames = self._clip_frames(0)
        if not self._ahead and self._digits is None and self.send is not discard:
            self.tick()
            self._ahead = True

    def stop(self) -> None:
        """Stop playing."""
        self._frames, self._clips, self._on_end = self._idle_frames, (), None

    def close(self) -> None:
        """Stop sending."""
        self.send = discard
        self.stop()
        self._digits = None
        self._pending = ""

    @property
    def is_playing(self) -> bool:
        return self._frames is not self._idle_frames

    def _clip_frames(self, position: int) -> Iterator[bytes]:
        """Iterate over the frames to play, starting at this one."""
        parts = [clip.frames(self.law) for clip in self._clips]
        length = sum(len(part) for part in parts)
        rounds = repeat(parts) if self._loop and length else [parts]
        frames = chain.from_iterable(chain.from_iterable(rounds))
        return islice(frames, position % length if self._loop else position, None) if position else frames

    def set_law(self, law: Law, payload_type: int | None = None) -> None:
        """Send in this law, with its payload type or another. A prompt continues at its position."""
        self.payload_type = law.value if payload_type is None else payload_type
        if law is self.law:
            return
        self.law = law
        is_playing = self.is_playing
        self._idle_frames = self._make_idle_frames()
        position = ((self.timestamp - self._started) & TIME) // FRAME
        self._frames = self._clip_frames(position) if is_playing else self._idle_frames

    # DTMF

    def send_dtmf(self, digits: str) -> None:
        """Send digits in order, as telephone-events or, if these were not negotiated, as tones.

        Raises ValueError for other characters.
        """
        if wrong := set(digits) - set(DIGITS):
            raise ValueError(f"not DTMF digits: {''.join(sorted(wrong))}")
        self._pending += digits
        if self._digits is None and self._pending:
            self._digits = self._digit_packets()

    def _digit_packets(self) -> Iterator[None]:
        while self._pending:
            digit, self._pending = self._pending[0], self._pending[1:]
            if self.events is None:
                for frame in dtmf_tone(digit, 20 * DIGIT_PACKETS).frames(self.law):
                    self._emit(frame)
                    yield
            else:
                yield from self._event_packets(digit, self.events)
            for _ in range(GAP_PACKETS):
                self._emit(SILENCE[self.law])
                yield

    def _event_packets(self, digit: str, payload_type: int) -> Iterator[None]:
        start, mark = self.timestamp, MARKER
        for payload in event_payloads(digit, DIGIT_PACKETS, FRAME):
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

    def set_bridged(self, is_bridged: bool) -> None:
        """Stop or resume generating silence. A prompt continues."""
        is_playing = self.is_playing
        self._is_bridged, self._forwarded_ssrc = is_bridged, None
        self._idle_frames = self._make_idle_frames()
        if not is_playing:
            self._frames = self._idle_frames
        self._mark = MARKER

    def set_feed(self, feed: Feed | None, *, passes_keys: bool = True) -> None:
        """Send the frames of a feed when nothing is played; None: as before, silence or the other session.

        A prompt continues. `passes_keys`: telephone-events of the other session are sent here too.
        """
        self._feed, self._passes_keys = feed, passes_keys
        self.set_bridged(self._is_bridged)

    @property
    def has_feed(self) -> bool:
        return self._feed is not None

    def _make_idle_frames(self) -> Iterator[bytes] | None:
        if self._feed is not None:
            return self._feed(self.law)
        return None if self._is_bridged else repeat(SILENCE[self.law])

    @property
    def is_forwarding(self) -> bool:
        """Return True if packets of the other session are sent, because no prompt or digit is."""
        return self._frames is None and self._digits is None

    def forward(self, packet: Packet, law: Law) -> None:
        """Send an audio packet that the other session received."""
        if not self.is_forwarding:
            self._forwarded_ssrc = None
            return
        payload = bytes(packet.payload)
        if law is not self.law:
            payload = payload.translate(transcoding(law, self.law))
        timestamp = self._forward(self.payload_type, packet, payload)
        for tap in self.taps:
            tap(timestamp, self.law, payload)
        end = timestamp + len(payload) & TIME
        if is_before(self.timestamp, end, 32):
            self.timestamp = end

    def forward_event(self, packet: Packet, digit: str | None) -> None:
        """Send a telephone-event that the other session received.

        Without telephone-events in this session the digit is sent as a tone at the first packet of the event.
        Beside a feed it is sent again, because its packets have no place among those of the feed.
        """
        if self._feed is not None and not self._passes_keys:
            return
        if self.events is None or self._feed is not None:
            self.send_dtmf(digit or "")
        elif self.is_forwarding:
            self._forward(self.events, packet, bytes(packet.payload))

    def forward_noise(self, packet: Packet) -> None:
        """Send comfort noise that the other session received, if it was negotiated here."""
        if self.noise is not None and self.is_forwarding:
            self._forward(self.noise, packet, bytes(packet.payload))

    def _forward(self, payload_type: int, packet: Packet, payload: bytes) -> int:
        """Send a packet with its numbers shifted into this stream. Return its new timestamp."""
        if packet.ssrc != self._forwarded_ssrc:
            self._forwarded_ssrc = packet.ssrc
            self._sequence_shift = self.sequence - packet.sequence
            self._time_shift = self.timestamp - packet.timestamp
            self._mark = MARKER
        sequence = packet.sequence + self._sequence_shift & 0xFFFF
        timestamp = packet.timestamp + self._time_shift & TIME
        self._put(self._mark | (MARKER if packet.marker else 0) | payload_type, sequence, timestamp, payload)
        self._mark = 0
        if not is_before(sequence, self.sequence, 16):
            self.sequence = sequence + 1 & 0xFFFF
        return timestamp
