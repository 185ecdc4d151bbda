"""Adapts the keys of a menu, with their PIN lists and what they do in other periods.

A key whose PIN list or calendar is not here is left out: it would be open to every caller, or lead by the
hours of another calendar.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openivr.client.model_types import PERIODS, Destination
from openivr.client.models import Ivr
from openivr.ivr.import_remark import ImportRemark, ImportRemarkCode
from openivr.resources.destination import (
    KEYS_OF_PERIOD,
    OPT_OUT,
    PIN_KEYS,
    TIMED_KEYS,
    DestinationField,
)
from openivr.resources.ivr import KEYS

Fields = dict[str, Any]
Labels = Mapping[tuple[str, int], str]
Adapt = Callable[[DestinationField, Destination, str, list[ImportRemark]], str]
INPUTS = {"hash": "#", "star": "*"}
OPEN = KEYS.name
# In an entry -> the client's name of the destination, and that of the period in a key's condition.
OTHERS = {
    name: (known, period) for known, (period, name) in zip(PERIODS, KEYS_OF_PERIOD.items(), strict=True)
}
NAMES = (OPEN, *OTHERS, TIMED_KEYS)


@dataclass(slots=True)
class KeyAdapter:
    """One pass over the keys of a menu. `here` is the entry of this server, `adapt` adapts a destination."""

    ivr: Ivr
    here: Fields
    labels: Labels
    adapt: Adapt
    notes: list[ImportRemark]
    left_out: list[str] = field(default_factory=list)  # inputs whose calendar is not here

    def fields(self) -> Fields:
        """Return the fields of an entry that the keys make, each of them a mapping or a list."""
        found: dict[str, Fields] = {name: {} for name in (*NAMES, PIN_KEYS)}
        found[PIN_KEYS] |= self.here.get(PIN_KEYS, {})
        if "enb_time_condition" not in self.ivr.sent:  # the PBX knows no conditions: those of here stay
            for name in NAMES[1:]:
                found[name] |= self.here.get(name, {})
        for key, to in self.ivr.keys.items():
            for name, value in self.key(key, to):
                found[name][key] = value
        opted = [key for key, to in self.ivr.keys.items() if to.allow_out_record]
        return {name: value for name, value in {**found, OPT_OUT: opted}.items() if value or name == OPEN}

    def key(self, key: str, to: Destination) -> Iterator[tuple[str, Any]]:
        """Yield what a key adds, by the field of the entry."""
        if to.pin_list_id and ("pin_list", to.pin_list_id) not in self.labels:
            self.note(PIN_KEYS, "pin_list", INPUTS.get(key, key))
            return
        calendar = self.calendar(to)
        if calendar and ("timezone", calendar) not in self.labels:
            yield from self.replaced(key, to)
            return
        if to.pin_list_id:
            yield PIN_KEYS, self.labels["pin_list", to.pin_list_id]
        yield from self.destination(OPEN, KEYS.keys[key], key, to, INPUTS.get(key, key))
        for name, (known, period) in OTHERS.items():
            other = KEYS.conditions[key].periods[period]
            yield from self.destination(name, other, key, to.of_period(known), other.stems[0])
        if to.enb_time_condition:
            yield TIMED_KEYS, self.labels.get(("timezone", to.timezone_id or 0), "")

    def calendar(self, to: Destination) -> int:
        """Return the calendar that a key depends on, 0 for the default one or none."""
        if not self.ivr.enb_time_condition:
            return 0
        if self.ivr.time_condition_scope != "each_key":
            return self.ivr.timezone_id
        return to.timezone_id or 0 if to.enb_time_condition else 0

    def replaced(self, key: str, to: Destination) -> Iterator[tuple[str, Any]]:
        """Yield a key of this server in place of one whose calendar is not here."""
        kept = [(name, self.here[name][key]) for name in NAMES if key in self.here.get(name, {})]
        if kept:
            yield from kept
            return
        self.left_out.append(INPUTS.get(key, key))
        if self.ivr.time_condition_scope == "each_key":
            name = KEYS.conditions[key].timezone[0].name
            self.note(name, "timezone", str(to.timezone_id))

    def destination(
        self, name: str, one: DestinationField, key: str, to: Destination | None, input_: str
    ) -> Iterator[tuple[str, Any]]:
        """Yield the destination of a key in a period, the present one here if it cannot be kept."""
        if to is None:
            return
        lost_here: list[ImportRemark] = []
        words = self.adapt(one, to, input_, lost_here)
        present = self.here.get(name, {})
        if words:
            yield name, words
        elif key in present and lost_here:
            yield name, present[key]
        else:
            self.notes += lost_here

    def note(self, name: str, kind: str, value: str) -> None:
        params = {"field": name, "type": kind, "name": value}
        self.notes.append(ImportRemark(ImportRemarkCode.MEMBER_MISSING, params))
