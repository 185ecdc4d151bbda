"""A menu in words: where its keys lead, whom callers can reach, and what a change changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from openivr.ivr.analysis.toll_fraud import TollLine, lines, readable
from openivr.ivr.builtin_sounds import GREETING, SOUNDS
from openivr.ivr.model import DestinationKind, DialPolicy, ExtensionRule, IvrSnapshot
from openivr.ivr.policy import reach
from openivr.resources.destination import OUTSIDE, PLAYS, TARGETS, Value
from openivr.resources.fields import LinksField
from openivr.resources.ivr import IVR, KEYS
from openivr.resources.resource_type import Values
from openivr.web.core.urls import RESOURCE_URLS
from openivr.web.messages import t

SIGNS = {"star": "*", "hash": "#"}
FEW = 12  # numbers or ranges that are named
DEFAULT = "default"  # the prompt that is the built-in greeting


@dataclass(frozen=True, slots=True)
class DestinationLabel:
    """Where a key leads, as its tile shows it: a title, something smaller beside it, and its page."""

    kind: str
    title: str
    detail: str = ""
    address: str = ""

    @property
    def words(self) -> str:
        return f"{self.title} ({self.detail})" if self.detail else self.title


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something that callers can or cannot do; `tone` is "good", "warn" or ""."""

    icon: str
    text: str
    tone: str = ""


def sign_of(key: str) -> str:
    """The sign on a key: "*" for star. What is no key has none."""
    return SIGNS.get(key, key if key.isdigit() else "")


def name_of(key: str) -> str:
    """What people call a key, "Key 1", or one of the two other ways on."""
    return t("key.one", key=sign_of(key)) if sign_of(key) else t(f"key.{key}")


def describe(snapshot: IvrSnapshot, value: Value) -> DestinationLabel:
    """A destination as it is stored."""
    kind, text = value["dest"], value["value"]
    if kind in TARGETS:
        row = snapshot.find(DestinationKind(kind), int(text))
        if row is None:
            return DestinationLabel(kind, t("way.gone"), text)
        place = RESOURCE_URLS.get(TARGETS[kind])
        detail = t("way.voicemail_of", number=row.number) if kind == "ext_vm" else row.number
        return DestinationLabel(kind, row.name, detail, place.one.format(id=row.id) if place else "")
    if kind in PLAYS:
        return DestinationLabel(kind, text, t("way.plays", count=int(value["prefix"])))
    if kind == OUTSIDE:
        return DestinationLabel(kind, value["prefix"] + text, t("way.outside"))
    return DestinationLabel(kind, t(f"way.{kind or 'nowhere'}"))


def tell_reach(snapshot: IvrSnapshot, policy: DialPolicy) -> Iterator[Sentence]:
    """Whom the callers of a menu can dial, in plain words."""
    yield tell_extensions(snapshot, policy)
    groups = [
        number
        for number, to in reach(snapshot, policy).numbers.items()
        if to.kind is DestinationKind.RING_GROUP
    ]
    if groups:
        yield Sentence("ring_group", t("reach.groups", numbers=shorten(groups), count=len(groups)))
    if policy.check_voicemail:
        yield Sentence("ext_vm", t("reach.voicemail", code=snapshot.voicemail_code))
    open_lines = lines(snapshot, policy)
    if not open_lines:
        yield Sentence(
            "shut", t("reach.outside_no_line" if policy.outbound else "reach.outside_shut"), "good"
        )
    for line in open_lines:
        yield tell_line(line)


def tell_extensions(snapshot: IvrSnapshot, policy: DialPolicy) -> Sentence:
    numbers = [
        number
        for number, to in reach(snapshot, policy).numbers.items()
        if to.kind is DestinationKind.EXTENSION
    ]
    if policy.extensions is ExtensionRule.DISABLE:
        return Sentence("extension", t("reach.no_extension"))
    if not numbers:
        return Sentence("extension", t("reach.none_left"), "warn")
    return Sentence("extension", t(f"reach.extensions_{policy.extensions}", numbers=shorten(numbers)))


def tell_line(line: TollLine) -> Sentence:
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
    """Numbers with runs drawn together: "1000–1003, 1010"."""
    parts = [text if text == last else f"{text}–{last}" for text, last in runs(sorted(numbers, key=by_size))]
    if len(parts) <= FEW:
        return ", ".join(parts)
    return t("reach.more", numbers=", ".join(parts[:FEW]), count=len(parts) - FEW)


def by_size(number: str) -> tuple[int, str]:
    return len(number), number


def runs(numbers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first and the last of each run of three and more; what stands alone twice."""
    starts = [0, *(at for at, (a, b) in enumerate(pairwise(numbers), 1) if not follows(a, b)), len(numbers)]
    for first, stop in pairwise(starts):
        if stop - first >= 3:
            yield numbers[first], numbers[stop - 1]
        else:
            yield from ((number, number) for number in numbers[first:stop])


def follows(a: str, b: str) -> bool:
    return len(a) == len(b) and a.isdecimal() and b.isdecimal() and int(b) == int(a) + 1


def show_prompt(name: str) -> str:
    """A prompt's name, or what the built-in greeting is called."""
    return t("hear.default") if name == DEFAULT else name


def words_of_prompt(name: str) -> str:
    """What a built-in sound says; "" for other prompts."""
    return SOUNDS.get(GREETING if name == DEFAULT else name, "")


def tell_changes(snapshot: IvrSnapshot, before: Values, after: Values) -> list[str]:
    """What a change of a menu changes, a sentence for each field and key."""
    told: list[str] = []
    for one in IVR.fields:
        old, new = before[one.name], after[one.name]
        if one.name == KEYS.name:
            told += tell_keys(snapshot, old, new)
        elif old != new:
            name = t(f"menu.{one.name}")
            was, becomes = (show_value(snapshot, one.name, value) for value in (old, new))
            told.append(t("change.field", field=name, before=was, after=becomes))
    return told


def tell_keys(
    snapshot: IvrSnapshot, before: Mapping[str, Value], after: Mapping[str, Value]
) -> Iterator[str]:
    nothing: Value = {"dest": "", "prefix": "", "value": ""}
    for key in KEYS.keys:
        old, new = before.get(key, nothing), after.get(key, nothing)
        if any(old[part] != new[part] for part in nothing):
            words = {"before": describe(snapshot, old).words, "after": describe(snapshot, new).words}
            yield t("change.key", key=name_of(key), **words)


def show_value(snapshot: IvrSnapshot, name: str, value: Any) -> str:
    """A field's value for people."""
    if isinstance(next(one for one in IVR.fields if one.name == name), LinksField):
        return ", ".join(show_link(snapshot, link) for link in value) or t("change.nothing")
    if name == "prompt":
        return ", ".join(show_prompt(one) for one in value.split(",")) if value else t("change.nothing")
    if name == "dial_ext_option":
        return t(f"menus.dial_{value}")
    if name.startswith("enb_"):
        return t(f"change.flag_{value}")
    return str(value) or t("change.nothing")


def show_link(snapshot: IvrSnapshot, link: Mapping[str, Any]) -> str:
    """An object on a list, as people call it."""
    rows: Mapping[str, Mapping[int, Any]] = {
        "extension": snapshot.extensions,
        "ext_group": snapshot.extension_groups,
        "ring_group": snapshot.ring_groups,
        "outbound_route": snapshot.outbound_routes,
    }
    row = rows[link["type"]].get(link["id"])
    if row is None:
        return t("way.gone")
    number = getattr(row, "number", "")
    return f"{number} {row.name}" if number and number != row.name else str(row.name)
