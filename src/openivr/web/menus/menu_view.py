"""The page of one menu, made from a draft and the menus around it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from openivr.hours.calendar import PeriodKind
from openivr.ivr.analysis.check import check_one
from openivr.ivr.analysis.diagram import draw
from openivr.ivr.analysis.rules import Finding, Part, RuleSection, Severity
from openivr.ivr.builtin_sounds import GREETING, SOUNDS
from openivr.ivr.model import Announcement, DestinationKind, IvrSnapshot, by_id
from openivr.ivr.periods import in_kind
from openivr.store.config.menu_graph import MenuNeighbourhood, load_neighbourhood
from openivr.web.core.audio import sound_url
from openivr.web.core.notices import NoticeView, find_notices
from openivr.web.core.sentence import Sentence
from openivr.web.forms.draft import Draft
from openivr.web.forms.labels import BUILTIN_GREETING, SIGNS, describe_changes, field_label, prompt_label
from openivr.web.forms.problems import is_unfilled, problem_text
from openivr.web.forms.references import ResourceRef
from openivr.web.menus.choices import make_lists, make_options
from openivr.web.menus.finding_labels import FindingView, show_finding
from openivr.web.menus.flow import MAX_NODES, FlowNode, make_nodes
from openivr.web.menus.form import EDITORS, OpenEditor, editor_of, period_of
from openivr.web.menus.keypad import FALLBACKS, KEYPAD, KeyCard, MenuNotes, link_name, make_card
from openivr.web.menus.names import names_in
from openivr.web.menus.reach import describe_reach

NO_PERSON = "IVR103"


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A prompt that callers hear. `url` is "" if there is no sound of this name."""

    name: str
    title: str
    words: str
    url: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MenuPage:
    """The data of the template. `open` is the key or editor that is open, "" for none.

    Keys and picture are those of `period`, which can be chosen if any of them `is_timed`.
    `problems` are sentences by API names. `both` are labels of fields that another administrator has changed
    as well.
    """

    id: int
    draft: Draft
    body: Mapping[str, Any]
    open: str
    period: PeriodKind
    is_timed: bool
    calendars: tuple[str, ...]  # the names of those that can be chosen
    zone: str  # the calendar of the menu, "" for the default one
    cards: Mapping[str, KeyCard]
    prompts: tuple[PromptInfo, ...]
    reach: tuple[Sentence, ...]
    findings: Mapping[str, Sequence[FindingView]]
    problems: Mapping[str, str]
    changes: tuple[str, ...]
    both: tuple[str, ...]
    nodes: tuple[FlowNode, ...]
    is_cut: bool  # the picture has more nodes
    options: Mapping[str, Sequence[str]]
    lists: Mapping[str, Sequence[tuple[ResourceRef, bool]]]
    notices: tuple[NoticeView, ...]
    is_new: bool  # no key has a destination yet, so that next steps say more than warnings

    def problem(self, name: str) -> str:
        """The problem of a field, "" if there is none."""
        return self.problems.get(name, "")

    def problems_in(self, editor: str) -> list[str]:
        return [text for name, text in self.problems.items() if editor_of(name) == editor]


def make_page(
    connection: Connection, office: IvrSnapshot, id_: int, draft: Draft, editor: OpenEditor
) -> MenuPage:
    """The page of a draft. Reads the menus around it, which may take long enough to want a thread."""
    around = load_neighbourhood(connection, office, id_, draft.values)
    snapshot = around.snapshot
    names, is_new = names_in(snapshot), has_no_keys(draft)
    findings = {} if is_new else find_findings(around, id_)
    problems = find_problems(draft, editor)
    notes = MenuNotes(findings, problems)
    is_timed = is_by_period(snapshot, draft)
    period = editor.period if is_timed else PeriodKind.OPEN
    picture = draw(show_period(snapshot, period), [(DestinationKind.IVR, id_)])
    keys = [key for row in (*KEYPAD, FALLBACKS) for key in row]
    return MenuPage(
        id=id_,
        draft=draft,
        body=draft.shown_body,
        open=editor.name if editor.name in (*keys, *EDITORS) else "",
        period=period,
        is_timed=is_timed,
        calendars=tuple(sorted({it.name for it in snapshot.calendars.values() if it.name})),
        zone=link_name(draft, "timezone_id", "timezone", draft.shown_body, names),
        cards={key: make_card(draft, key, names, notes, period) for key in keys},
        prompts=tuple(make_prompt(snapshot, name) for name in draft.values["prompt"].split(",") if name),
        reach=tuple(describe_reach(snapshot, snapshot.ivrs[id_].policy)),
        findings=findings,
        problems=problems,
        changes=tuple(describe_changes(draft, names)),
        both=tuple(field_label("ivr", field) for field in draft.conflicts),
        nodes=tuple(make_nodes(picture)),
        is_cut=len(picture.nodes) > MAX_NODES,
        options=make_options(snapshot, names) if editor.name else {},
        lists=make_lists(snapshot, draft, names) if editor.name == "reach" else {},
        notices=tuple(find_notices(snapshot.calendars[0], announcements_of(snapshot, id_), int(time.time()))),
        is_new=is_new,
    )


def has_no_keys(draft: Draft) -> bool:
    """Return True if no key of the menu has a destination, in the draft and as it is stored."""
    keys = [key for row in KEYPAD for key in row]
    drafts = (draft.stored["keys"], draft.values["keys"])
    return not any(values.get(key, {}).get("dest") for values in drafts for key in keys)


def announcements_of(snapshot: IvrSnapshot, id_: int) -> list[Announcement]:
    """Return the announcements before a menu."""
    return [row for row in snapshot.announcements.values() if id_ in row.ivr_ids]


def is_by_period(snapshot: IvrSnapshot, draft: Draft) -> bool:
    """Return True if a page has more to show than one period: a menu that depends on it, or a problem."""
    if any(row.by_period for row in snapshot.ivrs.values()):
        return True
    return any(period_of(problem.field) is not PeriodKind.OPEN for problem in draft.problems)


def show_period(snapshot: IvrSnapshot, period: PeriodKind) -> IvrSnapshot:
    """Return the menus as they are in a period."""
    return replace(snapshot, ivrs=by_id(in_kind(row, period) for row in snapshot.ivrs.values()))


def find_problems(draft: Draft, editor: OpenEditor) -> dict[str, str]:
    """The problems of a draft in sentences, by API names."""
    problems = {}
    for problem in draft.problems:
        field = draft.spec.field_of(problem.field)
        is_early = editor.is_being_filled and editor_of(problem.field) == editor.name
        if field is not None and not (is_early and is_unfilled(problem, draft.body)):
            problems[problem.field] = problem_text("ivr", field, problem, draft.body)
    return problems


def make_prompt(snapshot: IvrSnapshot, name: str) -> PromptInfo:
    sound = GREETING if name == BUILTIN_GREETING else name
    prompt = snapshot.prompts.get(name)
    url = sound_url(sound) if prompt or sound in SOUNDS else ""
    words = SOUNDS.get(sound, "")
    return PromptInfo(name, prompt_label(name), words, url, prompt.seconds if prompt else 0)


def find_findings(around: MenuNeighbourhood, id_: int) -> dict[str, list[FindingView]]:
    """Group the findings of a menu by the part of its page: "key 1", "hear", "reach" or "menu"."""
    by_part: dict[str, list[FindingView]] = {}
    for finding in check_one(around.snapshot, id_):
        if finding.rule.code == NO_PERSON and not around.is_whole:
            continue  # a person may be farther away than the neighbourhood reaches
        by_part.setdefault(part_of(finding), []).append(show_finding(finding))
    return by_part


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
