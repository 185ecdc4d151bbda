"""What signalling agreed on with the other side of a leg."""

from dataclasses import dataclass

from openivr.media.audio.g711 import Law


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """The outcome of one offer and answer. Addresses are numeric; a name must have been resolved."""

    host: str  # of the c= line; 0.0.0.0 and :: mean hold (RFC 3264, 8.4) and are sent nothing
    port: int  # of the m= line
    law: Law = Law.PCMU  # of the audio that we send; either law is understood
    events_out: int | None = None  # payload type of telephone-event in its description: what we send
    events_in: int | None = None  # the same in our description: what it sends. None: keys are heard as tones
    signalling: str = ""  # the address that its SIP messages come from; RTP may come from there too
    rtcp: tuple[str, int] | None = None  # a=rtcp (RFC 3605); None: the port above
    mux: bool = False  # RTCP shares the RTP port (RFC 5761), agreed on by both
    sends: bool = True  # whether it may send audio: then silence of the line is noticed
    hears: bool = True  # whether it wants audio
