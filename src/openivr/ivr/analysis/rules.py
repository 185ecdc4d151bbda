"""The rules of `check`: codes that never change their meaning. Their words are in `words`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

Param = str | int | tuple[str, ...]


@unique
class Severity(StrEnum):
    """The severity of a finding. The names are SARIF's levels."""

    ERROR = "error"  # callers meet something broken
    WARNING = "warning"  # probably not what was meant, or a risk
    NOTE = "note"  # good to know


@unique
class RuleSection(StrEnum):
    """The part of a menu's page that a rule belongs to, where its target is the whole menu."""

    MENU = "menu"
    PROMPTS = "prompts"  # what callers hear, and the time they have to answer
    DIALLING = "dialling"  # the numbers that callers may dial


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding. `code` and `name` are stable, because programs filter by them."""

    code: str
    name: str
    severity: Severity
    section: RuleSection


@unique
class Part(StrEnum):
    """The part of a resource that a finding points to."""

    WHOLE = ""
    KEY = "key"  # `FindingTarget.key` is the key
    NUMBER = "number"  # `FindingTarget.key` is a number that can be dialled
    TIMEOUT = "timeout"
    INVALID = "invalid"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    ALWAYS = "always"  # without ringing


@dataclass(frozen=True, slots=True, order=True)
class FindingTarget:
    """The place of a finding: a resource by type and id, and a part of it."""

    type: str  # as the API names it: "ivr", "extension", "ring_group", "trunk", "inbound_route" ...
    id: int
    part: Part = Part.WHOLE
    key: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake or risk in a configuration.

    `reason` tells the cases of one rule apart, "" where there is one. `params` are the values that the words
    of the finding need: names, numbers, seconds.
    """

    rule: Rule
    target: FindingTarget
    reason: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

RULES: Mapping[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule("IVR101", "unreachable_menu", W, RuleSection.MENU),
        Rule("IVR102", "timeout_loop", W, RuleSection.MENU),
        Rule("IVR103", "no_route_to_person", W, RuleSection.MENU),
        Rule("IVR104", "no_timeout_destination", W, RuleSection.MENU),
        Rule("IVR105", "no_invalid_destination", W, RuleSection.MENU),
        Rule("IVR106", "ring_group_loop", W, RuleSection.MENU),
        Rule("IVR107", "wrong_key_loop", W, RuleSection.MENU),
        Rule("IVR108", "menu_without_keys", W, RuleSection.MENU),
        Rule("IVR109", "unfinished_menu", N, RuleSection.MENU),
        Rule("IVR110", "only_person_without_mailbox", W, RuleSection.MENU),
        Rule("IVR111", "forward_loop", W, RuleSection.MENU),
        Rule("IVR201", "slow_key", N, RuleSection.MENU),
        Rule("IVR202", "hidden_number", W, RuleSection.MENU),
        Rule("IVR203", "number_starts_another", W, RuleSection.DIALLING),
        Rule("IVR301", "missing_prompt", E, RuleSection.PROMPTS),
        Rule("IVR302", "silent_menu", W, RuleSection.PROMPTS),
        Rule("IVR303", "empty_prompt", W, RuleSection.PROMPTS),
        Rule("IVR304", "silent_prompt", W, RuleSection.PROMPTS),
        Rule("IVR305", "quiet_prompt", W, RuleSection.PROMPTS),
        Rule("IVR401", "missing_destination", E, RuleSection.MENU),
        Rule("IVR402", "dead_destination", E, RuleSection.MENU),
        Rule("IVR403", "destination_is_itself", W, RuleSection.MENU),
        Rule("IVR404", "outside_number_without_trunk", E, RuleSection.MENU),
        Rule("IVR405", "missing_list_member", W, RuleSection.DIALLING),
        Rule("IVR406", "no_names", W, RuleSection.MENU),
        Rule("IVR407", "invalid_pattern", E, RuleSection.MENU),
        Rule("IVR408", "import_remark", W, RuleSection.MENU),
        Rule("IVR501", "short_response_timeout", W, RuleSection.PROMPTS),
        Rule("IVR502", "short_digit_timeout", W, RuleSection.PROMPTS),
        Rule("IVR601", "outside_dialling", W, RuleSection.DIALLING),
        Rule("IVR602", "wide_outside_dialling", W, RuleSection.DIALLING),
        Rule("IVR603", "outside_key", N, RuleSection.DIALLING),
        Rule("IVR604", "outside_dialling_without_trunk", N, RuleSection.DIALLING),
        Rule("IVR605", "forward_outside", N, RuleSection.DIALLING),
        Rule("IVR701", "directory_beyond_list", W, RuleSection.MENU),
        Rule("IVR702", "mailbox_without_pin", W, RuleSection.DIALLING),
        Rule("IVR703", "weak_pin", W, RuleSection.DIALLING),
        Rule("IVR704", "key_with_empty_pin_list", E, RuleSection.MENU),
        Rule("IVR705", "short_list_pin", W, RuleSection.MENU),
        Rule("IVR706", "unused_pin_list", N, RuleSection.MENU),
        Rule("IVR801", "impossible_pattern", W, RuleSection.MENU),
        Rule("IVR802", "hidden_inbound_route", W, RuleSection.MENU),
        Rule("IVR803", "number_of_two_routes", W, RuleSection.MENU),
        Rule("IVR804", "no_inbound_trunk", W, RuleSection.MENU),
        Rule("IVR805", "hidden_outbound_route", W, RuleSection.MENU),
        Rule("IVR806", "emergency_number_outside", W, RuleSection.MENU),
        Rule("IVR807", "emergency_number_inside", W, RuleSection.MENU),
        Rule("IVR808", "everyone_blocked", W, RuleSection.MENU),
        Rule("IVR901", "never_open", W, RuleSection.MENU),
        Rule("IVR902", "no_destination_in_period", W, RuleSection.MENU),
        Rule("IVR903", "period_leads_to_itself", W, RuleSection.MENU),
        Rule("IVR904", "useless_hours", W, RuleSection.MENU),
        Rule("IVR905", "holiday_never_comes", W, RuleSection.MENU),
        Rule("IVR906", "forgotten_switch", W, RuleSection.MENU),
        Rule("IVR907", "keys_without_destination_in_period", N, RuleSection.MENU),
        Rule("IVR908", "no_keys_in_period", W, RuleSection.MENU),
        Rule("IVR909", "no_coming_holiday", W, RuleSection.MENU),
        Rule("IVR910", "announcement_over", N, RuleSection.MENU),
    )
}


def finding(code: str, target: FindingTarget, reason: str = "", **params: Param) -> Finding:
    """Make a finding of a rule."""
    return Finding(RULES[code], target, reason, params)
