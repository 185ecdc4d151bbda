"""One party of a call: its SIP call leg and its media session."""

from collections.abc import Callable, Sequence
from functools import partial

from openivr.b2bua.context import ResolveHost
from openivr.config.call_config import SipAccount
from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfMethod, DtmfSelector
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.session import MediaSession
from openivr.sip.dialog.call_leg import CallLeg, CallLegListener
from openivr.sip.dialog.refer import Referral
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.message.message import Header
from openivr.sip.sdp.offer_answer import MediaParameters, OfferAnswerSession, choose_address
from openivr.sip.termination import FailureReason, Termination, from_failure


class PartyListener:
    """Callbacks of a party. By default events are ignored and transfers are rejected."""

    __slots__ = ()

    def on_key(self, party: "Party", key: str) -> None:
        """A DTMF key was pressed."""

    def on_progress(self, party: "Party", status: int, is_early: bool) -> None:
        """A provisional response came; early: with SDP, so that there is early media."""

    def on_answer(self, party: "Party") -> None:
        """The call that was placed is answered."""

    def on_gone(self, party: "Party", termination: Termination) -> None:
        """The leg failed before it was answered, or ended after. The last event of a leg."""

    def on_media_timeout(self, party: "Party") -> None:
        """No RTP has come for a long time."""

    def on_referral(self, party: "Party", referral: Referral) -> None:
        """The party asks for a transfer (RFC 3515)."""
        referral.reject(603)


NO_LISTENER = PartyListener()


class Party(CallLegListener):
    """A telephone in a call: negotiates its media, merges its DTMF, and reports to its `listener`."""

    __slots__ = (
        "_answer",
        "_host",
        "_loop_time",
        "_resolve_host",
        "_selector",
        "account",
        "key_counts",
        "leg",
        "listener",
        "media",
        "number",
        "session",
        "terms",
    )

    def __init__(
        self,
        media: MediaSession,
        number: str,
        name: int,
        loop_time: Callable[[], float],
        resolve_host: ResolveHost,
    ) -> None:
        self.media, self.number = media, number
        self.session = OfferAnswerSession(*media.address, name)
        self.listener: PartyListener = NO_LISTENER
        self.leg: CallLeg | None = None
        self.account: SipAccount | None = None  # of a phone; None for trunks
        self.terms: MediaParameters | None = None
        self.key_counts: dict[DtmfMethod, int] = {}
        self._answer = b""
        self._selector = DtmfSelector()
        self._loop_time = loop_time
        self._resolve_host = resolve_host
        self._host = ("", "")  # a name in the peer's descriptions, and its address
        media.on_dtmf = self._on_dtmf
        media.on_inactive = self._on_media_timeout

    def receive(self, leg: InboundLeg) -> bool:
        """Attach an incoming leg. Return False if its offer has no media that is supported."""
        self.leg = leg
        leg.listener = self
        if leg.body:
            answer = self.session.answer(leg.body)
            if answer is None:
                return False
            self._answer, self.terms = answer.body, answer.agreed
        return True

    def ring(self, *, is_early: bool = False) -> None:
        """Send 180 to the caller, or 183 with SDP for early media if the INVITE had an offer."""
        if isinstance(self.leg, InboundLeg) and self.leg.is_early:
            if is_early and self._answer:
                self.leg.progress(183, self._answer)
                self._connect()
            else:
                self.leg.progress(180)

    def answer(self) -> None:
        """Answer the caller. Media flows once parameters are agreed on."""
        if isinstance(self.leg, InboundLeg) and self.leg.is_early:
            self.leg.answer(self._answer or self.session.offer())
            self._connect()

    def hang_up(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """End the leg and its media without notifying the listener. May be called again."""
        self.listener = NO_LISTENER
        if self.leg is not None and not self.leg.is_terminated:
            self.leg.hangup(status, headers)
        self.media.close()

    @property
    def is_answered(self) -> bool:
        """Return True from the answer to the end of the leg."""
        return self.leg is not None and not self.leg.is_early and not self.leg.is_terminated

    # Callbacks of the call leg

    def on_progress(self, leg: CallLeg, status: int, body: bytes) -> None:
        is_early = bool(body) and self._accept(body)
        self.listener.on_progress(self, status, is_early)

    def on_answer(self, leg: CallLeg, body: bytes) -> None:
        if body:
            self._accept(body)
        if self.terms is None:
            leg.terminate(from_failure(FailureReason.NO_MEDIA, by_peer=False))
            return
        self.listener.on_answer(self)

    def on_ack(self, leg: CallLeg, body: bytes) -> None:
        is_agreed = self._accept(body) if body else self.terms is not None
        if not is_agreed:
            leg.terminate(from_failure(FailureReason.NO_MEDIA, by_peer=False))

    def on_offer(self, leg: CallLeg, body: bytes) -> bytes | None:
        answer = self.session.answer(body)
        if answer is None:
            return None
        self._answer, self.terms = answer.body, answer.agreed
        self._connect()
        return answer.body

    def explain_rejection(self, leg: CallLeg, body: bytes) -> Sequence[Header]:
        return (("Warning", self.session.explain_rejection(body).value),)

    def on_offer_request(self, leg: CallLeg) -> bytes | None:
        return self.session.offer()

    def on_answer_sdp(self, leg: CallLeg, body: bytes) -> None:
        self._accept(body)

    def on_dtmf(self, leg: CallLeg, key: str, milliseconds: int) -> None:
        self._on_dtmf(key, DtmfMethod.INFO)

    def on_refer(self, leg: CallLeg, referral: Referral) -> None:
        self.listener.on_referral(self, referral)

    def on_failed(self, leg: CallLeg, ending: Termination) -> None:
        self.listener.on_gone(self, ending)

    def on_ended(self, leg: CallLeg, ending: Termination) -> None:
        self.listener.on_gone(self, ending)

    # Callbacks of the media session

    def _on_media_timeout(self) -> None:
        self.listener.on_media_timeout(self)

    def _on_dtmf(self, key: str, method: DtmfMethod) -> None:
        if self._selector.accepts(key, method, self._loop_time()):
            self.key_counts[method] = self.key_counts.get(method, 0) + 1
            self.listener.on_key(self, key)

    def _accept(self, body: bytes) -> bool:
        terms = self.session.accept(body)
        if terms is None:
            return False
        self.terms = terms
        self._connect()
        return True

    def _connect(self) -> None:
        terms = self.terms
        if terms is None or self.leg is None:
            return
        remote = RemoteMedia(
            host=terms.host or (self._host[1] if self._host[0] == terms.host_name else ""),
            port=terms.port,
            law=Law[terms.law],
            events_out=terms.events_out,
            events_in=terms.events_in,
            signalling=self.leg.source.host,
            rtcp=terms.rtcp,
            mux=terms.mux,
            sends=terms.sends,
            receives=terms.receives,
            audio_out=terms.audio_out,
            audio_in=terms.audio_in,
            noise_out=terms.noise_out,
            noise_in=terms.noise_in,
        )
        self.media.connect(remote)
        if terms.host_name:
            self._resolve_host(terms.host_name, partial(self._on_addresses, terms))

    def _on_addresses(self, terms: MediaParameters, addresses: Sequence[str]) -> None:
        """Use the address of the host name that was described, unless another description came meanwhile."""
        if terms is not self.terms or self.leg is None or self.leg.is_terminated:
            return
        address = choose_address(addresses, self.media.address[0], self.leg.source.host)
        if address and (terms.host_name, address) != self._host:
            self._host = terms.host_name, address
            self.media.locate(address)
