"""The keypad of a menu's page: a card for each key, for no key and for a wrong key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openivr.resources.destination import MENU_TYPES, NOWHERE, PARTS
from openivr.resources.fields import Names
from openivr.resources.ivr import KEYS
from openivr.web.forms.draft import Draft
from openivr.web.forms.labels import key_label, key_sign
from openivr.web.forms.references import DestinationView, make_destination
from openivr.web.menus.finding_labels import FindingView
from openivr.web.menus.form import key_stem

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
    """A key of the menu. `goal` is where it leads, `input` the destination as its editor has it."""

    key: str
    sign: str
    letters: str
    name: str
    stem: str
    goal: DestinationView
    input: DestinationView
    findings: tuple[FindingView, ...]
    problems: tuple[str, ...]


def make_card(
    draft: Draft,
    key: str,
    names: Names,
    findings: Mapping[str, Sequence[FindingView]],
    problems: Mapping[str, str],
) -> KeyCard:
    stem, body = key_stem(key), draft.shown_body
    value = {part: body[stem + ending] for part, ending in PARTS.items()}
    api_names = [stem + ending for ending in PARTS.values()]
    return KeyCard(
        key=key,
        sign=key_sign(key),
        letters=LETTERS.get(key, ""),
        name=key_label(key),
        stem=stem,
        goal=make_destination(draft.values[KEYS.name].get(key, NOWHERE), names),
        input=make_destination(value, names, draft.typed.get(f"{stem}_target")),
        findings=tuple(findings.get(f"key {key}", ())),
        problems=tuple(problems[name] for name in api_names if name in problems),
    )
