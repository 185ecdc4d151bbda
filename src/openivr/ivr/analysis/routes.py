"""Findings about routes: which inbound route never takes a call, which outbound route is never first."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from openivr.ivr.analysis.coverage import covers, readable
from openivr.ivr.analysis.rules import Finding, FindingTarget, finding
from openivr.ivr.digits import match_shape
from openivr.ivr.model import InboundRoute, IvrSnapshot, OutboundRoute

R = TypeVar("R", InboundRoute, OutboundRoute)
EMERGENCY = ("112", "911", "999")
LITERAL = re.compile(r"[^\d\[\]]*[a-z][^\[\]]*", re.IGNORECASE)  # a name, as callers of SIP may have


def check_routes(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check inbound and outbound routes against each other and the trunks they use."""
    inbound = in_order(row for row in snapshot.inbound_routes.values() if row.enabled)
    yield from check_patterns(inbound)
    yield from check_hidden_inbound(inbound)
    yield from check_inbound_trunks(snapshot, inbound)
    yield from check_number_rules(snapshot)
    outbound = in_order(row for row in snapshot.outbound_routes.values() if row.enabled)
    yield from check_hidden_outbound(outbound)
    yield from check_emergency_routes(outbound)


def in_order(rows: Iterable[R]) -> list[R]:
    """Sort routes as calls try them."""
    return sorted(rows, key=lambda row: (row.position, row.id))


def check_patterns(routes: Sequence[InboundRoute]) -> Iterator[Finding]:
    """Find DID and caller patterns that no number can match."""
    for route in routes:
        for reason, patterns in (("did", route.did_patterns), ("caller", route.caller_patterns)):
            for pattern in patterns:
                if not readable([pattern]) and not LITERAL.fullmatch(pattern):
                    yield finding("IVR801", FindingTarget("inbound_route", route.id), reason, pattern=pattern)


def check_number_rules(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Find blocked and allowed numbers that match no caller, and patterns that block every caller."""
    kinds = (("block_numbers", snapshot.block_rules), ("allow_numbers", snapshot.allow_rules))
    for type_, rules in kinds:
        for rule in rules.values():
            for pattern in rule.numbers:
                target = FindingTarget(type_, rule.id)
                if not readable([pattern]) and not LITERAL.fullmatch(pattern):
                    yield finding("IVR801", target, "listed", pattern=pattern)
                elif type_ == "block_numbers" and rule.inbound and takes_all(pattern):
                    yield finding("IVR808", target, pattern=pattern)


def takes_all(pattern: str) -> bool:
    """Return True if a pattern takes every number of two digits and more."""
    return all(covers(readable([pattern]), shape) for shape in readable(["XX!"]))


def check_hidden_inbound(routes: Sequence[InboundRoute]) -> Iterator[Finding]:
    """Find inbound routes of which an earlier one takes every call, or the calls to one of its numbers."""
    by_number: dict[str, list[int]] = defaultdict(list)
    wide: list[int] = []  # places of routes with wildcards, or without a DID
    for place, route in enumerate(routes):
        numbers = {pattern.removeprefix("+") for pattern in route.did_patterns}
        earlier = sorted({*wide, *(at for number in numbers for at in by_number[number])})
        hiding = next((routes[at] for at in earlier if hides(routes[at], route)), None)
        target = FindingTarget("inbound_route", route.id)
        together = () if hiding else hide_together([routes[at] for at in earlier], route)
        if hiding:
            yield finding("IVR802", target, route=hiding.name)
        elif together:
            yield finding("IVR802", target, "together", routes=tuple(row.name for row in together))
        else:
            for number in sorted(numbers):
                same = [routes[at] for at in by_number[number]]
                taken = next((row for row in same if not row.caller_patterns and share(row, route)), None)
                if taken:
                    yield finding("IVR803", target, number=number, route=taken.name)
        for number in numbers:
            by_number[number].append(place)
        if not numbers or not all(number.isdecimal() for number in numbers):
            wide.append(place)


def hides(first: InboundRoute, second: InboundRoute) -> bool:
    """Return True if the first route takes every call that the second one would take."""
    if first.trunk_ids and not (second.trunk_ids and {*second.trunk_ids} <= {*first.trunk_ids}):
        return False
    return includes(first.did_patterns, second.did_patterns) and includes(
        first.caller_patterns, second.caller_patterns
    )


def hide_together(earlier: Sequence[InboundRoute], route: InboundRoute) -> tuple[InboundRoute, ...]:
    """Return earlier routes that take every call of a route, each a part of them. Empty if a call is left.

    Parts are trunks and called numbers. A route with one trunk and one number has one part alone.
    """
    hiding: dict[int, InboundRoute] = {}
    for trunk in route.trunk_ids or (None,):
        rows = [row for row in earlier if is_open_to(row, trunk, route)]
        every = [row for row in rows if not row.did_patterns]
        part = every[:1] if every else cover_numbers(rows, route)
        if not part:
            return ()
        hiding |= {row.id: row for row in part}
    return tuple(row for row in earlier if row.id in hiding)


def is_open_to(row: InboundRoute, trunk: int | None, route: InboundRoute) -> bool:
    """Return True if a route takes all callers of another one over a trunk, None for any trunk."""
    is_over = not row.trunk_ids or trunk in row.trunk_ids
    return is_over and includes(row.caller_patterns, route.caller_patterns)


def cover_numbers(rows: Sequence[InboundRoute], route: InboundRoute) -> list[InboundRoute]:
    """Return those of some routes that take all called numbers of a route together; none if they do not."""
    patterns = [pattern for row in rows for pattern in row.did_patterns]
    if not route.did_patterns or not includes(patterns, route.did_patterns):
        return []
    needed = list(rows)
    for row in rows:
        others = [other for other in needed if other is not row]
        left = [pattern for other in others for pattern in other.did_patterns]
        if left and includes(left, route.did_patterns):
            needed = others
    return needed


def includes(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return True if patterns take every number that others take. No pattern takes every number."""
    if not first:
        return True
    if not second:
        return False
    literal, shapes = {pattern.removeprefix("+") for pattern in first}, readable(first)
    return all(
        pattern.removeprefix("+") in literal or any(covers(shapes, shape) for shape in readable([pattern]))
        for pattern in second
    )


def share(first: InboundRoute, second: InboundRoute) -> bool:
    """Return True if a call can come to both routes, as far as trunks go."""
    return not first.trunk_ids or not second.trunk_ids or bool({*first.trunk_ids} & {*second.trunk_ids})


def check_inbound_trunks(snapshot: IvrSnapshot, routes: Sequence[InboundRoute]) -> Iterator[Finding]:
    """Find inbound routes whose trunks are all disabled, if that leaves no way in at all."""
    needed = [route.trunk_ids or tuple(snapshot.trunks) for route in routes]  # a route without any takes all
    if not any(any_enabled(snapshot, ids) for ids in needed):
        for id_ in sorted({id_ for ids in needed for id_ in ids if id_ in snapshot.trunks}):
            yield finding("IVR804", FindingTarget("trunk", id_), trunk=snapshot.trunks[id_].name)


def any_enabled(snapshot: IvrSnapshot, ids: Sequence[int]) -> bool:
    """Return True if one of these trunks exists and is enabled."""
    return any(id_ in snapshot.trunks and snapshot.trunks[id_].enabled for id_ in ids)


def check_hidden_outbound(routes: Sequence[OutboundRoute]) -> Iterator[Finding]:
    """Find outbound routes whose numbers an earlier route takes. Equal patterns are meant as a fallback."""
    for place, route in enumerate(routes):
        own = {row.pattern for row in route.patterns}
        shapes = [shape for row in route.patterns for shape in readable([row.pattern])]
        for first in routes[:place]:
            patterns = {row.pattern for row in first.patterns}
            wide = readable(patterns)
            if shapes and own != patterns and all(covers(wide, shape) for shape in shapes):
                yield finding("IVR805", FindingTarget("outbound_route", route.id), route=first.name)
                break


def check_emergency_routes(routes: Sequence[OutboundRoute]) -> Iterator[Finding]:
    """Find outbound patterns that take an emergency number, and say what is dialled then."""
    for route in routes:
        for number in EMERGENCY:
            row = next((row for row in route.patterns if takes(row.pattern, number)), None)
            if row:
                sent = row.prepend + number[row.strip :]
                reason = "same" if sent == number else "changed"
                target = FindingTarget("outbound_route", route.id)
                yield finding("IVR806", target, reason, number=number, sent=sent, pattern=row.pattern)


def takes(pattern: str, number: str) -> bool:
    """Return True if a pattern takes a number."""
    return any(match_shape(number, shape)[0] for shape in readable([pattern]))
