"""May this caller reach this number, and over which lines? Nothing is reached but by a rule that allows it.

Rules, in order of looking:

1. A key of the menu leads where the menu says.
2. An enabled extension, if the menu's option and lists allow it; a ring group that the menu lists; the
   voicemail code, if the menu allows that.
3. An outside number of at most 15 digits that fits a route which the menu names. A number that belongs to
   somebody inside never goes outside.

Everything else is refused, and the refusal says which rule was missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.ivr.digits import MATCHES, MAX_DIGITS, Match, Shape, match_numbers, match_shape, parse_pattern
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionRule,
    Ivr,
    IvrSnapshot,
    OutboundRoute,
)
from openivr.ivr.number_rule import is_blocked, is_blocked_over


@unique
class Refusal(StrEnum):
    """Why a number is not allowed."""

    UNKNOWN_NUMBER = "unknown_number"
    NOT_A_NUMBER = "not_a_number"
    EXTENSIONS_OFF = "extensions_off"  # the menu allows no extensions
    EXTENSION_NOT_LISTED = "extension_not_listed"
    EXTENSION_RESTRICTED = "extension_restricted"
    EXTENSION_DISABLED = "extension_disabled"
    RING_GROUP_NOT_LISTED = "ring_group_not_listed"
    MENU_NOT_DIALABLE = "menu_not_dialable"
    VOICEMAIL_OFF = "voicemail_off"  # the menu gives no access to voicemail
    TOO_LONG = "too_long"  # more than `MAX_DIGITS` digits
    NO_OUTBOUND_ROUTE = "no_outbound_route"  # none of the menu's routes fits
    NUMBER_BLOCKED = "number_blocked"  # it is among the blocked numbers
    WRONG_PIN = "wrong_pin"  # the key asked for a PIN


VOICEMAIL_MAIN = Destination(DestinationKind.VOICEMAIL)  # target 0: the caller says whose mailbox


@dataclass(frozen=True, slots=True)
class Allowed:
    """A number that may be reached."""

    destination: Destination
    route_ids: tuple[int, ...] = ()  # external_num: the routes to try, in order


@dataclass(frozen=True, slots=True)
class DialAttempt:
    """One way to reach an outside number."""

    route: OutboundRoute
    trunk: int  # id
    number: str  # as the trunk gets it


@dataclass(frozen=True, slots=True)
class DialScope:
    """Everything that may be dialled under one policy; shared by all menus that have the same policy."""

    numbers: Mapping[str, Destination]
    ordered: tuple[str, ...]  # the same numbers in ascending order of text
    shapes: tuple[Shape, ...]  # of the routes that may be used
    owned: Mapping[str, Destination]  # numbers that never go outside

    def match(self, typed: str, keys: Mapping[str, Destination]) -> Match:
        """Say whether typed digits are, or begin, a key of the menu or an allowed number."""
        exact, longer = match_numbers(typed, self.ordered)
        exact = exact or typed in keys
        if self.shapes and is_number(typed):
            for shape in self.shapes:
                fits, more = match_shape(typed, shape)
                exact = exact or (fits and typed not in self.owned)
                longer = longer or more
        return MATCHES[exact, longer]


def find_internal(snapshot: IvrSnapshot, number: str) -> Destination | None:
    """Return where a phone's call to an internal number or a feature code goes. None: it is neither."""
    if number == snapshot.voicemail_code:
        return snapshot.numbers.get(number, VOICEMAIL_MAIN)
    return snapshot.numbers.get(number)


def is_number(typed: str) -> bool:
    """Return True for a text of the digits 0 to 9 alone."""
    return typed.isascii() and typed.isdecimal()


def reach(snapshot: IvrSnapshot, policy: DialPolicy) -> DialScope:
    """Work out what a policy allows, once per snapshot."""
    found: DialScope | None = snapshot.memo.get(policy)
    if found is None:
        found = snapshot.memo[policy] = _work_out(snapshot, policy)
    return found


def _work_out(snapshot: IvrSnapshot, policy: DialPolicy) -> DialScope:
    numbers = {
        number: owner
        for number, owner in snapshot.numbers.items()
        if owner.kind is not DestinationKind.IVR and _refuse_inside(snapshot, policy, owner) is None
    }
    if policy.check_voicemail:
        numbers[snapshot.voicemail_code] = VOICEMAIL_MAIN
    routes = usable_routes(snapshot, policy.outbound_route_ids if policy.outbound else ())
    shapes = tuple(shape for route in routes for _, shape in _shapes(snapshot, route))
    return DialScope(numbers, tuple(sorted(numbers)), shapes, snapshot.numbers)


def decide(snapshot: IvrSnapshot, ivr: Ivr, typed: str) -> Allowed | Refusal:
    """Decide about complete input: a key of the menu, or a number."""
    if typed in ivr.keys:
        return configured(snapshot, ivr.keys[typed])
    inside = reach(snapshot, ivr.policy).numbers.get(typed)
    if inside:
        return Allowed(inside)
    return _refuse(snapshot, ivr.policy, typed) or _decide_outside(snapshot, ivr.policy, typed)


def _refuse(snapshot: IvrSnapshot, policy: DialPolicy, typed: str) -> Refusal | None:
    owner = snapshot.numbers.get(typed)
    if owner:
        return _refuse_inside(snapshot, policy, owner)
    if typed == snapshot.voicemail_code:
        return Refusal.VOICEMAIL_OFF
    if not is_number(typed):
        return Refusal.NOT_A_NUMBER
    return Refusal.TOO_LONG if len(typed) > MAX_DIGITS else None


def _refuse_inside(snapshot: IvrSnapshot, policy: DialPolicy, owner: Destination) -> Refusal | None:
    if owner.kind is DestinationKind.EXTENSION:
        return _refuse_extension(snapshot, policy, snapshot.extensions[owner.target])
    if owner.kind is DestinationKind.RING_GROUP:
        listed = policy.call_numbers and owner.target in policy.ring_group_ids
        return None if listed else Refusal.RING_GROUP_NOT_LISTED
    return Refusal.MENU_NOT_DIALABLE


def _refuse_extension(snapshot: IvrSnapshot, policy: DialPolicy, extension: Extension) -> Refusal | None:
    if not extension.enabled:
        return Refusal.EXTENSION_DISABLED
    if policy.extensions is ExtensionRule.ALL:
        return None
    if policy.extensions is ExtensionRule.DISABLE:
        return Refusal.EXTENSIONS_OFF
    listed = extension.id in policy.extension_ids or any(
        extension.id in snapshot.extension_groups[group].member_ids
        for group in policy.extension_group_ids
        if group in snapshot.extension_groups
    )
    if policy.extensions is ExtensionRule.ALLOW:
        return None if listed else Refusal.EXTENSION_NOT_LISTED
    return Refusal.EXTENSION_RESTRICTED if listed else None


def _decide_outside(snapshot: IvrSnapshot, policy: DialPolicy, typed: str) -> Allowed | Refusal:
    if not policy.outbound:
        return Refusal.UNKNOWN_NUMBER
    if is_blocked_outside(snapshot, policy.outbound_route_ids, typed):
        return Refusal.NUMBER_BLOCKED
    for route in usable_routes(snapshot, policy.outbound_route_ids):
        if fit(snapshot, route, typed) is not None:
            return Allowed(Destination(DestinationKind.EXTERNAL, number=typed), policy.outbound_route_ids)
    return Refusal.NO_OUTBOUND_ROUTE


def configured(snapshot: IvrSnapshot, destination: Destination) -> Allowed:
    """Allow what the configuration itself names; an outside number may use all routes, by position."""
    if destination.kind is not DestinationKind.EXTERNAL:
        return Allowed(destination)
    routes = sorted(snapshot.outbound_routes.values(), key=lambda route: (route.position, route.id))
    return Allowed(destination, tuple(route.id for route in routes))


def forwarded(snapshot: IvrSnapshot, extension: Extension, destination: Destination) -> Allowed:
    """Allow where an extension forwards calls; an outside number by the routes that the extension may use."""
    if destination.kind is not DestinationKind.EXTERNAL:
        return Allowed(destination)
    return Allowed(destination, routes_of(snapshot, extension.id))


def routes_of(snapshot: IvrSnapshot, extension: int) -> tuple[int, ...]:
    """Return the outbound routes that an extension may use, in their order."""
    allowed = (route for route in snapshot.outbound_routes.values() if extension in route.extension_ids)
    return tuple(route.id for route in sorted(allowed, key=lambda route: (route.position, route.id)))


def usable_routes(snapshot: IvrSnapshot, route_ids: tuple[int, ...]) -> tuple[OutboundRoute, ...]:
    """Pick the routes that exist and are enabled, in the order of the ids."""
    routes = (snapshot.outbound_routes.get(route_id) for route_id in route_ids)
    return tuple(route for route in routes if route and route.enabled)


def fit(snapshot: IvrSnapshot, route: OutboundRoute, number: str) -> str | None:
    """Apply the first pattern of a route that a number fits: the number to dial, or None."""
    for pattern, shape in _shapes(snapshot, route):
        if match_shape(number, shape)[0]:
            return pattern.prepend + number[pattern.strip :]
    return None


def attempts(snapshot: IvrSnapshot, route_ids: tuple[int, ...], number: str) -> Iterator[DialAttempt]:
    """List the ways to reach an outside number, routes in order and the trunks of each in order.

    A number that is blocked over a trunk has none over that.
    """
    for attempt in _list_attempts(snapshot, route_ids, number):
        if not is_blocked_over(snapshot, attempt.trunk, number, attempt.number):
            yield attempt


def is_blocked_outside(snapshot: IvrSnapshot, route_ids: tuple[int, ...], number: str) -> bool:
    """Return True if an outside number is blocked on every way to reach it, or as it is if there is none."""
    found = list(_list_attempts(snapshot, route_ids, number))
    if not found:
        return is_blocked(snapshot, number)
    return all(is_blocked_over(snapshot, each.trunk, number, each.number) for each in found)


def _list_attempts(snapshot: IvrSnapshot, route_ids: tuple[int, ...], number: str) -> Iterator[DialAttempt]:
    if not is_number(number.removeprefix("+")) or len(number.removeprefix("+")) > MAX_DIGITS:
        return
    for route in usable_routes(snapshot, route_ids):
        dialled = fit(snapshot, route, number)
        for trunk_id in route.trunk_ids if dialled else ():
            trunk = snapshot.trunks.get(trunk_id)
            if trunk and trunk.enabled:
                yield DialAttempt(route, trunk_id, dialled or "")


def _shapes(snapshot: IvrSnapshot, route: OutboundRoute) -> tuple[tuple[DialPattern, Shape], ...]:
    key = ("shapes", route.id)
    found: tuple[tuple[DialPattern, Shape], ...] | None = snapshot.memo.get(key)
    if found is None:
        found = snapshot.memo[key] = tuple(_parse(route.patterns))
    return found


def _parse(patterns: tuple[DialPattern, ...]) -> Iterator[tuple[DialPattern, Shape]]:
    for pattern in patterns:
        try:
            yield pattern, parse_pattern(pattern.pattern)
        except ValueError:
            continue  # a pattern that cannot be read allows nothing; `check` reports it
