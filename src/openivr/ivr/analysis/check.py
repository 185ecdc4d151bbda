"""Find mistakes in a configuration before callers do.

What is said about reaching a place or the outside agrees with the state machine: property tests walk both.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from openivr.ivr.analysis.graph import (
    KEYPAD,
    NO_ANSWER,
    NO_KEY,
    WRONG_KEY,
    Edge,
    PathStep,
    Place,
    draw,
    edges,
    is_own_mailbox,
    own_edges,
    route_destinations,
    ways_in,
)
from openivr.ivr.analysis.hours import check_hours, check_periods
from openivr.ivr.analysis.reachability import find_people
from openivr.ivr.analysis.routes import EMERGENCY, check_routes
from openivr.ivr.analysis.rules import Finding, FindingTarget, Part, Severity, finding
from openivr.ivr.analysis.toll_fraud import check_outside, check_outside_key
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.ivr.call_state import MAX_HOPS
from openivr.ivr.digits import PatternError, parse_pattern
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPolicy,
    Extension,
    ExtensionRule,
    ForwardCondition,
    Forwarding,
    Ivr,
    IvrSnapshot,
    RingGroup,
)
from openivr.ivr.policy import DialScope, attempts, reach, routes_of
from openivr.ivr.states.directory import listed

INSIDE = (
    DestinationKind.EXTENSION,
    DestinationKind.VOICEMAIL,
    DestinationKind.RING_GROUP,
    DestinationKind.IVR,
)
PARTS = {NO_KEY: Part.TIMEOUT, WRONG_KEY: Part.INVALID, NO_ANSWER: Part.NO_ANSWER}
AFTER_ALL = "\uffff"  # sorts after every character of a number
SILENT, QUIET = -70, -40  # LUFS of a prompt; speech at -40 is lost in the noise of a street
MIN_PIN_DIGITS = 4  # fewer are guessed within the tries that the lockout allows in a few days
MIN_SECONDS = 2  # seconds that leave time to act
ORDER = {severity: place for place, severity in enumerate(Severity)}


def check(snapshot: IvrSnapshot, moment: int = 0) -> list[Finding]:
    """List all findings, the worst first. `moment` is the present in Unix seconds, 0 if unknown.

    The time grows as the number of menus, except for two kinds of configurations: menus with lists of their
    own, each compared with all extensions, and long chains of menus, whose paths are in the findings.
    """
    graph = draw(snapshot)
    ways = ways_in(snapshot, graph)
    found = [*check_routes(snapshot), *check_route_destinations(snapshot), *check_groups(snapshot)]
    found += [*check_hours(snapshot, moment), *check_announcements(snapshot)]
    found += [*check_circles(snapshot), *check_numbers(snapshot), *check_pins(snapshot)]
    found += check_forwards(snapshot)
    people = find_people(snapshot, graph)
    for ivr in snapshot.ivrs.values():
        found += check_menu(snapshot, ivr, ways, people)
    return rank(found)


def rank(found: Iterable[Finding]) -> list[Finding]:
    """Order findings, the worst first."""
    return sorted(found, key=lambda row: (ORDER[row.rule.severity], row.rule.code, row.target, row.reason))


def check_one(snapshot: IvrSnapshot, ident: int) -> list[Finding]:
    """List what `check` says of one menu, and the circles that it is in.

    A snapshot of what leads to the menu and what it leads to will do.
    """
    ivr = snapshot.ivrs[ident]
    found = list(check_menu(snapshot, ivr, ways_in(snapshot), find_people(snapshot)))
    found += (circle for members, circle in find_circles(snapshot) if ident in members)
    return rank(found)


def check_menu(
    snapshot: IvrSnapshot, ivr: Ivr, ways: Mapping[Place, PathStep], people: set[Place]
) -> Iterator[Finding]:
    """Check one menu and its destinations. A menu that was just created has one finding: it is unfinished."""
    scope = reach(snapshot, ivr.policy)
    can_dial = bool(scope.ordered or scope.shapes)
    if not (ivr.keys or can_dial or ivr.timeout or ivr.invalid or ivr.import_remarks):
        yield finding("IVR109", menu(ivr))
        return
    if (DestinationKind.IVR, ivr.id) not in ways:
        yield finding("IVR101", menu(ivr), number=ivr.number)
    if (DestinationKind.IVR, ivr.id) not in people:
        yield finding("IVR103", menu(ivr))
    yield from check_silence(ivr, can_dial=can_dial)
    ways_on = own_edges(ivr)
    if not can_dial:
        yield from check_only_person(snapshot, ivr, ways_on)
    yield from check_prompts(snapshot, ivr)
    yield from check_times(ivr, scope)
    yield from check_shadows(snapshot, ivr)
    yield from check_lists(snapshot, ivr)
    for edge in ways_on:
        if edge.to.kind is not DestinationKind.IVR or edge.to.target not in snapshot.ivrs:
            yield from check_edge(snapshot, edge)  # most lead to another menu, and there is nothing to check
    yield from check_periods(snapshot, ivr)
    for remark in ivr.import_remarks:
        yield finding("IVR408", menu(ivr), remark.code, **remark.params)
    yield from check_names(snapshot, ivr, ways_on)
    yield from check_mailbox_access(snapshot, ivr)
    yield from check_key_pins(snapshot, ivr)
    yield from check_outside(snapshot, ivr, ways)


def check_silence(ivr: Ivr, *, can_dial: bool) -> Iterator[Finding]:
    """Check where callers go who press no key or a wrong one, and that some key does something."""
    if ivr.timeout is None:
        yield finding("IVR104", FindingTarget(DestinationKind.IVR, ivr.id, Part.TIMEOUT))
    if ivr.invalid is None:
        yield finding("IVR105", FindingTarget(DestinationKind.IVR, ivr.id, Part.INVALID))
    if not ivr.keys and not can_dial and ivr.invalid != ivr.timeout:
        yield finding("IVR108", menu(ivr))


def check_only_person(snapshot: IvrSnapshot, ivr: Ivr, ways_on: Iterable[Edge]) -> Iterator[Finding]:
    """Check that callers, who can dial no number, do not depend on one extension that has no mailbox."""
    places = {edge.to for edge in ways_on if edge.place != edge.source}
    yield from check_only_target(snapshot, places, menu(ivr))


def check_only_target(
    snapshot: IvrSnapshot, places: Collection[Destination], target: FindingTarget
) -> Iterator[Finding]:
    """Check that the only destination of callers is no extension without a mailbox."""
    only = next(iter(places)) if len(places) == 1 else None
    if only is None or only.kind is not DestinationKind.EXTENSION:
        return
    extension = snapshot.extensions.get(only.target)
    if extension and extension.enabled and not extension.voicemail and not extension.outside.no_answer:
        yield finding("IVR110", target, number=extension.number)


def check_mailbox_access(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check that a mailbox can be opened, where a menu gives access to mailboxes."""
    if ivr.policy.check_voicemail and not has_pins(snapshot):
        yield finding("IVR702", menu(ivr), number=snapshot.voicemail_code)


def check_key_pins(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check that someone can have a PIN of each key that asks for one."""
    for key, pin_list in ivr.key_pins.items():
        pins = snapshot.pin_lists.get(pin_list)
        if pins is None or not pins.count:
            yield finding("IVR704", key_of(ivr, key), name=pins.name if pins else str(pin_list))


def has_pins(snapshot: IvrSnapshot) -> bool:
    """Return True if any mailbox has a PIN. Worked out once per snapshot."""
    known = snapshot.memo.get(has_pins)
    if known is None:
        people = snapshot.extensions.values()
        known = snapshot.memo[has_pins] = any(row.voicemail and row.has_pin for row in people)
    return bool(known)


def check_numbers(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check numbers inside against each other, and against emergency numbers."""
    ordered = sorted(snapshot.numbers)
    for at, number in enumerate(ordered):
        owner = snapshot.numbers[number]
        target = FindingTarget(owner.kind, owner.target)
        longer = tuple(ordered[at + 1 : bisect_left(ordered, number + AFTER_ALL)])
        if longer:
            yield finding("IVR203", target, number=number, numbers=longer)
        if number in EMERGENCY:
            yield finding("IVR807", target, number=number)


def check_pins(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check the PINs of mailboxes, known as weak or not, and of PIN lists, known by their length."""
    for row in snapshot.extensions.values():
        if row.voicemail and row.has_pin and row.weak_pin:
            yield finding("IVR703", FindingTarget(DestinationKind.EXTENSION, row.id), number=row.number)
    used = {pin_list for ivr in snapshot.ivrs.values() for pin_list in ivr.key_pins.values()}
    for pins in snapshot.pin_lists.values():
        if pins.count and pins.shortest < MIN_PIN_DIGITS:
            yield finding("IVR705", FindingTarget("pin_list", pins.id), name=pins.name, digits=pins.shortest)
        if pins.id not in used:
            yield finding("IVR706", FindingTarget("pin_list", pins.id), name=pins.name)


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
    elif prompt and prompt.loudness <= SILENT:
        yield finding("IVR304", target, prompt=name)
    elif prompt and prompt.loudness < QUIET:
        yield finding("IVR305", target, prompt=name, loudness=prompt.loudness)


def check_times(ivr: Ivr, within: DialScope) -> Iterator[Finding]:
    """Check that callers have time to press a key."""
    if ivr.resp_timeout < MIN_SECONDS:
        yield finding("IVR501", menu(ivr), seconds=ivr.resp_timeout)
    if ivr.digit_timeout < MIN_SECONDS and (
        within.shapes or any(len(number) > 1 for number in within.ordered)
    ):
        yield finding("IVR502", menu(ivr), seconds=ivr.digit_timeout)


@dataclass(frozen=True, slots=True)
class Shadow:
    """The numbers that callers may dial and that a key is, or begins."""

    is_number: bool  # the key is a number itself
    numbers: tuple[str, ...]  # inside that begin with it
    is_begun: bool  # it begins a number, inside or outside


def find_shadows(snapshot: IvrSnapshot, policy: DialPolicy) -> Mapping[str, Shadow]:
    """Find the shadows of all keys. Worked out once for each policy."""
    known: dict[str, Shadow] | None = snapshot.memo.get((find_shadows, policy))
    if known is None:
        within = reach(snapshot, policy)
        known = snapshot.memo[find_shadows, policy] = {}
        for key in KEYPAD:
            first, last = bisect_right(within.ordered, key), bisect_left(within.ordered, key + AFTER_ALL)
            is_begun = within.match(key, {}).value[1]
            known[key] = Shadow(key in within.numbers, within.ordered[first:last], is_begun)
    return known


def check_shadows(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check keys against the numbers that may be dialled."""
    shadows = find_shadows(snapshot, ivr.policy)
    for key in ivr.keys:
        shadow = shadows[key]
        if shadow.is_number:
            yield finding("IVR202", key_of(ivr, key), number=key)
        if shadow.is_begun:
            numbers, seconds = shadow.numbers, ivr.digit_timeout
            if numbers:
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
        for id_ in sorted(id_ for id_ in ids if id_ not in rows):
            yield finding("IVR405", menu(ivr), type=type_, id=id_)


def check_edge(snapshot: IvrSnapshot, edge: Edge) -> Iterator[Finding]:
    """Check one way on from a menu or a ring group."""
    if edge.place == edge.source and edge.label == NO_ANSWER:
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


def check_names(snapshot: IvrSnapshot, ivr: Ivr, ways_on: Iterable[Edge]) -> Iterator[Finding]:
    """Check dial by name: that there are names, and that it does not go round the menu's list."""
    by_name = next((edge for edge in ways_on if edge.to.kind is DestinationKind.DIAL_BY_NAME), None)
    if by_name is None:
        return
    target = target_of(by_name)
    if not listed(snapshot):
        yield finding("IVR406", target)
    if ivr.policy.extensions in (ExtensionRule.ALLOW, ExtensionRule.RESTRICT):
        beyond = beyond_list(snapshot, ivr.policy)
        if beyond:
            yield finding("IVR701", target, extensions=beyond)


def beyond_list(snapshot: IvrSnapshot, policy: DialPolicy) -> tuple[str, ...]:
    """List the extensions that are found by name, and not by number. Worked out once for each policy."""
    beyond: tuple[str, ...] | None = snapshot.memo.get((beyond_list, policy))
    if beyond is None:
        beyond = tuple(sorted(listed(snapshot) - reach(snapshot, policy).numbers.keys()))
        snapshot.memo[beyond_list, policy] = beyond
    return beyond


def check_groups(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check where ring groups go on to."""
    for ident, group in snapshot.ring_groups.items():
        if group.join_prompt:
            yield from check_prompt(
                snapshot, group.join_prompt, FindingTarget(DestinationKind.RING_GROUP, ident)
            )
        for edge in edges(snapshot, (DestinationKind.RING_GROUP, ident)):
            yield from check_edge(snapshot, edge)


def check_forwards(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check where extensions forward calls, but for their own mailboxes."""
    for row in snapshot.extensions.values():
        place = (DestinationKind.EXTENSION, row.id)
        for condition, to in dict.fromkeys(forwards_of(row)):
            target = FindingTarget(DestinationKind.EXTENSION, row.id, Part(condition.value))
            if (to.kind, to.target) == place:
                yield finding("IVR403", target)
            elif to.kind is DestinationKind.EXTERNAL:
                yield check_forward_outside(snapshot, row, to.prefix + to.number, target)
            else:
                yield from check_destination(snapshot, to, target)
        if row.mobile:
            yield check_forward_outside(snapshot, row, row.mobile, FindingTarget(*place))
    seen: set[frozenset[int]] = set()
    for side in ("inside", "outside"):
        for condition in (ForwardCondition.NO_ANSWER, ForwardCondition.BUSY):
            onward = {row.id: next_extension(row, side, condition) for row in snapshot.extensions.values()}
            for members in loops_in({id_: to if to in onward else None for id_, to in onward.items()}):
                if len(members) > 1 and frozenset(members) not in seen:  # one that leads to itself is IVR403
                    seen.add(frozenset(members))
                    numbers = [snapshot.extensions[id_].number for id_ in members]
                    target = FindingTarget(DestinationKind.EXTENSION, members[0], Part(condition.value))
                    yield finding("IVR111", target, numbers=(*numbers, numbers[0]))


def forwards_of(row: Extension) -> Iterator[tuple[ForwardCondition, Destination]]:
    """List where an extension forwards calls, but for its own mailbox."""
    for rules in (row.inside, row.outside):
        for condition in ForwardCondition:
            to = rules.find(condition)
            if to and not is_own_mailbox(row, to):
                yield condition, to


def check_forward_outside(
    snapshot: IvrSnapshot, row: Extension, number: str, target: FindingTarget
) -> Finding:
    """Report where an outside number goes that an extension forwards to."""
    found = list(attempts(snapshot, routes_of(snapshot, row.id), number))
    if not found:
        return finding("IVR404", target, number=number)
    routes = tuple(dict.fromkeys(attempt.route.name for attempt in found))
    return finding("IVR605", target, number=row.number, to=number, routes=routes)


def next_extension(row: Extension, side: str, condition: ForwardCondition) -> int | None:
    """Return the extension that calls are forwarded to. `side`: "inside" or "outside"."""
    rules: Forwarding = getattr(row, side)
    to = rules.always or rules.find(condition)
    return to.target if to and to.kind is DestinationKind.EXTENSION else None


def check_route_destinations(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check the patterns of outbound routes and the destinations of inbound ones."""
    for outbound in snapshot.outbound_routes.values():
        for pattern in outbound.patterns:
            try:
                parse_pattern(pattern.pattern)
            except PatternError as error:
                target = FindingTarget("outbound_route", outbound.id)
                yield finding("IVR407", target, error.fault, pattern=pattern.pattern, part=error.part)
    for inbound in snapshot.inbound_routes.values():
        target = FindingTarget("inbound_route", inbound.id)
        destinations = dict.fromkeys(route_destinations(inbound)) if inbound.enabled else {}
        for to in destinations:
            yield from check_destination(snapshot, to, target)
        yield from check_only_target(snapshot, destinations, target)
    for rule in snapshot.block_rules.values():
        if rule.destination:
            yield from check_destination(snapshot, rule.destination, FindingTarget("block_numbers", rule.id))


def check_announcements(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Check the prompts of announcements until a time."""
    for row in snapshot.announcements.values():
        yield from check_prompt(snapshot, row.prompt, FindingTarget("announcement", row.id))
    for calendar in {row.id: row for row in snapshot.calendars.values()}.values():
        for holiday in calendar.holidays:
            if holiday.prompt:
                yield from check_prompt(snapshot, holiday.prompt, FindingTarget("holiday", holiday.id))


def check_circles(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Find loops that a caller cannot leave without choosing something. Each is reported once."""
    yield from (loop for _, loop in find_circles(snapshot))
    groups = {id_: next_group(snapshot, group) for id_, group in snapshot.ring_groups.items()}
    for members in loops_in(groups):
        rows = [snapshot.ring_groups[id_] for id_ in members]
        if len(rows) > 1:  # a group that leads to itself is IVR403
            target = FindingTarget(DestinationKind.RING_GROUP, rows[0].id, Part.NO_ANSWER)
            numbers = tuple(row.number for row in (*rows, rows[0]))
            seconds = sum(row.ring_seconds for row in rows)
            yield finding("IVR106", target, numbers=numbers, seconds=seconds)


def next_group(snapshot: IvrSnapshot, group: RingGroup) -> int | None:
    """Return the ring group that an unanswered call of a ring group goes to."""
    to = group.fail
    is_group = to is not None and to.kind is DestinationKind.RING_GROUP and to.target in snapshot.ring_groups
    return to.target if to and is_group else None


def find_circles(snapshot: IvrSnapshot) -> Iterator[tuple[list[int], Finding]]:
    """Find the loops between menus, with the menus that are in each."""
    for members in loops_in({id_: silent_next(snapshot, ivr) for id_, ivr in snapshot.ivrs.items()}):
        target = FindingTarget(DestinationKind.IVR, members[0], Part.TIMEOUT)
        yield members, finding("IVR102", target, numbers=path_of(snapshot, members), hops=MAX_HOPS)
    for members in loops_in({id_: wrong_next(snapshot, ivr) for id_, ivr in snapshot.ivrs.items()}):
        if len(members) > 1:  # a wrong key that leads to its own menu is the usual "try again"
            target = FindingTarget(DestinationKind.IVR, members[0], Part.INVALID)
            yield members, finding("IVR107", target, numbers=path_of(snapshot, members))


def loops_in(onward: Mapping[int, int | None]) -> Iterator[list[int]]:
    """Find the loops of a graph in which each node leads to one other at most, from its smallest id on."""
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
            loop = members[members.index(here) :]
            first = loop.index(min(loop))
            yield loop[first:] + loop[:first]


def path_of(snapshot: IvrSnapshot, members: Sequence[int]) -> tuple[str, ...]:
    """Return the numbers of the menus of a loop, back to the first."""
    return tuple(snapshot.ivrs[id_].number for id_ in (*members, members[0]))


def wrong_next(snapshot: IvrSnapshot, ivr: Ivr) -> int | None:
    """Return the menu that a wrong key leads to."""
    to = ivr.invalid
    return to.target if to and to.kind is DestinationKind.IVR and to.target in snapshot.ivrs else None


def silent_next(snapshot: IvrSnapshot, ivr: Ivr) -> int | None:
    """Return the menu that follows when the caller presses no key and no callee answers, or None."""
    to, steps = ivr.timeout, 0
    while to and to.kind is DestinationKind.RING_GROUP and to.target in snapshot.ring_groups:
        to, steps = snapshot.ring_groups[to.target].fail, steps + 1
        if steps > len(snapshot.ring_groups):
            return None
    if to and to.kind is DestinationKind.PLAY_PROMPT:
        return ivr.id
    return to.target if to and to.kind is DestinationKind.IVR and to.target in snapshot.ivrs else None


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
