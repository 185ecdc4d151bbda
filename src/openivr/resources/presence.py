"""What an extension does with calls while its presence has a status (P-Series: Presence_Setting).

Rules say where calls are forwarded: calls from extensions (`in_`) and all others (`ex_`), always, when busy
and without an answer. A rule is written as `enb_in_busy_forward`, `in_busy_forward_dest`, and the same with
`_prefix`, `_num` and `_value`. Only what differs from the default is stored, with null for
a rule that is off.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from openivr.resources.destination import (
    NOWHERE,
    OUTSIDE,
    TARGETS,
    DestinationField,
    Value,
    as_words,
    from_words,
)
from openivr.resources.errors import Problem
from openivr.resources.fields import (
    MISSING,
    Body,
    Field,
    Find,
    IntegerField,
    InvalidValue,
    Names,
    Reference,
    Schema,
    TextField,
    flag,
)
from openivr.resources.problem_codes import ProblemCode

STATUSES = ("available", "away", "business_trip", "do_not_disturb", "lunch", "off_work")
SIDES = ("in", "ex")
CONDITIONS = ("always", "no_answer", "busy")
RULES = tuple(f"{side}_{condition}" for side in SIDES for condition in CONDITIONS)
OWN_MAILBOX: Value = {"dest": "ext_vm", "prefix": "", "value": ""}
DEFAULTS: Mapping[str, Value] = {rule: NOWHERE if rule.endswith("always") else OWN_MAILBOX for rule in RULES}
FORWARD_TYPES = (
    "ext_vm",
    "extension",
    "ring_group",
    "ivr",
    OUTSIDE,
    "play_greeting",
    "end_call",
)
UNSERVED = ("mobile_number", "queue", "group_vm", "conference", "call_flow")
NONE, OWN = "none", "ext_vm"  # in a configuration file: a rule that is off, and the extension's own mailbox

NUMBER = r"\+?[0-9 ().-]+"
SETTINGS: tuple[Field, ...] = (
    TextField(name="information"),
    IntegerField(name="ring_timeout", low=0, high=300, default=0),
    flag("enb_ring_mobile"),
    TextField(name="mobile_prefix", high=15, pattern="[0-9]+"),
    TextField(name="mobile_number", high=31, pattern=NUMBER),
)
SHORTEST_RING = 5  # seconds; 0 stands for the extension's own


# The setting of a status by default, as a request has it.
DEFAULT_ITEM: Mapping[str, Any] = {
    **{setting.name: setting.default for setting in SETTINGS},
    **{f"enb_{rule}_forward": int(bool(to["dest"])) for rule, to in DEFAULTS.items()},
    **{f"{rule}_forward_dest": OWN for rule in RULES},
}


def rule_of(setting: Mapping[str, Any], rule: str) -> Value:
    """Return where a rule of a stored setting leads, with an empty `dest` if it is off."""
    return setting.get(rule, DEFAULTS[rule]) or NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceField(Field):
    """The settings of all statuses. A request names the statuses and the values that it changes.

    Stored as `{status: {name: value}}`, without defaults. A configuration file that leaves it out changes
    nothing, because files of former releases do, so that an export always has it.
    """

    default: Any = field(default_factory=dict)
    is_kept: bool = True
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> dict[str, Any]:
        """Return the settings after a request."""
        before: dict[str, Any] = {} if stored is MISSING else stored
        if self.name not in body:
            return before
        try:
            return read_settings(body[self.name], before)
        except InvalidValue as bad:
            problems.append(Problem(self.name, bad.code, bad.params))
            return before

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, [serialize_setting(status, value.get(status, {})) for status in STATUSES]

    def references(self, value: Any) -> Iterator[Reference]:
        for setting in value.values():
            for rule in RULES:
                to = setting.get(rule) or NOWHERE
                if to["dest"] in TARGETS and to["value"]:
                    yield Reference(self.name, TARGETS[to["dest"]], int(to["value"]))
                elif to["dest"] == "play_greeting":
                    yield Reference(self.name, "custom_prompt", to["value"])

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, {s: dump_setting(value[s], names) for s in STATUSES if value.get(s)}

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        settings = entry.get(self.name, MISSING)
        if settings is MISSING:
            return {}
        if isinstance(settings, list):  # the API's form, of another server
            return {self.name: settings}
        if not isinstance(settings, dict):
            raise InvalidValue(ProblemCode.NOT_KEYS)
        items = []
        for status, setting in {**{key: {} for key in STATUSES}, **settings}.items():
            try:
                items.append({**DEFAULT_ITEM, **load_setting(str(status), setting, find)})
            except InvalidValue as bad:
                bad.part = str(status)
                raise
        return {self.name: items}

    def schema(self) -> dict[str, Schema]:
        properties: dict[str, Schema] = {"status": {"type": "string", "enum": list(STATUSES)}}
        for setting in SETTINGS:
            properties |= setting.schema()
        for rule in RULES:
            properties |= flag(f"enb_{rule}_forward").schema()
            properties[f"{rule}_forward_dest"] = {"type": "string", "enum": list(FORWARD_TYPES)}
            for part in ("prefix", "num", "value"):
                properties[f"{rule}_forward_{part}"] = {"type": "string", "maxLength": 127}
        item = {"type": "object", "properties": properties, "required": ["status"]}
        return {self.name: {"type": "array", "items": item, "maxItems": len(STATUSES)}}


def read_settings(raw: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored settings after those of a request. Raises InvalidValue."""
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise InvalidValue(ProblemCode.NOT_ROWS)
    after, seen = dict(before), set()
    for number, item in enumerate(raw, 1):
        status = item.get("status")
        if status not in STATUSES:
            raise InvalidValue(ProblemCode.CHOICE, choices=STATUSES, row=number, column="status")
        if status in seen:
            raise InvalidValue(ProblemCode.NAMED_TWICE, row=number, column="status")
        seen.add(status)
        setting = read_setting(number, item, before.get(status, {}))
        if setting:
            after[status] = setting
        else:
            after.pop(status, None)
    return after


def read_setting(number: int, item: Body, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the setting of one status without defaults. The first problem has its row and column."""
    problems: list[Problem] = []
    after: dict[str, Any] = {}
    for setting in SETTINGS:
        value = setting.read(item, before.get(setting.name, setting.default), problems)
        if value != setting.default:
            after[setting.name] = value
    if 0 < after.get("ring_timeout", 0) < SHORTEST_RING:
        problems.append(Problem("ring_timeout", ProblemCode.RANGE, {"low": SHORTEST_RING, "high": 300}))
    for rule in RULES:
        to = read_rule(rule, item, rule_of(before, rule), problems)
        if to != DEFAULTS[rule]:
            after[rule] = to if to["dest"] else None
    for problem in problems:
        raise InvalidValue(problem.code, row=number, column=problem.field, **problem.params)
    return after


def read_rule(rule: str, item: Body, before: Value, problems: list[Problem]) -> Value:
    """Return where a rule leads after a request, with an empty `dest` if it is off."""
    stem = f"{rule}_forward"
    enabled = flag(f"enb_{stem}").read(item, int(bool(before["dest"])), problems)
    if not enabled:
        return dict(NOWHERE)
    kept = before if before["dest"] else OWN_MAILBOX
    kind = item.get(f"{stem}_dest", kept["dest"])
    value = item.get(f"{stem}_value", "") or item.get(f"{stem}_num", "")
    if not any(f"{stem}_{part}" in item for part in ("dest", "prefix", "num", "value")):
        return dict(kept)
    if kind == "ext_vm" and value == "":
        return dict(OWN_MAILBOX)
    sent = {stem: kind, f"{stem}_prefix": item.get(f"{stem}_prefix", ""), f"{stem}_value": value}
    sub: list[Problem] = []
    target = DestinationField(name=stem, stems=(stem,), types=FORWARD_TYPES, unserved=UNSERVED)
    to = target.read(sent, MISSING, sub)
    for problem in sub:  # the type has a name of its own here
        name = f"{stem}_dest" if problem.field == stem else problem.field
        problems.append(Problem(name, problem.code, problem.params, problem.value))
    return to


def serialize_setting(status: str, setting: Mapping[str, Any]) -> dict[str, Any]:
    """Return the setting of one status as the API shows it."""
    shown: dict[str, Any] = {"status": status}
    for rule in RULES:
        to, stem = rule_of(setting, rule), f"{rule}_forward"
        is_outside = to["dest"] == OUTSIDE
        shown |= {
            f"enb_{stem}": int(bool(to["dest"])),
            f"{stem}_dest": to["dest"] or OWN,
            f"{stem}_prefix": to["prefix"],
            f"{stem}_num": to["value"] if is_outside else "",
            f"{stem}_value": "" if is_outside else to["value"],
        }
    return shown | {field_.name: setting.get(field_.name, field_.default) for field_ in SETTINGS}


def dump_setting(setting: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Return the setting of one status for a configuration file."""
    shown = {field_.name: setting[field_.name] for field_ in SETTINGS if field_.name in setting}
    return shown | {rule: show_rule(setting[rule], names) for rule in RULES if rule in setting}


def show_rule(to: Value | None, names: Names) -> str:
    """Return where a rule leads for a configuration file."""
    if not to:
        return NONE
    return OWN if to == OWN_MAILBOX else as_words(to, names)


def load_setting(status: str, setting: Any, find: Find) -> dict[str, Any]:
    """Return the setting of one status of a configuration file as a request has it."""
    if not isinstance(setting, dict):
        raise InvalidValue(ProblemCode.NOT_KEYS)
    known = (*(field_.name for field_ in SETTINGS), *RULES)
    item: dict[str, Any] = {"status": status}
    for name, value in setting.items():
        if name not in known:
            raise InvalidValue(ProblemCode.UNKNOWN_KEY, key=str(name), choices=known)
        item |= load_rule(name, str(value), find) if name in RULES else {name: value}
    return item


def load_rule(rule: str, words: str, find: Find) -> dict[str, Any]:
    """Return a rule of a configuration file as a request has it."""
    stem = f"{rule}_forward"
    if words == NONE:
        return {f"enb_{stem}": 0}
    to = OWN_MAILBOX if words == OWN else from_words(words, find)
    return {f"enb_{stem}": 1, **{f"{stem}_{part}": to[part] for part in ("dest", "prefix", "value")}}
