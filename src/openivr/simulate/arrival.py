"""Calls from the outside as people describe them: numbers as they type them, and trunks by name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from openivr.ivr.inbound_route import IncomingCall, Routing, explain_inbound
from openivr.ivr.model import IvrSnapshot, Trunk
from openivr.ivr.number_rule import ANONYMOUS

WITHHELD = "withheld"
MAX_NUMBER = 64  # characters
_BLANKS = str.maketrans("", "", " \t\u00a0/")  # between the digits of a number that a person writes
_SEPARATORS = str.maketrans("", "", "-.()")  # the visual separators of RFC 3966, which trunks may send
_NUMBER = re.compile(r"\+?[0-9*#().-]*[0-9*#][0-9*#().-]*")


class UnusableNumber(ValueError):
    """Raised for a text that is no number which a call can have."""


def read_number(text: str) -> str:
    """Return a called number as a trunk delivers it, without separators. A name stays as it is.

    Raises UnusableNumber.
    """
    number = text.strip()
    together = number.translate(_BLANKS)
    if _NUMBER.fullmatch(together):
        number = together.translate(_SEPARATORS)
    if not 0 < len(number) <= MAX_NUMBER or not number.isprintable():
        raise UnusableNumber(f"{shorten(text)!r} is not a number")
    return number


def read_caller(text: str) -> str:
    """Return a caller's number as a trunk delivers it, "" for one that is withheld. Raises UnusableNumber."""
    if text.strip().lower() in ("", WITHHELD, ANONYMOUS):
        return ""
    return read_number(text)


class UnusableMoment(ValueError):
    """Raised for a text that is no moment of a call."""


def read_moment(snapshot: IvrSnapshot, text: str) -> float:
    """Return a moment such as "2026-12-24 17:59" in Unix seconds. Raises UnusableMoment.

    The time is that of the default calendar, unless the text has an offset from UTC.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UnusableMoment(f'{shorten(text)!r} is no time such as "2026-12-24 17:59"') from error
    if not 1970 < moment.year < 2200:
        raise UnusableMoment(f"{shorten(text)!r} is not between 1971 and 2199")
    calendar = snapshot.calendars.get(0)
    zone = calendar.clock if calendar else UTC
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def show_moment(snapshot: IvrSnapshot, moment: float) -> str:
    """Return a moment as a clock of the default calendar's zone shows it."""
    calendar = snapshot.calendars.get(0)
    return f"{datetime.fromtimestamp(moment, calendar.clock if calendar else UTC):%Y-%m-%d %H:%M}"


def write_moment(snapshot: IvrSnapshot, moment: int) -> str:
    """Return a moment in Unix seconds as `read_moment` reads it, with the offset if an hour comes twice."""
    calendar = snapshot.calendars.get(0)
    at = datetime.fromtimestamp(moment, calendar.clock if calendar else UTC)
    text = f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    return text if read_moment(snapshot, text) == moment else at.isoformat(" ")


def shorten(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= MAX_NUMBER else text[:MAX_NUMBER] + "..."


def find_trunk(snapshot: IvrSnapshot, name: str) -> Trunk | None:
    """Return the trunk of a name, without regard to case if that names one alone."""
    trunks = [*snapshot.trunks.values()]
    same = [trunk for trunk in trunks if trunk.name == name]
    alike = [trunk for trunk in trunks if trunk.name.casefold() == name.strip().casefold()]
    return same[0] if same else alike[0] if len(alike) == 1 else None


def describe_call(snapshot: IvrSnapshot, trunk: str, called: str, caller: str) -> IncomingCall | None:
    """Describe a call over a trunk of this name. None: there is no such trunk. Raises UnusableNumber."""
    row = find_trunk(snapshot, trunk)
    return IncomingCall(row.id, (read_number(called),), read_caller(caller)) if row else None


@dataclass(frozen=True, slots=True)
class RoutedCall:
    """A call and its routing, which is the same over each of these trunks."""

    trunks: tuple[Trunk, ...]
    call: IncomingCall  # over the first of them
    routing: Routing


def route_over(
    snapshot: IvrSnapshot, trunks: Iterable[Trunk], called: str, caller: str, moment: float = 0
) -> list[RoutedCall]:
    """Route a call over each of these trunks. Trunks over which the same happens share a result."""
    routed: list[RoutedCall] = []
    for trunk in trunks:
        call = IncomingCall(trunk.id, (called,), caller, moment=moment)
        routing = explain_inbound(snapshot, call)
        same = next((place for place, other in enumerate(routed) if is_same(other.routing, routing)), None)
        if same is None:
            routed.append(RoutedCall((trunk,), call, routing))
        else:
            other = routed[same]
            routed[same] = RoutedCall((*other.trunks, trunk), other.call, other.routing)
    return routed


def is_same(first: Routing, second: Routing) -> bool:
    """Return True if the trunks behave alike and each route says the same."""
    heads = [(routing.steps[0].effect, routing.steps[0].reason) for routing in (first, second)]
    return heads[0] == heads[1] and first.steps[1:] == second.steps[1:]


def usual_trunks(snapshot: IvrSnapshot) -> list[Trunk]:
    """Return the trunks that calls come over: the enabled ones, or all if none is enabled."""
    trunks = [*snapshot.trunks.values()]
    return [trunk for trunk in trunks if trunk.enabled] or trunks
