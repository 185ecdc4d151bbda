"""Offer and answer for one audio stream (RFC 3264): G.711 and telephone-event.

G.722 is left out: the media engine encodes sounds once, at 8 kHz, for all calls.
"""

from functools import lru_cache
from typing import NamedTuple

from openivr.sip.sdp import description as sdp
from openivr.sip.sdp.description import Codec, Direction, MediaDescription, SessionDescription

PCMU, PCMA = "PCMU", "PCMA"
LAWS = (PCMU, PCMA)  # at the payload types that RFC 3551 gives them
EVENT = "TELEPHONE-EVENT"
EVENT_PAYLOAD = 101  # in our offers; in answers the offer's
PROTOCOL = "RTP/AVP"
_PAYLOADS = {PCMU: 0, PCMA: 8}


class MediaParameters(NamedTuple):
    """Result of offer and answer: address and format of the media that the peer expects."""

    host: str  # 0.0.0.0 or ::, if it wants nothing
    port: int
    law: str  # PCMU or PCMA: what we send, and what it should
    events_out: int | None  # payload type of telephone-event that we send; None: it receives no events
    events_in: int | None  # and that it sends
    sends: bool  # whether it may send
    receives: bool  # whether it is to be sent anything
    rtcp: tuple[str, int] | None = None  # where that is not the port above
    mux: bool = False  # RTCP comes and goes at the RTP ports (RFC 5761)


class SdpAnswer(NamedTuple):
    """Our answer, and what it made of the stream."""

    body: bytes
    agreed: MediaParameters


class OfferAnswerSession:
    """Our side of the media of one dialog. `number` names it for good (o= line).

    Without `has_events` telephone-event is neither offered nor agreed to: such a phone has tones only.
    """

    def __init__(
        self, host: str, port: int, number: int, laws: tuple[str, ...] = LAWS, *, has_events: bool = True
    ) -> None:
        self._host = host
        self._port = port
        self._number = number
        self._laws = laws
        self._has_events = has_events
        self._ours: SessionDescription | None = None

    def offer(self, direction: Direction = Direction.SENDRECV) -> bytes:
        """Return an offer. The answer goes to `accept`, unless the request fails."""
        codecs = [Codec(_PAYLOADS[law], law, 8000) for law in self._laws]
        if self._has_events:
            codecs.append(Codec(EVENT_PAYLOAD, EVENT, 8000))
        media = list(self._ours.media) if self._ours else []
        audio = self._describe(tuple(codecs), direction)
        place = self._place()
        media[place : place + 1] = [audio]
        return self._describe_all(tuple(media)).write()

    def answer(self, body: bytes, direction: Direction = Direction.SENDRECV) -> SdpAnswer | None:
        """Answer an offer, as far as `direction` lets media flow. None: nothing in it is for us (488)."""
        offer = sdp.parse(body)
        place = _find_stream(offer, self._host) if offer else None
        if offer is None or place is None:
            return None
        theirs = offer.media[place]
        law, event = _choose_law(theirs, LAWS), _find_event(theirs) if self._has_events else None
        if law is None:
            return None
        chosen = tuple(codec for codec in theirs.codecs if codec is law or codec is event)
        flow = Direction(
            (direction.sends and _listens(theirs), direction.receives and theirs.direction.sends),
        )
        mux = theirs.has("rtcp-mux")
        audio = self._describe(chosen, flow, mux=mux)
        media = tuple(audio if i == place else sdp.refuse(each) for i, each in enumerate(offer.media))
        ours = self._describe_all(media)
        return SdpAnswer(ours.write(), _agree(theirs, audio, law))

    def accept(self, body: bytes) -> MediaParameters | None:
        """Take the answer to our last offer. None: it does not answer it, or refuses the stream."""
        answer = sdp.parse(body)
        if self._ours is None or answer is None or len(answer.media) != len(self._ours.media):
            return None
        place = self._place()
        ours, theirs = self._ours.media[place], answer.media[place]
        law = _choose_law(theirs, tuple(codec.name for codec in ours.codecs))
        if not _usable(theirs, self._host) or law is None:
            return None
        return _agree(theirs, ours, law)

    def _place(self) -> int:
        """Find our stream among the m-lines, whose order never changes (RFC 3264 §8)."""
        media = self._ours.media if self._ours else ()
        return next((i for i, each in enumerate(media) if each.port), 0)

    def _describe(
        self, codecs: tuple[Codec, ...], direction: Direction, *, mux: bool = False
    ) -> MediaDescription:
        formats, attributes = _describe_formats(codecs, mux)
        return MediaDescription(
            "audio", self._port, PROTOCOL, formats, self._host, attributes, direction, codecs
        )

    def _describe_all(self, media: tuple[MediaDescription, ...]) -> SessionDescription:
        """Return our next description. The version grows with each change (RFC 3264 §8)."""
        before = self._ours
        ours = SessionDescription(self._host, self._number, before.version if before else self._number, media)
        if before and before != ours:
            ours = ours._replace(version=before.version + 1)
        self._ours = ours
        return ours


@lru_cache(maxsize=256)  # phones agree on few of them
def _describe_formats(
    codecs: tuple[Codec, ...], mux: bool
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Write payload types and what they mean."""
    attributes = [("rtpmap", f"{c.payload} {_spell(c.name)}/{c.rate}") for c in codecs]
    attributes += [("fmtp", f"{c.payload} 0-15") for c in codecs if c.name == EVENT]
    attributes.append(("ptime", "20"))
    if mux:
        attributes.append(("rtcp-mux", ""))
    return tuple(str(codec.payload) for codec in codecs), tuple(attributes)


def _spell(name: str) -> str:
    return name.lower() if name == EVENT else name


def find_host(offer: bytes, source: str) -> str:
    """Return the host for media of a call: its source, or the address of the offer.

    The latter applies if all streams of the offer are of the other address family.
    """
    if (b"IN IP4 " if ":" in source else b"IN IP6 ") not in offer:
        return source
    description = sdp.parse(offer)
    if description is None or _find_stream(description, source) is not None:
        return source
    return next((one.host for one in description.media if _usable(one, one.host)), source)


def _find_stream(offer: SessionDescription, ours: str) -> int | None:
    """Find the place of the stream that we can take part in from an address of ours."""
    return next((i for i, media in enumerate(offer.media) if _usable(media, ours)), None)


def _usable(media: MediaDescription, ours: str) -> bool:
    """Return True for audio with a supported codec at an address that can be reached from ours."""
    address = sdp.read_address(media.host)
    if media.kind != "audio" or media.protocol != PROTOCOL or not media.port or address is None:
        return False
    return (
        (address.version == (6 if ":" in ours else 4) or address.is_unspecified)
        and not address.is_multicast
        and str(address) != "255.255.255.255"
        and _choose_law(media, LAWS) is not None
    )


def _choose_law(media: MediaDescription, allowed: tuple[str, ...]) -> Codec | None:
    """Take the first G.711 of their list, which is their wish, at its own payload type."""
    for codec in media.codecs:
        if codec.name in allowed and codec.name in _PAYLOADS and codec == sdp.STATIC[_PAYLOADS[codec.name]]:
            return codec
    return None


def _find_event(media: MediaDescription) -> Codec | None:
    """Find telephone-event at the clock of G.711 (RFC 4733 §2.5.1.2)."""
    for codec in media.codecs:
        if codec.name == EVENT and codec.rate == 8000:
            return codec
    return None


def _listens(media: MediaDescription) -> bool:
    return media.direction.receives and not sdp.is_unspecified(media.host)


def _agree(theirs: MediaDescription, ours: MediaDescription, law: Codec) -> MediaParameters:
    event_out, event_in = _find_event(theirs), _find_event(ours)
    both = event_out is not None and event_in is not None
    return MediaParameters(
        theirs.host,
        theirs.port,
        law.name,
        event_out.payload if event_out and both else None,
        event_in.payload if event_in and both else None,
        sends=theirs.direction.sends and ours.direction.receives,
        receives=_listens(theirs) and ours.direction.sends,
        rtcp=theirs.rtcp(),
        mux=theirs.has("rtcp-mux") and ours.has("rtcp-mux"),
    )
