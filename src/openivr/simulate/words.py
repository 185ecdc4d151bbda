"""English words for the codes of calls, for the terminal. The web admin has words of its own."""

from collections.abc import Mapping
from enum import StrEnum, unique

from openivr.cdr.journal.entries import CallEndReason, CallOutcome, LegResult
from openivr.hours.period import PeriodReason
from openivr.ivr.call_state import MAX_HOPS
from openivr.ivr.commands import HangupReason
from openivr.ivr.digits import MAX_DIGITS
from openivr.ivr.events import Cause, RecordResult
from openivr.ivr.inbound_route import RoutingReason, RoutingStep, RuleEffect, RuleType
from openivr.ivr.model import ForwardCondition
from openivr.ivr.number_rule import ANONYMOUS
from openivr.ivr.policy import Refusal


@unique
class Why(StrEnum):
    """Why there is a line in a transcript. `TranscriptLine.about` says what the words are about."""

    FROM = "from"  # about: the caller's number
    FROM_WITHHELD = "from_withheld"
    WAITS_FOR_KEY = "waits_for_key"
    WAITS_FOR_DIGIT = "waits_for_digit"
    WAITS_FOR_LONGER = "waits_for_longer"  # a longer number may follow
    WAITS_FOR_LETTER = "waits_for_letter"
    WAITS_FOR_CHOICE = "waits_for_choice"  # 1 or *
    WAITS_FOR_ANSWER = "waits_for_answer"
    CHOSE = "chose"  # about: the key or number
    INVALID = "invalid"
    TIMED_OUT = "timed_out"
    FAILED = "failed"  # about: a `Cause`
    FORWARDED = "forwarded"  # about: a `ForwardCondition`
    REFUSED = "refused"  # about: a `Refusal`
    NO_PROMPT = "no_prompt"
    NO_TRUNK = "no_trunk"
    NO_EXTENSION = "no_extension"
    NO_MAILBOX = "no_mailbox"
    NO_MEMBER = "no_member"
    GONE = "gone"
    MAILBOX = "mailbox"  # about: the extension's number
    NOT_KEPT = "not_kept"  # about: a `RecordResult`
    SAYS = "says"  # about: the words of a built-in prompt
    PERIOD = "period"  # about: a `PeriodReason`, and the name of a holiday
    NOTE = "note"  # about: a text for people
    TAKES_NUMBER = "takes_number"  # about: the pattern of the inbound route that the called number fits
    TAKES_CALLER = "takes_caller"  # about: the pattern that the caller's number fits
    TAKES_WITHHELD = "takes_withheld"
    TAKES_ALL = "takes_all"  # the inbound route takes every number and caller
    TAKES_BLOCKED = "takes_blocked"  # about: the rule of blocked numbers that the caller is in
    BLOCKED = "blocked"  # likewise
    TRUNK_DISABLED = "trunk_disabled"
    NO_DESTINATION = "no_destination"  # about: the inbound route


REASONS: Mapping[str, str] = {
    HangupReason.INVALID_KEY: "invalid key",
    HangupReason.MENU_TIMEOUT: "no key came",
    HangupReason.END_CALL: "ended by the menu",
    HangupReason.PROMPT_PLAYED: "prompt played",
    HangupReason.HOP_LIMIT: "too many moves without a key",
    HangupReason.CALL_LENGTH_LIMIT: "maximum call length",
    HangupReason.DESTINATION_UNREACHED: "destination not reached",
    HangupReason.MESSAGE_LEFT: "message left",
    HangupReason.NO_MESSAGE: "no message left",
    HangupReason.MAILBOX_LEFT: "left the mailbox",
    HangupReason.MAILBOX_REFUSED: "mailbox refused",
    HangupReason.CALLEE_HANGUP: "callee hung up",
    HangupReason.CALLER_HANGUP: "caller hung up",
    HangupReason.CALLEE_LOST: "callee's line was lost",
    HangupReason.CALLER_LOST: "caller's line was lost",
    CallEndReason.UNKNOWN_NUMBER: "unknown number",
    CallEndReason.NO_INBOUND_ROUTE: "no inbound route takes this number",
    CallEndReason.CALLER_BLOCKED: "caller is blocked",
    CallEndReason.NUMBER_BLOCKED: "called number is blocked",
    CallEndReason.NO_OUTBOUND_ROUTE: "no outbound route of this extension takes this number",
    CallEndReason.NO_MEDIA: "no audio in common with the caller",
    CallEndReason.TRANSFERRED: "transferred",
    CallEndReason.TRANSFER_FAILED: "transfer failed, returned to the transferor",
    CallEndReason.SERVER_STOPPED: "server stopped",
    CallEndReason.SERVER_INTERRUPTED: "server interrupted",
    CallEndReason.SERVER_ERROR: "server error",
}
CAUSES: Mapping[str, str] = {
    Cause.BUSY: "busy",
    Cause.NO_ANSWER: "no answer",
    Cause.DECLINED: "declined",
    Cause.UNAVAILABLE: "unavailable",
    Cause.LIMIT: "limit reached",
}
REFUSALS: Mapping[str, str] = {
    Refusal.UNKNOWN_NUMBER: "unknown number",
    Refusal.NOT_A_NUMBER: "not a number that can be dialled",
    Refusal.EXTENSIONS_OFF: "this menu allows no extensions",
    Refusal.EXTENSION_NOT_LISTED: "extension not on the menu's list",
    Refusal.EXTENSION_RESTRICTED: "extension on the menu's list of restricted ones",
    Refusal.EXTENSION_DISABLED: "extension disabled",
    Refusal.RING_GROUP_NOT_LISTED: "ring group not on the menu's list",
    Refusal.MENU_NOT_DIALABLE: "menus cannot be dialled",
    Refusal.VOICEMAIL_OFF: "this menu gives no access to voicemail",
    Refusal.TOO_LONG: f"more than {MAX_DIGITS} digits",
    Refusal.NUMBER_BLOCKED: "this number is blocked",
    Refusal.WRONG_PIN: "the PIN was wrong",
    Refusal.NO_OUTBOUND_ROUTE: "no outbound route of this menu fits",
}
RESULTS: Mapping[str, str] = {
    RecordResult.KEPT: "kept",
    RecordResult.EMPTY: "nothing was said",
    RecordResult.MAILBOX_FULL: "the mailbox is full",
    RecordResult.DISK_FULL: "the disk is full",
    RecordResult.FAILED: "it could not be written",
}
CONDITIONS: Mapping[str, str] = {
    ForwardCondition.ALWAYS: "always",
    ForwardCondition.BUSY: "because it is busy",
    ForwardCondition.NO_ANSWER: "because there is no answer",
}
PERIOD_REASONS: Mapping[str, str] = {
    PeriodReason.SWITCH: "switched by hand",
    PeriodReason.HOLIDAY: "because of a holiday",
    PeriodReason.HOURS: "by its hours",
    PeriodReason.BREAK: "during a break",
    PeriodReason.OUTSIDE: "outside its hours",
}
LEG_RESULTS: Mapping[str, str] = {
    **{result: CAUSES[result] for result in LegResult if result.value in CAUSES},
    LegResult.ANSWERED: "answered",
    LegResult.TRANSFERRED: "transferred",
    LegResult.CANCELLED: "cancelled",
    LegResult.ANSWERED_ELSEWHERE: "answered elsewhere",
}
OUTCOMES: Mapping[str, str] = {outcome: outcome.value for outcome in CallOutcome}
WHY: Mapping[Why, str] = {
    Why.FROM: "from {about}",
    Why.FROM_WITHHELD: "from a withheld number",
    Why.WAITS_FOR_KEY: "for a key",
    Why.WAITS_FOR_DIGIT: "for a digit",
    Why.WAITS_FOR_LONGER: "for another digit, because a longer number may follow",
    Why.WAITS_FOR_LETTER: "for a letter",
    Why.WAITS_FOR_CHOICE: "for 1 or *",
    Why.WAITS_FOR_ANSWER: "for an answer",
    Why.CHOSE: "because the caller chose {about}",
    Why.INVALID: "because the input was invalid",
    Why.TIMED_OUT: "because no key came",
    Why.FAILED: "because of: {about}",
    Why.FORWARDED: "{about}",
    Why.REFUSED: "{about}",
    Why.NO_PROMPT: "there is no such prompt",
    Why.NO_TRUNK: "no route with a working trunk takes this number",
    Why.NO_EXTENSION: "it is gone or disabled",
    Why.NO_MAILBOX: "there is no such mailbox",
    Why.NO_MEMBER: "it has no members who could be rung",
    Why.GONE: "it is gone",
    Why.MAILBOX: "for {about}",
    Why.NOT_KEPT: "{about}",
    Why.SAYS: "{about}",
    Why.PERIOD: "{about}",
    Why.NOTE: "{about}",
    Why.TAKES_NUMBER: "it takes calls to {about}",
    Why.TAKES_CALLER: "it takes calls from {about}",
    Why.TAKES_WITHHELD: "it takes calls from withheld numbers",
    Why.TAKES_ALL: "it takes every number",
    Why.TAKES_BLOCKED: "callers in {about} go there",
    Why.BLOCKED: "the caller is in {about}",
    Why.TRUNK_DISABLED: "the trunk is disabled",
    Why.NO_DESTINATION: "{about} takes the call, but leads nowhere",
}
_ABOUT: Mapping[Why, Mapping[str, str]] = {
    Why.FAILED: CAUSES,
    Why.FORWARDED: CONDITIONS,
    Why.REFUSED: REFUSALS,
    Why.NOT_KEPT: RESULTS,
}
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "fails": CAUSES,
    "ends": {**REASONS, HangupReason.HOP_LIMIT: f"more than {MAX_HOPS} moves without a key"},
    "leaves": {"message": "a message", "nothing": "no message"},
}


def say_why(why: Why | None, about: str) -> str:
    """Return the reason of a line in words; "" if it has none."""
    if why is Why.PERIOD:
        return say_period(about)
    return WHY[why].format(about=_ABOUT.get(why, {}).get(about, about)) if why else ""


def say_period(about: str) -> str:
    """Return why a period holds: "because of a holiday: Christmas"."""
    reason, _, name = about.partition(" ")
    words = PERIOD_REASONS.get(reason, reason)
    return f"{words}: {name}" if name else words


def say_verb(what: str) -> str:
    """Return the verb of a line: "times out"."""
    return what.replace("_", " ")


def say_text(what: str, text: str) -> str:
    """Return the object of a line in words. Numbers, keys and names stay as they are."""
    if what in ("rings", "reaches") and text.startswith("ring_group "):
        return text.replace("_", " ", 1)
    return _TEXTS.get(what, {}).get(text, text)


_EFFECTS: Mapping[str, str] = {
    "trunk_passes": "lets the call in",
    "passes": "does not take the call",
    "takes": "takes the call",
    "rejects": "rejects the call",
}
_ROUTING: Mapping[str, str] = {
    "trunk_enabled": "it is enabled",
    "trunk_disabled": "it is disabled",
    "trunk_unknown": "it does not exist",
    "disabled": "it is disabled",
    "match": "it takes every number",
    "match_did": "it takes calls to {did}",
    "match_caller": "it takes calls from {caller}",
    "match_did_caller": "it takes calls to {did} from {caller}",
    "earlier_takes": "{rule} comes first",
    "earlier_rejects": "{rule} rejects it before",
    "other_trunk": "it takes calls over {trunks} only",
    "other_number": "it takes calls to {patterns} only",
    "other_caller": "it takes calls from {patterns} only",
    "withheld": "it takes calls from {patterns} only, and the caller's number is withheld",
    "not_listed": "the caller is not listed",
    "listed": "{pattern} is blocked",
    "allowed": "{pattern} is blocked, but {rule} lets the caller through",
    "no_destination": "it has no destination",
}


def routing_code(step: RoutingStep) -> str:
    """Return the code of the sentence about a step of the routing."""
    if step.rule is RuleType.TRUNK:
        return f"trunk_{step.reason}"
    if step.reason is RoutingReason.EARLIER:
        return f"earlier_{step.params['effect']}"
    if step.reason is RoutingReason.MATCH:
        return "_".join(("match", *(name for name in ("did", "caller") if step.params.get(name))))
    return step.reason.value


def say_routing(step: RoutingStep) -> str:
    """Return why a rule takes a call, passes it on or rejects it."""
    names = {ANONYMOUS: "withheld numbers"}
    params = {
        name: ", ".join(names.get(part, part) for part in text.split(", "))
        for name, text in step.params.items()
    }
    return _ROUTING[routing_code(step)].format(**params) + _say_routing_period(step)


def _say_routing_period(step: RoutingStep) -> str:
    period, holiday = step.params.get("period", ""), step.params.get("holiday", "")
    if not period:
        return ""
    return f"; the period is {period}" + (f" ({holiday})" if holiday else "")


def effect_code(step: RoutingStep) -> str:
    """Return the code of the words for what a rule does."""
    is_open = step.rule is RuleType.TRUNK and step.effect is RuleEffect.PASSES
    return "trunk_passes" if is_open else step.effect.value


def say_effect(step: RoutingStep) -> str:
    """Return what a rule does: "takes the call"."""
    return _EFFECTS[effect_code(step)]
