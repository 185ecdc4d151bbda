"""The keypad of a menu's page: a card for each key, for no key and for a wrong key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openivr.hours.calendar import PeriodKind
from openivr.resources.destination import MENU_TYPES, NOWHERE, PARTS, Value
from openivr.resources.fields import Names
from openivr.resources.ivr import KEYS
from openivr.resources.resource_type import Values
from openivr.web.forms.conflicts import api_names as api_names_of
from openivr.web.forms.draft import Draft
from openivr.web.forms.labels import key_label, key_sign
from openivr.web.forms.references import DestinationView, make_destination, make_ref
from openivr.web.menus.finding_labels import FindingView
from openivr.web.menus.form import PERIODS, key_fields, key_stem

KEYPAD = (("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9"), ("star", "0", "hash"))
FALLBACKS = ("timeout", "invalid")
LETTERS = {
    "2": "ABC",
    "3": "DEF",
    "4": "GHI",
    "5": "JKL",
    "6": "MNO",
    "7": "PQRS",
    "8": "TUV",
    "9": "WXYZ",
}
# Types of destination, the most frequent first.
TYPES = tuple(
    kind
    for kind in (
        "extension",
        "ring_group",
        "ivr",
        "ext_vm",
        "play_prompt",
        "play_greeting",
        "dial_by_name",
        "external_num",
        "end_call",
        "",
    )
    if kind in MENU_TYPES
)
# A key without a card could not be changed.
assert set(KEYS.keys) == {key for row in (*KEYPAD, FALLBACKS) for key in row}  # noqa: S101 - see above


@dataclass(frozen=True, slots=True)
class KeyCard:
    """A key of the menu in a period.

    `goal` is where it leads, `input` the destination as its editor has it. `kept` has the destinations in all
    periods by their stems, as the form carries them. `timed` and `calendar` are the names of the inputs of
    the key's own condition, `is_timed` and `zone` their values. `pin_name` is the input of the PIN list that
    the key asks for, "" for no key and a wrong key, and `pin_list` the name of the list, "" for none.
    """

    key: str
    sign: str
    letters: str
    name: str
    stem: str
    goal: DestinationView
    input: DestinationView
    kept: tuple[tuple[str, DestinationView], ...]
    timed: str
    is_timed: bool
    calendar: str
    zone: str  # the name of the calendar, "" for the default one
    pin_name: str
    pin_list: str
    findings: tuple[FindingView, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MenuNotes:
    """What is to be said about a menu: findings by the part of its page, problems by API names."""

    findings: Mapping[str, Sequence[FindingView]]
    problems: Mapping[str, str]


def make_card(draft: Draft, key: str, names: Names, notes: MenuNotes, period: PeriodKind) -> KeyCard:
    """The card of a key in a period."""
    body, condition = draft.shown_body, KEYS.conditions[key]
    kept = {stem: make_input(draft, stem, body, names) for stem in (key_stem(key, it) for it in PERIODS)}
    timed, calendar = condition.enabled[0].name, condition.timezone[0].name
    api_names = [name for field, _ in key_fields(key) for name in api_names_of(field)]
    link = KEYS.pins.get(key)
    return KeyCard(
        key=key,
        sign=key_sign(key),
        letters=LETTERS.get(key, ""),
        name=key_label(key),
        stem=key_stem(key, period),
        goal=make_destination(goal_in(draft.values, key, period), names),
        input=kept[key_stem(key, period)],
        kept=tuple(kept.items()),
        timed=timed,
        is_timed=body[timed] == 1,
        calendar=calendar,
        zone=link_name(draft, calendar, "timezone", body, names),
        pin_name=link.name if link else "",
        pin_list=link_name(draft, link.name, link.kind, body, names) if link else "",
        findings=tuple(notes.findings.get(f"key {key}", ())),
        problems=tuple(notes.problems[name] for name in api_names if name in notes.problems),
    )


def make_input(draft: Draft, stem: str, body: Mapping[str, object], names: Names) -> DestinationView:
    """A destination as the form has it."""
    value = {part: str(body[stem + ending]) for part, ending in PARTS.items()}
    return make_destination(value, names, draft.typed.get(f"{stem}_target"))


def link_name(draft: Draft, name: str, kind: str, body: Mapping[str, object], names: Names) -> str:
    """The name of the resource that a field of the form refers to, "" for none."""
    if name in draft.typed:
        return draft.typed[name]
    id_ = int(str(body[name] or 0))
    ref = make_ref(kind, id_, names) if id_ else None
    return ref.name.name if ref and ref.name else ""


def goal_in(values: Values, key: str, period: PeriodKind) -> Value:
    """Where a key leads in a period. A holiday without a destination is like closed hours."""
    kept: Value = values[KEYS.name].get(key, NOWHERE)
    is_for_all = values["time_condition_scope"] == "all_keys"
    is_timed = values["enb_time_condition"] and (is_for_all or kept.get("timed"))
    if period is PeriodKind.OPEN or not is_timed:
        return kept
    closed: Value = kept.get("closed", NOWHERE)
    return kept.get("holiday", closed) if period is PeriodKind.HOLIDAY else closed
