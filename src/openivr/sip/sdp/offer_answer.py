"""Offer and answer for one audio stream (RFC 3264): G.711, telephone-event and comfort noise.

G.722 is left out: the media engine encodes sounds once, at 8 kHz, for all calls.
"""

import re
from collections.abc import Sequence
from enum import Enum, unique
from functools import lru_cache
from typing import NamedTuple

from openivr.sip.sdp import description as sdp
from openivr.sip.sdp.description import Codec, Direction, MediaDescription, SessionDescription

PCMU, PCMA = "PCMU", "PCMA"
LAWS = (PCMU, PCMA)
EVENT = "TELEPHONE-EVENT"
EVENT_PAYLOAD = 101  # in our offers; in answers the offer's
NOISE = "CN"  # RFC 3389; not in our offers, because phones that hear of it stop sending in pauses
PROTOCOL = "RTP/AVP"
PROTOCOLS = (PROTOCOL, "RTP/AVPF")
RATE = 8000
_HOST_NAME = re.compile(r"(?:[\w-]{1,63}\.){0,32}[a-zA-Z][\w-]{0,62}\.?", re.ASCII)
_PAYLOADS = {PCMU: 0, PCMA: 8}


@unique
class Warn(Enum):
    """Why an offer is not acceptable: a warning (RFC 3261, 20.43)."""

    ADDRESS = '301 openivr "Incompatible network address formats"'
    TRANSPORT = '302 openivr "Incompatible transport protocol"'
    MEDIA_TYPE = '304 openivr "Media type not available"'
    FORMAT = '305 openivr "Incompatible media format"'
    MULTICAST = '330 openivr "Multicast not available"'
    OTHER = '399 openivr "Session description cannot be read"'


class MediaParameters(NamedTuple):
    """Result of offer and answer: address and format of the media that the peer expects."""

    host: str  # numeric; 0.0.0.0 or ::, if it wants nothing; "" if the description has a name or none
    port: int
    law: str  # PCMU or PCMA: what we send, and what it should
    events_out: int | None  # payload type of telephone-event that we send; None: it receives no events
    events_in: int | None  # and that it sends
    sends: bool  # whether it may send
    receives: bool  # whether it is to be sent anything
    rtcp: tuple[str, int] | None = None  # where that is not the port above
    mux: bool = False  # RTCP comes and goes at the RTP ports (RFC 5761)
    audio_out: int = 0  # payload type of audio that we send
    audio_in: int = 0  # and that the peer sends
    noise_out: int | None = None  # payload type of comfort noise that we may send; None: not agreed on
    noise_in: int | None = None  # and that the peer may send
    host_name: str = ""  # that the description has instead of an address


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
        place = self._place()
        protocol = media[place].protocol if media else PROTOCOL
        audio = self._describe(tuple(codecs), direction, protocol)
        media[place : place + 1] = [audio]
        return self._describe_all(tuple(media)).write()

    def answer(self, body: bytes, direction: Direction = Direction.SENDRECV) -> SdpAnswer | None:
        """Answer an offer, as far as `direction` lets media flow. None: nothing in it is for us (488)."""
        offer = sdp.parse(body)
        place = _find_stream(offer, self._host) if offer else None
        if offer is None or place is None:
            return None
        theirs = offer.media[place]
        law, event = _choose_law(theirs, LAWS), _find(theirs, EVENT) if self._has_events else None
        if law is None:
            return None
        wanted = (law, event, _find(theirs, NOISE))
        chosen = tuple(codec for codec in theirs.codecs if any(codec is each for each in wanted))
        flow = Direction(
            (direction.sends and _listens(theirs), direction.receives and theirs.direction.sends),
        )
        mux = theirs.has("rtcp-mux")
        audio = self._describe(chosen, flow, theirs.protocol, mux=mux)
        media = tuple(audio if i == place else sdp.refuse(each) for i, each in enumerate(offer.media))
        ours = self._describe_all(media)
        return SdpAnswer(ours.write(), _agree(theirs, audio, law))

    def explain_rejection(self, body: bytes) -> Warn:
        """Return why an offer cannot be answered."""
        return explain_rejection(body, self._host)

    def accept(self, body: bytes) -> MediaParameters | None:
        """Take the answer to our last offer. None: it does not answer it, or refuses the stream.

        The answer should have as many m-lines as the offer. If it has not, its first usable audio counts.
        """
        answer = sdp.parse(body)
        if self._ours is None or answer is None:
            return None
        place = self._place()
        ours = self._ours.media[place]
        names = tuple(codec.name for codec in ours.codecs)
        for theirs in (*answer.media[place : place + 1], *answer.media):
            law = _choose_law(theirs, names)
            if law is not None and _usable(theirs, self._host):
                return _agree(theirs, ours, law)
        return None

    def _place(self) -> int:
        """Find our stream among the m-lines, whose order never changes (RFC 3264 §8)."""
        media = self._ours.media if self._ours else ()
        return next((i for i, each in enumerate(media) if each.port), 0)

    def _describe(
        self, codecs: tuple[Codec, ...], direction: Direction, protocol: str, *, mux: bool = False
    ) -> MediaDescription:
        formats, attributes = _describe_formats(codecs, mux)
        return MediaDescription(
            "audio", self._port, protocol, formats, self._host, attributes, direction, codecs
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
    if not re.search(rb"(?i)\bIN\s+IP4\s" if ":" in source else rb"(?i)\bIN\s+IP6\s", offer):
        return source
    description = sdp.parse(offer)
    if description is None or _find_stream(description, source) is not None:
        return source
    usable = (media.host for media in description.media if _usable(media, media.host))
    return next((host for host in usable if sdp.read_address(host)), source)


def explain_rejection(offer: bytes, ours: str) -> Warn:
    """Return why an offer cannot be answered from an address of ours: the obstacle of its best stream."""
    description = sdp.parse(offer)
    if description is None:
        return Warn.OTHER
    obstacles = [_find_obstacle(media, ours) for media in description.media]
    order = (Warn.ADDRESS, Warn.MULTICAST, Warn.FORMAT, Warn.TRANSPORT)
    return next((warning for warning in order if warning in obstacles), Warn.MEDIA_TYPE)


def _find_stream(offer: SessionDescription, ours: str) -> int | None:
    """Find the place of the stream that we can take part in from an address of ours."""
    return next((i for i, media in enumerate(offer.media) if _usable(media, ours)), None)


def _usable(media: MediaDescription, ours: str) -> bool:
    """Return True for audio with a supported codec at an address that can be reached from ours."""
    return _find_obstacle(media, ours) is None


def _find_obstacle(media: MediaDescription, ours: str) -> Warn | None:
    """Return why we cannot take part in a stream from an address of ours; None if we can.

    A host name is no obstacle: until it is resolved, audio goes to where SIP comes from.
    """
    address = sdp.read_address(media.host)
    if media.kind.lower() != "audio" or not media.port:
        return Warn.MEDIA_TYPE
    if media.protocol.upper() not in PROTOCOLS:
        return Warn.TRANSPORT
    if _choose_law(media, LAWS) is None:
        return Warn.FORMAT
    if address is None:
        return None
    if address.is_multicast or str(address) == "255.255.255.255":
        return Warn.MULTICAST
    is_family = address.version == (6 if ":" in ours else 4) or address.is_unspecified
    return None if is_family else Warn.ADDRESS


def choose_address(addresses: Sequence[str], ours: str, signalling: str) -> str:
    """Return the address of a described host that audio can go to from ours; "" if there is none.

    A name must not lead to this machine, unless SIP comes from there as well.
    """
    is_local = bool((source := sdp.read_address(signalling)) and source.is_loopback)
    for text in addresses:
        address = sdp.read_address(text)
        if address is None or address.is_multicast or address.is_unspecified or text == "255.255.255.255":
            continue
        if address.version == (6 if ":" in ours else 4) and (is_local or not address.is_loopback):
            return text
    return ""


def _choose_law(media: MediaDescription, allowed: tuple[str, ...]) -> Codec | None:
    """Take the first G.711 of their list, which is their wish, under any payload type."""
    for codec in media.codecs:
        if codec.name in allowed and codec.name in _PAYLOADS and (codec.rate, codec.channels) == (RATE, 1):
            return codec
    return None


def _find(media: MediaDescription, name: str) -> Codec | None:
    """Find a format at the clock of G.711 (RFC 4733 §2.5.1.2, RFC 3389 §4)."""
    return next((codec for codec in media.codecs if codec.name == name and codec.rate == RATE), None)


def _listens(media: MediaDescription) -> bool:
    return media.direction.receives and not sdp.is_unspecified(media.host)


def _agree(theirs: MediaDescription, ours: MediaDescription, law: Codec) -> MediaParameters:
    event_out, event_in = _find_both(theirs, ours, EVENT)
    noise_out, noise_in = _find_both(theirs, ours, NOISE)
    law_in = next((codec for codec in ours.codecs if codec.name == law.name), law)
    is_address = sdp.read_address(theirs.host) is not None
    return MediaParameters(
        theirs.host if is_address else "",
        theirs.port,
        law.name,
        event_out,
        event_in,
        sends=theirs.direction.sends and ours.direction.receives,
        receives=_listens(theirs) and ours.direction.sends,
        rtcp=theirs.rtcp(),
        mux=theirs.has("rtcp-mux") and ours.has("rtcp-mux"),
        audio_out=law.payload,
        audio_in=law_in.payload,
        noise_out=noise_out,
        noise_in=noise_in,
        host_name="" if is_address or not _HOST_NAME.fullmatch(theirs.host) else theirs.host,
    )


def _find_both(theirs: MediaDescription, ours: MediaDescription, name: str) -> tuple[int | None, int | None]:
    """Return the payload types of a format in both descriptions, if both have it."""
    out, in_ = _find(theirs, name), _find(ours, name)
    return (out.payload, in_.payload) if out and in_ else (None, None)
