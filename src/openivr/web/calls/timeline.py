"""The path of a call through menus to people, and its timeline, from its notes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from openivr.ivr.commands import HIDDEN, Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.resources.destination import TARGETS
from openivr.resources.errors import NotFound
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.config import resources
from openivr.web.calls.labels import say_reason
from openivr.web.core.urls import resource_url
from openivr.web.messages import has_text, t, t_code


@dataclass(frozen=True, slots=True)
class NoteContext:
    """A place where a caller can be: its kind, its name, and its page, "" if it has none."""

    kind: str
    text: str
    address: str = ""


Find = Callable[[str, int, str], NoteContext]  # kind, target, number


@dataclass(frozen=True, slots=True)
class PathItem:
    """A place on a call's path: the key that led there, and the result.

    `tries` are the wrong keys and time-outs there.
    """

    place: NoteContext
    how: str = ""
    result: str = ""
    tone: str = ""
    tries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An event of a call, `at` ms from its beginning."""

    at: int
    icon: str
    kind: str
    text: str
    why: str = ""
    address: str = ""


def finder(connection: Connection) -> Find:
    """Looks up the current name of a destination. A deleted one keeps the number that it had."""
    names = resources.namer(connection)

    def find(kind: str, target: int, number: str) -> NoteContext:
        of = TARGETS.get(kind, kind)
        shown = t("call.number") if number == HIDDEN else number
        try:
            name, now = names(of, target) if target and kind != DestinationKind.EXTERNAL else ("", "")
        except NotFound:
            return NoteContext(kind, shown or t("object.gone"))
        label = f"{now} {name}".strip() if name != now else name
        if not label:
            return NoteContext(kind, shown or say_kind(kind))
        text = t("destination.voicemail_of", number=label) if kind == DestinationKind.VOICEMAIL else label
        return NoteContext(kind, text, resource_url(of, target))

    return find


def say_kind(kind: str) -> str:
    key = f"destination_type.{kind}"
    return t(key) if has_text(key) else kind


def trace(notes: Iterable[CallNote], find: Find) -> list[PathItem]:
    """The places of a call in order. Coming back to the same menu is not a new place."""
    steps: list[PathItem] = []
    how = ""
    for stored in notes:
        note = stored.note
        place = find(note.kind or "", note.target, note.number)
        match note.topic:
            case Topic.ENTERED:
                place = find(DestinationKind.IVR, note.ivr, note.number)
                if steps and steps[-1].place == place:
                    steps[-1] = replace(steps[-1], tries=(*steps[-1].tries, *([how] if how else [])))
                else:
                    steps.append(PathItem(place, how))
                how = ""
            case Topic.CHOSE:
                how = show_input(note)
            case Topic.INVALID:
                how = t("pressed.refused", input=show_input(note))
            case Topic.FORWARDED:
                how = t("pressed.forwarded", number=note.input, condition=t_code("condition", note.detail))
            case Topic.TIMED_OUT:
                how = t("pressed.timeout")
            case Topic.DIALLED:
                steps.append(PathItem(place, how))
                how = ""
            case Topic.CONNECTED | Topic.RECORDED | Topic.NOT_RECORDED | Topic.FAILED:
                put_result(steps, PathItem(place, how), note)
                how = ""
            case _:
                pass
    return steps


def put_result(steps: list[PathItem], step: PathItem, note: Note) -> None:
    """Add the result of the last place, or a place that was not rung at all."""
    if steps and steps[-1].place.kind == step.place.kind and not steps[-1].result and not step.how:
        step = steps.pop()
    good = {Topic.CONNECTED: t("leg.answered"), Topic.RECORDED: t("why.message_left")}.get(note.topic)
    codes = "record_result" if note.topic is Topic.NOT_RECORDED else "cause"
    steps.append(replace(step, result=good or t_code(codes, note.detail), tone="good" if good else "warn"))


def show_input(note: Note) -> str:
    """The input. Outside numbers are hidden in notes."""
    return t("call.number") if note.input == HIDDEN else note.input


SIGNS = {
    Topic.ARRIVED: ("calls", "ivr"),
    Topic.TIMED_OUT: ("clock", "nowhere"),
    Topic.PERIOD: ("clock", "nowhere"),
    Topic.ANNOUNCED: ("play_prompt", "play_prompt"),
    Topic.INVALID: ("wrong", "trouble"),
    Topic.MISSING: ("warning", "trouble"),
    Topic.FAILED: ("warning", "trouble"),
    Topic.FORWARDED: ("right", "extension"),
    Topic.MAILBOX: ("ext_vm", "ext_vm"),
    Topic.PIN: ("shut", "key"),
    Topic.RECORDED: ("ext_vm", "ext_vm"),
    Topic.NOT_RECORDED: ("warning", "trouble"),
    Topic.ENDED: ("end_call", "end_call"),
}


def make_timeline(record: CallRecord, notes: Iterable[CallNote], find: Find) -> Iterator[TimelineEntry]:
    """The timeline, an entry for each note."""
    for stored in notes:
        note = stored.note
        kind = DestinationKind.IVR if note.topic is Topic.ENTERED else note.kind or ""
        target = note.ivr if note.topic is Topic.ENTERED else note.target
        place = find(kind, target, note.number)
        icon, tint = SIGNS.get(note.topic, (kind or "note", kind or "nowhere"))
        text, why = phrase(note, place)
        yield TimelineEntry(stored.at - record.started, icon, tint, text, why, place.address)


def phrase(note: Note, place: NoteContext) -> tuple[str, str]:
    """A note in words, and its reason."""
    topic = note.topic
    values = {"input": show_input(note), "name": place.text, "number": note.number, "detail": note.detail}
    key, why = f"story.{topic}", ""
    if topic is Topic.ARRIVED and not note.number:
        key = "story.arrived_withheld"
    elif topic in (Topic.CHOSE, Topic.TIMED_OUT) and not note.kind:
        key += "_nowhere"
    elif topic in (Topic.MAILBOX, Topic.PIN):
        key = f"story.{topic}_{note.detail}"
    elif topic is Topic.FAILED:
        values["detail"] = t_code("cause", note.detail)
    elif topic is Topic.FORWARDED:
        why = t_code("condition", note.detail)
    elif topic is Topic.ENDED:
        values["detail"] = say_limit(note) or say_reason(note.detail)
    elif topic is Topic.NOT_RECORDED:
        why = t_code("record_result", note.detail)
    elif topic is Topic.PERIOD:
        period, _, reason = note.detail.partition(" ")
        values["detail"], why = t_code("period", period), say_period_reason(reason, note.number)
    elif topic is Topic.INVALID:
        why = say_limit(note) or t_code("refusal", note.detail)
    return t(key, **values), why


def say_limit(note: Note) -> str:
    """Return the detail with its limit; "" if it has none."""
    key = f"limit.{note.detail}"
    return t(key, limit=note.limit) if note.limit and has_text(key) else ""


def say_period_reason(reason: str, holiday: str) -> str:
    """The rule that decided about a period, "" for one that another release knows."""
    key = f"period_reason.{reason}"
    return t(key, name=holiday) if has_text(key) else ""


def list_events(record: CallRecord, notes: Iterable[CallNote]) -> Iterator[tuple[float, str, str]]:
    """Every event: seconds from the beginning, its name, its details.

    No key is shown of a call in which anything typed is hidden.
    """
    has_hidden = any(HIDDEN in (stored.note.input, stored.note.number) for stored in notes)
    for event in record.events:
        facts: dict[str, Any] = {k: v for k, v in event.items() if k not in ("at", "event", "destination")}
        if has_hidden and "key" in facts:
            facts["key"] = "•"
        shown = ", ".join(f"{name} {value}" for name, value in facts.items() if value not in ("", [], ()))
        yield event.get("at", 0) / 1000, event.get("event", ""), shown
