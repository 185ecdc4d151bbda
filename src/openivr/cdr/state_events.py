"""Event reports of extensions and trunks: which ring or talk, which are registered. Pure.

P-Series: event-extension-registration-status-changed (30007), event-extension-call-status-changed (30008),
event-trunk-registration-status-changed (30010).
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum, unique
from typing import Any

from openivr.cdr.journal.entries import PLACING
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord
from openivr.store.events.event_types import EventType
from openivr.store.events.outbox import EventReport


@unique
class ExtensionStatus(StrEnum):
    """The status of an extension, in the order of strength: that of its strongest call counts."""

    IDLE = "Idle"
    RINGING = "Ringing"
    BUSY = "Busy"


STRENGTH = {status: index for index, status in enumerate(ExtensionStatus)}
TRUNK_UNKNOWN, TRUNK_IDLE = 0, 1
TRUNK_REGISTRATION_FAILED, TRUNK_UNREACHABLE, ACCOUNT_UNAVAILABLE = 41, 42, 43
TRUNK_KIND, PHONE_KIND = "PJSIP", "Sip"


class ExtensionStates:
    """Follows what each extension does, over all calls of a node."""

    def __init__(self, records: Iterable[CallRecord] = ()) -> None:
        self._calls: dict[str, dict[str, ExtensionStatus]] = {}
        self._extensions: dict[str, dict[str, ExtensionStatus]] = {}
        for record in records:
            list(self.follow(record, 0))

    def follow(self, record: CallRecord, at: int) -> Iterator[EventReport]:
        """Take in the new state of a call. Yield a report for each extension that does something else now."""
        before, after = self._calls.get(record.id, {}), statuses(record)
        if before == after:
            return
        self._calls[record.id] = after
        if not after:
            del self._calls[record.id]
        for number in sorted(before.keys() | after.keys()):
            old = self.status(number)
            calls = self._extensions.setdefault(number, {})
            calls.pop(record.id, None)
            if number in after:
                calls[record.id] = after[number]
            if not calls:
                del self._extensions[number]
            new = self.status(number)
            if new is not old:
                message = {"extension": number, "status": new.value}
                yield EventReport(EventType.EXTENSION_STATUS, at, message, record.id)

    def status(self, number: str) -> ExtensionStatus:
        """Return what an extension does."""
        calls = self._extensions.get(number, {})
        return max(calls.values(), key=STRENGTH.__getitem__, default=ExtensionStatus.IDLE)


def statuses(record: CallRecord) -> dict[str, ExtensionStatus]:
    """Return what the extensions of a call do in it; nothing once it has ended."""
    if record.ended is not None:
        return {}
    status = ExtensionStatus.RINGING if record.stage == PLACING else ExtensionStatus.BUSY
    has_left = any(leg and leg.get("is_caller") for leg in record.legs)
    found = {record.source: status} if record.source_kind == "extension" and not has_left else {}
    for leg in record.legs:
        if leg and leg["kind"] == DestinationKind.EXTENSION and not leg.get("ended"):
            status = ExtensionStatus.BUSY if leg.get("answered") else ExtensionStatus.RINGING
            number = leg["number"]
            found[number] = max(status, found.get(number, ExtensionStatus.IDLE), key=STRENGTH.__getitem__)
    return found


def report_registration(
    number: str, is_registered: bool, at: int, binding: Mapping[str, Any] | None = None
) -> EventReport:
    """Return the report of an extension whose first phone has registered, or whose last one is gone."""
    message = {
        "extension": number,
        "kind": PHONE_KIND,
        "status": "Registered" if is_registered else "Unregistered",
        "registered_ip": host_of(binding or {}),
    }
    return EventReport(EventType.EXTENSION_REGISTRATION, at, message)


def host_of(binding: Mapping[str, Any]) -> str:
    """Return the address of a registered phone, "" if the binding has none."""
    target = binding.get("target")
    return str(target.get("host", "")) if isinstance(target, Mapping) else ""


def report_trunk(trunk: Mapping[str, Any], state: str, detail: str, at: int) -> EventReport:
    """Return the report of a trunk's new state."""
    message = {
        "trunk_name": trunk["name"],
        "kind": TRUNK_KIND,
        "status": trunk_status(trunk["type"], state, detail),
        "registered_ip": f"{trunk['hostname']}:{trunk['port']}" if trunk["hostname"] else "",
    }
    return EventReport(EventType.TRUNK_REGISTRATION, at, message)


def trunk_status(type_: str, state: str, detail: str) -> int:
    """Return the vendor's number of a trunk's state."""
    if state == "up":
        return TRUNK_IDLE
    if state != "down":
        return TRUNK_UNKNOWN
    if type_ == "account":
        return ACCOUNT_UNAVAILABLE
    is_rejected = type_ == "register" and detail == "rejected"
    return TRUNK_REGISTRATION_FAILED if is_rejected else TRUNK_UNREACHABLE
