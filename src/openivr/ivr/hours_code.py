"""The feature codes by which phones switch the business hours of the default calendar, or ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.ivr.model import DestinationKind, IvrSnapshot


@unique
class HoursAction(StrEnum):
    """Actions of the feature codes."""

    ASK = "ask"  # say the present period
    OPEN = "open"  # until the calendar itself would change
    CLOSE = "close"  # likewise
    AUTO = "auto"  # follow the calendar again


HOURS_CODES: Mapping[str, HoursAction] = {
    "*99": HoursAction.ASK,  # of the P-Series: Business Hours status
    "*990": HoursAction.AUTO,
    "*991": HoursAction.OPEN,
    "*992": HoursAction.CLOSE,
}


@dataclass(frozen=True, slots=True)
class HoursRequest:
    """A feature code that an extension, by id, has dialled. Extension 0 is no request."""

    action: str = ""  # a `HoursAction`
    extension: int = 0

    def __bool__(self) -> bool:
        """Return True if something is asked for."""
        return self.extension != 0


NO_REQUEST = HoursRequest()


def find_request(snapshot: IvrSnapshot, extension: int, number: str) -> HoursRequest:
    """Return what an extension asks for by a number. `NO_REQUEST`: no code, or it may not switch."""
    action, row = HOURS_CODES.get(number), snapshot.extensions.get(extension)
    if action is None or row is None or not row.may_switch_hours:
        return NO_REQUEST
    return HoursRequest(action, extension)


def find_caller_request(snapshot: IvrSnapshot, caller: str, number: str) -> HoursRequest:
    """Return what a simulated phone asks for: the extension with the caller's number dials a code."""
    owner = snapshot.numbers.get(caller)
    is_phone = owner is not None and owner.kind is DestinationKind.EXTENSION
    return find_request(snapshot, owner.target, number) if owner and is_phone else NO_REQUEST
