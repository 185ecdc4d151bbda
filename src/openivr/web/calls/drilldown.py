"""The calls behind a number of a report, as the query of the call list has them."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from openivr.ivr.commands import Topic
from openivr.ivr.former_words import TOPICS, detail_code
from openivr.ivr.model import DestinationKind
from openivr.resources.destination import TARGETS
from openivr.resources.fields import CONTROL
from openivr.store.cdr.call_records import CallFilter, NoteFilter
from openivr.web.calls.timeline import Find
from openivr.web.messages import t, t_code

MAX_LENGTH = 2000  # characters in a query
Moment = Annotated[int, Meta(ge=0, le=2**52)]  # Unix milliseconds
Ident = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Text = Annotated[str, Meta(max_length=127)]
KindName = Annotated[str, Meta(pattern=f"^({'|'.join(DestinationKind)})?$")]
Shown = Literal["entered", "chose", "timed_out", "invalid", "connected", "recorded"]


class Drilldown(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A filter beside days, outcome and reason, with the fields of `CallFilter` and `NoteFilter`."""

    since: Moment | None = None
    until: Moment | None = None
    path: Annotated[tuple[Text, ...], Meta(max_length=100)] = ()
    whole: bool = False
    topics: tuple[Shown, ...] = ()
    menu: Ident | None = None
    input: Text | None = None
    kind: KindName | None = None
    target: Ident | None = None
    detail: Text | None = None

    @property
    def noted(self) -> NoteFilter | None:
        """The filter of notes, None if there is none."""
        if not self.topics:
            return None
        return NoteFilter(self.topics, self.menu, self.input, self.kind, self.target, self.detail)


def write_part(wanted: CallFilter) -> str:
    """Encode for a query, "" if days, outcome and reason are all."""
    noted = wanted.noted or NoteFilter(())
    values = {
        "since": wanted.since,
        "until": wanted.until,
        "path": wanted.path,
        "whole": wanted.is_whole_path,
        "topics": [str(topic) for topic in noted.topics],
        "menu": noted.menu,
        "input": noted.input,
        "kind": noted.kind,
        "target": noted.target,
        "detail": noted.detail,
    }
    part = msgspec.convert(values, Drilldown)
    return "" if part == Drilldown() else msgspec.json.encode(part).decode()


def read_part(text: str) -> Drilldown | None:
    """Read the text of an address, also of one that was written when topics and details were sentences."""
    try:
        part = msgspec.convert(to_codes(text), Drilldown) if 0 < len(text) <= MAX_LENGTH else None
    except (msgspec.MsgspecError, ValueError):
        return None
    if part is None or CONTROL.search("".join(filter(None, (*part.path, part.input, part.detail)))):
        return None
    return part


def to_codes(text: str) -> Any:
    """Decode an address, with codes in the place of the sentences of former releases."""
    row = msgspec.json.decode(text)
    if isinstance(row, dict) and isinstance(row.get("topics"), list):
        topics = [TOPICS.get(topic, topic) for topic in row["topics"] if isinstance(topic, str)]
        row["topics"] = topics
        if isinstance(row.get("detail"), str) and topics:
            row["detail"] = detail_code(topics[0], row["detail"])
    return row


def narrow(wanted: CallFilter, part: Drilldown | None) -> CallFilter:
    """A filter narrowed to the part."""
    if part is None:
        return wanted
    since = wanted.since if part.since is None else part.since
    until = wanted.until if part.until is None else part.until
    return replace(
        wanted, since=since, until=until, path=part.path, is_whole_path=part.whole, noted=part.noted
    )


def say_part(part: Drilldown, find: Find) -> str:
    """A sentence about the calls of the part."""
    phrases = []
    if part.path:
        names = " → ".join(part.path)
        phrases.append(t("part.whole" if part.whole else "part.path", path=names))
    elif part.whole:
        phrases.append(t("part.no_menu"))
    if part.topics:
        menu = find(DestinationKind.IVR, part.menu, str(part.menu)).text if part.menu else ""
        target = part.target if part.kind in TARGETS else 0
        to = find(part.kind, target or 0, "").text if part.kind else ""
        topic: str = part.topics[0]
        if topic in (Topic.CONNECTED, Topic.RECORDED):
            phrases.append(t("part.reached", to=to))
        elif topic == Topic.INVALID and part.detail:
            why = say_refusal(part.detail)
            phrases.append(t("part.refused", menu=menu, input=part.input, why=why))
        else:
            phrases.append(t(f"part.{topic}", menu=menu, input=part.input, to=to))
    return ", ".join(phrases) or t("part.hour")


def say_refusal(detail: str) -> str:
    """The reason of a refused input in words."""
    return t_code("refusal", detail)
