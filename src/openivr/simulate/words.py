"""English words for the codes of calls, for the terminal. The web admin has words of its own."""

from collections.abc import Mapping
from enum import StrEnum, unique

from openivr.cdr.journal.entries import CallEndReason, CallOutcome, LegResult
from openivr.ivr.call_state import MAX_HOPS
from openivr.ivr.commands import HangupReason
from openivr.ivr.digits import LONGEST
from openivr.ivr.events import Cause
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
    REFUSED = "refused"  # about: a `Refusal`
    NO_PROMPT = "no_prompt"
    NO_TRUNK = "no_trunk"
    NO_EXTENSION = "no_extension"
    NO_MAILBOX = "no_mailbox"
    NO_MEMBER = "no_member"
    GONE = "gone"
    MAILBOX = "mailbox"  # about: the extension's number
    SAYS = "says"  # about: the words of a built-in prompt
    NOTE = "note"  # about: a text for people


REASONS: Mapping[str, str] = {
    HangupReason.INVALID_KEY: "invalid key",
    HangupReason.MENU_TIMEOUT: "no key came",
    HangupReason.END_CALL: "ended by the menu",
    HangupReason.PROMPT_PLAYED: "prompt played",
    HangupReason.HOP_LIMIT: f"more than {MAX_HOPS} moves without a key",
    HangupReason.CALL_LENGTH_LIMIT: "maximum call length",
    HangupReason.DESTINATION_UNREACHED: "destination not reached",
    HangupReason.MESSAGE_LEFT: "message left",
    HangupReason.MAILBOX_LEFT: "left the mailbox",
    HangupReason.MAILBOX_REFUSED: "mailbox refused",
    HangupReason.CALLEE_HANGUP: "callee hung up",
    HangupReason.CALLER_HANGUP: "caller hung up",
    CallEndReason.UNKNOWN_NUMBER: "unknown number",
    CallEndReason.NO_INBOUND_ROUTE: "no inbound route takes this number",
    CallEndReason.NO_OUTBOUND_ROUTE: "no outbound route of this extension takes this number",
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
    Refusal.TOO_LONG: f"more than {LONGEST} digits",
    Refusal.NO_OUTBOUND_ROUTE: "no outbound route of this menu fits",
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
    Why.REFUSED: "{about}",
    Why.NO_PROMPT: "there is no such prompt",
    Why.NO_TRUNK: "no route with a working trunk takes this number",
    Why.NO_EXTENSION: "it is gone or disabled",
    Why.NO_MAILBOX: "there is no such mailbox",
    Why.NO_MEMBER: "it has no members who could be rung",
    Why.GONE: "it is gone",
    Why.MAILBOX: "for {about}",
    Why.SAYS: "{about}",
    Why.NOTE: "{about}",
}
_ABOUT: Mapping[Why, Mapping[str, str]] = {Why.FAILED: CAUSES, Why.REFUSED: REFUSALS}
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "fails": CAUSES,
    "ends": REASONS,
    "leaves": {"message": "a message"},
}


def say_why(why: Why | None, about: str) -> str:
    """Return the reason of a line in words; "" if it has none."""
    return WHY[why].format(about=_ABOUT.get(why, {}).get(about, about)) if why else ""


def say_verb(what: str) -> str:
    """Return the verb of a line: "times out"."""
    return what.replace("_", " ")


def say_text(what: str, text: str) -> str:
    """Return the object of a line in words. Numbers, keys and names stay as they are."""
    if what in ("rings", "reaches") and text.startswith("ring_group "):
        return text.replace("_", " ", 1)
    return _TEXTS.get(what, {}).get(text, text)
