"""The RTCP of one leg: what the other side reported, and what we report. Bytes in, bytes out, no clock."""

from openivr.media.audio.g711 import RATE
from openivr.media.rtp import rtcp
from openivr.media.rtp.receive_stats import ReceiveStats
from openivr.media.stream.sender import RtpSender

NANOSECONDS = 1_000_000_000


class RtcpSession:
    """Reports on one stream each way. Times are nanoseconds of the day's clock (Unix)."""

    __slots__ = ("_heard_at", "_heard_of", "_reported", "block", "cname", "round_trip")

    def __init__(self, cname: str) -> None:
        self.cname = cname
        self.block: rtcp.ReportBlock | None = None  # what the other side said last about hearing us
        self.round_trip: float | None = None  # seconds
        self._heard_of = 0  # the NTP middle of its last sender report
        self._heard_at = 0
        self._reported = 0  # packets sent when we last reported

    def take(self, data: bytes | memoryview, ssrc: int, now: int) -> bool:
        """Read what came; `ssrc` is ours. False if it is no RTCP."""
        reports = rtcp.read(data)
        for report in reports:
            if report.sent:
                self._heard_of, self._heard_at = rtcp.middle(report.sent.ntp), now
            for block in report.blocks:
                if block.ssrc == ssrc:
                    self.block = block
                    trip = rtcp.round_trip(block, rtcp.ntp_time(now))
                    self.round_trip = self.round_trip if trip is None else trip
        return bool(reports)

    def write(self, stream: RtpSender, reception: ReceiveStats, now: int, *, is_bye: bool = False) -> bytes:
        """A report of now; a sender report if anything was sent since the one before."""
        is_sender, self._reported = stream.packets != self._reported, stream.packets
        sent = None
        if is_sender:
            sent = rtcp.SenderInfo(rtcp.ntp_time(now), stream.timestamp, stream.packets, stream.octets)
        delay = (now - self._heard_at) * 65536 // NANOSECONDS if self._heard_of else 0
        block = reception.report(self._heard_of, delay & 0xFFFFFFFF)
        return rtcp.write(stream.ssrc, self.cname, sent, block, is_bye=is_bye)


def milliseconds(samples: float) -> float:
    return samples * 1000 / RATE
