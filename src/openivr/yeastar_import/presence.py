"""Settings of an extension's presence statuses, adapted to an entry for an import."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openivr.client.model_types import Destination
from openivr.resources.destination import OUTSIDE, DestinationField
from openivr.resources.fields import MISSING
from openivr.resources.presence import (
    FORWARD_TYPES,
    NONE,
    OWN,
    RULES,
    SETTINGS,
    STATUSES,
    UNSERVED,
)
from openivr.yeastar_import import fields
from openivr.yeastar_import.remarks import Remark

Adapt = Callable[[DestinationField, Destination, str], str]  # a destination in an entry's words, "" if lost


def adapt_presence(
    items: Iterable[Any], about: str, adapt: Adapt, remarks: list[Remark]
) -> dict[str, dict[str, Any]]:
    """Return the settings by status. A rule whose destination is lost is left out, so the default holds."""
    entry: dict[str, dict[str, Any]] = {}
    for item in items:
        status = item.get("status") if isinstance(item, Mapping) else None
        if status not in STATUSES:
            continue
        setting = entry[status] = {}
        for field in SETTINGS:
            if field.name in item:
                value, lost = fields.fit(field, item[field.name], f"{about}, {status}")
                remarks += lost
                if value is not MISSING and value != field.default:
                    setting[field.name] = value
        for rule in RULES:
            words = adapt_rule(item, rule, f"{rule} of {status}", adapt)
            if words:
                setting[rule] = words
    return {status: setting for status, setting in entry.items() if setting}


def adapt_rule(item: Mapping[str, Any], rule: str, name: str, adapt: Adapt) -> str:
    """Return where a rule leads in an entry's words, "" if it is not sent or lost."""
    stem = f"{rule}_forward"
    if str(item.get(f"enb_{stem}", "")) == "0":
        return NONE
    kind, value = str(item.get(f"{stem}_dest", "")), str(item.get(f"{stem}_value", ""))
    if f"enb_{stem}" not in item or not kind:
        return ""
    if kind == OWN and not value:
        return OWN
    if kind == OUTSIDE:
        value = value or str(item.get(f"{stem}_num", ""))
    to = Destination(dest=kind, prefix=str(item.get(f"{stem}_prefix", "")), value=value)
    return adapt(DestinationField(name=stem, stems=(stem,), types=FORWARD_TYPES, unserved=UNSERVED), to, name)
