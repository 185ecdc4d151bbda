"""What an extension does with calls, by its presence: inputs for each status, and a picture in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openivr.resources.destination import OUTSIDE, PARTS, DestinationField
from openivr.resources.fields import Field, Names
from openivr.resources.presence import (
    CONDITIONS,
    FORWARD_TYPES,
    OWN,
    RULES,
    SETTINGS,
    SIDES,
    STATUSES,
    PresenceField,
)
from openivr.web.forms.references import make_destination
from openivr.web.messages import t

DEFAULT_RING = 30  # seconds, where an extension has no valid ring time


@dataclass(frozen=True, slots=True)
class ForwardStep:
    """One step of the picture: an icon and words."""

    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class ForwardLane:
    """What happens to calls from inside or outside, or to all (`label` is "")."""

    label: str
    steps: tuple[ForwardStep, ...]


def rule_field(field: PresenceField, status: str, rule: str) -> DestinationField:
    """Return the part of the field that a form has for one rule."""
    name = f"{field.name}.{status}.{rule}"
    return DestinationField(name=name, stems=(name,), types=("", *FORWARD_TYPES))


def setting_fields(field: PresenceField, status: str) -> Iterator[Field]:
    """Return the parts of the field that a form has for the other settings of a status."""
    for setting in SETTINGS:
        yield replace(setting, name=f"{field.name}.{status}.{setting.name}")


def items_of(body: Mapping[str, Any], field: PresenceField) -> dict[str, dict[str, Any]]:
    """Return the settings of a body, by status."""
    return {item["status"]: item for item in body.get(field.name, ()) if item.get("status") in STATUSES}


def rule_value(item: Mapping[str, Any], rule: str) -> dict[str, str]:
    """Return the destination of a rule as a form has it, with an empty type if the rule is off."""
    stem = f"{rule}_forward"
    if not item.get(f"enb_{stem}", int(not rule.endswith("always"))):
        return {"dest": "", "prefix": "", "value": ""}
    kind = str(item.get(f"{stem}_dest", OWN))
    value = item.get(f"{stem}_num" if kind == OUTSIDE else f"{stem}_value") or item.get(f"{stem}_value", "")
    return {"dest": kind, "prefix": str(item.get(f"{stem}_prefix", "")), "value": str(value)}


def flat_body(body: Mapping[str, Any], field: PresenceField) -> dict[str, Any]:
    """Return the settings of a body by the names of their inputs."""
    flat: dict[str, Any] = {}
    items = items_of(body, field)
    for status in STATUSES:
        item = items.get(status, {})
        for rule in RULES:
            value = rule_value(item, rule)
            flat |= {f"{field.name}.{status}.{rule}{end}": value[part] for part, end in PARTS.items()}
        for setting in SETTINGS:
            flat[f"{field.name}.{status}.{setting.name}"] = item.get(setting.name, setting.default)
    return flat


def draw_lanes(body: Mapping[str, Any], item: Mapping[str, Any], names: Names) -> tuple[ForwardLane, ...]:
    """Draw what happens to calls in one status, in one lane if it is the same inside and outside."""
    outside, inside = (tuple(draw_steps(body, item, side, names)) for side in reversed(SIDES))
    if outside == inside:
        return (ForwardLane("", outside),)
    return (ForwardLane(t("presence.ex"), outside), ForwardLane(t("presence.in"), inside))


def draw_steps(
    body: Mapping[str, Any], item: Mapping[str, Any], side: str, names: Names
) -> Iterator[ForwardStep]:
    """Draw the steps of a call: ringing, and where it goes on."""
    values = {condition: rule_value(item, f"{side}_{condition}") for condition in CONDITIONS}
    has_mailbox = str(body.get("enb_vm", 1)) == "1"
    words = {condition: say_goal(value, names, has_mailbox) for condition, value in values.items()}
    if words["always"]:
        yield ForwardStep(values["always"]["dest"], t("presence.then", goal=words["always"]))
        return
    if item.get("status") != "do_not_disturb":
        yield ring_step(body, item)
        if words["no_answer"] == words["busy"]:
            yield ForwardStep(values["busy"]["dest"], say_then("then", words["busy"]))
            return
        yield ForwardStep(values["no_answer"]["dest"], say_then("no_answer", words["no_answer"]))
    yield ForwardStep(values["busy"]["dest"], say_then("busy", words["busy"]))


def ring_step(body: Mapping[str, Any], item: Mapping[str, Any]) -> ForwardStep:
    """Draw the ringing of the phones, and of the mobile number if it rings too."""
    seconds = str(item.get("ring_timeout") or body.get("ring_timeout") or DEFAULT_RING)
    if str(item.get("enb_ring_mobile", 0)) == "1":
        number = item.get("mobile_number") or body.get("mobile_number", "")
        return ForwardStep("extension", t("presence.rings_with", seconds=seconds, number=number))
    return ForwardStep("extension", t("presence.rings", seconds=seconds))


def say_goal(value: Mapping[str, str], names: Names, has_mailbox: bool) -> str:
    """Return the destination of a rule in words, "" if it forwards nothing."""
    if value["dest"] == OWN and not value["value"]:
        return t("presence.own_mailbox") if has_mailbox else ""
    return make_destination(value, names).words if value["dest"] else ""


def say_then(key: str, goal: str) -> str:
    """Return a step in words. Without a destination the caller hears the reason."""
    return t(f"presence.{key}", goal=goal or t("presence.nowhere"))
