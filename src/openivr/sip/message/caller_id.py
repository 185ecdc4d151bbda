"""Caller ID of an INVITE: From, P-Asserted-Identity, Remote-Party-ID, Privacy, Diversion and History-Info.

RFC 3323 (Privacy), RFC 3325 (P-Asserted-Identity and P-Preferred-Identity), RFC 5806 (Diversion), RFC 7044
(History-Info). Remote-Party-ID never became an RFC (draft-ietf-sip-privacy).
"""

from collections.abc import Iterable
from enum import StrEnum, unique
from typing import NamedTuple

from openivr.sip.message.headers import NameAddr, parameter, read_uri
from openivr.sip.message.message import Request
from openivr.sip.message.phone_number import number_of

WITHHELD = frozenset(("anonymous", "unavailable", "unknown", "restricted", ""))  # users of a hidden caller
_PRIVATE = frozenset(("id", "user", "header"))  # Privacy values that ask to hide the caller


@unique
class CallerIdSource(StrEnum):
    """The header that a trunk's caller ID is taken from. From is used if it is absent or has no number."""

    FROM = "from"
    PAI = "pai"  # P-Asserted-Identity
    PPI = "ppi"  # P-Preferred-Identity
    RPID = "rpid"  # Remote-Party-ID


_HEADERS = {
    CallerIdSource.PAI: "p-asserted-identity",
    CallerIdSource.PPI: "p-preferred-identity",
    CallerIdSource.RPID: "remote-party-id",
}


class ReceivedCallerId(NamedTuple):
    """The number and display name of a caller; both "" if withheld."""

    number: str
    name: str


WITHHELD_CALLER = ReceivedCallerId("", "")


def read_caller_id(request: Request, source: CallerIdSource) -> ReceivedCallerId:
    """Return the caller ID of an INVITE over a trunk."""
    if is_private(request):
        return WITHHELD_CALLER
    for address in _identities(request, source):
        number = number_of(address.uri)
        if number.lower() in WITHHELD:
            continue
        if source is CallerIdSource.RPID:
            privacy = parameter(address.rest, "privacy").lower()
            if privacy in ("full", "uri"):
                return WITHHELD_CALLER
            if privacy == "name":
                return ReceivedCallerId(number, "")
        return ReceivedCallerId(number, address.display)
    return WITHHELD_CALLER


def is_private(request: Request) -> bool:
    """Return True if a Privacy header asks to hide the caller. Its values are separated by ";"."""
    lines = request.headers.get("privacy", ())
    values = {value.strip().lower() for line in lines for value in line.replace(",", ";").split(";")}
    return bool(values & _PRIVATE)


def _identities(request: Request, source: CallerIdSource) -> Iterable[NameAddr]:
    if source is not CallerIdSource.FROM:
        for address in request.addresses(_HEADERS[source]):
            if parameter(address.rest, "party").lower() in ("", "calling"):
                yield address
    yield from request.addresses("from")


def read_diverting_number(request: Request) -> str:
    """Return the number that diverted the call last, by Diversion or History-Info; "" if none did."""
    for address in request.addresses("diversion"):
        return "" if parameter(address.rest, "privacy").lower() in ("full", "uri") else number_of(address.uri)
    entries = [address.uri for address in request.addresses("history-info")]
    if len(entries) < 2:
        return ""
    diverting, target = entries[-2], entries[-1]
    uri = read_uri(diverting)
    if uri is not None and "privacy" in uri.headers.lower():
        return ""
    number = number_of(diverting)
    return number if number != number_of(target) else ""
