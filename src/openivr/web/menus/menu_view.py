"""What the page of one menu shows, made from a draft and what stands around it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection

from openivr.ivr.analysis.check import check_one
from openivr.ivr.analysis.diagram import Arrow, Picture, draw
from openivr.ivr.analysis.graph import NO_ANSWER, NO_KEY, WRONG_KEY
from openivr.ivr.analysis.rules import Finding, Part, RuleSection, Severity
from openivr.ivr.builtin_sounds import GREETING, SOUNDS
from openivr.ivr.model import DestinationKind, IvrSnapshot
from openivr.resources.destination import MENU_TYPES, TARGETS, Value
from openivr.resources.destination import PARTS as PARTS_OF
from openivr.resources.ivr import KEYS
from openivr.store.config.menu_graph import MenuNeighbourhood, load_neighbourhood
from openivr.web.core.urls import RESOURCE_URLS
from openivr.web.menus.draft import MenuDraft, body_of, destination, sort_of, stem_of
from openivr.web.menus.finding_labels import FindingView, show_arrow, show_finding, show_node
from openivr.web.menus.labels import (
    DEFAULT,
    SIGNS,
    DestinationLabel,
    Sentence,
    describe,
    name_of,
    show_link,
    show_prompt,
    sign_of,
    tell_changes,
    tell_reach,
    words_of_prompt,
)
from openivr.web.messages import t

KEYPAD = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "star", "0", "hash")
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
OTHERS = ("timeout", "invalid")
PARTS = ("name", "hear", "reach")  # of the page, beside the keys, that can be opened
LISTS = ("dial_ext_list", "restrict_dial_ext_list", "dial_call_number_list", "dial_outb_route_list")
MAX_PROMPTS = 5
MAX_OPTIONS = 200  # offered for each sort of target; whoever knows the number can type any
MAX_NODES = 120  # of the picture
FEW_FINDINGS = 3  # of one rule that are told one by one
NO_PERSON = "IVR103"


@dataclass(frozen=True, slots=True)
class KeyCard:
    """A key, or one of the two other ways on. `goal` is where it leads; its form has the rest."""

    key: str
    sign: str
    letters: str
    name: str
    stem: str
    type: str
    prefix: str
    target: str
    goal: DestinationLabel
    findings: tuple[FindingView, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A prompt that callers hear."""

    name: str
    title: str
    words: str
    address: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DestinationChoice:
    """An object that a list of the form may name."""

    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FlowArrow:
    """A way on from a node. `is_quiet`: the caller takes it without choosing it."""

    target: str
    target_label: str
    label: str
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A node of the picture, with the address of its page and the ways on from it."""

    id: str
    kind: str
    label: str
    address: str
    arrows: tuple[FlowArrow, ...]


@dataclass(frozen=True, slots=True)
class MenuPage:
    """Everything that the template needs. `open` is the key or part whose editor is shown, "" for none."""

    ident: int
    draft: MenuDraft
    open: str
    tiles: Mapping[str, KeyCard]
    heard: tuple[PromptInfo, ...]
    reach: tuple[Sentence, ...]
    findings: Mapping[str, Sequence[FindingView]]
    changes: tuple[str, ...]
    boxes: tuple[FlowNode, ...]
    is_cut: bool  # the picture: callers may come to more places
    options: Mapping[str, Sequence[tuple[str, str]]]
    lists: Mapping[str, Sequence[DestinationChoice]]

    @property
    def base(self) -> str:
        """The menu that the form is made from, as the API shows it."""
        return msgspec.json.encode(body_of(self.draft.base)).decode()

    @property
    def body(self) -> Mapping[str, Any]:
        return self.draft.body

    def problem(self, name: str) -> str:
        return self.draft.problems.get(name, "")

    @property
    def problems(self) -> list[str]:
        """Everything that keeps the menu from being saved, in sentences."""
        return [
            t("menu.problem", field=call_field(name), text=text) for name, text in self.draft.problems.items()
        ]


def make_page(
    connection: Connection, office: IvrSnapshot, ident: int, draft: MenuDraft, opened: str
) -> MenuPage:
    """The page of a draft. Reads the menus around it; slow enough to want a thread."""
    around = load_neighbourhood(connection, office, ident, draft.values)
    snapshot = around.snapshot
    findings = find(around, ident)
    picture = draw(snapshot, [(DestinationKind.IVR, ident)])
    return MenuPage(
        ident=ident,
        draft=draft,
        open=opened if opened in (*KEYPAD, *OTHERS, *PARTS) else "",
        tiles={key: make_tile(snapshot, draft, key, findings) for key in (*KEYPAD, *OTHERS)},
        heard=tuple(make_heard(snapshot, name) for name in draft.values["prompt"].split(",") if name),
        reach=tuple(tell_reach(snapshot, snapshot.ivrs[ident].policy)),
        findings=findings,
        changes=tuple(tell_changes(snapshot, draft.stored, draft.values)),
        boxes=tuple(make_boxes(picture)),
        is_cut=len(picture.nodes) > MAX_NODES,
        options=make_options(snapshot) if opened else {},
        lists=make_lists(snapshot, draft) if opened == "reach" else {},
    )


def call_field(name: str) -> str:
    """What people call a field of the API."""
    stem = name.removesuffix("_value").removesuffix("_prefix")
    key = next((key for key in KEYS.keys if stem_of(key) == stem), "")
    return name_of(key) if key else t(f"menu.{name}")


def make_tile(
    snapshot: IvrSnapshot, draft: MenuDraft, key: str, findings: Mapping[str, Sequence[FindingView]]
) -> KeyCard:
    stem = stem_of(key)
    value: Value = {part: draft.body[stem + ending] for part, ending in PARTS_OF.items()}
    names = [stem + ending for ending in ("", "_prefix", "_value")]
    return KeyCard(
        key=key,
        sign=sign_of(key),
        letters=LETTERS.get(key, ""),
        name=name_of(key),
        stem=stem,
        type=value["dest"],
        prefix=value["prefix"],
        target=draft.typed.get(f"{stem}_target") or typed(snapshot, value),
        goal=describe(snapshot, destination(draft, key)),
        findings=tuple(findings.get(f"key {key}", ())),
        problems=tuple(draft.problems[name] for name in names if name in draft.problems),
    )


def typed(snapshot: IvrSnapshot, value: Value) -> str:
    """A target as people type it: number and name."""
    if value["dest"] in TARGETS and value["value"].isdecimal():
        row = snapshot.find(DestinationKind(value["dest"]), int(value["value"]))
        return call(row.number, row.name) if row else ""
    return str(value["value"])


def call(number: str, name: str) -> str:
    return number if number == name else f"{number} {name}"


def make_heard(snapshot: IvrSnapshot, name: str) -> PromptInfo:
    sound = GREETING if name == DEFAULT else name
    prompt = snapshot.prompts.get(name)
    address = "/sounds/" + quote(sound) if prompt or sound in SOUNDS else ""
    return PromptInfo(
        name, show_prompt(name), words_of_prompt(name), address, prompt.seconds if prompt else 0
    )


def find(around: MenuNeighbourhood, ident: int) -> dict[str, list[FindingView]]:
    """Group the findings of a menu by the part of its page: "key 1", "hear", "reach" or "menu"."""
    found: dict[str, list[FindingView]] = {}
    for finding in check_one(around.snapshot, ident):
        if finding.rule.code == NO_PERSON and not around.is_whole:
            continue  # a person may be farther away than the neighbourhood reaches
        found.setdefault(part_of(finding), []).append(show_finding(finding))
    return found


SECTIONS = {RuleSection.PROMPTS: "hear", RuleSection.DIALLING: "reach", RuleSection.MENU: "menu"}


def part_of(finding: Finding) -> str:
    """Return the part of the page that a finding belongs to. A loop through other menus is the time-out's."""
    target = finding.target
    if target.part is Part.KEY:
        return "key " + next((key for key, sign in SIGNS.items() if sign == target.key), target.key)
    if target.part in (Part.TIMEOUT, Part.INVALID):
        return f"key {target.part}"
    return "reach" if target.part is Part.NUMBER else SECTIONS[finding.rule.section]


def worst(findings: Sequence[FindingView]) -> str:
    """Return the worst severity, "" without findings."""
    order = [severity.value for severity in Severity]
    return min((finding.severity for finding in findings), key=order.index) if findings else ""


def make_boxes(picture: Picture) -> Iterator[FlowNode]:
    """The places of a picture that are shown: the nearest, in their order."""
    shown = picture.nodes[:MAX_NODES]
    labels = {node.id: show_node(node) for node in shown}
    for node in shown:
        arrows = tuple(
            FlowArrow(arrow.target, labels[arrow.target], show_arrow(arrow.labels), is_quiet(arrow))
            for arrow in picture.arrows
            if arrow.source == node.id and arrow.target in labels
        )
        yield FlowNode(node.id, node.kind.value, labels[node.id], address_of(node.id, node.kind), arrows)


def is_quiet(arrow: Arrow) -> bool:
    """Return True if callers take this way by pressing no key or a wrong one."""
    return {*arrow.labels} <= {NO_KEY, WRONG_KEY, NO_ANSWER}


def address_of(node: str, kind: DestinationKind) -> str:
    """The page of a node that is an object with pages, "" of others."""
    place = RESOURCE_URLS.get(TARGETS.get(kind.value, ""))
    ident = node.rpartition("-")[2]
    return place.one.format(id=ident) if place and ident.isdecimal() and ident != "0" else ""


def make_options(snapshot: IvrSnapshot) -> dict[str, list[tuple[str, str]]]:
    """What the fields of an editor offer: the text to type."""
    people = [("extension", call(row.number, row.name)) for row in snapshot.extensions.values()]
    groups = [("ring_group", call(row.number, row.name)) for row in snapshot.ring_groups.values()]
    own = [("ivr", call(row.number, row.name)) for row in snapshot.ivrs.values()]
    prompts = [("custom_prompt", name) for name in snapshot.prompts]
    found = {"extension": people, "ring_group": groups, "ivr": own, "custom_prompt": prompts}
    return {sort: rows[:MAX_OPTIONS] for sort, rows in found.items()}


def make_lists(snapshot: IvrSnapshot, draft: MenuDraft) -> dict[str, list[DestinationChoice]]:
    """The lists of the form: what is chosen, in its order, then what else there is."""
    people: list[tuple[str, Mapping[int, Any]]] = [
        ("ext_group", snapshot.extension_groups),
        ("extension", snapshot.extensions),
    ]
    sources = {
        "dial_ext_list": people,
        "restrict_dial_ext_list": people,
        "dial_call_number_list": [("ring_group", snapshot.ring_groups)],
        "dial_outb_route_list": [("outbound_route", snapshot.outbound_routes)],
    }
    return {name: list(offer(snapshot, links(draft.body[name]), rows)) for name, rows in sources.items()}


def links(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A list of the API as it is stored."""
    return [{"type": item["type"], "id": int(item["value"])} for item in items]


def offer(
    snapshot: IvrSnapshot,
    chosen: Sequence[Mapping[str, Any]],
    sources: Sequence[tuple[str, Mapping[int, Any]]],
) -> Iterator[DestinationChoice]:
    taken = {(link["type"], link["id"]) for link in chosen}
    for link in chosen:
        yield DestinationChoice(f"{link['type']}:{link['id']}", show_link(snapshot, link), True)
    rest = [(kind, ident) for kind, rows in sources for ident in rows if (kind, ident) not in taken]
    for kind, ident in rest[:MAX_OPTIONS]:
        yield DestinationChoice(f"{kind}:{ident}", show_link(snapshot, {"type": kind, "id": ident}), False)


# In the order in which people look for them.
GOALS = tuple(
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
SORTS = {kind: sort_of(kind) for kind in GOALS}
assert set(KEYS.keys) == {*KEYPAD, *OTHERS}  # noqa: S101 - a key that is drawn nowhere could not be changed
