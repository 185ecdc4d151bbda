"""Blocked and allowed numbers (P-Series admin: Blocked Numbers, Allowed Numbers). Pure.

A number that any rule allows is blocked by none. Numbers are indexed once per snapshot, because every call
needs them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from openivr.ivr.digits import Shape, match_shape, read_shape
from openivr.ivr.model import IvrSnapshot, NumberRule

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


def is_blocked(snapshot: IvrSnapshot, number: str) -> bool:
    """Return True if nobody may call this number."""
    blocking = any(
        rule.outbound and index_of(snapshot, rule).find(number) is not None
        for rule in snapshot.block_rules.values()
    )
    return blocking and find_allowing(snapshot, number, is_inbound=False) is None
