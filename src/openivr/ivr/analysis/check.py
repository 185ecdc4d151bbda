"""Find mistakes in a configuration before callers do.

What is said about reaching a place or the outside agrees with the state machine: property tests walk both.
"""

from collections.abc import Iterable, Iterator, Mapping

from openivr.ivr.analysis.graph import (
    NO_ANSWER,
    NO_KEY,
    WRONG_KEY,
    Edge,
    PathStep,
    Place,
    edges,
    menu_edges,
    ways_in,
)
from openivr.ivr.analysis.reachability import find_people
from openivr.ivr.analysis.rules import Finding, FindingTarget, Part, Severity, finding
from openivr.ivr.analysis.toll_fraud import check_outside, check_outside_key
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.ivr.call_state import MAX_HOPS
from openivr.ivr.digits import parse_pattern
from openivr.ivr.model import Destination, DestinationKind, ExtensionRule, Ivr, IvrSnapshot
from openivr.ivr.policy import reach
from openivr.ivr.states.directory import listed

INSIDE = (
    DestinationKind.EXTENSION,
    DestinationKind.VOICEMAIL,
    DestinationKind.RING_GROUP,
    DestinationKind.IVR,
)
PARTS = {NO_KEY: Part.TIMEOUT, WRONG_KEY: Part.INVALID, NO_ANSWER: Part.NO_ANSWER}
MIN_SECONDS = 2  # seconds that leave time to act
ORDER = {severity: place for place, severity in enumerate(Severity)}


def check(snapshot: IvrSnapshot) -> list[Finding]:
    """List all findings, the worst first."""
    ways = ways_in(snapshot)
    found = [*check_routes(snapshot), *check_groups(snapshot), *check_circles(snapshot)]
    people = find_people(snapshot)
    for ivr in snapshot.ivrs.values():
        found += check_menu(snapshot, ivr, ways)
        if (DestinationKind.IVR, ivr.id) not in people:
            found.append(lead_nowhere(ivr))
    return rank(found)


def rank(found: Iterable[Finding]) -> list[Finding]:
    """Order findings, the worst first."""
    return sorted(found, key=lambda row: (ORDER[row.rule.severity], row.rule.code, row.target, row.reason))


def lead_nowhere(ivr: Ivr) -> Finding:
    """Make the finding of a menu from which no person or mailbox can be reached."""
    return finding("IVR103", menu(ivr))


def check_one(snapshot: IvrSnapshot, ident: int) -> list[Finding]:
    """List what `check` says of one menu, and the circles that it is in.

    A snapshot of what leads to the menu and what it leads to will do.
    """
    ivr = snapshot.ivrs[ident]
    found = list(check_menu(snapshot, ivr, ways_in(snapshot)))
    if (DestinationKind.IVR, ident) not in find_people(snapshot):
        found.append(lead_nowhere(ivr))
    found += (circle for members, circle in find_circles(snapshot) if ident in members)
    return rank(found)


def check_menu(snapshot: IvrSnapshot, ivr: Ivr, ways: Mapping[Place, PathStep]) -> Iterator[Finding]:
    """Check one menu and its destinations."""
    if (DestinationKind.IVR, ivr.id) not in ways:
        yield finding("IVR101", menu(ivr), number=ivr.number)
    yield from check_prompts(snapshot, ivr)
    yield from check_times(snapshot, ivr)
    yield from check_shadows(snapshot, ivr)
    yield from check_lists(snapshot, ivr)
    for edge in menu_edges(ivr):
        yield from check_edge(snapshot, edge)
    for line in ivr.note.splitlines():
        yield finding("IVR408", menu(ivr), remark=line)
    yield from check_names(snapshot, ivr)
    yield from check_outside(snapshot, ivr, ways)


def check_prompts(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check what callers hear."""
    if not ivr.prompts:
        yield finding("IVR302", menu(ivr), seconds=ivr.resp_timeout)
    for name in dict.fromkeys(ivr.prompts):
        yield from check_prompt(snapshot, name, menu(ivr))


def check_prompt(snapshot: IvrSnapshot, name: str, target: FindingTarget) -> Iterator[Finding]:
    """Check one prompt."""
    prompt = snapshot.prompts.get(name)
    if prompt is None and name not in SOUNDS and name != "default":
        yield finding("IVR301", target, prompt=name)
    elif prompt and prompt.seconds <= 0:
        yield finding("IVR303", target, prompt=name)


def check_times(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check that callers have time to press a key."""
    if ivr.resp_timeout < MIN_SECONDS:
        yield finding("IVR501", menu(ivr), seconds=ivr.resp_timeout)
    within = reach(snapshot, ivr.policy)
    if ivr.digit_timeout < MIN_SECONDS and (
        within.shapes or any(len(number) > 1 for number in within.ordered)
    ):
        yield finding("IVR502", menu(ivr), seconds=ivr.digit_timeout)


def check_shadows(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check keys against the numbers that may be dialled."""
    within = reach(snapshot, ivr.policy)
    for key in ivr.keys:
        if key in within.numbers:
            yield finding("IVR202", key_of(ivr, key), number=key)
        if within.match(key, {}).value[1]:
            longer = [number for number in within.ordered if number.startswith(key) and number != key]
            seconds = ivr.digit_timeout
            if longer:
                numbers = tuple(longer)
                yield finding("IVR201", key_of(ivr, key), "numbers", numbers=numbers, seconds=seconds)
            else:
                yield finding("IVR201", key_of(ivr, key), "outside", seconds=seconds)


def check_lists(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check the lists of a menu's policy."""
    policy = ivr.policy
    lists: list[tuple[str, frozenset[int], Mapping[int, object]]] = [
        ("extension", policy.extension_ids, snapshot.extensions),
        ("ext_group", policy.extension_group_ids, snapshot.extension_groups),
        ("ring_group", policy.ring_group_ids, snapshot.ring_groups),
        ("outbound_route", frozenset(policy.outbound_route_ids), snapshot.outbound_routes),
    ]
    for type_, ids, rows in lists:
        for id_ in sorted(ids - rows.keys()):
            yield finding("IVR405", menu(ivr), type=type_, id=id_)


def check_edge(snapshot: IvrSnapshot, edge: Edge) -> Iterator[Finding]:
    """Check one way on from a menu or a ring group."""
    if edge.place == edge.source and edge.label != WRONG_KEY:
        yield finding("IVR403", target_of(edge))
    yield from check_destination(snapshot, edge.to, target_of(edge))


def check_destination(snapshot: IvrSnapshot, to: Destination, target: FindingTarget) -> Iterator[Finding]:
    """Check that a destination exists, works, and where it goes if that is outside."""
    problem = find_problem(snapshot, to, target)
    if problem:
        yield problem
    if to.kind in (DestinationKind.PLAY_PROMPT, DestinationKind.PLAY_GREETING):
        yield from check_prompt(snapshot, to.prompt, target)
    if to.kind is DestinationKind.EXTERNAL:
        yield from check_outside_key(snapshot, to, target)


def find_problem(snapshot: IvrSnapshot, to: Destination, target: FindingTarget) -> Finding | None:
    """Find out why a destination inside cannot take calls."""
    if to.kind not in INSIDE:
        return None
    if snapshot.find(to.kind, to.target) is None:
        return finding("IVR401", target, type=to.kind.value, id=to.target)
    if to.kind is DestinationKind.IVR:
        return None
    if to.kind is DestinationKind.RING_GROUP:
        group = snapshot.ring_groups[to.target]
        people = [snapshot.extensions.get(member) for member in group.member_ids]
        empty = not any(person and person.enabled for person in people)
        return finding("IVR402", target, "empty_group", number=group.number) if empty else None
    extension = snapshot.extensions[to.target]
    if not extension.enabled:
        return finding("IVR402", target, "disabled", number=extension.number)
    if to.kind is DestinationKind.VOICEMAIL and not extension.voicemail:
        return finding("IVR402", target, "no_mailbox", number=extension.number)
    return None


def check_names(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check dial by name: that there are names, and that it does not go round the menu's list."""
    by_name = [edge for edge in menu_edges(ivr) if edge.to.kind is DestinationKind.DIAL_BY_NAME]
    if not by_name:
        return
    target = target_of(by_name[0])
    if not listed(snapshot):
        yield finding("IVR406", target)
    if ivr.policy.extensions in (ExtensionRule.ALLOW, ExtensionRule.RESTRICT):
        beyond = sorted(listed(snapshot) - reach(snapshot, ivr.policy).numbers.keys())
        if beyond:
            yield finding("IVR701", target, extensions=tuple(beyond))


def check_groups(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check where ring groups go on to."""
    for ident in snapshot.ring_groups:
        for edge in edges(snapshot, (DestinationKind.RING_GROUP, ident)):
            yield from check_edge(snapshot, edge)


def check_routes(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check the patterns of outbound routes and the destinations of inbound ones."""
    for outbound in snapshot.outbound_routes.values():
        for pattern in outbound.patterns:
            try:
                parse_pattern(pattern.pattern)
            except ValueError as error:
                target = FindingTarget("outbound_route", outbound.id)
                yield finding("IVR407", target, pattern=pattern.pattern, problem=str(error))
    for inbound in snapshot.inbound_routes.values():
        if inbound.enabled and inbound.destination:
            target = FindingTarget("inbound_route", inbound.id)
            yield from check_destination(snapshot, inbound.destination, target)


def check_circles(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Find circles that a caller who presses nothing goes round in; each is reported once."""
    return (circle for _, circle in find_circles(snapshot))


def find_circles(snapshot: IvrSnapshot) -> Iterator[tuple[list[int], Finding]]:
    """Find the same circles with the menus that are in each."""
    onward = {ident: silent_next(snapshot, ivr) for ident, ivr in snapshot.ivrs.items()}
    seen: set[int] = set()
    for start in onward:
        walk: dict[int, None] = {}
        here: int | None = start
        while here is not None and here not in seen:
            seen.add(here)
            walk[here] = None
            here = onward[here]
        if here is not None and here in walk:
            members = list(walk)
            circle = members[members.index(here) :]
            yield circle, describe_circle(snapshot, circle)


def silent_next(snapshot: IvrSnapshot, ivr: Ivr) -> int | None:
    """Say which menu follows when no key is pressed and nobody answers; None: none does."""
    to, steps = ivr.timeout, 0
    while to and to.kind is DestinationKind.RING_GROUP and to.target in snapshot.ring_groups:
        to, steps = snapshot.ring_groups[to.target].fail, steps + 1
        if steps > len(snapshot.ring_groups):
            return None
    if to and to.kind is DestinationKind.PLAY_PROMPT:
        return ivr.id
    return to.target if to and to.kind is DestinationKind.IVR and to.target in snapshot.ivrs else None


def describe_circle(snapshot: IvrSnapshot, members: list[int]) -> Finding:
    """Make the finding of a loop, at its menu with the smallest id."""
    first = members.index(min(members))
    menus = [snapshot.ivrs[id_] for id_ in members[first:] + members[:first]]
    numbers = tuple(menu.number for menu in [*menus, menus[0]])
    target = FindingTarget(DestinationKind.IVR, menus[0].id, Part.TIMEOUT)
    return finding("IVR102", target, numbers=numbers, hops=MAX_HOPS)


def menu(ivr: Ivr) -> FindingTarget:
    """Return the target of a whole menu."""
    return FindingTarget(DestinationKind.IVR, ivr.id)


def key_of(ivr: Ivr, key: str) -> FindingTarget:
    """Return the target of a key of a menu."""
    return FindingTarget(DestinationKind.IVR, ivr.id, Part.KEY, key)


def target_of(edge: Edge) -> FindingTarget:
    """Return the target of a way on from a menu or a ring group."""
    type_, id_ = edge.source
    if edge.label in PARTS:
        return FindingTarget(type_, id_, PARTS[edge.label])
    return FindingTarget(type_, id_, Part.KEY if len(edge.label) == 1 else Part.NUMBER, edge.label)
