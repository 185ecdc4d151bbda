"""The peer's media as offer and answer describe it."""

from dataclasses import dataclass

from openivr.media.audio.g711 import Law


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """Result of one offer/answer exchange. Addresses are numeric."""

    host: str  # of the c= line; 0.0.0.0 and :: mean hold (RFC 3264, 8.4); "": a name, so that of `signalling`
    port: int  # of the m= line
    law: Law = Law.PCMU  # of the audio that is sent; either law is accepted
    events_out: int | None = None  # payload type of telephone-event in the peer's description, for sending
    events_in: int | None = None  # and in the local one, for receiving. None: DTMF is detected in-band
    signalling: str = ""  # source address of the peer's SIP messages; RTP may come from there too
    rtcp: tuple[str, int] | None = None  # a=rtcp (RFC 3605); None: the port above RTP
    mux: bool = False  # RTCP shares the RTP port (RFC 5761)
    sends: bool = True  # the peer may send audio, so its absence is noticed
    receives: bool = True  # the peer wants audio
    audio_out: int | None = None  # payload type of the audio that is sent; None: that of its law
    audio_in: int | None = None  # and of the audio in this law that the peer sends, besides 0 and 8
    noise_out: int | None = (
        None  # payload type of comfort noise (RFC 3389), for sending; None: not negotiated
    )
    noise_in: int | None = None  # and for receiving, besides 13
