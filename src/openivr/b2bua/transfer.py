"""Transfers: a phone of the house asks that the other side of its call talks to somebody else.

Only phones of the house may ask, and only for what they could dial themselves. Blind: the other side goes on
in a call of its own, with a record of its own; where that fails it is given back to who asked. Attended: the
two other sides of two calls are joined.
"""

from functools import partial

import structlog

from openivr.b2bua.call import Call, Origin
from openivr.b2bua.call_manager import CallManager, InviteInfo, user_of
from openivr.b2bua.dialplan import DialplanMatch, NoMatch, dial_inside, leads_outside
from openivr.b2bua.party import Party
from openivr.config.call_config import SipAccount
from openivr.ivr.commands import HIDDEN
from openivr.ivr.model import Destination, DestinationKind
from openivr.sip.dialog.refer import Referral, Replaces
from openivr.sip.dialog.uas import InboundLeg

log = structlog.get_logger(__name__)
DECLINED = 603  # there is nobody to be sent on: who asks talks to a menu (RFC 3261, section 21.6.2)
TRANSFERRED, RETURNED = "transferred", "transfer failed, given back"


class Transfers:
    """Carries out what phones ask for."""

    def __init__(self, board: CallManager) -> None:
        self._board = board

    def refer(self, call: Call, asking: Party, referral: Referral) -> None:
        """A REFER on one side of a call."""
        account, other = asking.account, call.other(asking)
        if account is None:
            referral.reject(403)
        elif other is None:
            referral.reject(DECLINED)
        elif referral.replaces is not None:
            self._join(call, asking, referral, referral.replaces)
        else:
            self._board.house.spawn(self._send_on(call, asking, account, referral))

    # Blind

    async def _send_on(self, call: Call, asking: Party, account: SipAccount, referral: Referral) -> None:
        configuration = await self._board.configuration()
        other = call.other(asking)
        if other is None:
            referral.reject(481)
            return
        called = user_of(referral.uri)
        way = dial_inside(configuration, account, called)
        shown = HIDDEN if leads_outside(way) else called
        log.info("transfer", call=call.id, by=account.number, to=shown)
        if isinstance(way, NoMatch):
            referral.reject(404)
            return
        referral.accept()
        asking.on_referral = lambda _party, again: again.reject(491)
        origin: Origin = call.origin if other is call.caller else account
        line = call.release(other)
        call.release(asking)
        call.close(TRANSFERRED)
        asked = InviteInfo(other.number, call.caller_name if other is call.caller else "", called)
        new = self._board.make(configuration, origin, other, asked)
        if line is not None:
            new.lines.append(line)
        new.on_fate = partial(self._tell, new, asking, account, referral)
        self._board.begin(new, asked, way)

    def _tell(self, new: Call, asking: Party, account: SipAccount, referral: Referral, status: int) -> None:
        """The transferred call was answered, so that the phone that asked is done; or it has failed."""
        referral.report(status)
        if status == 200:
            asking.hang_up()
        else:  # not at once: the call is in the midst of saying so
            self._board.house.loop.call_soon(self._give_back, new, asking, account)

    def _give_back(self, failed: Call, asking: Party, account: SipAccount) -> None:
        """Connect who was sent on in vain with who did it again; who has hung up meanwhile is called."""
        if failed.is_over:
            asking.hang_up()
            return
        configuration, other, lines = failed.configuration, failed.caller, failed.lines
        failed.release(other)
        failed.lines = []
        failed.close(RETURNED)
        asked = InviteInfo(other.number, failed.caller_name, account.number)
        new = self._board.make(configuration, failed.origin, other, asked)
        new.lines = lines
        self._board.begin(
            new, asked, DialplanMatch(Destination(DestinationKind.EXTENSION, account.extension))
        )
        if asking.is_answered:
            new.meet(asking)
        else:
            asking.hang_up()

    # Attended

    def _join(self, call: Call, asking: Party, referral: Referral, replaces: Replaces) -> None:
        found = self._find(replaces)
        if found is None or not is_same(found[1].account, asking.account) or found[0] is call:
            referral.reject(481)
            return
        second, held = found
        if second.other(held) is None:
            referral.reject(DECLINED)
            return
        referral.accept()
        log.info("transfer", call=call.id, by=asking.number, to=second.id)
        if asking is call.callee:
            join(call, asking, second, held)
        elif held is second.callee:
            join(second, held, call, asking)
        else:
            join(call, asking, second, held)
        referral.report(200)
        asking.hang_up()
        held.hang_up()

    def _find(self, replaces: Replaces) -> tuple[Call, Party] | None:
        """The call and its side that a Replaces names."""
        for call in self._board.calls.values():
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

    # A phone that takes over a call of its own (RFC 3891)

    def take_over(self, leg: InboundLeg, account: SipAccount, party: Party) -> bool:
        """Put the caller of a new leg in the place of the leg that it replaces, if both are one person's."""
        for call in self._board.calls.values():
            for old in (call.caller, call.callee):
                if old is not None and old.leg is leg.replaces:
                    if not is_same(old.account, account) or call.other(old) is None:
                        return False
                    party.answer()
                    call.swap(old, party)
                    old.hang_up()
                    return True
        return False


def is_same(one: SipAccount | None, other: SipAccount | None) -> bool:
    """Whether two phones are one extension's."""
    return one is not None and other is not None and one.extension == other.extension


def join(kept: Call, leaving: Party, given_up: Call, held: Party) -> None:
    """Let the other side of one call take the place of who leaves the other; that call goes on."""
    other = given_up.other(held)
    if other is None:
        return
    line = given_up.release(other)
    given_up.release(held)
    kept.swap(leaving, other)
    if line is not None:
        kept.lines.append(line)
    given_up.close(TRANSFERRED)
