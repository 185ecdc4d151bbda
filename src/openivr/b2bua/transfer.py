"""Transfers by REFER (RFC 3515, RFC 5589) and by an INVITE with Replaces (RFC 3891).

Only phones may transfer, and only to what they could dial themselves. After a blind transfer the transferee
goes on in a call and record of its own; if that fails it is returned to the transferor. An attended transfer
joins the two remote parties of two calls.
"""

from typing import Protocol

import structlog

from openivr.b2bua.call import Call, CallerNames, Origin
from openivr.b2bua.call_manager import CallManager, InviteInfo, printable
from openivr.b2bua.dialplan import DialplanMatch, NoMatch, dial_from_phone, leads_outside
from openivr.b2bua.party import Party, PartyListener
from openivr.cdr.journal.entries import CallEndReason
from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.commands import HIDDEN
from openivr.ivr.model import Destination, DestinationKind
from openivr.sip.dialog.refer import Referral, Replaces
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.message.phone_number import number_of

log = structlog.get_logger(__name__)
DECLINED = 603  # the transferor talks to a menu, so there is no transferee (RFC 3261, section 21.6.2)


class Transfers:
    """Carries out the transfers that phones ask for."""

    def __init__(self, call_manager: CallManager) -> None:
        self._call_manager = call_manager

    def on_referral(self, call: Call, transferor: Party, referral: Referral) -> None:
        """Handle a REFER of a party of a call."""
        account, transferee = transferor.account, call.other(transferor)
        if account is None:
            referral.reject(403)
        elif transferee is None:
            referral.reject(DECLINED)
        elif referral.replaces is not None:
            self._transfer_attended(call, transferor, referral, referral.replaces)
        else:
            self._call_manager.context.spawn(self._transfer_blind(call, transferor, account, referral))

    # Blind

    async def _transfer_blind(
        self, call: Call, transferor: Party, account: SipAccount, referral: Referral
    ) -> None:
        config = await self._call_manager.load_config()
        transferee = call.other(transferor)
        if transferee is None:
            referral.reject(481)
            return
        called = printable(number_of(referral.uri))
        match = dial_from_phone(config, account, called)
        shown = HIDDEN if leads_outside(match) else called
        log.info("transfer", call=call.id, by=account.number, to=shown)
        if isinstance(match, NoMatch):
            referral.reject(404)
            return
        referral.accept()
        new, invite = self._move(call, transferee, config, account, called)
        transfer = BlindTransfer(self._call_manager, new, transferor, account, referral)
        transferor.listener = transfer
        new.on_outcome = transfer.on_outcome
        self._call_manager.start(new, invite, match)

    def _move(
        self, call: Call, transferee: Party, config: CallConfig, account: SipAccount, called: str
    ) -> tuple[Call, InviteInfo]:
        """End a call, and make one of the transferee to the target, which `start` then begins.

        `account` is that of the transferor, by whose right it goes there.
        """
        origin: Origin = call.origin if transferee is call.caller else account
        transferor = call.other(transferee)
        slot = call.detach(transferee)
        if transferor is not None:
            call.detach(transferor)
        call.close(CallEndReason.TRANSFERRED)
        names = call.names if transferee is call.caller else CallerNames()
        invite = InviteInfo(transferee.number, names.received, called, contact_name=names.contact)
        new = self._call_manager.make(config, origin, transferee, invite)
        if slot is not None:
            new.slots.append(slot)
        return new, invite

    def transfer(  # noqa: PLR0913, PLR0917 - a transfer has many circumstances
        self,
        call: Call,
        transferee: Party,
        config: CallConfig,
        account: SipAccount,
        called: str,
        match: DialplanMatch,
    ) -> Call:
        """Transfer a party for a program, by the right of an account. Return the call that it goes on in.

        The transferor is hung up at once. If the target is not reached, its phone is called back.
        """
        transferor = call.other(transferee)
        log.info("transfer", call=call.id, by=account.number, to=HIDDEN if leads_outside(match) else called)
        new, invite = self._move(call, transferee, config, account, called)
        if transferor is not None:
            transferor.hang_up()
            if transferor.account is not None:
                transfer = BlindTransfer(self._call_manager, new, transferor, transferor.account, NO_REFERRAL)
                new.on_outcome = transfer.on_outcome
        self._call_manager.start(new, invite, match)
        return new

    # Attended

    def _transfer_attended(
        self, call: Call, transferor: Party, referral: Referral, replaces: Replaces
    ) -> None:
        match = self._find(replaces)
        if match is None or not has_same_extension(match[1].account, transferor.account) or match[0] is call:
            referral.reject(481)
            return
        second, held = match
        if second.other(held) is None:
            referral.reject(DECLINED)
            return
        referral.accept()
        log.info("transfer", call=call.id, by=transferor.number, to=second.id)
        if transferor is call.callee:
            join(call, transferor, second, held)
        elif held is second.callee:
            join(second, held, call, transferor)
        else:
            join(call, transferor, second, held)
        referral.report(200)
        transferor.hang_up()
        held.hang_up()

    def _find(self, replaces: Replaces) -> tuple[Call, Party] | None:
        """Return the call and party whose dialog a Replaces names."""
        for call in self._call_manager.calls.values():
            for party in (call.caller, call.callee):
                leg = party.leg if party is not None else None
                dialog = leg.dialog if leg is not None else None
                if party is None or leg is None or dialog is None:
                    continue
                if (leg.call_id, leg.tag, dialog.remote_tag) == (
                    replaces.call_id,
                    replaces.to_tag,
                    replaces.from_tag,
                ):
                    return call, party
        return None

    # INVITE with Replaces

    def on_replaces(self, leg: InboundLeg, account: SipAccount, party: Party) -> bool:
        """Put a new caller in the place of the leg that it replaces, if both are of one extension."""
        for call in self._call_manager.calls.values():
            for old in (call.caller, call.callee):
                if old is not None and old.leg is leg.replaces:
                    if call.owner is not self._call_manager:  # a program transfers it at present
                        return False
                    if not has_same_extension(old.account, account) or call.other(old) is None:
                        return False
                    party.answer()
                    call.replace_party(old, party)
                    old.hang_up()
                    return True
        return False


class TransferReport(Protocol):
    """The phone or program that asked for a transfer. It gets the outcome."""

    def report(self, status: int) -> None:
        """Report a status: 200, or that of a failure."""
        ...


class NoReferral:
    """Stands for a REFER where a program asked for the transfer: events show the outcome."""

    def report(self, _status: int) -> None:
        """Nothing is waiting for it."""


NO_REFERRAL = NoReferral()


class BlindTransfer(PartyListener):
    """A blind transfer in progress: reports its outcome to the transferor, which waits on its leg."""

    def __init__(
        self,
        call_manager: CallManager,
        call: Call,
        transferor: Party,
        account: SipAccount,
        referral: TransferReport,
    ) -> None:
        self._call_manager, self._call = call_manager, call
        self._transferor, self._account, self._referral = transferor, account, referral

    def on_referral(self, _party: Party, referral: Referral) -> None:
        """Reject another transfer while this one is in progress."""
        referral.reject(491)

    def on_outcome(self, status: int) -> None:
        """Report that the transferred call was answered, or that it failed."""
        self._referral.report(status)
        if status == 200:
            self._transferor.hang_up()
        else:  # later, because the call is still handling the event that it reports
            self._call_manager.context.loop.call_soon(self._return_call)

    def _return_call(self) -> None:
        """Reconnect the transferee to the transferor, calling it back if it hung up meanwhile."""
        failed, transferor = self._call, self._transferor
        if failed.is_finished:
            transferor.hang_up()
            return
        config, transferee, slots = failed.config, failed.caller, failed.slots
        failed.detach(transferee)
        failed.slots = []
        failed.close(CallEndReason.TRANSFER_FAILED)
        names = failed.names
        invite = InviteInfo(
            transferee.number, names.received, self._account.number, contact_name=names.contact
        )
        new = self._call_manager.make(config, failed.origin, transferee, invite)
        new.slots = slots
        self._call_manager.start(
            new, invite, DialplanMatch(Destination(DestinationKind.EXTENSION, self._account.extension))
        )
        if transferor.is_answered:
            new.connect_existing(transferor)
        else:
            transferor.hang_up()


def has_same_extension(first: SipAccount | None, second: SipAccount | None) -> bool:
    """Return True if two accounts are of one extension."""
    return first is not None and second is not None and first.extension == second.extension


def join(kept: Call, leaving: Party, closed: Call, held: Party) -> None:
    """Replace `leaving` in the call that is kept by the remote party of the call that is closed."""
    other = closed.other(held)
    if other is None:
        return
    line = closed.line_of(other)
    slot = closed.detach(other)
    closed.detach(held)
    kept.replace_party(leaving, other, line)
    if slot is not None:
        kept.slots.append(slot)
    closed.close(CallEndReason.TRANSFERRED)
