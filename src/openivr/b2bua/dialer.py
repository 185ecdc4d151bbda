"""Rings somebody for a call: all phones of an extension, the rounds of a ring group, a number outside.

The first who answers is connected, the others are cancelled. The `DialObserver` is notified while it
rings, and once of the result: answered or failed.
"""

from asyncio import TimerHandle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import quote

import msgspec
import structlog

from openivr.b2bua.cdr_writer import CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.limits import OutboundCall
from openivr.b2bua.party import Party
from openivr.b2bua.ring_strategy import RingRound, plan_rings
from openivr.b2bua.sip_causes import cause_of, ends_all, strongest
from openivr.cdr.journal.entries import LegRecord
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import Dial
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind
from openivr.ivr.states.dialling import members
from openivr.media.rtp.ports import NoPorts
from openivr.sip.address import uri_host
from openivr.sip.dialog.call_leg import Header
from openivr.sip.registrar.registrar import Binding
from openivr.sip.termination import FailureReason, Termination
from openivr.sip.trunk.trunk_manager import DialTarget

log = structlog.get_logger(__name__)
HEED_SECONDS = 6.0  # a line that has not said anything to four INVITEs by then is passed over
NO_ANSWER_AT_ALL = frozenset((FailureReason.TIMEOUT, FailureReason.TRANSPORT, FailureReason.NAME))


class DialObserver(Protocol):
    """Who wants somebody rung."""

    def rang(self, ringing: "Dialer", early: Party | None) -> None:
        """It rings; `early`: with sound from there before the answer."""
        ...

    def reached(self, ringing: "Dialer", party: Party) -> None:
        """Somebody answered."""
        ...

    def unreached(self, ringing: "Dialer", cause: Cause) -> None:
        """Nobody will."""
        ...

    def left(self, party: Party) -> None:
        """Who had answered has hung up."""
        ...


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who is shown to those who are rung."""

    number: str
    name: str
    outside: str = ""  # number to show over trunks, if it is the caller's own; "": the trunk's


@dataclass(slots=True)
class Fork:
    """One phone or line that is rung."""

    party: Party
    member: int  # extension; 0 for the outside
    leg: int  # its place in the record
    record: LegRecord


class Dialer:
    """One `Dial` of one call."""

    def __init__(  # noqa: PLR0913 - a dial has many circumstances
        self,
        house: CallContext,
        configuration: CallConfig,
        client: DialObserver,
        scribe: CdrWriter,
        *,
        dial: Dial,
        caller: CallerId,
    ) -> None:
        self.house, self.configuration, self.client = house, configuration, client
        self.scribe, self.dial, self.caller = scribe, dial, caller
        self.forks: list[Fork] = []
        self.winner: Fork | None = None
        self.is_over = False
        self.line: tuple[int, int] | None = None  # route and trunk that are in use
        self._rounds: Iterator[RingRound] = iter(())
        self._causes: dict[int, list[Cause]] = {}
        self._ways: Iterator[DialTarget] = iter(())
        self._timer: TimerHandle | None = None

    # What the call wants

    def start(self) -> None:
        """Ring. Nothing is told before this returns."""
        match self.dial.kind:
            case DestinationKind.EXTERNAL:
                self.house.loop.call_soon(self._ring_outside)
            case DestinationKind.RING_GROUP:
                group = self.configuration.snapshot.ring_groups[self.dial.target]
                people = members(self.configuration.snapshot, group)
                self._rounds = iter(plan_rings(group.strategy, people, self.dial.seconds))
                self.house.loop.call_soon(self._ring_next)
            case _:
                self._rounds = iter((RingRound((self.dial.target,)),))
                self.house.loop.call_soon(self._ring_next)

    def stop(self) -> None:
        """Give up, or hang up on whoever answered."""
        self._cancel_timer()
        self.is_over = True
        for fork in list(self.forks):
            self._end(fork, "cancelled" if fork is not self.winner else "answered")
        self.winner = None
        self._free_line()

    # Inside the house

    def _ring_next(self) -> None:
        """Ring the next round; without one, nobody was reached."""
        if self.is_over:
            return
        self._cancel_timer()
        round_ = next(self._rounds, None)
        if round_ is None:
            self._fail()
            return
        ringing = {fork.member for fork in self.forks}
        for fork in [fork for fork in self.forks if fork.member not in round_.members]:
            self._end(fork, Cause.NO_ANSWER)
            self._causes.setdefault(fork.member, []).append(Cause.NO_ANSWER)
        for member in round_.members:
            if member not in ringing:
                self._ring_extension(member)
        if not self.forks:
            self._ring_next()
        elif round_.seconds is not None:
            self._timer = self.house.loop.call_later(round_.seconds, self._ring_next)

    def _ring_extension(self, member: int) -> None:
        account = self.configuration.account_of(member)
        if account is None:
            self._causes.setdefault(member, []).append(Cause.UNAVAILABLE)
            return
        bindings = self.house.phones(account)
        for binding in bindings:
            self._ring_phone(account, member, binding)
        if not any(fork.member == member for fork in self.forks):
            self._causes.setdefault(member, []).append(Cause.UNAVAILABLE)

    def _ring_phone(self, account: SipAccount, member: int, binding: Binding) -> None:
        contact, target = binding.contact, binding.target
        info = self.dial.alert_info
        headers = (("Alert-Info", info if info.startswith("<") else f"<{info}>"),) if info else ()
        record = LegRecord(
            kind=DestinationKind.EXTENSION.value,
            target=member,
            number=account.number,
            via=f"{uri_host(target.host)}:{target.port}",
            began=self.house.now(),
        )
        number = quote(self.caller.number, safe="+*") or "anonymous"
        self._place(DialTarget(contact, f"sip:{number}@{{host}}", target, None, ""), member, record, headers)

    def release(self) -> tuple[int, int] | None:
        """Leave who answered to another call, with the route and trunk that it goes on to use, if it does."""
        if self.winner is not None:
            self._note(self.winner, ended=self.house.now(), result="transferred")
            self.forks.remove(self.winner)
            self.winner = None
        self.is_over = True
        line, self.line = self.line, None
        return line

    # Outside

    def _ring_outside(self) -> None:
        if self.is_over:
            return
        dial, snapshot = self.dial, self.configuration.snapshot
        route, trunk = snapshot.outbound_routes.get(dial.target), self.configuration.trunks.get(dial.trunk)
        if route is None or trunk is None or not trunk.enabled:
            self._refuse(Cause.UNAVAILABLE)
            return
        start = OutboundCall(route.id, self.caller.number, self.house.now() / 1000)
        limit = self.house.usage.refuse(start, route.limits, trunk.id, trunk.max_calls)
        if limit is not None:
            log.warning("call outside refused", call=self.scribe.call, route=route.name, limit=limit.value)
            self._refuse(Cause.LIMIT)
            return
        self._ways = iter(self.house.lines.dial_targets(trunk.id, dial.number, self.caller.outside))
        self.house.usage.begin(start, trunk.id)
        self.line = (route.id, trunk.id)
        self._try_way(trunk)

    def _try_way(self, trunk: TrunkAccount) -> None:
        """Call over the next address of the trunk; without one, nobody was reached."""
        self._cancel_timer()
        way = next(self._ways, None)
        if way is None:
            self._refuse(Cause.UNAVAILABLE)
            return
        dial = self.dial
        record = LegRecord(
            kind=DestinationKind.EXTERNAL.value,
            target=dial.target,
            number=dial.number,
            via=trunk.name,
            began=self.house.now(),
        )
        self._place(way, 0, record, ())
        if self.forks:
            self._timer = self.house.loop.call_later(HEED_SECONDS, self._pass_over, self.forks[0], trunk)
        else:
            self._try_way(trunk)

    def _pass_over(self, fork: Fork, trunk: TrunkAccount) -> None:
        """If nothing was heard from the line: a caller does not wait for timer B, half a minute."""
        if fork.party.leg is None or fork.party.leg.has_response:
            return
        self.house.lines.on_no_response(trunk.id)
        self._end(fork, Cause.UNAVAILABLE)
        self._try_way(trunk)

    def _refuse(self, cause: Cause) -> None:
        self._causes.setdefault(0, []).append(cause)
        self._fail()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _free_line(self) -> None:
        if self.line is not None:
            self.house.usage.end(*self.line)
            self.line = None

    # One phone or line

    def _place(self, way: DialTarget, member: int, record: LegRecord, headers: Sequence[Header]) -> None:
        try:
            media = self.house.media.open(way.target.host)
        except (NoPorts, ValueError) as error:
            log.error("no port for a call", call=self.scribe.call, error=str(error))
            self._causes.setdefault(member, []).append(Cause.UNAVAILABLE)
            return
        party = Party(media, record.number, record.began, self.house.loop.time)
        fork = Fork(party, member, self.scribe.add_leg(record), record)
        self.forks.append(fork)
        party.account = self.configuration.account_of(member)
        party.on_ringing = partial(self._progress, fork)
        party.on_connected = partial(self._answer, fork)
        party.on_gone = partial(self._gone, fork)
        party.leg = self.house.agent.call(
            way.uri,
            party,
            body=party.session.offer(),
            caller=way.caller.replace("{host}", uri_host(media.address[0])),
            caller_name=self.caller.name,
            target=way.target,
            headers=headers,
            authorise=way.authorise,
            contact_user=way.contact_user,
        )

    def _progress(self, fork: Fork, _party: Party, status: int, is_early: bool) -> None:
        if not self.is_over and self.winner is None and status != 100:
            self.client.rang(self, fork.party if is_early and len(self.forks) == 1 else None)

    def _answer(self, fork: Fork, party: Party) -> None:
        if self.is_over or self.winner is not None:
            party.hang_up()
            return
        self.winner = fork
        self._cancel_timer()
        for other in [other for other in self.forks if other is not fork]:
            self._end(other, "answered elsewhere")
        self._note(fork, answered=self.house.now(), result="answered", status=200)
        self.client.reached(self, party)

    def _gone(self, fork: Fork, party: Party, ending: Termination) -> None:
        if fork not in self.forks:
            return
        if fork is self.winner:
            self._note(fork, ended=self.house.now())
            self.client.left(party)
            return
        cause = find_cause(ending)
        self.forks.remove(fork)
        party.hang_up()
        self._note(fork, ended=self.house.now(), result=cause.value, status=ending.status)
        if self.line is not None and ending.reason in NO_ANSWER_AT_ALL:
            self.house.lines.on_no_response(self.dial.trunk)
            if not self.is_over:
                self._try_way(self.configuration.trunks[self.dial.trunk])
            return
        self._causes.setdefault(fork.member, []).append(cause)
        if ends_all(ending.status):
            for other in [other for other in self.forks if other.member == fork.member]:
                self._end(other, "answered elsewhere")
        if not self.forks and self.winner is None and not self.is_over:
            self._ring_next() if self.line is None else self._fail()

    def _end(self, fork: Fork, result: str) -> None:
        if fork in self.forks:
            self.forks.remove(fork)
            fork.party.hang_up(headers=elsewhere(result))
            self._note(fork, ended=self.house.now(), result=result)

    def _note(self, fork: Fork, **changes: object) -> None:
        fork.record = msgspec.structs.replace(fork.record, **changes)
        self.scribe.change_leg(fork.leg, fork.record)

    def _fail(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._free_line()
            causes = [strongest(heard) for heard in self._causes.values()]
            self.client.unreached(self, strongest(causes))


def find_cause(ending: Termination) -> Cause:
    """Why a leg failed, in the menu core's words."""
    return cause_of(ending.status, is_silent=ending.reason in NO_ANSWER_AT_ALL)


def elsewhere(result: str) -> tuple[Header, ...]:
    """So that phones do not count a call that another one took as missed (RFC 3326)."""
    if result != "answered elsewhere":
        return ()
    return (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
