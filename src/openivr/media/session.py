"""One side of a call, and all that can be done with its sound."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from openivr.media.audio.clip import Clip
from openivr.media.dtmf.inband import InbandDetector
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.pump import Pump
from openivr.media.recording.audio_recording import AudioRecording, RecordingResult
from openivr.media.rtp import packet as rtp
from openivr.media.rtp import rtcp
from openivr.media.rtp.ports import PortPair, show
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.statistics import MediaStats
from openivr.media.stream.receiver import Listener, RtpReceiver
from openivr.media.stream.rtcp_session import RtcpSession, milliseconds
from openivr.media.stream.rtp_socket import RtpSocket
from openivr.media.stream.sender import RtpSender

NANOSECONDS = 1_000_000_000


def ignore(*_: object) -> None:
    """What is called back until the owner says otherwise."""


class MediaSession:
    """Made by `Media.open`. Nothing is sent before `connect`, and nothing happens after `close`."""

    def __init__(self, pump: Pump, host: str, pair: PortPair, dead_seconds: float) -> None:
        self.address = (host, pair.port)
        """Where the other side should send: for our description."""
        self.on_key: Callable[[str, DtmfMethod], None] = ignore
        """A key: 0-9, *, #, A-D."""
        self.on_dead: Callable[[], None] = ignore
        """Nothing came for `dead_seconds`, though it should. Told again only after a sign of life."""
        self.partner: MediaSession | None = None
        """The leg that it is bridged with."""
        self._pump = pump
        self.outgoing = RtpSender()
        self.incoming = RtpReceiver(partial(self._soon_tell_key, DtmfMethod.EVENT))
        self._line = RtpSocket(pump.poller, pair, self.outgoing, self._take, self._take_control)
        self._control = RtcpSession(f"{random.getrandbits(64):016x}@openivr")
        self._tones = InbandDetector(partial(self._soon_tell_key, DtmfMethod.TONE))
        self._recordings: list[AudioRecording] = []
        self._remote: RemoteMedia | None = None
        self._plays = 0  # so that the end of one is not taken for another's
        self._dead_seconds = dead_seconds
        self._alive_at = time.monotonic_ns()
        self._is_dead = self._is_closed = False
        self._timer = pump.loop.call_later(min(rtcp.next_interval(), dead_seconds) / 2, self._report)

    # Signalling

    def connect(self, remote: RemoteMedia) -> None:
        """Send and listen as was agreed on. Each call of it lets the other side's address change, once."""
        self._remote = remote
        self.outgoing.set_law(remote.law)
        self.outgoing.events = remote.events_out
        self.incoming.events = remote.events_in
        self._listen_for_tones(remote.events_in is None)
        self._line.aim(remote)
        self._alive_at, self._is_dead = time.monotonic_ns(), False
        self._pump.join(self.outgoing)

    def close(self) -> None:
        """End everything, say good-bye and give the ports back. May be called again."""
        if self._is_closed:
            return
        self.unbridge()
        for recording in list(self._recordings):
            recording.stop()
        self._is_closed = True
        self._plays += 1
        self._timer.cancel()
        self._pump.leave(self.outgoing)
        self._pump.tone_listeners.pop(self._tones, None)
        if self._remote:
            self._line.send_control(self._write_report(is_bye=True))
        self._line.close()
        self.outgoing.close()
        # With nobody left to tell, nothing points back here: all is freed at once, and not by the collector.
        self.on_key = self.on_dead = self.incoming.on_key = self._tones.on_key = ignore

    # Sound to the other side

    def play(
        self, clips: Sequence[Clip], on_end: Callable[[], None] | None = None, *, loop: bool = False
    ) -> None:
        """Play clips on end in the place of what is playing; the first packet leaves at once.

        `on_end` is called when the last one has been played to its end, unless it was stopped or replaced.
        While the leg is bridged, what plays is heard instead of the other leg.
        """
        self._plays += 1
        number = self._plays
        ended = on_end and (lambda: self._soon(self._tell_end, number, on_end))
        self.outgoing.play(tuple(clips), loop=loop, on_end=ended)

    def stop(self) -> None:
        """Play nothing more: silence, or what the other leg says."""
        self._plays += 1
        self.outgoing.stop()

    def send_keys(self, keys: str) -> None:
        """Press keys, 100 ms each; as tones where telephone-events were not agreed on. ValueError: no key."""
        self.outgoing.send_keys(keys)

    # Sound from the other side

    def listen(self, listener: Listener) -> None:
        """Call this with every audio packet, in the order of their coming."""
        self.incoming.listeners.append(listener)
        self._line.want_audio(True)

    def unlisten(self, listener: Listener) -> None:
        """Call it no more; a listener that is not there is no error."""
        if listener in self.incoming.listeners:
            self.incoming.listeners.remove(listener)
        self._line.want_audio(bool(self.incoming.listeners))

    def record(
        self,
        path: Path,
        on_end: Callable[[RecordingResult], None] = ignore,
        *,
        seconds: float = 3600,
        silence_seconds: float | None = None,
        both: bool = False,
    ) -> AudioRecording:
        """Record what is heard into a new wav; with `both`, that on the left and what is sent on the right.

        It ends by `Recording.stop`, with the leg, after so many seconds, or after so many of silence. Then
        `on_end` is called, once, when the file is complete; also after the leg was closed.
        """
        recording = AudioRecording(
            path, self._pump.writer, seconds=seconds, silence_seconds=silence_seconds, both=both
        )
        recording.on_stop = partial(self._forget, recording)
        self._recordings.append(recording)
        self._pump.recordings.add(recording.done)
        recording.done.add_done_callback(self._pump.recordings.discard)
        recording.done.add_done_callback(lambda done: on_end(done.result()))
        self.listen(recording.hear)
        if both:
            self.outgoing.taps.append(recording.say)
        return recording

    def _forget(self, recording: AudioRecording) -> None:
        self._recordings.remove(recording)
        self.unlisten(recording.hear)
        if recording.say in self.outgoing.taps:
            self.outgoing.taps.remove(recording.say)

    def _listen_for_tones(self, is_listening: bool) -> None:
        if is_listening == (self._tones in self._pump.tone_listeners):
            return
        if is_listening:
            self._pump.tone_listeners[self._tones] = None
            self.listen(self._tones.hear)
        else:
            del self._pump.tone_listeners[self._tones]
            self.unlisten(self._tones.hear)

    def _take(self, data: memoryview, now: int) -> bool:
        if rtp.is_rtcp(data):
            return bool(self._remote and self._remote.mux) and self._take_control(data, now)
        packet = rtp.read(data)
        return packet is not None and self.incoming.take(packet, now)

    def _take_control(self, data: memoryview, now: int) -> bool:
        is_taken = self._control.take(data, self.outgoing.ssrc, time.time_ns())
        if is_taken:
            self._alive_at = now
        return is_taken

    # Both sides of a conversation

    def bridge(self, other: "MediaSession") -> None:
        """Let two legs hear each other, until `unbridge` or the end of either.

        Audio is passed on as it comes, in the other's law; so are telephone-events, as tones to who does not
        understand them. `on_key` still tells every key of both. ValueError if one of them is bridged already.
        """
        if self.partner or other.partner:
            raise ValueError("a leg can only be bridged with one other")
        self.partner, other.partner = other, self
        for source, target in ((self, other), (other, self)):
            target.outgoing.bridge(True)
            source.incoming.pass_on(target.outgoing.press)
            source.listen(target.outgoing.forward)

    def unbridge(self) -> None:
        """Let a leg and its partner hear silence again, or what they play. No error if it has none."""
        other = self.partner
        if other is None:
            return
        self.partner = other.partner = None
        for source, target in ((self, other), (other, self)):
            source.unlisten(target.outgoing.forward)
            source.incoming.pass_on(None)
            target.outgoing.bridge(False)

    # What the owner is told, always out of the loop

    def _soon(self, tell: Callable[..., None], *arguments: object) -> None:
        self._pump.loop.call_soon(tell, *arguments)

    def _soon_tell_key(self, kind: DtmfMethod, key: str) -> None:
        self._soon(self._tell_key, key, kind)

    def _tell_key(self, key: str, kind: DtmfMethod) -> None:
        if not self._is_closed:
            self.on_key(key, kind)

    def _tell_end(self, number: int, on_end: Callable[[], None]) -> None:
        if number == self._plays:
            on_end()

    # Every five seconds

    def _report(self) -> None:
        self._timer = self._pump.loop.call_later(
            min(rtcp.next_interval(), self._dead_seconds / 2), self._report
        )
        if self._remote is None:
            return
        self._line.send_control(self._write_report(is_bye=False))
        self._look_for_life(self._remote)

    def _write_report(self, *, is_bye: bool) -> bytes:
        self._count_dropped()
        return self._control.write(self.outgoing, self.incoming.reception, time.time_ns(), is_bye=is_bye)

    def _count_dropped(self) -> None:
        """What the kernel's filter kept from us was heard all the same."""
        if dropped := self._line.dropped():
            self.incoming.reception.received += dropped
            self._alive_at = time.monotonic_ns()

    def _look_for_life(self, remote: RemoteMedia) -> None:
        now = time.monotonic_ns()
        self._alive_at = max(self._alive_at, self.incoming.heard_at)
        if not remote.sends:  # on hold: not a sound is expected, and the time begins anew afterwards
            self._alive_at = now
        is_dead = now - self._alive_at > self._dead_seconds * NANOSECONDS
        if is_dead and not self._is_dead:
            self._soon(self._tell_dead)
        self._is_dead = is_dead

    def _tell_dead(self) -> None:
        if not self._is_closed:
            self.on_dead()

    def statistics(self) -> MediaStats:
        """How the leg fared until now."""
        self._count_dropped()
        reception, block, trip = self.incoming.reception, self._control.block, self._control.round_trip
        source = self._line.source
        return MediaStats(
            sent=self.outgoing.packets,
            heard=reception.received_before + reception.received,
            lost=reception.lost_before + reception.lost,
            jitter_ms=milliseconds(reception.jitter),
            strangers=self._line.strangers,
            source=show(source) if source else "",
            far_lost=block.lost if block else None,
            far_jitter_ms=milliseconds(block.jitter) if block else None,
            round_trip_ms=None if trip is None else 1000 * trip,
        )
