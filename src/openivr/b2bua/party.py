"""One side of a call: its signalling and its sound, kept together."""

from collections.abc import Callable, Sequence

from openivr.config.call_config import SipAccount
from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfMethod, DtmfSelector
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.session import MediaSession as MediaLeg
from openivr.sip.dialog.call_leg import CallLeg, CallLegListener, Header
from openivr.sip.dialog.refer import Referral
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.sdp.offer_answer import MediaParameters, OfferAnswerSession
from openivr.sip.termination import Termination

NOT_ACCEPTABLE = 488


def ignore(*_: object) -> None:
    """What is told to nobody."""


class Party(CallLegListener):
    """A telephone in a call. Whoever it belongs to sets what it tells; what is not set is told to nobody."""

    __slots__ = (
        "_answer",
        "_choice",
        "_now",
        "account",
        "heard",
        "leg",
        "media",
        "number",
        "on_connected",
        "on_gone",
        "on_key",
        "on_lost",
        "on_referral",
        "on_ringing",
        "session",
        "terms",
    )

    def __init__(self, media: MediaLeg, number: str, name: int, now: Callable[[], float]) -> None:
        self.media, self.number = media, number
        self.session = OfferAnswerSession(*media.address, name)
        self.leg: CallLeg | None = None
        self.account: SipAccount | None = None  # whose phone it is, if it is one of the house
        self.terms: MediaParameters | None = None
        self.heard: dict[DtmfMethod, int] = {}
        self._answer = b""
        self._choice = DtmfSelector()
        self._now = now
        self.on_key: Callable[[str], object] = ignore
        self.on_ringing: Callable[[Party, int, bool], object] = ignore  # status, whether sound came with it
        self.on_connected: Callable[[Party], object] = ignore
        self.on_gone: Callable[[Party, Termination], object] = ignore  # last; whether answered before or not
        self.on_lost: Callable[[Party], object] = ignore  # no sound for a long time
        self.on_referral: Callable[[Party, Referral], object] = reject_referral
        media.on_dtmf = self._take_key
        media.on_inactive = self._dead

    # What its owner wants

    def receive(self, leg: InboundLeg) -> bool:
        """Take a call that came in. False: nothing in its offer is for us."""
        self.leg = leg
        leg.listener = self
        if leg.body:
            answer = self.session.answer(leg.body)
            if answer is None:
                return False
            self._answer, self.terms = answer.body, answer.agreed
        return True

    def ring(self, *, is_early: bool = False) -> None:
        """Tell the caller that it rings; early: with sound before the answer, where it gave us an offer."""
        if isinstance(self.leg, InboundLeg) and self.leg.is_early:
            if is_early and self._answer:
                self.leg.progress(183, self._answer)
                self._connect()
            else:
                self.leg.progress(180)

    def answer(self) -> None:
        """Answer the caller; sound flows as soon as it is agreed on."""
        if isinstance(self.leg, InboundLeg) and self.leg.is_early:
            self.leg.answer(self._answer or self.session.offer())
            self._connect()

    def hang_up(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """End the call with it, and its sound. Told to nobody; may be called again."""
        self.forget()
        if self.leg is not None and not self.leg.is_terminated:
            self.leg.hangup(status, headers)
        self.media.close()

    def forget(self) -> None:
        """Tell nobody anything any more."""
        self.on_key = self.on_ringing = self.on_connected = self.on_gone = self.on_lost = ignore
        self.on_referral = reject_referral

    @property
    def is_answered(self) -> bool:
        """Whether there is a conversation with it, or could be."""
        return self.leg is not None and not self.leg.is_early and not self.leg.is_terminated

    # What signalling tells

    def on_progress(self, leg: CallLeg, status: int, body: bytes) -> None:
        is_early = bool(body) and self._accept(body)
        self.on_ringing(self, status, is_early)

    def on_answer(self, leg: CallLeg, body: bytes) -> None:
        if body and not self._accept(body) and self.terms is None:
            leg.hangup(NOT_ACCEPTABLE)
            return
        self.on_connected(self)

    def on_ack(self, leg: CallLeg, body: bytes) -> None:
        if body and not self._accept(body):
            leg.hangup(NOT_ACCEPTABLE)

    def on_offer(self, leg: CallLeg, body: bytes) -> bytes | None:
        answer = self.session.answer(body)
        if answer is None:
            return None
        self._answer, self.terms = answer.body, answer.agreed
        self._connect()
        return answer.body

    def on_offer_request(self, leg: CallLeg) -> bytes | None:
        return self.session.offer()

    def on_answer_sdp(self, leg: CallLeg, body: bytes) -> None:
        self._accept(body)

    def on_dtmf(self, leg: CallLeg, key: str, milliseconds: int) -> None:
        self._take_key(key, DtmfMethod.INFO)

    def on_refer(self, leg: CallLeg, referral: Referral) -> None:
        self.on_referral(self, referral)

    def on_failed(self, leg: CallLeg, ending: Termination) -> None:
        self.on_gone(self, ending)

    def on_ended(self, leg: CallLeg, ending: Termination) -> None:
        self.on_gone(self, ending)

    # Inside

    def _accept(self, body: bytes) -> bool:
        agreed = self.session.accept(body)
        if agreed is None:
            return False
        self.terms = agreed
        self._connect()
        return True

    def _connect(self) -> None:
        agreed = self.terms
        if agreed is None or self.leg is None:
            return
        remote = RemoteMedia(
            host=agreed.host,
            port=agreed.port,
            law=Law[agreed.law],
            events_out=agreed.events_out,
            events_in=agreed.events_in,
            signalling=self.leg.source.host,
            rtcp=agreed.rtcp,
            mux=agreed.mux,
            sends=agreed.sends,
            receives=agreed.receives,
        )
        self.media.connect(remote)

    def _dead(self) -> None:
        self.on_lost(self)

    def _take_key(self, key: str, kind: DtmfMethod) -> None:
        if self._choice.accepts(key, kind, self._now()):
            self.heard[kind] = self.heard.get(kind, 0) + 1
            self.on_key(key)


def reject_referral(_party: Party, referral: Referral) -> None:
    """A transfer that makes no sense now, or is nobody's to ask for."""
    referral.reject(603)
