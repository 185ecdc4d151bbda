"""The switch by hand of each calendar: open, closed or holiday, whatever the calendar says."""

from collections.abc import Mapping
from dataclasses import asdict

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection, insert, select

from openivr.clock import wall_ms
from openivr.hours.calendar import Calendar, ManualSwitch, PeriodKind
from openivr.hours.period import until_next_change
from openivr.resources.resource_type import Values
from openivr.store.database import ConfigTransaction
from openivr.store.events.event_types import EventType
from openivr.store.events.outbox import EventReport
from openivr.store.tables import HOURS_SWITCH

log = structlog.get_logger(__name__)
SWITCHES = "hours_switch"  # beside the kinds of resources in what caches load
PERIODS = (PeriodKind.OPEN, PeriodKind.CLOSED, PeriodKind.HOLIDAY)


def fetch_switches(connection: Connection) -> dict[int, Values]:
    """Return the stored switches by calendar, 0 being the default one."""
    rows = connection.execute(select(HOURS_SWITCH)).mappings()
    names = ("period", "until", "note", "by", "at")
    return {row["timezone_id"]: {name: row[name] for name in names} for row in rows}


def read_switch(values: Values) -> ManualSwitch:
    """Make a switch of its stored values."""
    return ManualSwitch(**{**values, "period": PeriodKind(values["period"])})


def set_switch(
    change: ConfigTransaction, calendar: Calendar, id_: int, switch: ManualSwitch, *, is_until_change: bool
) -> ManualSwitch:
    """Switch a calendar, by its id or 0. With `is_until_change` the next change of the calendar ends it."""
    if is_until_change:
        switch = until_next_change(calendar, switch, switch.at)
    clear(change, id_)
    values = {**asdict(switch), "period": switch.period.value}
    change.connection.execute(insert(HOURS_SWITCH).values(timezone_id=id_, **values))
    change.log("timezone", id_)
    log.info("hours switched", calendar=id_, **values)
    report_switch(change, id_, values)
    return switch


def take_back(change: ConfigTransaction, id_: int, by: str) -> bool:
    """Let a calendar follow its hours again. Return False if it was not switched."""
    is_switched = clear(change, id_)
    change.log("timezone", id_)
    log.info("hours follow the calendar", calendar=id_, by=by)
    report_switch(change, id_, {"by": by})
    return is_switched


def report_switch(change: ConfigTransaction, id_: int, values: Values) -> None:
    """Report a switch to subscribers. An empty period is that of the calendar."""
    message = {"timezone_id": id_, "period": "", "until": None, "note": "", "by": ""} | {
        name: value for name, value in values.items() if name != "at"
    }
    change.report(EventReport(EventType.HOURS_SWITCHED, wall_ms(), message))


def clear(change: ConfigTransaction, id_: int) -> bool:
    """Delete the switch of a calendar."""
    deleted = sa.delete(HOURS_SWITCH).where(HOURS_SWITCH.c.timezone_id == id_)
    return change.connection.execute(deleted).rowcount > 0


def switches_in(kinds: Mapping[str, object]) -> dict[int, ManualSwitch]:
    """Return the switches in what a cache has loaded."""
    rows = kinds.get(SWITCHES)
    return {id_: read_switch(values) for id_, values in dict(rows or ()).items()}  # type: ignore[call-overload]
