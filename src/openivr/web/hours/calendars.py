"""The choice of a calendar on the pages about hours."""

from collections.abc import Mapping

from openivr.hours.calendar import Calendar
from openivr.resources.errors import NotFound

DEFAULT = 0  # the default calendar
MAX_ID_LENGTH = 9


def read_id(text: str) -> int:
    """Read the id of a calendar, "" for the default one. Raises NotFound."""
    if not text:
        return DEFAULT
    if not text.isascii() or not text.isdigit() or len(text) > MAX_ID_LENGTH:
        raise NotFound(f"calendar {text}")
    return int(text)


def find(calendars: Mapping[int, Calendar], id_: int) -> Calendar:
    """Return a calendar by its id, 0 being the default one. Raises NotFound."""
    if id_ not in calendars:
        raise NotFound(f"calendar {id_}")
    return calendars[id_]


def others(calendars: Mapping[int, Calendar]) -> list[Calendar]:
    """List the calendars beside the default one."""
    return [known for known in calendars.values() if known is not calendars[DEFAULT]]
