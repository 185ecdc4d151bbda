"""Find mistakes in a configuration before callers do.

What is said about reaching a place or the outside agrees with the state machine: property tests walk both.
"""

from collections.abc import Iterable, Iterator, Mapping

from openivr.ivr.analysis.graph import NO_KEY, WRONG_KEY, Edge, PathStep, Place, edges, menu_edges, ways_in
from openivr.ivr.analysis.labels import show_edge, show_ivr, show_key, show_list
from openivr.ivr.analysis.reachability import find_people
from openivr.ivr.analysis.rules import Finding, Severity, finding
from openivr.ivr.analysis.toll_fraud import check_outside, check_outside_key
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.ivr.digits import parse_pattern
from openivr.ivr.model import Destination, DestinationKind, ExtensionRule, Ivr, IvrSnapshot
from openivr.ivr.policy import reach
from openivr.ivr.states.directory import listed

SHORTEST = 2  # seconds that leave time to act
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
    return sorted(found, key=lambda one: (ORDER[one.rule.severity], one.rule.code, one.place, one.text))


def lead_nowhere(ivr: Ivr) -> Finding:
    """Say that a menu leads to nobody."""
    return finding("IVR103", show_ivr(ivr), "No key, number or time-out leads to anybody.")


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
        text = f"No inbound route, key or time-out leads here; only a phone that dials {ivr.number} does."
        yield finding("IVR101", show_ivr(ivr), text)
    yield from check_prompts(snapshot, ivr)
    yield from check_times(snapshot, ivr)
    yield from check_shadows(snapshot, ivr)
    yield from check_lists(snapshot, ivr)
    for edge in menu_edges(ivr):
        yield from check_edge(snapshot, edge)
    for line in ivr.note.splitlines():
        yield finding("IVR408", show_ivr(ivr), line)
    yield from check_names(snapshot, ivr)
    yield from check_outside(snapshot, ivr, ways)


def check_prompts(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check what callers hear."""
    if not ivr.prompts:
        yield finding("IVR302", show_ivr(ivr), f"Callers hear nothing for {ivr.resp_timeout} s.")
    for name in dict.fromkeys(ivr.prompts):
        yield from check_prompt(snapshot, name, show_ivr(ivr))


def check_prompt(snapshot: IvrSnapshot, name: str, place: str) -> Iterator[Finding]:
    """Check one prompt."""
    prompt = snapshot.prompts.get(name)
    if prompt is None and name not in SOUNDS and name != "default":
        yield finding("IVR301", place, f"The prompt {name} does not exist; callers will not hear it.")
    elif prompt and prompt.seconds <= 0:
        yield finding("IVR303", place, f"The prompt {name} has no sound in it.")


def check_times(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check that callers have time to press a key."""
    if ivr.resp_timeout < SHORTEST:
        text = f"Callers have {ivr.resp_timeout} s for the first key after each announcement."
        yield finding("IVR501", show_ivr(ivr), text)
    within = reach(snapshot, ivr.policy)
    if ivr.digit_timeout < SHORTEST and (within.shapes or any(len(number) > 1 for number in within.ordered)):
        text = f"Callers have {ivr.digit_timeout} s between two digits of a number."
        yield finding("IVR502", show_ivr(ivr), text)


def check_shadows(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check keys against the numbers that may be dialled."""
    within = reach(snapshot, ivr.policy)
    for key in ivr.keys:
        if key in within.numbers:
            yield finding(
                "IVR202", show_key(ivr, key), f"The number {key} cannot be dialled here: the key wins."
            )
        if within.match(key, {}).value[1]:
            longer = [number for number in within.ordered if number.startswith(key) and number != key]
            what = show_list(longer, "number", "numbers") if longer else "an outside number"
            text = f"It may begin {what}, so it acts only after {ivr.digit_timeout} s or #."
            yield finding("IVR201", show_key(ivr, key), text)


def check_lists(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check the lists of a menu's policy."""
    policy = ivr.policy
    lists: list[tuple[str, frozenset[int], Mapping[int, object]]] = [
        ("extension", policy.extension_ids, snapshot.extensions),
        ("extension group", policy.extension_group_ids, snapshot.extension_groups),
        ("ring group", policy.ring_group_ids, snapshot.ring_groups),
        ("outbound route", frozenset(policy.outbound_route_ids), snapshot.outbound_routes),
    ]
    for words, ids, rows in lists:
        for ident in sorted(ids - rows.keys()):
            yield finding(
                "IVR405", show_ivr(ivr), f"A list of this menu names {words} {ident}, which is gone."
            )


def check_edge(snapshot: IvrSnapshot, edge: Edge) -> Iterator[Finding]:
    """Check one way on from a menu or a ring group."""
    place = show_edge(snapshot, edge)
    if edge.place == edge.source and edge.label != WRONG_KEY:
        yield finding("IVR403", place, "It leads back to where it comes from.")
    yield from check_destination(snapshot, edge.to, place)


def check_destination(snapshot: IvrSnapshot, to: Destination, place: str) -> Iterator[Finding]:
    """Check that a destination exists, works, and where it goes if that is outside."""
    problem = find_problem(snapshot, to)
    if problem:
        yield finding(problem[0], place, problem[1])
    if to.kind in (DestinationKind.PLAY_PROMPT, DestinationKind.PLAY_GREETING):
        yield from check_prompt(snapshot, to.prompt, place)
    if to.kind is DestinationKind.EXTERNAL:
        yield from check_outside_key(snapshot, to, place)


def find_problem(snapshot: IvrSnapshot, to: Destination) -> tuple[str, str] | None:
    """Find out why a destination cannot take calls: a code and the reason."""
    if to.kind not in (
        DestinationKind.EXTENSION,
        DestinationKind.VOICEMAIL,
        DestinationKind.RING_GROUP,
        DestinationKind.IVR,
    ):
        return None
    if snapshot.find(to.kind, to.target) is None:
        return "IVR401", f"It leads to {to.kind.replace('_', ' ')} {to.target}, which does not exist."
    if to.kind is DestinationKind.RING_GROUP:
        group = snapshot.ring_groups[to.target]
        people = [snapshot.extensions.get(member) for member in group.member_ids]
        empty = not any(person and person.enabled for person in people)
        return ("IVR402", f"Ring group {group.number} has nobody who could be rung.") if empty else None
    if to.kind is DestinationKind.IVR:
        return None
    extension = snapshot.extensions[to.target]
    if not extension.enabled:
        return "IVR402", f"Extension {extension.number} is disabled."
    if to.kind is DestinationKind.VOICEMAIL and not extension.voicemail:
        return "IVR402", f"Extension {extension.number} has no mailbox."
    return None


def check_names(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check dial by name: that there are names, and that it does not go round the menu's list."""
    by_name = [edge for edge in menu_edges(ivr) if edge.to.kind is DestinationKind.DIAL_BY_NAME]
    if not by_name:
        return
    place = show_edge(snapshot, by_name[0])
    if not listed(snapshot):
        yield finding("IVR406", place, "No enabled extension has a name that can be spelled on a keypad.")
    if ivr.policy.extensions in (ExtensionRule.ALLOW, ExtensionRule.RESTRICT):
        beyond = sorted(listed(snapshot) - reach(snapshot, ivr.policy).numbers.keys())
        if beyond:
            text = (
                f"It reaches {show_list(beyond, 'extension', 'extensions')}, which may not be dialled here."
            )
            yield finding("IVR701", place, text)


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
                text = f"{pattern.pattern}: {error}. It allows nothing."
                yield finding("IVR407", f"outbound route {outbound.name}", text)
    for inbound in snapshot.inbound_routes.values():
        if inbound.enabled and inbound.destination:
            yield from check_destination(snapshot, inbound.destination, f"inbound route {inbound.name}")


def check_circles(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Find circles that a caller who presses nothing goes round in; each is told once."""
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
    """Tell a circle from its menu with the smallest id on."""
    first = members.index(min(members))
    menus = [snapshot.ivrs[ident] for ident in members[first:] + members[:first]]
    numbers = " to ".join(menu.number for menu in [*menus, menus[0]])
    text = f"A caller who presses no key goes from {numbers}, and is cut off after 20 moves."
    return finding("IVR102", f"{show_ivr(menus[0])}, {NO_KEY}", text)
