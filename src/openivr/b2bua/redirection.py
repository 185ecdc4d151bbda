"""Redirects (RFC 3261, section 8.1.3.4): where a 3xx response sends a call, and whether that is allowed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from urllib.parse import quote

import structlog

from openivr.b2bua.cdr_writer import CdrWriter
from openivr.b2bua.context import CallContext
from openivr.b2bua.dialplan import NoMatch, dial_from_phone
from openivr.b2bua.fork import CallerId, Fork
from openivr.b2bua.limits import CallLimiter, OutboundCall, RouteSlot
from openivr.cdr.journal.entries import LegRecord
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.commands import Dial
from openivr.ivr.model import DestinationKind
from openivr.ivr.number_rule import is_blocked_over
from openivr.ivr.policy import attempts
from openivr.ivr.states.dialling import members
from openivr.sip.address import Target, is_numeric, normalize_host, target_of_uri, uri_host
from openivr.sip.message.headers import Uri, read_uri
from openivr.sip.message.message import Header
from openivr.sip.message.phone_number import read_phone_number
from openivr.sip.termination import Termination
from openivr.sip.trunk.trunk_manager import DialTarget

log = structlog.get_logger(__name__)
REDIRECTS = frozenset((300, 301, 302))
MAX_REDIRECTS = 5  # of one dialled number, so that two phones cannot forward to each other for ever


def redirect_target(termination: Termination) -> Uri | None:
    """Return the first URI with a number that a response redirects to; None if it is no redirect."""
    if termination.status not in REDIRECTS or termination.response is None or not termination.by_peer:
        return None
    uris = [read_uri(address.uri) for address in termination.response.addresses("contact")]
    return next((uri for uri in uris if uri is not None and read_phone_number(uri).text), None)


def is_at_trunk(uri: Uri, trunk: TrunkAccount) -> bool:
    """Return True if a URI is at the trunk's own host and port, so that it is called as the trunk is."""
    hosts = {normalize_host(host) for host in (trunk.hostname, trunk.domain) if host}
    is_same = normalize_host(uri.host) in hosts and uri.port in (0, trunk.port)
    return uri.scheme == "tel" or is_same


def elsewhere(uri: Uri) -> Target | None:
    """Return the address of another host that a trunk redirects to; None if it is not numeric."""
    target = target_of_uri(uri)
    return target if target is not None and is_numeric(target.host) else None


class RedirectedDialer(Protocol):
    """The dialer whose forks are redirected, as far as redirects need it."""

    context: CallContext
    config: CallConfig
    cdr_writer: CdrWriter
    dial: Dial
    caller: CallerId
    slot: RouteSlot | None

    def ring_phones(self, account: SipAccount, member: int) -> bool:
        """Ring the phones of an account for a member. Return False if it has none."""
        ...

    def place(
        self, target: DialTarget, member: int, record: LegRecord, headers: Sequence[Header]
    ) -> Fork | None:
        """Call one target. Return None if that is impossible."""
        ...

    def dial_targets(self, trunk: TrunkAccount, number: str, caller: str) -> list[DialTarget]:
        """List the targets to call a number over a trunk."""
        ...

    def try_targets(self, trunk: TrunkAccount, number: str, targets: Sequence[DialTarget]) -> None:
        """Call a number over the addresses of a trunk, one after the other."""
        ...


class Redirects:
    """Follows the redirects of a dialled number, and holds the slots of phones that are forwarded outside.

    It has no reference to its dialer, because a reference cycle would keep a call until a garbage collection.
    """

    def __init__(self, limiter: CallLimiter) -> None:
        self._limiter = limiter
        self._count = 0
        self._slots: dict[Fork, RouteSlot] = {}

    def free(self, fork: Fork) -> None:
        """Give back the slot of a fork, if it has one."""
        slot = self.detach(fork)
        if slot is not None:
            self._limiter.end_outbound(slot)

    def detach(self, fork: Fork) -> RouteSlot | None:
        """Hand the slot of a fork over."""
        return self._slots.pop(fork, None)

    def follow(self, dialer: RedirectedDialer, fork: Fork, termination: Termination) -> bool:
        """Call where a 3xx response redirects to. Return False if that is not allowed or impossible."""
        uri = redirect_target(termination)
        if uri is None or self._count >= MAX_REDIRECTS:
            return False
        self._count += 1
        number = read_phone_number(uri).text
        if fork.record.kind == DestinationKind.EXTENSION.value:
            account = dialer.config.account_of(fork.record.target)
            return account is not None and self._forward(dialer, fork.member, account, number)
        trunk = dialer.config.trunks.get(dialer.dial.trunk)
        if dialer.slot is None or trunk is None or not trunk.follow_redirects:
            return False
        if is_blocked_over(dialer.config.snapshot, trunk.id, number):
            return False
        return redirect_outside(dialer, trunk, uri, number)

    def _forward(self, dialer: RedirectedDialer, member: int, account: SipAccount, number: str) -> bool:
        """Forward the call of a phone to a number that its extension may dial."""
        config = dialer.config
        match = dial_from_phone(config, account, number)
        if isinstance(match, NoMatch):
            return False
        destination = match.destination
        match destination.kind:
            case DestinationKind.EXTENSION:
                targets: tuple[int, ...] = (destination.target,)
            case DestinationKind.RING_GROUP:
                targets = members(config.snapshot, config.snapshot.ring_groups[destination.target])
            case DestinationKind.EXTERNAL:
                return self.call_outside(dialer, member, account, number, match.route_ids)
            case _:  # a menu or mailbox is no phone that could ring
                return False
        accounts = [config.account_of(target) for target in targets]
        results = [dialer.ring_phones(other, member) for other in accounts if other is not None]
        return any(results)

    def call_outside(
        self,
        dialer: RedirectedDialer,
        member: int,
        account: SipAccount,
        number: str,
        route_ids: tuple[int, ...],
    ) -> bool:
        """Call an outside number for an extension, within the limits of the routes. False: it failed."""
        context, config = dialer.context, dialer.config
        for attempt in attempts(config.snapshot, route_ids, number):
            trunk = config.trunks.get(attempt.trunk)
            if trunk is None:
                continue
            call = OutboundCall(attempt.route.id, account.number, context.loop.time())
            limit = context.limiter.exceeded(call, attempt.route.limits, trunk.id, trunk.max_calls)
            if limit is not None:
                log.warning("forward refused", call=dialer.cdr_writer.call, limit=limit.value)
                return False
            shown = dialer.caller.outside or account.caller_id
            for target in dialer.dial_targets(trunk, attempt.number, shown):
                record = LegRecord(
                    kind=DestinationKind.EXTERNAL.value,
                    target=attempt.route.id,
                    number=attempt.number,
                    via=trunk.name,
                    began=dialer.cdr_writer.now(),
                )
                fork = dialer.place(target, member, record, ())
                if fork is not None:
                    self._slots[fork] = context.limiter.begin_outbound(call, trunk.id)
                    return True
        return False


def redirect_outside(dialer: RedirectedDialer, trunk: TrunkAccount, uri: Uri, number: str) -> bool:
    """Call where a trunk redirects to. Return False if that is impossible."""
    targets = dialer.dial_targets(trunk, number, dialer.caller.outside)
    if not is_at_trunk(uri, trunk) and targets:
        target = elsewhere(uri)
        if target is None:
            return False
        at = f"{uri_host(target.host)}:{target.port}"
        redirected = f"sip:{quote(number, safe='+*')}@{at}"
        targets = [replace(targets[0], uri=redirected, target=target, authorise=None)]
    if not targets:
        return False
    dialer.try_targets(trunk, number, targets)
    return True
