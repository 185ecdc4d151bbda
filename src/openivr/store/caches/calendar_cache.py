"""The default calendar, for the line about hours on every page."""

from sqlalchemy import Connection

from openivr.hours.calendar import Calendar
from openivr.store.caches.change_feed import TooManyChanges, read_changes, read_revision
from openivr.store.config.calendars import KINDS_OF_HOURS
from openivr.store.config.ivr_snapshot import load_calendars

DEFAULT = 0


class CalendarCache:
    """Keeps the default calendar, and loads it again after a change of hours, holidays or the switch.

    Threads share it: each takes the newest pair of revision and calendar, or makes one.
    """

    def __init__(self) -> None:
        self._known: tuple[int, Calendar] | None = None

    def read(self, connection: Connection) -> Calendar:
        """Return the calendar that the connection sees. A known revision costs one look at its number."""
        revision, known = read_revision(connection), self._known
        if known and known[0] == revision:
            return known[1]
        if known and is_unchanged(connection, known[0]):
            calendar = known[1]
        else:
            calendar = load_calendars(connection)[DEFAULT]
        self._known = revision, calendar
        return calendar


def is_unchanged(connection: Connection, since: int) -> bool:
    """Return True if the log says that hours, holidays and switches are as they were at a revision."""
    try:
        return not any(kind in KINDS_OF_HOURS for kind, _ in read_changes(connection, since))
    except TooManyChanges:
        return False
