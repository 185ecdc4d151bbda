"""Media session: the RTP of one side of a call, and what can be done with it."""

import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

from openivr.media.audio.clip import Clip
from openivr.media.dtmf.inband import InbandDetector
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.inactivity import InactivityLimits
from openivr.media.mixing.jitter_buffer import JitterBuffer
from openivr.media.mixing.mixer import Mixer
from openivr.media.pump import Pump
from openivr.media.recording.audio_recording import AudioRecording, RecordingResult
from openivr.media.rtp import packet as rtp
from openivr.media.rtp import rtcp
from openivr.media.rtp.latch import Position
from openivr.media.rtp.ports import PortPair, format_address
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.statistics import MediaStats
from openivr.media.stream.receiver import Listener, RtpReceiver
from openivr.media.stream.rtcp_session import RtcpSession, milliseconds
from openivr.media.stream.rtp_socket import RtpSocket
from openivr.media.stream.sender import RtpSender

NANOSECONDS = 1_000_000_000


def ignore(*_: object) -> None:
    """Do nothing: the callback until the owner sets one."""


class MediaSession:
    """Created by `Media.open`. Nothing is sent before `connect`, and nothing happens after `close`."""

    def __init__(self, pump: Pump, host: str, pair: PortPair, inactivity: InactivityLimits) -> None:
        self.address = (host, pair.port)
        """Host and port for the local session description."""
        self.on_dtmf: Callable[[str, DtmfMethod], None] = ignore
        """Called with each digit received: 0-9, *, #, A-D."""
        self.on_inactive: Callable[[], None] = ignore
        """Called when no packet arrived for the limit. A packet rearms it."""
        self.partner: MediaSession | None = None
        """The session that this one is bridged with."""
        self._pump = pump
        self.sender = RtpSender()
        self.receiver = RtpReceiver(partial(self._report_digit_soon, DtmfMethod.EVENT))
        self._socket = RtpSocket(pump.poller, pair, self.sender, self._on_packet, self._on_rtcp)
        self._rtcp = RtcpSession(f"{random.getrandbits(64):016x}@openivr")
        self._inband = InbandDetector(partial(self._report_digit_soon, DtmfMethod.TONE))
        self._recordings: list[AudioRecording] = []
        self._mixed: dict[MediaSession, JitterBuffer] = {}  # the sources of the mix that is sent
        self._remote: RemoteMedia | None = None
        self._play_count = 0  # tells the end of one play from that of another
        self._inactivity = inactivity
        self._active_at = time.monotonic_ns()
        self._is_inactive = self._is_closed = False
        self._timer = pump.loop.call_later(rtcp.next_interval() / 2, self._on_report_due)

    # Signalling

    def connect(self, remote: RemoteMedia) -> None:
        """Apply the result of an offer and answer."""
        self._remote = remote
        self.sender.set_law(remote.law, remote.audio_out)
        self.sender.events, self.sender.noise = remote.events_out, remote.noise_out
        self.receiver.set_payload_types(remote.law, remote.audio_in, remote.events_in, remote.noise_in)
        self._set_inband(remote.events_in is None)
        self._socket.connect(remote)
        self._active_at, self._is_inactive = time.monotonic_ns(), False
        self._pump.join(self.sender)
        self._pump.watch(self._watch)

    def locate(self, host: str) -> None:
        """Set the address of the peer's host, which its description has by name."""
        if self._remote is not None and not self._is_closed:
            self._remote = replace(self._remote, host=host)
            self._socket.locate(self._remote)

    def close(self) -> None:
        """Stop everything, send RTCP BYE and release the ports. May be called again."""
        if self._is_closed:
            return
        self.unbridge()
        self.unmix()
        for recording in list(self._recordings):
            recording.stop()
        self._is_closed = True
        self._play_count += 1
        self._timer.cancel()
        self._pump.leave(self.sender)
        self._pump.unwatch(self._watch)
        self._pump.inband_detectors.pop(self._inband, None)
        if self._remote:
            self._socket.send_rtcp(self._write_report(is_bye=True))
        self._socket.close()
        self.sender.close()
        # Without callbacks no reference cycle is left, so the session is freed without the garbage collector.
        self.on_dtmf = self.on_inactive = self.receiver.on_digit = self._inband.on_digit = ignore

    # Sending

    def play(
        self, clips: Sequence[Clip], on_end: Callable[[], None] | None = None, *, loop: bool = False
    ) -> None:
        """Play clips one after another instead of what is playing. The first packet leaves immediately.

        `on_end` is called after the last one, unless the play was stopped or replaced. While the session is
        bridged, the clips replace the audio of the other session.
        """
        self._play_count += 1
        number = self._play_count
        ended = on_end and (lambda: self._soon(self._report_play_end, number, on_end))
        self.sender.play(tuple(clips), loop=loop, on_end=ended)

    def stop(self) -> None:
        """Stop playing. The peer gets silence, or the audio of the other session."""
        self._play_count += 1
        self.sender.stop()

    def send_dtmf(self, digits: str) -> None:
        """Send digits of 100 ms each, as tones if telephone-events were not negotiated.

        Raises ValueError for other characters.
        """
        self.sender.send_dtmf(digits)

    # Receiving

    def add_listener(self, listener: Listener) -> None:
        """Call this with every audio packet, in the order of arrival."""
        self.receiver.listeners.append(listener)
        self._socket.set_audio_wanted(True)

    def remove_listener(self, listener: Listener) -> None:
        """Remove a listener. An unknown one is ignored."""
        if listener in self.receiver.listeners:
            self.receiver.listeners.remove(listener)
        self._socket.set_audio_wanted(bool(self.receiver.listeners))

    def record(
        self,
        path: Path,
        on_end: Callable[[RecordingResult], None] = ignore,
        *,
        seconds: float = 3600,
        silence_seconds: float | None = None,
        both: bool = False,
    ) -> AudioRecording:
        """Record the received audio into a new WAV file; `both` adds the sent audio as the right channel.

        The recording ends by `AudioRecording.stop`, with the session, after `seconds`, or after
        `silence_seconds` of silence. Then `on_end` is called once, when the file is complete, which may be
        after the session was closed.
        """
        recording = AudioRecording(
            path, self._pump.writer, seconds=seconds, silence_seconds=silence_seconds, both=both
        )
        recording.on_stop = partial(self._detach_recording, recording)
        self._recordings.append(recording)
        self._pump.recordings.add(recording.done)
        recording.done.add_done_callback(self._pump.recordings.discard)
        recording.done.add_done_callback(lambda done: on_end(done.result()))
        self.add_listener(recording.on_received)
        if both:
            self.sender.taps.append(recording.on_sent)
        return recording

    def _detach_recording(self, recording: AudioRecording) -> None:
        self._recordings.remove(recording)
        self.remove_listener(recording.on_received)
        if recording.on_sent in self.sender.taps:
            self.sender.taps.remove(recording.on_sent)

    def _set_inband(self, is_enabled: bool) -> None:
        if is_enabled == (self._inband in self._pump.inband_detectors):
            return
        if is_enabled:
            self._pump.inband_detectors[self._inband] = None
            self.add_listener(self._inband.collect)
            self.receiver.noise_listeners.append(self._inband.collect_pause)
        else:
            del self._pump.inband_detectors[self._inband]
            self.remove_listener(self._inband.collect)
            self.receiver.noise_listeners.remove(self._inband.collect_pause)

    def _on_packet(self, data: memoryview, now: int) -> bool:
        if rtp.is_rtcp(data):
            return bool(self._remote and self._remote.mux) and self._on_rtcp(data, now)
        packet = rtp.read(data)
        return packet is not None and self.receiver.take(packet, now)

    def _on_rtcp(self, data: memoryview, now: int) -> bool:
        is_valid = self._rtcp.take(data, self.sender.ssrc, time.time_ns())
        if is_valid:
            self._active_at = now
        return is_valid

    # Bridging

    def bridge(self, other: "MediaSession") -> None:
        """Exchange audio with another session, until `unbridge` or the end of either.

        Audio is forwarded as it arrives, in the law of the other session. Telephone-events are forwarded too,
        as tones to a peer without them, and still reported by `on_dtmf`. Raises ValueError if either session
        is bridged already.
        """
        if self.partner or other.partner:
            raise ValueError("a media session can only be bridged with one other")
        self.partner, other.partner = other, self
        for source, target in ((self, other), (other, self)):
            source._active_at = time.monotonic_ns()
            target.sender.set_bridged(True)
            source.receiver.forward_events(target.sender.forward_event)
            source.receiver.noise_listeners.append(target.sender.forward_noise)
            source.add_listener(target.sender.forward)

    def unbridge(self) -> None:
        """End the bridge: both peers get silence again, or what is played. Does nothing without a bridge."""
        other = self.partner
        if other is None:
            return
        self.partner = other.partner = None
        for source, target in ((self, other), (other, self)):
            source.remove_listener(target.sender.forward)
            source.receiver.noise_listeners.remove(target.sender.forward_noise)
            source.receiver.forward_events(None)
            target.sender.set_bridged(False)

    # Mixing

    def mix(self, sources: Collection["MediaSession"], *, passes_keys: bool = False) -> None:
        """Send the sum of the audio of these sessions, instead of the audio of the bridged one.

        Without sources the peer gets silence. Keys of the bridged session are sent too with `passes_keys`.
        Replaces another mix or clip. The session stays bridged.
        """
        mixed = {source: self._mixed.get(source) or JitterBuffer() for source in sources}
        self._set_mixed(mixed)
        self.sender.set_feed(Mixer(list(mixed.values())).frames, passes_keys=passes_keys)

    def substitute(self, clip: Clip) -> None:
        """Send a clip over and over, instead of the audio of the bridged session. Replaces a mix."""
        self._set_mixed({})
        self.sender.set_feed(lambda law: cycle(clip.frames(law)), passes_keys=False)

    def unmix(self) -> None:
        """End a mix or the clip in its place: send the audio of the bridged session again, or silence."""
        self._set_mixed({})
        if self.sender.has_feed:
            self.sender.set_feed(None)

    def _set_mixed(self, mixed: dict["MediaSession", JitterBuffer]) -> None:
        for source in self._mixed.keys() - mixed.keys():
            source.remove_listener(self._mixed[source].put)
        for source in mixed.keys() - self._mixed.keys():
            source.add_listener(mixed[source].put)
        self._mixed = mixed

    # Callbacks of the owner, always run from the event loop

    def _soon(self, callback: Callable[..., None], *arguments: object) -> None:
        self._pump.loop.call_soon(callback, *arguments)

    def _report_digit_soon(self, method: DtmfMethod, digit: str) -> None:
        self._soon(self._report_digit, digit, method)

    def _report_digit(self, digit: str, method: DtmfMethod) -> None:
        if not self._is_closed:
            self.on_dtmf(digit, method)

    def _report_play_end(self, number: int, on_end: Callable[[], None]) -> None:
        if number == self._play_count:
            on_end()

    # Every second

    def _watch(self, now: int) -> None:
        if self._socket.is_silent(self.receiver.received_at, now):
            stats = self.receiver.stats
            position = None if stats.ssrc is None else Position(stats.ssrc, stats.highest & 0xFFFF)
            self._socket.fall_silent(position)
        self._check_activity(now)

    def _check_activity(self, now: int) -> None:
        has_rtcp = self._rtcp.has_received
        limit = self._inactivity.limit(is_bridged=self.partner is not None, has_rtcp=has_rtcp)
        if not limit:  # most calls; a bridge has a limit, and begins with a new time
            self._is_inactive = False
            return
        self._active_at = max(self._active_at, self.receiver.received_at, self._socket.dropped_at)
        if self._remote is None or not self._remote.sends:  # on hold no packets are expected
            self._active_at = now
        is_inactive = now - self._active_at > limit * NANOSECONDS
        if is_inactive and not self._is_inactive:
            self._soon(self._report_inactive)
        self._is_inactive = is_inactive

    # Every five seconds

    def _on_report_due(self) -> None:
        self._timer = self._pump.loop.call_later(rtcp.next_interval(), self._on_report_due)
        if self._remote is None:
            return
        self._socket.send_rtcp(self._write_report(is_bye=False))

    def _write_report(self, *, is_bye: bool) -> bytes:
        self._count_drops()
        return self._rtcp.write(self.sender, self.receiver.stats, time.time_ns(), is_bye=is_bye)

    def _count_drops(self) -> None:
        """Count the packets that the kernel's filter dropped, because they were received."""
        if drops := self._socket.take_drops():
            self.receiver.stats.received += drops

    def _report_inactive(self) -> None:
        if not self._is_closed:
            self.on_inactive()

    def statistics(self) -> MediaStats:
        """Return the counters since the session was opened."""
        self._count_drops()
        stats, block, trip = self.receiver.stats, self._rtcp.block, self._rtcp.round_trip
        source = self._socket.latch.source
        return MediaStats(
            sent=self.sender.packets,
            heard=stats.received_before + stats.received,
            lost=stats.lost_before + stats.lost,
            jitter_ms=milliseconds(stats.jitter),
            strangers=self._socket.foreign,
            source=format_address(source) if source else "",
            far_lost=block.lost if block else None,
            far_jitter_ms=milliseconds(block.jitter) if block else None,
            round_trip_ms=None if trip is None else 1000 * trip,
        )
