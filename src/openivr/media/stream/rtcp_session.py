"""RTCP of one media session: reports received and sent. Bytes in, bytes out, no clock."""

from openivr.media.audio.g711 import RATE
from openivr.media.rtp import rtcp
from openivr.media.rtp.receive_stats import ReceiveStats
from openivr.media.stream.sender import RtpSender

NANOSECONDS = 1_000_000_000


class RtcpSession:
    """Reports on one stream in each direction. Times are Unix nanoseconds."""

    __slots__ = ("_last_sr", "_last_sr_at", "_reported", "block", "cname", "has_received", "round_trip")

    def __init__(self, cname: str) -> None:
        self.cname = cname
        self.block: rtcp.ReportBlock | None = None  # the peer's last report about the local stream
        self.round_trip: float | None = None  # seconds
        self.has_received = False  # the peer sends RTCP
        self._last_sr = 0  # middle of the NTP time in its last sender report
        self._last_sr_at = 0
        self._reported = 0  # packets sent at the last local report

    def take(self, data: bytes | memoryview, ssrc: int, now: int) -> bool:
        """Read a datagram; `ssrc` is the local one. Return False if it is not RTCP."""
        reports = rtcp.read(data)
        for report in reports:
            if report.sender_info:
                self._last_sr, self._last_sr_at = rtcp.middle(report.sender_info.ntp), now
            for block in report.blocks:
                if block.ssrc == ssrc:
                    self.block = block
                    trip = rtcp.round_trip(block, rtcp.ntp_time(now))
                    self.round_trip = self.round_trip if trip is None else trip
        self.has_received = self.has_received or bool(reports)
        return bool(reports)

    def write(self, sender: RtpSender, stats: ReceiveStats, now: int, *, is_bye: bool = False) -> bytes:
        """Write a report: a sender report if RTP was sent since the last one, else a receiver report."""
        is_sender, self._reported = sender.packets != self._reported, sender.packets
        info = None
        if is_sender:
            info = rtcp.SenderInfo(rtcp.ntp_time(now), sender.timestamp, sender.packets, sender.octets)
        delay = (now - self._last_sr_at) * 65536 // NANOSECONDS if self._last_sr else 0
        block = stats.report(self._last_sr, delay & 0xFFFFFFFF)
        return rtcp.write(sender.ssrc, self.cname, info, block, is_bye=is_bye)


def milliseconds(samples: float) -> float:
    return samples * 1000 / RATE
