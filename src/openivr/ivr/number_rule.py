"""Blocked and allowed numbers (P-Series admin: Blocked Numbers, Allowed Numbers). Pure.

A number that any rule allows is blocked by none. Numbers are indexed once per snapshot, because every call
needs them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from openivr.ivr.digits import Shape, match_shape, read_shape
from openivr.ivr.model import IvrSnapshot, NumberRule
from openivr.ivr.number_format import AS_WRITTEN

ANONYMOUS = "anonymous"  # stands for calls that withhold their number


@dataclass(frozen=True, slots=True)
class NumberIndex:
    """The numbers of a rule: plain ones, and patterns with their shapes. A leading "+" does not count."""

    plain: frozenset[str]
    shapes: tuple[tuple[str, Shape], ...]

    def find(self, number: str) -> str | None:
        """Return the number or the first pattern that a number fits, None if there is none."""
        bare = number.removeprefix("+")
        if bare in self.plain:
            return number
        return next((pattern for pattern, shape in self.shapes if match_shape(bare, shape)[0]), None)


def make_index(numbers: Iterable[str]) -> NumberIndex:
    """Index numbers and patterns. A pattern that cannot be read is taken literally."""
    plain: set[str] = set()
    shapes: list[tuple[str, Shape]] = []
    for text in numbers:
        bare = text.removeprefix("+")
        shape = read_shape(bare)
        if shape is None or bare.isdecimal():
            plain.add(bare)
        else:
            shapes.append((text, shape))
    return NumberIndex(frozenset(plain), tuple(shapes))


def index_of(snapshot: IvrSnapshot, rule: NumberRule) -> NumberIndex:
    """Return the index of a rule, made once per snapshot."""
    key = ("numbers", id(rule))  # the snapshot holds the rule, so its identity stays its own
    known: NumberIndex | None = snapshot.memo.get(key)
    if known is None:
        known = snapshot.memo[key] = make_index(rule.numbers)
    return known


def find_allowing(snapshot: IvrSnapshot, number: str, *, is_inbound: bool) -> NumberRule | None:
    """Return the rule that always lets this number through."""
    for rule in snapshot.allow_rules.values():
        applies = rule.inbound if is_inbound else rule.outbound
        if applies and index_of(snapshot, rule).find(number) is not None:
            return rule
    return None


def is_blocked(snapshot: IvrSnapshot, *numbers: str) -> bool:
    """Return True if a number may not be called, given all its spellings."""
    indexes = [index_of(snapshot, rule) for rule in snapshot.block_rules.values() if rule.outbound]
    if not any(index.find(number) is not None for index in indexes for number in numbers):
        return False
    return all(find_allowing(snapshot, number, is_inbound=False) is None for number in numbers)


def is_blocked_over(snapshot: IvrSnapshot, trunk: int, *numbers: str) -> bool:
    """Return True if a number may not be called over a trunk, whose form of numbers gives other spellings.

    `numbers` are the number as it is dialled and as the route makes it.
    """
    known = snapshot.trunks.get(trunk)
    forms = known.number_format.forms if known else AS_WRITTEN.forms
    return is_blocked(snapshot, *dict.fromkeys(form for number in numbers for form in forms(number)))
