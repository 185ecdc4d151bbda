"""Attended transfers that programs carry out (P-Series: transfer-a-call).

The transferor, a phone in a call, is lent to a second call, in which it calls the target while its peer
waits. Then the peer and the target are joined, or the transferor returns to its peer.
"""

from collections.abc import Callable
from functools import partial

import structlog

from openivr.b2bua.call import Call
from openivr.b2bua.call_commands import TransferOperation
from openivr.b2bua.call_manager import CallManager, InviteInfo, make_header
from openivr.b2bua.dialplan import DialplanMatch, leads_outside
from openivr.b2bua.party import Party, PartyListener
from openivr.b2bua.transfer import join
from openivr.cdr.journal.entries import CallEndReason
from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.events import HungUp
from openivr.media.audio.tone import hold_tone
from openivr.sip.dialog.refer import Referral
from openivr.sip.termination import Termination

log = structlog.get_logger(__name__)


class Consultation(PartyListener):
    """An attended transfer from its start to its end. It listens to the transferor and its peer meanwhile."""

    def __init__(
        self,
        call_manager: CallManager,
        call: Call,
        transferor: Party,
        peer: Party,
        on_end: Callable[["Consultation"], object],
    ) -> None:
        self._call_manager, self._on_end = call_manager, on_end
        self.call, self.transferor, self.peer = call, transferor, peer
        self.second: Call | None = None  # in which the transferor talks to the target
        self.is_over = False
        self._is_with_peer = False  # after a swap the target waits
        self._listeners = {transferor: transferor.listener, peer: peer.listener}

    def start(
        self, config: CallConfig, account: SipAccount, invite: InviteInfo, match: DialplanMatch
    ) -> Call:
        """Let the peer wait, and call the target for the transferor. Return the second call."""
        self.call.lend()
        let_wait(self.peer)
        owner = ConsultationOwner(self)
        self.second = self._call_manager.make(config, account, self.transferor, invite, owner=owner)
        self.second.borrow(self.transferor)
        self.transferor.listener = self.peer.listener = self
        self.call.owner = owner
        header = make_header(config, account, invite)
        self.second.cdr_writer.begin(header, is_outside=leads_outside(match))
        self.second.arrive(match)
        return self.second

    @property
    def target(self) -> Party | None:
        """The party that the transferor called; None until it answers."""
        return self.second.callee if self.second is not None else None

    def operate(self, operation: TransferOperation) -> bool:
        """Carry out an operation. Return False if it is not possible now."""
        second, target = self.second, self.target
        if second is None or (target is None and operation is not TransferOperation.ABORT):
            return False
        match operation:
            case TransferOperation.ABORT:
                second.dispatch(HungUp())  # and the transferor returns as the second call ends
            case TransferOperation.SWAP:
                self._is_with_peer = not self._is_with_peer
                self._talk_to(self.peer if self._is_with_peer else target)
            case TransferOperation.COMPLETE:
                self._complete(second)
            case TransferOperation.THREEWAY:
                return False
        return True

    def _talk_to(self, partner: Party | None) -> None:
        waiting = self.target if partner is self.peer else self.peer
        if partner is not None and waiting is not None:
            self.transferor.media.unbridge()
            partner.media.stop()
            self.transferor.media.bridge(partner.media)
            let_wait(waiting)

    def _complete(self, second: Call) -> None:
        self._end()
        log.info("transfer", call=self.call.id, by=self.transferor.number, to=second.id)
        self.transferor.media.unbridge()
        join(self.call, self.transferor, second, self.transferor)
        self.transferor.hang_up()

    def _end(self) -> None:
        """Give all back to the calls: both have their parties again."""
        if self.is_over:
            return
        self.is_over = True
        for waiting in filter(None, (self.peer, self.target)):
            waiting.media.stop()
        for party, listener in self._listeners.items():
            if party.listener is self:
                party.listener = listener
        self.call.owner = self._call_manager
        self._on_end(self)

    # Callbacks of the two parties

    def on_key(self, party: Party, key: str) -> None:
        if party is self.transferor and self.second is not None and not self._is_with_peer:
            self.second.on_key(party, key)
        else:
            self._listeners[party].on_key(party, key)

    def on_gone(self, party: Party, termination: Termination) -> None:
        self._leave(party, partial(self._listeners[party].on_gone, party, termination))

    def on_media_timeout(self, party: Party) -> None:
        self._leave(party, partial(self._listeners[party].on_media_timeout, party))

    def on_referral(self, _party: Party, referral: Referral) -> None:
        """Reject another transfer while this one is in progress."""
        referral.reject(491)

    def _leave(self, party: Party, report: Callable[[], None]) -> None:
        """One of the two is gone. The transferor completes the transfer so, if the target has answered."""
        second = self.second
        if second is None:
            self._end()
            report()
        elif party is self.peer:
            self._end()
            self.call.detach(self.transferor)
            second.keep(self.transferor)
            report()
        elif self.target is not None:
            self._complete(second)
        else:
            self._end()
            second.dispatch(HungUp())
            report()

    # Callbacks of the two calls

    def on_call_end(self, call: Call) -> None:
        """The second call ended: return to the peer. If the first one ended, no peer waits any longer."""
        self._call_manager.on_call_end(call)
        if self.is_over:
            return
        self._end()
        if call is self.second:
            if self.call.is_finished:
                self.transferor.hang_up()
            else:
                self.call.reconnect()
        elif self.second is not None:
            self.second.close(CallEndReason.TRANSFER_FAILED)


def let_wait(party: Party) -> None:
    """Play the hold sound to a party that waits."""
    party.media.play((hold_tone(),), loop=True)


class ConsultationOwner:
    """Owner of the two calls of a consultation meanwhile."""

    def __init__(self, consultation: Consultation) -> None:
        self._consultation = consultation

    def on_referral(self, _call: Call, _party: Party, referral: Referral) -> None:
        """Reject another transfer, also by the target."""
        referral.reject(491)

    def on_call_end(self, call: Call) -> None:
        self._consultation.on_call_end(call)


class Consultations:
    """The attended transfers of this process that programs have started, by transferor."""

    def __init__(self, call_manager: CallManager) -> None:
        self._call_manager = call_manager
        self._active: dict[Party, Consultation] = {}

    def start(  # noqa: PLR0913 - a transfer has many circumstances
        self,
        call: Call,
        transferor: Party,
        peer: Party,
        *,
        config: CallConfig,
        account: SipAccount,
        called: str,
        match: DialplanMatch,
    ) -> Call:
        """Start an attended transfer, and return the call to its target."""
        consultation = Consultation(self._call_manager, call, transferor, peer, self._forget)
        self._active[transferor] = consultation
        return consultation.start(config, account, InviteInfo(account.number, account.name, called), match)

    def find(self, party: Party) -> Consultation | None:
        """Return the transfer in which a party is the transferor or its peer."""
        found = (each for each in self._active.values() if party in (each.transferor, each.peer))
        return next(found, None)

    def _forget(self, consultation: Consultation) -> None:
        self._active.pop(consultation.transferor, None)
