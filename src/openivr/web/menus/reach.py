"""Sentences about what callers of a menu can reach by dialling."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from openivr.ivr.analysis.toll_fraud import TollLine, lines, readable
from openivr.ivr.model import DestinationKind, DialPolicy, ExtensionRule, IvrSnapshot
from openivr.ivr.policy import reach
from openivr.web.core.sentence import Sentence
from openivr.web.menus.names import names_in
from openivr.web.messages import t

FEW = 12  # numbers or ranges that a sentence lists
FEW_NAMED = 3  # extensions that are listed with their names


def describe_reach(snapshot: IvrSnapshot, policy: DialPolicy) -> Iterator[Sentence]:
    """Sentences about the numbers that callers of a menu can dial."""
    yield describe_extensions(snapshot, policy)
    groups = numbers_of(snapshot, policy, DestinationKind.RING_GROUP)
    if groups:
        yield Sentence("ring_group", t("reach.groups", numbers=shorten(groups), count=len(groups)))
    if policy.check_voicemail:
        yield Sentence("ext_vm", t("reach.voicemail", code=snapshot.voicemail_code))
    open_lines = lines(snapshot, policy)
    if not open_lines:
        key = "reach.outside_no_line" if policy.outbound else "reach.outside_shut"
        yield Sentence("shut", t(key), "good")
    for line in open_lines:
        yield describe_line(line)


def numbers_of(snapshot: IvrSnapshot, policy: DialPolicy, kind: DestinationKind) -> list[str]:
    """The numbers of a kind that callers can dial."""
    return [number for number, to in reach(snapshot, policy).numbers.items() if to.kind is kind]


def describe_extensions(snapshot: IvrSnapshot, policy: DialPolicy) -> Sentence:
    """The extensions that callers can dial. Of a menu that excludes some, the excluded ones."""
    if policy.extensions is ExtensionRule.DISABLE:
        return Sentence("extension", t("reach.no_extension"))
    numbers = numbers_of(snapshot, policy, DestinationKind.EXTENSION)
    if not numbers:
        return Sentence("extension", t("reach.none_left"), "warn")
    excluded = exclude(snapshot, numbers) if policy.extensions is ExtensionRule.RESTRICT else ""
    rule = policy.extensions if excluded or policy.extensions is ExtensionRule.ALLOW else ExtensionRule.ALL
    return Sentence("extension", t(f"reach.extensions_{rule}", numbers=shorten(numbers), excluded=excluded))


def exclude(snapshot: IvrSnapshot, numbers: Sequence[str]) -> str:
    """The extensions beside these: a few by name, many by number."""
    names, dialled = names_in(snapshot), {*numbers}
    others = [row for row in snapshot.extensions.values() if row.number not in dialled]
    if len(others) > FEW_NAMED:
        return shorten([row.number for row in others])
    return ", ".join(names("extension", row.id).display_name for row in others)


def describe_line(line: TollLine) -> Sentence:
    patterns = [pattern.pattern for pattern in line.route.patterns if readable(pattern)]
    limits = line.route.limits
    text = t(
        "reach.outside" if line.works else "reach.outside_off",
        route=line.route.name,
        patterns=", ".join(patterns),
        calls=limits.simultaneous,
        hour=limits.per_hour,
        caller=limits.per_caller_hour,
    )
    return Sentence("outside", text, "warn")


def shorten(numbers: Sequence[str]) -> str:
    """List numbers with runs drawn together: "1000–1003, 1010"."""
    parts = [text if text == last else f"{text}–{last}" for text, last in runs(sorted(numbers, key=by_size))]
    if len(parts) <= FEW:
        return ", ".join(parts)
    return t("reach.more", numbers=", ".join(parts[:FEW]), count=len(parts) - FEW)


def by_size(number: str) -> tuple[int, str]:
    return len(number), number


def runs(numbers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first and the last number of each run of three or more. Any other number twice."""
    starts = [0, *(at for at, (a, b) in enumerate(pairwise(numbers), 1) if not follows(a, b)), len(numbers)]
    for first, stop in pairwise(starts):
        if stop - first >= 3:
            yield numbers[first], numbers[stop - 1]
        else:
            yield from ((number, number) for number in numbers[first:stop])


def follows(a: str, b: str) -> bool:
    return len(a) == len(b) and a.isdecimal() and b.isdecimal() and int(b) == int(a) + 1
