"""Switches business hours for an extension that dials a feature code."""

import structlog
from sqlalchemy import Connection

from openivr.hours.calendar import ManualSwitch, PeriodKind
from openivr.hours.period import PeriodDecision, period
from openivr.ivr.hours_code import HoursAction
from openivr.resources.extension import EXTENSION, full_name
from openivr.resources.secret import matches
from openivr.store.config import hours_switch, resources
from openivr.store.config.calendars import DEFAULT
from openivr.store.config.ivr_snapshot import load_calendars
from openivr.store.database import ConfigTransaction

log = structlog.get_logger(__name__)
PERIODS = {HoursAction.OPEN: PeriodKind.OPEN, HoursAction.CLOSE: PeriodKind.CLOSED}


def find_switcher(connection: Connection, extension: int, pin: str) -> str | None:
    """Return the number and name of an extension that may switch. None: it may not, or the PIN is wrong."""
    values = resources.fetch_many(connection, EXTENSION, [extension]).get(extension)
    if values is None or not values["enb_switch_hours"]:
        return None
    if values["hours_pin"] and not matches(values["hours_pin"], pin):
        return None
    return f"{values['number']} {full_name(values)}".strip()


def switch_by_code(change: ConfigTransaction, action: str, by: str, now: int) -> PeriodDecision:
    """Do what a feature code asks of the default calendar, and return the period that holds then.

    The calendar itself ends the switch with its next change, so that it cannot be forgotten.
    """
    calendar = load_calendars(change.connection)[DEFAULT]
    if action in PERIODS:
        asked = ManualSwitch(PERIODS[HoursAction(action)], None, "", by, now)
        hours_switch.set_switch(change, calendar, DEFAULT, asked, is_until_change=True)
    elif action == HoursAction.AUTO:
        hours_switch.take_back(change, DEFAULT, by)
    return period(now, load_calendars(change.connection)[DEFAULT])


def ask_by_code(connection: Connection, now: int) -> PeriodDecision:
    """Return the present period of the default calendar."""
    return period(now, load_calendars(connection)[DEFAULT])
