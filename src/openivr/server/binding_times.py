"""Times of registrations: steady in the calls process, wall-clock times where they are stored."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openivr import clock
from openivr.sip.registrar.registrar import MAX_EXPIRES, Binding, to_plain

TIMES = ("expires", "refreshed", "since")


@dataclass(frozen=True, slots=True)
class BindingTimes:
    """Converts between the two, so that registrations outlive steps of the wall clock and restarts.

    A stored binding also has the id of the machine's start and the difference of the clocks. A process on
    the same start of the machine gets the steady times back exactly, whatever the wall clock says now.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = clock.steady
    boot_id: str = ""

    def store(self, binding: Binding) -> dict[str, object]:
        """Make plain values of a binding, with times in Unix seconds."""
        offset = self.wall() - self.steady()
        times = {name: getattr(binding, name) + offset for name in TIMES}
        return {**to_plain(binding), **times, "boot": self.boot_id, "offset": offset}

    def load(self, row: Mapping[str, object]) -> dict[str, object]:
        """Convert what `store` made to steady times. Raises ValueError if a time is missing.

        After a new start of the machine the wall clock has to be trusted, but no binding lasts for longer
        than the registrar grants.
        """
        now = self.steady()
        is_same_boot = bool(self.boot_id) and row.get("boot") == self.boot_id
        offset = number(row, "offset") if is_same_boot else self.wall() - now
        times = {name: min(number(row, name) - offset, now) for name in ("refreshed", "since")}
        times["expires"] = min(number(row, "expires") - offset, now + MAX_EXPIRES)
        rest = {name: value for name, value in row.items() if name not in ("boot", "offset")}
        return {**rest, **times}


def number(row: Mapping[str, object], name: str) -> float:
    value = row.get(name)
    if not isinstance(value, int | float):
        raise ValueError(f"no time {name} in a stored registration")
    return float(value)
