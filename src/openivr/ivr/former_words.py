"""English texts that schemas before 0003, 0005 and 0006 stored, and the codes that stand for them now.

Read by the migration, and wherever a journal, a file or a bookmark of such a release may still come in. The
tables never change: a code that is renamed later needs a table of its own.
"""

import re
from collections.abc import Mapping
from typing import Any

Words = Mapping[str, str]

# Why a call ended: records, and notes of the topic `ended`.
REASONS: Words = {
    "Invalid key": "invalid_key",
    "timed out, hung up": "menu_timeout",
    "ended by the menu": "end_call",
    "prompt played, hung up": "prompt_played",
    "moved on 20 times without a key": "hop_limit",
    "maximum call length": "call_length_limit",
    "destination not reached": "destination_unreached",
    "message left": "message_left",
    "left the mailbox": "mailbox_left",
    "mailbox refused": "mailbox_refused",
    "called side hung up": "callee_hangup",
    "caller hung up": "caller_hangup",
    "transfer failed, given back": "transfer_failed",
    "nobody has this number": "unknown_number",
    "no inbound route takes this number": "no_inbound_route",
    "no outbound route that this extension may use takes this number": "no_outbound_route",
    "an error of the server": "server_error",
    "the server was stopped": "server_stopped",
    "the server was interrupted": "server_interrupted",
}
TOPICS: Words = {"timed out": "timed_out", "missing prompt": "missing_prompt"}
# Why input was refused: notes of the topic `invalid`.
REFUSALS: Words = {
    "nobody has this number": "unknown_number",
    "not a number that can be dialled": "not_a_number",
    "this menu lets nobody dial extensions": "extensions_off",
    "extension not on the menu's list": "extension_not_listed",
    "extension on the menu's list of restricted ones": "extension_restricted",
    "extension is disabled": "extension_disabled",
    "ring group not on the menu's list": "ring_group_not_listed",
    "menus cannot be dialled": "menu_not_dialable",
    "this menu does not give access to voicemail": "voicemail_off",
    "longer than 15 digits": "too_long",
    "no outbound route of this menu fits": "no_outbound_route",
}
# Why nobody was reached: notes of the topic `failed`, events, outcomes of scenarios.
CAUSES: Words = {"no answer": "no_answer", "limit reached": "limit_reached"}
LEG_RESULTS: Words = {**CAUSES, "answered elsewhere": "answered_elsewhere"}
STAGES: Words = {"come back": "come_back", "timed out": "timed_out", "last words": "last_words"}
TRUNK_REASONS: Words = {
    "not registered": "not_registered",
    "a call came": "call_received",
    "a call was not answered": "call_unanswered",
    "no answer": "no_answer",
    "no response": "no_response",
    "not reachable": "unreachable",
    "name not found": "name_not_found",
    "no address of its family is listened on": "no_local_address",
    "answer not acknowledged": "no_ack",
    "session timer ran out": "session_expired",
}
# Acts and observations of scenarios and transcripts.
VERBS: Words = {"hangs up": "hangs_up", "times out": "times_out"}
RING_GROUP = "ring group "  # stood before a number, where `ring_group ` does now

# Bookmarks of the list of calls had the sentences as slugs.
SLUGS: Words = {
    "invalid_key": "invalid_key",
    "timed_out_hung_up": "menu_timeout",
    "ended_by_the_menu": "end_call",
    "prompt_played_hung_up": "prompt_played",
    "moved_on_20_times_without_a_key": "hop_limit",
    "maximum_call_length": "call_length_limit",
    "destination_not_reached": "destination_unreached",
    "left_the_mailbox": "mailbox_left",
    "called_side_hung_up": "callee_hangup",
    "caller_hung_up": "caller_hangup",
    "transfer_failed_given_back": "transfer_failed",
    "nobody_has_this_number": "unknown_number",
    "no_inbound_route_takes_this_number": "no_inbound_route",
    "no_outbound_route_that_this_extension_may_use_takes_this_number": "no_outbound_route",
    "an_error_of_the_server": "server_error",
    "the_server_was_stopped": "server_stopped",
    "the_server_was_interrupted": "server_interrupted",
}

# Topic and detail of notes whose text had a number in it, which is now their limit.
LIMITS: Mapping[tuple[str, str], int] = {("ended", "hop_limit"): 20, ("invalid", "too_long"): 15}

_DETAILS: Mapping[str, Words] = {"invalid": REFUSALS, "failed": CAUSES, "ended": REASONS}


def detail_code(topic: str, detail: str) -> str:
    """Return the code for the detail of a note; the name of a prompt and the like stay as they are."""
    return _DETAILS.get(topic, {}).get(detail, detail)


def event_codes(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with the code of its cause."""
    return {**event, "cause": CAUSES.get(event["cause"], event["cause"])} if "cause" in event else {**event}


def trunk_code(detail: str) -> tuple[str, str]:
    """Return the code for the state of a trunk, and what the far side said: "403 Forbidden", or nothing."""
    if detail[:3].isdecimal() and detail[3:4] in ("", " "):
        return "rejected", detail
    return TRUNK_REASONS.get(detail, detail), ""


def command_codes(command: Mapping[str, Any]) -> dict[str, Any]:
    """Return a command of the menu core, as `simulate --json` writes it, in codes."""
    changed = dict(command)
    if command.get("command") == "Hangup":
        changed["reason"] = REASONS.get(command["reason"], command["reason"])
    elif command.get("command") == "Note":
        changed["topic"] = TOPICS.get(command["topic"], command["topic"])
        changed["detail"] = detail_code(command["topic"], command["detail"])
        changed.setdefault("limit", LIMITS.get((changed["topic"], changed["detail"]), 0))
    return changed


def step_code(what: str, text: str) -> tuple[str, str]:
    """Return the verb and the text of a step of a scenario in codes. Names and numbers stay as they are."""
    what = VERBS.get(what, what)
    if what == "fails":
        return what, CAUSES.get(text, text)
    if what == "ends":
        return what, REASONS.get(text, text)
    if what == "leaves":
        return what, "message" if text == "a message" else text
    if what in ("rings", "reaches") and text.startswith(RING_GROUP):
        return what, "ring_group " + text.removeprefix(RING_GROUP)
    return what, text


_INPUT = r"(?:key (?P<key>[0-9*#])|(?P<timeout>no key in time)|(?P<invalid>a wrong key))"
_LED = _INPUT + r" led to (?P<type>\S+) ?(?P<name>.*), which "
# Remarks of an import, in the order in which they are tried.
_REMARKS = (
    ("destination_unserved", re.compile(_LED + "is not served here")),
    ("destination_missing", re.compile(_LED + "is not here")),
    (
        "number_invalid",
        re.compile(_LED + r"must, after its prefix, be 1 to 15 digits, with \+ only at the front"),
    ),
    (
        "plays_invalid",
        re.compile(_LED + r"is played from 1 to (?P<high>\d+) times: set the prefix to that number"),
    ),
    (
        "destination_invalid",
        re.compile(_LED + "(?:is required for this destination|is too large|must be .+)"),
    ),
    ("key_prompt_missing", re.compile(_INPUT + " played (?P<prompt>.+), whose sound is not here")),
    ("prompt_missing", re.compile("prompt (?P<prompt>.+) is left out: its sound is not here")),
    (
        "member_missing",
        re.compile(r"(?P<field>\w+_list) named (?P<type>\w+) (?P<name>.+), which is not here"),
    ),
)


def remark_code(line: str) -> dict[str, str]:
    """Return a line of a menu's note as code and parameters. A line of another sort is a text."""
    for code, pattern in _REMARKS:
        if match := pattern.fullmatch(line):
            params = {name: value.strip() for name, value in match.groupdict("").items() if value}
            inputs = {"timeout": "timeout", "invalid": "invalid", "key": params.get("key", "")}
            input_ = [inputs[name] for name in inputs if params.pop(name, "")]
            if "type" in params:
                params.setdefault("name", "")
            return {"code": code, **({"input": input_[0]} if input_ else {}), **params}
    return {"code": "other", "text": line}
