"""Findings in English, for the terminal and reports. The web admin has words of its own."""

from collections.abc import Mapping, Sequence

from openivr.ivr.analysis.graph import ALWAYS, BUSY, BY_NUMBER, NO_ANSWER, NO_KEY, WRONG_KEY
from openivr.ivr.analysis.rules import RULES, Finding, FindingTarget, Param, Part, Rule
from openivr.ivr.import_remark import ImportRemark
from openivr.ivr.model import DestinationKind, IvrSnapshot

MAX_LISTED = 4

# Code: title and remedy.
TITLES: Mapping[str, tuple[str, str]] = {
    "IVR101": ("No one can reach this menu", "Point an inbound route or a key to it, or delete it."),
    "IVR102": ("Timeout loop", "Point one of these time-outs to a person, or let it end the call."),
    "IVR103": ("No route to a person or mailbox", "Add a key that rings a person or takes a message."),
    "IVR104": ("No time-out destination", "Choose where callers go who press no key."),
    "IVR105": ("No destination for a wrong key", "Choose where callers go after a wrong key."),
    "IVR106": ("Ring groups lead in a circle", "Point one of them to a mailbox, or let it end the call."),
    "IVR107": ("Wrong-key loop", "Point the wrong key of one of these menus elsewhere."),
    "IVR108": ("No key does anything", "Give keys destinations, or let callers dial extensions."),
    "IVR109": ("Menu not finished", "Choose a greeting, and what each key does."),
    "IVR110": ("Only person has no mailbox", "Enable the mailbox, or add another destination."),
    "IVR111": ("Extensions forward in a circle", "Forward one of them to a mailbox."),
    "IVR201": ("Key responds late", "Use extension numbers that start with another digit."),
    "IVR202": ("Number hidden by a key", "Change the key or the number."),
    "IVR203": (
        "Number starts like another",
        "Use numbers of one length, or different first digits.",
    ),
    "IVR301": ("Missing prompt", "Upload the prompt, or choose another."),
    "IVR302": ("Silent menu", "Choose a prompt that names the keys."),
    "IVR303": ("Empty prompt", "Record or upload it again."),
    "IVR304": ("Silent prompt", "Listen to the file, then record or upload it again."),
    "IVR305": ("Quiet prompt", "Upload it again without keeping the level of the file."),
    "IVR401": ("Missing destination", "Choose another destination."),
    "IVR402": ("Destination cannot take calls", "Enable it, or choose another destination."),
    "IVR403": ("Destination leads back to itself", "Choose another destination."),
    "IVR404": ("No trunk for an outside number", "Add a pattern or a trunk, or correct the number."),
    "IVR405": ("List names something deleted", "Remove it from the list."),
    "IVR406": ("Dial by name without names", "Give extensions names, or point the key elsewhere."),
    "IVR407": ("Invalid dial pattern", "Use X, Z, N, [..], `.` and `!`."),
    "IVR408": (
        "Could not be imported",
        "Set what callers should get instead. The next `openivr pull` then drops this remark.",
    ),
    "IVR501": ("Too little time to answer", "Allow at least 2 seconds after the announcement."),
    "IVR502": ("Too little time between digits", "Allow at least 2 seconds between digits."),
    "IVR601": ("Callers can dial outside", "List only the routes that callers need, and keep limits low."),
    "IVR602": ("Callers can dial any outside number", "Replace `.` and `!` by an X for each digit."),
    "IVR603": ("A key calls outside", "Make sure that you want to pay for these calls."),
    "IVR604": (
        "Outside calls will fail",
        "List a route with an enabled trunk, or turn outside dialling off.",
    ),
    "IVR605": ("Calls are forwarded outside", "Make sure that you want to pay for these calls."),
    "IVR701": ("Dial by name goes beyond the list", "Allow these extensions, or remove the key."),
    "IVR702": ("No mailbox has a PIN", "Set a PIN for each mailbox, or turn mailbox access off."),
    "IVR703": ("Weak PIN", "Choose a PIN that is hard to guess."),
    "IVR704": ("PIN list without PINs", "Add a PIN to the list, or let the key ask for none."),
    "IVR705": ("Short PIN", "Take PINs of at least four digits."),
    "IVR706": ("PIN list without use", "Let a key of a menu ask for a PIN of the list, or delete the list."),
    "IVR801": ("Pattern that no number matches", "Write digits only, or X, Z, N, [..], `.` and `!`."),
    "IVR802": ("Inbound route never used", "Move it up, or make the other route narrower."),
    "IVR803": ("Number on two inbound routes", "Remove the number from one of them."),
    "IVR804": ("No calls come in", "Enable the trunk."),
    "IVR805": ("Outbound route never first", "Move it up, or make the other route narrower."),
    "IVR806": (
        "Emergency number outside",
        "Make sure that such a call arrives. Test it with care.",
    ),
    "IVR807": ("Emergency number inside", "Give it another number."),
    "IVR808": ("Every caller is blocked", "Block fewer numbers, or list those that are always allowed."),
    "IVR901": ("Calendar is never open", "Add business hours, or switch the time condition off."),
    "IVR902": ("Nowhere to go in one period", "Choose a destination for this period."),
    "IVR903": ("Period leads back to the same menu", "Choose another destination for this period."),
    "IVR904": ("Business hours without effect", "Remove one of the spans, or correct it."),
    "IVR905": ("Holiday never comes", "Correct its dates, or delete it."),
    "IVR906": (
        "Switch by hand may be forgotten",
        "Switch back to the calendar, or set an end.",
    ),
    "IVR907": (
        "Keys do nothing in one period",
        "Choose destinations, or say so in the prompt.",
    ),
    "IVR908": (
        "No key does anything in one period",
        "Choose destinations for this period.",
    ),
    "IVR909": ("No holidays ahead", "Import the holidays of the coming year."),
    "IVR910": ("Announcement is over", "Delete it, or give it a new end."),
}

# Code and reason: a sentence. A pair is for one and for several values of the parameter that `COUNTED` names.
TEXTS: Mapping[str, str | tuple[str, str]] = {
    "IVR101": "No inbound route, key or time-out leads here. Only a phone that dials {number} does.",
    "IVR102": "A caller who presses no key goes from {numbers}, and the call ends after {hops} hops.",
    "IVR103": "No key, number or time-out leads to a person, a mailbox or an outside number.",
    "IVR104": "A call is ended when the caller presses no key.",
    "IVR105": "A call is ended after one wrong key.",
    "IVR106": "An unanswered call goes from ring group {numbers}: {seconds} s of ringing in each round.",
    "IVR107": "A caller who presses wrong keys goes from {numbers}.",
    "IVR108": "The menu has no keys, and callers cannot dial numbers. Every key is a wrong key.",
    "IVR109": "No key, time-out or number leads on yet.",
    "IVR110": "Every call ends at extension {number}, which has no mailbox. Unanswered callers reach no one.",
    "IVR111": "Calls are forwarded from extension {numbers}.",
    "IVR201.numbers": (
        "Number {numbers} starts with this key, so the key acts after {seconds} s or #.",
        "Numbers {numbers} start with this key, so the key acts after {seconds} s or #.",
    ),
    "IVR201.outside": "Outside numbers start with this key, so the key acts after {seconds} s or #.",
    "IVR202": "The number {number} cannot be dialled here, because the key wins.",
    "IVR203": (
        "Number {numbers} starts with {number}. A menu waits for more digits after {number}.",
        "Numbers {numbers} start with {number}. A menu waits for more digits after {number}.",
    ),
    "IVR301": "The prompt {prompt} does not exist. Callers will not hear it.",
    "IVR302": "Callers hear nothing for {seconds} s.",
    "IVR303": "The prompt {prompt} has no sound in it.",
    "IVR304": "The prompt {prompt} is silent.",
    "IVR305": "The prompt {prompt} is too quiet on a telephone ({loudness} LUFS).",
    "IVR401": "The {type} with id {id} does not exist.",
    "IVR402.empty_group": "Ring group {number} has no enabled member.",
    "IVR402.disabled": "Extension {number} is disabled.",
    "IVR402.no_mailbox": "Extension {number} has no mailbox.",
    "IVR403": "It leads back to where it comes from.",
    "IVR404": "No route with an enabled trunk takes {number}.",
    "IVR405": "A list of this menu names the {type} with id {id}, which does not exist.",
    "IVR406": "No enabled extension has a name that can be spelled on a keypad.",
    "IVR407.pattern_empty": "The pattern {pattern} is empty. It allows nothing.",
    "IVR407.pattern_bracket": "{pattern}: the bracket in {part} is empty or not closed. It allows nothing.",
    "IVR407.pattern_letter": "{pattern}: {part} has no meaning there. It allows nothing.",
    "IVR407.pattern_set": "{pattern}: {part} is not a set of digits. It allows nothing.",
    "IVR407.pattern_range": "{pattern}: the range {part} is reversed. It allows nothing.",
    "IVR408.destination_unserved": "{input} led to {type} {name}, which is not served here.",
    "IVR408.destination_missing": "{input} led to {type} {name}, which is not here.",
    "IVR408.destination_invalid": "{input} led to {type} {name}, which is not valid here.",
    "IVR408.number_invalid": (
        "{input} led to {type} {name}. "
        "A number has 1 to 15 digits, prefix included, with + only at the front."
    ),
    "IVR408.plays_invalid": "{input} led to {type} {name}. A prompt can be played 1 to {high} times.",
    "IVR408.key_prompt_missing": "{input} played {prompt}, whose sound is not here.",
    "IVR408.prompt_missing": "Prompt {prompt} is left out, because its sound is not here.",
    "IVR408.member_missing": "{field} named {type} {name}, which is not here.",
    "IVR408.other": "{text}",
    "IVR501": "Callers have {seconds} s for the first key after each announcement.",
    "IVR502": "Callers have {seconds} s between two digits of a number.",
    "IVR601.outside": (
        "Any caller ({path}) can dial the pattern {patterns} over route {route} ({limits}).",
        "Any caller ({path}) can dial the patterns {patterns} over route {route} ({limits}).",
    ),
    "IVR601.inside": (
        "A phone that can dial {number} can dial the pattern {patterns} over route {route} ({limits}).",
        "A phone that can dial {number} can dial the patterns {patterns} over route {route} ({limits}).",
    ),
    "IVR603": ("It calls {number} over route {routes}.", "It calls {number} over routes {routes}."),
    "IVR604": "Callers may dial outside, but no route has an enabled trunk. These calls fail.",
    "IVR605": (
        "Calls to extension {number} can go to {to} over route {routes}.",
        "Calls to extension {number} can go to {to} over routes {routes}.",
    ),
    "IVR701": (
        "It reaches extension {extensions}, which cannot be dialled from this menu.",
        "It reaches extensions {extensions}, which cannot be dialled from this menu.",
    ),
    "IVR702": "Callers can dial {number} for their mailbox, but no mailbox has a PIN, so none can be opened.",
    "IVR704": "The key asks for a PIN of {name}, which has none, so it lets nobody through.",
    "IVR705": "{name} has a PIN of {digits} digits, which is soon guessed.",
    "IVR706": "No key asks for a PIN of {name}.",
    "IVR703": "The mailbox of {number} has a PIN that is guessed first: its number, or digits in a row.",
    "IVR801.did": "No called number matches {pattern}.",
    "IVR801.caller": "No caller's number matches {pattern}.",
    "IVR801.listed": "No number matches {pattern}.",
    "IVR802": "Route {route} above it takes every call that this route would take.",
    "IVR802.together": "Routes {routes} above it take every call that this route would take.",
    "IVR803": "Calls to {number} go to route {route} above it.",
    "IVR804": "Every inbound route needs a trunk that is disabled, like {trunk}.",
    "IVR805": "Route {route} above it takes all its numbers. This route is only tried when that one fails.",
    "IVR806.same": "{pattern} takes {number}.",
    "IVR806.changed": "{pattern} takes {number} and dials {sent}, which is not the emergency number.",
    "IVR807": "{number} is an emergency number. Phones that dial it ring inside.",
    "IVR808": "{pattern} blocks every caller who is not among the allowed numbers.",
    "IVR901.no_hours": "The calendar has no business hours, so it is closed at all times.",
    "IVR901.never": "No business hours of the calendar ever open, so it is closed at all times.",
    "IVR902.rejected": "Calls are rejected when the period is {period}.",
    "IVR902.ended": "The call is ended when the period is {period}.",
    "IVR903": "When the period is {period}, it leads to the menu that it belongs to.",
    "IVR904.no_day": "There is no day on which these hours hold.",
    "IVR904.hidden": "Breaks cover all of {span}.",
    "IVR904.overlap": "{span} and {other} overlap.",
    "IVR904.twice": "{span} overlaps {other} of other business hours on the same days.",
    "IVR905.no_day": "There is no day on which it falls.",
    "IVR905.no_time": "Its time of day is empty.",
    "IVR905.over": "It was over on {date}.",
    "IVR906": "It is {period} by hand, without an end, since {days} days ago, by {by}.",
    "IVR907": (
        "Key {keys} is a wrong key when the period is {period}.",
        "Keys {keys} are wrong keys when the period is {period}.",
    ),
    "IVR908": "Every key is a wrong key when the period is {period}, and callers cannot dial numbers.",
    "IVR909": "No holiday falls into the coming {days} days. A year before, some did.",
    "IVR910": "It ended at {date}.",
}
COUNTED = {
    "IVR201": "numbers",
    "IVR203": "numbers",
    "IVR601": "patterns",
    "IVR603": "routes",
    "IVR605": "routes",
    "IVR701": "extensions",
    "IVR907": "keys",
}
LOOPS = ("IVR102", "IVR106", "IVR107", "IVR111")  # their numbers are a path
SAME_TEXT = {"IVR602": "IVR601"}
LIMITS = "at most {simultaneous} at a time, {per_hour} an hour, {per_caller} an hour for one caller"

LABELS = {
    NO_KEY: "no key",
    WRONG_KEY: "wrong key",
    NO_ANSWER: "no answer",
    BUSY: "busy",
    ALWAYS: "always",
    BY_NUMBER: "by number",
}
TYPES = {
    DestinationKind.IVR: "menu",
    DestinationKind.VOICEMAIL: "voicemail",
    "ext_group": "extension group",
    "external_num": "outside number",
    "timezone": "calendar",
    "businesshour": "business hours",
    "group_vm": "group voicemail",
    "outroute": "outbound route",
}
FIELDS = {
    "dial_ext_list": "The list of allowed extensions",
    "restrict_dial_ext_list": "The list of restricted extensions",
    "dial_call_number_list": "The list of ring groups",
    "dial_outb_route_list": "The list of outbound routes",
}
INPUTS = {"timeout": "No key in time", "invalid": "A wrong key"}
PARTS = {
    Part.TIMEOUT: NO_KEY,
    Part.INVALID: WRONG_KEY,
    Part.NO_ANSWER: NO_ANSWER,
    Part.BUSY: BUSY,
    Part.ALWAYS: ALWAYS,
}


def title_of(rule: Rule) -> str:
    """Return the title of a rule."""
    return TITLES[rule.code][0]


def remedy_of(rule: Rule) -> str:
    """Return the advice of a rule."""
    return TITLES[rule.code][1]


def text_of(finding: Finding) -> str:
    """Return the sentence of a finding."""
    code = SAME_TEXT.get(finding.rule.code, finding.rule.code)
    text = TEXTS[f"{code}.{finding.reason}" if finding.reason else code]
    if not isinstance(text, str):
        text = text[len(_items(finding.params, COUNTED[code])) != 1]
    is_loop = code in LOOPS
    values = {name: show_param(name, finding.params, is_loop=is_loop) for name in finding.params}
    if "trunks" in finding.params:
        values["limits"] = show_limits(finding.params)
    return text.format(**values)


def text_of_remark(remark: ImportRemark) -> str:
    """Return the sentence of a remark of an import."""
    return text_of(Finding(RULES["IVR408"], FindingTarget("ivr", 0), remark.code, remark.params))


def show_limits(params: Mapping[str, Param]) -> str:
    """Return the trunks of a route and its limits."""
    names, disabled = _items(params, "trunks"), _items(params, "disabled_trunks")
    trunks = show_list([name + (" (disabled)" if name in disabled else "") for name in names])
    return f"{'trunk' if len(names) == 1 else 'trunks'} {trunks}; {LIMITS.format(**params)}"


def show_param(name: str, params: Mapping[str, Param], *, is_loop: bool = False) -> str:
    """Return a parameter as people read it."""
    value = params[name]
    if name == "path":
        return ", then ".join(show_step(step) for step in _items(params, name))
    if name == "numbers" and is_loop:
        return " to ".join(_items(params, name))
    if name == "type":
        return show_type(str(value))
    if name == "input":
        return show_input(str(value))
    if name == "field":
        return FIELDS.get(str(value), str(value))
    return show_list(value) if isinstance(value, tuple) else str(value)


def show_input(input_: str) -> str:
    """Return what led somewhere, at the start of a sentence: a key, silence, a wrong key or a field."""
    return f"Key {input_}" if len(input_) == 1 else INPUTS.get(input_, input_)


def show_step(step: str) -> str:
    """Return one step of a path: "inbound_route:NAME", or "LABEL:NUMBER" for what leads on from a number."""
    label, _, where = step.partition(":")
    return f"inbound route {where}" if label == "inbound_route" else f"{show_label(label)} in {where}"


def show_target(target: FindingTarget, snapshot: IvrSnapshot) -> str:
    """Return the place of a finding: the resource by number and name, and the part of it."""
    row = _find(target, snapshot)
    name = " ".join(filter(None, (getattr(row, "number", ""), getattr(row, "name", "")))) or str(target.id)
    if (target.type, target.id) == ("timezone", 0):
        return "default calendar"
    part = f", {show_label(PARTS.get(target.part, target.key))}" if target.part else ""
    return f"{show_type(target.type)} {name}{part}"


def show_type(type_: str) -> str:
    """Return the name of a type of resource."""
    return TYPES.get(type_, type_.replace("_", " "))


def show_label(label: str) -> str:
    """Return the name of what leads on: a key, a number, or a code of `graph`."""
    if label in LABELS:
        return LABELS[label]
    return f"key {label}" if len(label) == 1 else f"dialling {label}"


def show_list(items: Sequence[str]) -> str:
    """List a few items in full, and many by the first, the last and the count."""
    if len(items) > MAX_LISTED:
        return f"{items[0]} to {items[-1]} ({len(items)})"
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def _items(params: Mapping[str, Param], name: str) -> tuple[str, ...]:
    value = params[name]
    return value if isinstance(value, tuple) else (str(value),)


def _find(target: FindingTarget, snapshot: IvrSnapshot) -> object:
    rows: Mapping[str, Mapping[int, object]] = {
        "inbound_route": snapshot.inbound_routes,
        "outbound_route": snapshot.outbound_routes,
        "block_numbers": snapshot.block_rules,
        "allow_numbers": snapshot.allow_rules,
        "trunk": snapshot.trunks,
        "timezone": snapshot.calendars,
        "announcement": snapshot.announcements,
        "businesshour": {row.id: row for calendar in snapshot.calendars.values() for row in calendar.hours},
        "holiday": {row.id: row for calendar in snapshot.calendars.values() for row in calendar.holidays},
        "pin_list": snapshot.pin_lists,
    }
    if target.type in rows:
        return rows[target.type].get(target.id)
    return snapshot.find(DestinationKind(target.type), target.id)
