"""What `check` can find: a table of rules, whose codes never change their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Severity(StrEnum):
    """How bad a finding is; the names are SARIF's levels."""

    ERROR = "error"  # callers meet something broken
    WARNING = "warning"  # probably not what was meant, or a risk
    NOTE = "note"  # good to know


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding."""

    code: str
    severity: Severity
    title: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `place` is where to look: an object, and the field of it in words."""

    rule: Rule
    place: str
    text: str


E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

RULES: Mapping[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule("IVR101", W, "Menu that nobody comes to", "Lead an inbound route or a key to it, or delete it."),
        Rule(
            "IVR102",
            W,
            "Silence goes round in a circle",
            "Let one of these time-outs ring somebody or hang up.",
        ),
        Rule("IVR103", W, "No way to a person", "Give callers a key that rings somebody or takes a message."),
        Rule("IVR201", N, "Key that waits for more digits", "Use numbers that begin with another digit."),
        Rule("IVR202", W, "Number hidden by a key", "Give the key or the number another digit."),
        Rule("IVR301", E, "Prompt that is missing", "Upload the prompt or choose another."),
        Rule("IVR302", W, "Menu that says nothing", "Choose a prompt that names the keys."),
        Rule("IVR303", W, "Prompt without sound", "Record or upload it again."),
        Rule("IVR401", E, "Destination that is gone", "Choose another destination."),
        Rule("IVR402", E, "Destination that cannot take calls", "Enable it, or choose another destination."),
        Rule("IVR403", W, "Destination that leads back to itself", "Choose another destination."),
        Rule(
            "IVR404",
            E,
            "Outside number that no line takes",
            "Add a pattern or a trunk, or correct the number.",
        ),
        Rule("IVR405", W, "List that names something gone", "Take it off the list."),
        Rule(
            "IVR406",
            W,
            "Dial by name without names",
            "Give extensions names, or the key another destination.",
        ),
        Rule("IVR407", E, "Dial pattern that cannot be read", "Write it with X, Z, N, [..], `.` and `!`."),
        Rule(
            "IVR408",
            W,
            "Something that could not be moved here",
            "Set what callers should get instead; the next `openivr pull` then drops the note.",
        ),
        Rule("IVR501", W, "No time to answer", "Allow at least 2 seconds after the announcement."),
        Rule("IVR502", W, "No time between digits", "Allow at least 2 seconds between digits."),
        Rule(
            "IVR601",
            W,
            "Callers can dial outside",
            "Name only the routes that callers need; keep limits low.",
        ),
        Rule(
            "IVR602",
            W,
            "Callers can dial any outside number",
            "Replace `.` and `!` by X for the digits you mean.",
        ),
        Rule("IVR603", N, "A key calls outside", "Make sure that you want to pay for these calls."),
        Rule(
            "IVR604",
            N,
            "Outside dialling without a line",
            "Name a route with a working trunk, or switch it off.",
        ),
        Rule("IVR701", N, "Dial by name goes beyond the list", "Allow these extensions, or remove the key."),
    )
}


def finding(code: str, place: str, text: str) -> Finding:
    """Make a finding of a rule."""
    return Finding(RULES[code], place, text)
