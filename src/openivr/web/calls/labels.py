"""Calls in words: time, duration, outcome, phones rung, keys and audio."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openivr.cdr.journal.entries import CallEndReason, CallOutcome, LegResult
from openivr.hours.calendar import PeriodKind
from openivr.ivr.commands import HIDDEN, HangupReason
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import NO_PERIOD, CallRecord
from openivr.web.core.sentence import Sentence
from openivr.web.messages import t, t_code

MUCH_LOST, MUCH_JITTER = 0.02, 30.0  # of all packets; ms: from here on it can be heard
TONES: Mapping[str, tuple[str, str]] = {
    CallOutcome.CONNECTED: ("calls", "good"),
    CallOutcome.MESSAGE: ("ext_vm", "good"),
    CallOutcome.MENU: ("ivr", ""),
    CallOutcome.MISSED: ("clock", "warn"),
    CallOutcome.REFUSED: ("shut", "warn"),
    CallOutcome.INTERRUPTED: ("warning", "bad"),
}
PERIODS: tuple[str, ...] = (*PeriodKind, NO_PERIOD)  # what a call depended on, for filters and reports
REASONS: tuple[str, ...] = (*HangupReason, *CallEndReason)


@dataclass(frozen=True, slots=True)
class LegView:
    """A phone or number that was rung. `kind` and `target` are those of the journal's leg."""

    kind: str
    target: int
    number: str
    via: str
    result: str
    tone: str
    status: int
    rang: str
    talked: str


def say_reason(reason: str) -> str:
    """Return why a call ended."""
    return t_code("why", reason)


def say_period(period: str) -> str:
    """Return the period that calls depended on, or that they depended on none."""
    return t_code("call_period", period)


def say_result(record: CallRecord) -> Sentence:
    """The outcome of a call with its icon and tone."""
    if record.is_live:
        return Sentence("dot", t("result.live"), "good")
    icon, tone = TONES.get(record.outcome, ("dot", ""))
    return Sentence(icon, t_code("result", record.outcome), tone)


def say_moment(milliseconds: int, now: int, form: str = "%H:%M") -> str:
    """A time by the server's clock, with today and yesterday by name. Both are in Unix ms."""
    moment, today = time.localtime(milliseconds // 1000), time.localtime(now // 1000)
    yesterday = time.localtime(now // 1000 - (today.tm_hour + 1) * 3600)
    for name, day in (("moment.today", today), ("moment.yesterday", yesterday)):
        if (moment.tm_year, moment.tm_yday) == (day.tm_year, day.tm_yday):
            return t(name, time=time.strftime(form, moment))
    return time.strftime(f"%Y-%m-%d {form}", moment)


def lasting(milliseconds: int) -> str:
    """A duration as 1:05 or 1:01:05."""
    minutes, seconds = divmod(max(0, round(milliseconds / 1000)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def length_of(record: CallRecord, now: int) -> str:
    """The duration of a call, for a live one until now."""
    return lasting((record.ended or max(now, record.updated)) - record.started)


def talked(record: CallRecord) -> int:
    """The time in ms that the caller talked to people."""
    spans = [(leg.get("answered", 0), leg.get("ended") or record.updated) for leg in record.legs]
    return sum(end - start for start, end in spans if start)


def read_legs(record: CallRecord, now: int) -> Iterator[LegView]:
    """The phones and numbers that were rung. An outside number is hidden unless the caller dialled it."""
    end = record.ended or now
    for leg in record.legs:
        if not leg:
            continue
        is_outside = leg["kind"] == DestinationKind.EXTERNAL and leg["number"] != record.called
        answered, over = leg.get("answered", 0), leg.get("ended") or end
        result, tone = leg_result(leg, record.is_live)
        yield LegView(
            kind=leg["kind"],
            target=leg["target"],
            number=HIDDEN if is_outside else leg["number"],
            via=leg.get("via", ""),
            result=result,
            tone=tone,
            status=leg.get("status", 0),
            rang=lasting((answered or over) - leg["began"]),
            talked=lasting(over - answered) if answered else "",
        )


def leg_result(leg: Mapping[str, Any], is_live: bool) -> tuple[str, str]:
    """The result of a leg and its tone."""
    result = leg.get("result", "")
    if is_live and not leg.get("ended"):
        return t("leg.talking" if leg.get("answered") else "leg.ringing"), "good"
    tone = "good" if result in (LegResult.ANSWERED, LegResult.TRANSFERRED) else ""
    return t_code("leg", result or LegResult.CANCELLED), tone


def describe_input(record: CallRecord) -> Iterator[Sentence]:
    """Describe how keys were sent and received, and the quality of the audio, with problems as warnings."""
    if record.is_live or record.answered is None:
        key = "input.nothing" if record.is_live else "input.unanswered"
        yield Sentence("note", t(key))
        return
    heard = record.input.get("heard", {})
    has_events = "rfc4733" in record.input.get("negotiated", ())
    if record.input.get("negotiated"):
        yield (
            Sentence("check", t("input.events_agreed"), "good")
            if has_events
            else Sentence("warning", t("input.tones_only"), "warn")
        )
    for kind, count in heard.items():
        yield Sentence("ivr", t(f"input.heard_{kind}", count=count))
    if record.path and "heard" in record.input and not heard:
        yield Sentence("ivr", t("input.heard_none"))
    if has_events and heard.get("inband"):
        yield Sentence("warning", t("input.mixed"), "warn")
    for side in ("caller", "callee"):
        if side in record.media:
            yield from describe_audio(side, record.media[side])


def describe_audio(side: str, media: Mapping[str, Any]) -> Iterator[Sentence]:
    """The quality of one side's audio."""
    if not media.get("heard"):
        yield Sentence("warning", t(f"input.silent_{side}"), "warn")
    else:
        lost, jitter = share(media["lost"], media["heard"] + media["lost"]), media["jitter_ms"]
        is_bad = lost > MUCH_LOST or jitter > MUCH_JITTER
        text = t(f"input.sound_{side}", lost=percent(lost), jitter=round(jitter))
        yield Sentence("warning" if is_bad else "check", text, "warn" if is_bad else "good")
    far = share(media.get("far_lost") or 0, media.get("sent") or 0)
    if far > MUCH_LOST:
        yield Sentence("warning", t(f"input.far_{side}", lost=percent(far)), "warn")
    if media.get("strangers"):
        yield Sentence("shut", t("input.strangers", count=media["strangers"]))


def share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def percent(fraction: float) -> str:
    """A percentage. A small share is "< 0.1 %" and not "0 %"."""
    text = f"{fraction * 100:.1f}".removesuffix(".0")
    return f"{text} %" if text != "0" or not fraction else "< 0.1 %"
