"""Rings the phones of an extension or a ring group, or an outside number (RFC 3261, section 16: forking).

The first fork that answers is connected and the others are cancelled. The `DialObserver` is notified of
ringing, and then once of the result: answered or failed.
"""

from asyncio import TimerHandle
from collections.abc import Iterator, Sequence
from typing import Protocol
from urllib.parse import quote

import msgspec
import structlog

from openivr.b2bua.cdr_writer import CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.fork import CallerId, Fork
from openivr.b2bua.limits import OutboundCall, RouteSlot
from openivr.b2bua.party import NO_LISTENER, Party
from openivr.b2bua.redirection import Redirects
from openivr.b2bua.ring_strategy import RingRound, plan_rounds
from openivr.b2bua.sip_causes import COMPLETED_ELSEWHERE, cause_of, ends_all, strongest
from openivr.cdr.journal.entries import LegRecord, LegResult
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import Dial
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind
from openivr.ivr.policy import routes_of
from openivr.ivr.states.dialling import members
from openivr.media.rtp.ports import NoPorts
from openivr.sip.address import uri_host
from openivr.sip.dialog.refer import Referral
from openivr.sip.message.message import Header
from openivr.sip.registrar.registrar import Binding
from openivr.sip.termination import FailureReason, Termination
from openivr.sip.trunk.trunk_manager import DialTarget

log = structlog.get_logger(__name__)
RESPONSE_SECONDS = 6.0  # for a trunk's first response; it has had four INVITEs by then
DECLINED = Termination(486, "", by_peer=False)  # not 603, which counts for all phones of a person
UNREACHED = frozenset((FailureReason.TIMEOUT, FailureReason.TRANSPORT, FailureReason.NAME))


class DialObserver(Protocol):
    """Callbacks of a dialer and, once a callee is connected, of the callee."""

    def on_ringing(self, dialer: "Dialer", early: Party | None) -> None:
        """A phone rings; `early` is the only party that rings, if it sends early media."""
        ...

    def on_answered(self, dialer: "Dialer", party: Party) -> None:
        """A party answered. The other forks are cancelled."""
        ...

    def on_unreachable(self, dialer: "Dialer", cause: Cause) -> None:
        """No party answered, and none is left to try."""
        ...

    def on_gone(self, party: Party, termination: Termination) -> None:
        """The leg of the party that had answered ended."""
        ...

    def on_media_timeout(self, party: Party) -> None:
        """No RTP has come for a long time from the party that had answered."""
        ...

    def on_referral(self, party: Party, referral: Referral) -> None:
        """The party that had answered asks for a transfer."""
        ...


class Dialer:
    """Carries out one `Dial` command."""

    def __init__(  # noqa: PLR0913 - a dial has many circumstances
        self,
        context: CallContext,
        config: CallConfig,
        observer: DialObserver,
        cdr_writer: CdrWriter,
        *,
        dial: Dial,
        caller: CallerId,
        headers: Sequence[Header] = (),
    ) -> None:
        self.headers = headers  # further ones, for phones of extensions
        self.context, self.config, self.observer = context, config, observer
        self.cdr_writer, self.dial, self.caller = cdr_writer, dial, caller
        self.forks: list[Fork] = []
        self.winner: Fork | None = None
        self.is_finished = False
        self.slot: RouteSlot | None = None  # that the call over a trunk holds
        self._rounds: Iterator[RingRound] = iter(())
        self._causes: dict[int, list[Cause]] = {}  # by member
        self._targets: Iterator[DialTarget] = iter(())
        self._timer: TimerHandle | None = None
        self._outside_number = dial.number
        self.redirects = Redirects(context.limiter)

    # Commands of the call

    def start(self) -> None:
        """Start dialling. The observer is called only after this has returned."""
        match self.dial.kind:
            case DestinationKind.EXTERNAL:
                self.context.loop.call_soon(self._ring_outside)
            case DestinationKind.RING_GROUP:
                group = self.config.snapshot.ring_groups[self.dial.target]
                extensions = members(self.config.snapshot, group)
                self._rounds = iter(plan_rounds(group.strategy, extensions, self.dial.seconds))
                self.context.loop.call_soon(self._ring_next)
            case _:
                self._rounds = iter((RingRound((self.dial.target,)),))
                self.context.loop.call_soon(self._ring_next)

    def stop(self) -> None:
        """Cancel all forks, and hang up the party that answered."""
        self._cancel_timer()
        self.is_finished = True
        for fork in list(self.forks):
            self._end(fork, LegResult.CANCELLED if fork is not self.winner else LegResult.ANSWERED)
        self.winner = None
        self._free_slot()

    def party_of_leg(self, leg: int) -> Party | None:
        """Return the party of a leg of the record; None if it has ended."""
        return next((fork.party for fork in self.forks if fork.leg == leg), None)

    def decline(self, party: Party) -> None:
        """Cancel one phone that rings, as if it had declined. Other phones go on ringing."""
        fork = next((fork for fork in self.forks if fork.party is party), None)
        if fork is not None and fork is not self.winner:
            self.on_gone(fork, DECLINED)

    def adopt(self, party: Party) -> None:
        """Let a party that is answered already take the call, in the place of the phones that ring."""
        for fork in list(self.forks):
            self._end(fork, LegResult.CANCELLED)
        source = party.leg.source if party.leg is not None else None
        record = LegRecord(
            kind=DestinationKind.EXTENSION.value,
            target=self.dial.target,
            number=party.number,
            via=f"{uri_host(source.host)}:{source.port}" if source is not None else "",
            began=self.cdr_writer.now(),
        )
        fork = Fork(self, party, self.dial.target, self.cdr_writer.add_leg(record), record)
        self.forks.append(fork)
        party.listener = fork
        self.on_answer(fork)

    def detach(self) -> RouteSlot | None:
        """Hand the party that answered over to another call. Return the slot that it still holds."""
        slot, self.slot = self.slot, None
        if self.winner is not None:
            slot = self.redirects.detach(self.winner) or slot
            self._note(self.winner, ended=self.cdr_writer.now(), result=LegResult.TRANSFERRED)
            self.winner.party.listener = NO_LISTENER
            self.forks.remove(self.winner)
            self.winner = None
        self.is_finished = True
        return slot

    # Extensions and ring groups

    def _ring_next(self) -> None:
        """Ring the next round. Fail if there is none."""
        if self.is_finished or self.winner is not None:
            return
        self._cancel_timer()
        round_ = next(self._rounds, None)
        if round_ is None:
            self._fail()
            return
        ringing = {fork.member for fork in self.forks}
        for fork in [fork for fork in self.forks if fork.member not in round_.members]:
            self._end(fork, LegResult.NO_ANSWER)
            self._causes.setdefault(fork.member, []).append(Cause.NO_ANSWER)
        for member in round_.members:
            if member not in ringing:
                self._ring_extension(member)
        if not self.forks:
            self._ring_next()
        elif round_.seconds is not None:
            self._timer = self.context.loop.call_later(round_.seconds, self._ring_next)

    def _ring_extension(self, member: int) -> None:
        account = self.config.account_of(member)
        if account is None:
            self._causes.setdefault(member, []).append(Cause.UNAVAILABLE)
            return
        self.ring_phones(account, member)
        if self.dial.mobile:
            routes = routes_of(self.config.snapshot, member)
            self.redirects.call_outside(self, member, account, self.dial.mobile, routes)
        if not any(fork.member == member for fork in self.forks):
            self._causes.setdefault(member, []).append(Cause.UNAVAILABLE)

    def ring_phones(self, account: SipAccount, member: int) -> bool:
        """Ring the phones of an account for a member. Return False if it has none."""
        bindings = self.context.bindings_of(account)
        for binding in bindings:
            self._ring_phone(account, member, binding)
        return bool(bindings)

    def _ring_phone(self, account: SipAccount, member: int, binding: Binding) -> None:
        contact, target = binding.contact, binding.target
        info = self.dial.alert_info
        headers = (("Alert-Info", info if info.startswith("<") else f"<{info}>"),) if info else ()
        record = LegRecord(
            kind=DestinationKind.EXTENSION.value,
            target=account.extension,
            number=account.number,
            via=f"{uri_host(target.host)}:{target.port}",
            began=self.cdr_writer.now(),
        )
        number = quote(self.caller.number, safe="+*") or "anonymous"
        self.place(
            DialTarget(contact, number, "", target, None, ""), member, record, (*headers, *self.headers)
        )

    # Outside numbers

    def _ring_outside(self) -> None:
        if self.is_finished:
            return
        dial, snapshot = self.dial, self.config.snapshot
        route, trunk = snapshot.outbound_routes.get(dial.target), self.config.trunks.get(dial.trunk)
        if route is None or trunk is None or not trunk.enabled:
            self._fail_outside(Cause.UNAVAILABLE)
            return
        call = OutboundCall(route.id, self.caller.number, self.context.loop.time())
        limit = self.context.limiter.exceeded(call, route.limits, trunk.id, trunk.max_calls)
        if limit is not None:
            log.warning(
                "outbound call refused", call=self.cdr_writer.call, route=route.name, limit=limit.value
            )
            self._fail_outside(Cause.LIMIT)
            return
        targets = self.dial_targets(trunk, dial.number, self.caller.outside)
        self.slot = self.context.limiter.begin_outbound(call, trunk.id)
        self.try_targets(trunk, dial.number, targets)

    def try_targets(self, trunk: TrunkAccount, number: str, targets: Sequence[DialTarget]) -> None:
        """Call a number over the addresses of a trunk, one after the other."""
        self._outside_number, self._targets = number, iter(targets)
        self._try_next_target(trunk)

    def dial_targets(self, trunk: TrunkAccount, number: str, caller: str) -> list[DialTarget]:
        """List the targets to call a number over a trunk, with the numbers in the form that it wants."""
        write = trunk.number_format.write
        return self.context.trunks.dial_targets(trunk.id, write(number), write(caller))

    def _try_next_target(self, trunk: TrunkAccount) -> None:
        """Call over the next address of the trunk. Fail if there is none."""
        self._cancel_timer()
        target = next(self._targets, None)
        if target is None:
            self._fail_outside(Cause.UNAVAILABLE)
            return
        record = LegRecord(
            kind=DestinationKind.EXTERNAL.value,
            target=self.dial.target,
            number=self._outside_number,
            via=trunk.name,
            began=self.cdr_writer.now(),
        )
        self.place(target, 0, record, ())
        if self.forks:
            self._timer = self.context.loop.call_later(
                RESPONSE_SECONDS, self._on_response_timeout, self.forks[0], trunk
            )
        else:
            self._try_next_target(trunk)

    def _on_response_timeout(self, fork: Fork, trunk: TrunkAccount) -> None:
        """Try the next address if there was no response. Timer B would take 32 s."""
        if fork.party.leg is None or fork.party.leg.has_response:
            return
        self.context.trunks.on_no_response(trunk.id)
        self._end(fork, LegResult.UNAVAILABLE)
        self._try_next_target(trunk)

    def _fail_outside(self, cause: Cause) -> None:
        self._causes.setdefault(0, []).append(cause)
        self._fail()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _free_slot(self) -> None:
        if self.slot is not None:
            self.context.limiter.end_outbound(self.slot)
            self.slot = None

    # One fork

    def place(
        self, target: DialTarget, member: int, record: LegRecord, headers: Sequence[Header]
    ) -> Fork | None:
        try:
            media = self.context.media.open(target.target.host)
        except (NoPorts, ValueError) as error:
            log.error("no RTP port for a call", call=self.cdr_writer.call, error=str(error))
            self._causes.setdefault(member, []).append(Cause.UNAVAILABLE)
            return None
        party = Party(media, record.number, record.began, self.context.loop.time, self.context.resolve_host)
        fork = Fork(self, party, member, self.cdr_writer.add_leg(record), record)
        self.forks.append(fork)
        is_phone = record.kind == DestinationKind.EXTENSION.value
        if is_phone:
            party.account = self.config.account_of(record.target)
        party.listener = fork
        party.leg = self.context.agent.call(
            target.uri,
            party,
            body=party.session.offer(),
            caller=target.caller(media.address[0]),
            caller_name=self.caller.inside if is_phone else self.caller.name,
            target=target.target,
            headers=headers,
            authorise=target.authorise,
            contact_user=target.contact_user,
        )
        return fork

    # Events of forks

    def on_fork_media_timeout(self, fork: Fork) -> None:
        """Report that no RTP comes from the party that answered."""
        if fork is self.winner:
            self.observer.on_media_timeout(fork.party)

    def on_fork_referral(self, fork: Fork, referral: Referral) -> None:
        """Report that the party that answered asks for a transfer."""
        if fork is self.winner:
            self.observer.on_referral(fork.party, referral)
        else:
            referral.reject(603)

    def on_progress(self, fork: Fork, status: int, is_early: bool) -> None:
        """Report ringing or early media, once a fork has sent more than 100."""
        if not self.is_finished and self.winner is None and status != 100:
            self.observer.on_ringing(self, fork.party if is_early and len(self.forks) == 1 else None)

    def on_answer(self, fork: Fork) -> None:
        """Connect the first fork that answers, and hang up a later one."""
        if self.is_finished or self.winner is not None:
            fork.party.hang_up()
            return
        self.winner = fork
        self._cancel_timer()
        for other in [other for other in self.forks if other is not fork]:
            self._end(other, LegResult.ANSWERED_ELSEWHERE)
        self._note(fork, answered=self.cdr_writer.now(), result=LegResult.ANSWERED, status=200)
        self.observer.on_answered(self, fork.party)

    def on_gone(self, fork: Fork, termination: Termination) -> None:
        """Note how a fork ended, and try the next address or round if none is left."""
        if fork not in self.forks:
            return
        if fork is self.winner:
            self._note(fork, ended=self.cdr_writer.now())
            self.redirects.free(fork)
            self.observer.on_gone(fork.party, termination)
            return
        cause = find_cause(termination)
        self.forks.remove(fork)
        self.redirects.free(fork)
        fork.party.hang_up()
        self._note(
            fork, ended=self.cdr_writer.now(), result=LegResult(cause.value), status=termination.status
        )
        if self.winner is None and not self.is_finished and self.redirects.follow(self, fork, termination):
            return
        if self.slot is not None and termination.failure in UNREACHED:
            self.context.trunks.on_no_response(self.dial.trunk)
            if not self.is_finished:
                self._try_next_target(self.config.trunks[self.dial.trunk])
            return
        self._causes.setdefault(fork.member, []).append(cause)
        if ends_all(termination.status):
            for other in [other for other in self.forks if other.member == fork.member]:
                self._end(other, LegResult.CANCELLED, is_handled=True)
        if not self.forks and self.winner is None and not self.is_finished:
            self._ring_next() if self.slot is None else self._fail()

    def _end(self, fork: Fork, result: LegResult, *, is_handled: bool = False) -> None:
        """End a fork. `is_handled`: on another phone the call was answered, or declined for all of them."""
        is_handled = is_handled or result is LegResult.ANSWERED_ELSEWHERE
        if fork in self.forks:
            self.forks.remove(fork)
            self.redirects.free(fork)
            fork.party.hang_up(headers=COMPLETED_ELSEWHERE if is_handled else ())
            self._note(fork, ended=self.cdr_writer.now(), result=result)

    def _note(self, fork: Fork, **changes: object) -> None:
        fork.record = msgspec.structs.replace(fork.record, **changes)
        self.cdr_writer.change_leg(fork.leg, fork.record)

    def _fail(self) -> None:
        if not self.is_finished:
            self.is_finished = True
            self._free_slot()
            causes = [strongest(causes) for causes in self._causes.values()]
            self.observer.on_unreachable(self, strongest(causes))


def find_cause(termination: Termination) -> Cause:
    """Map the termination of a leg to a cause of the IVR."""
    return cause_of(termination.status, is_silent=termination.failure in UNREACHED)
