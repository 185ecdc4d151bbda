"""Parses REGISTER for the registrar, and writes its result as response headers (RFC 3261 §10)."""

from openivr.sip.address import Target
from openivr.sip.message.headers import parameter, read_address, read_number
from openivr.sip.message.message import Request
from openivr.sip.registrar.registrar import (
    DEFAULT_EXPIRES,
    Binding,
    Contact,
    RegisterRefusal,
    RegisterRequest,
    RegisterSuccess,
)

MAX_TEXT_LENGTH = 500  # of a contact or a Call-ID; no phone sends more
_UNREADABLE = RegisterRefusal(400, "Bad Contact")


def read_register(request: Request, source: Target) -> RegisterRequest | RegisterRefusal:
    """Parse a REGISTER received from `source`."""
    values = request.address_values("contact")
    if len(request.call_id) > MAX_TEXT_LENGTH or (request.get("contact") and not values):
        return _UNREADABLE
    contacts = []
    for value in values:
        contact = None if value.strip() == "*" else _read_contact(value)
        if contact:
            contacts.append(contact)
        elif value.strip() != "*":
            return _UNREADABLE
    return RegisterRequest(
        call_id=request.call_id,
        cseq=request.cseq,
        source=source,
        contacts=tuple(contacts),
        removes_all=len(contacts) < len(values),
        expires=_read_seconds(request.get("expires")),
        symmetric=request.via is not None and "rport" in request.via.parameters,
        user_agent=request.get("user-agent"),
    )


def write_contact(binding: Binding, now: float) -> str:
    """Write a binding as Contact of a 200, with the seconds that it has left."""
    q = "" if binding.q == 1.0 else f";q={binding.q:.3g}"
    instance = f';+sip.instance="{binding.instance}"' if binding.instance else ""
    return f"<{binding.contact}>;expires={max(0, round(binding.expires - now))}{q}{instance}"


def response_headers(result: RegisterSuccess | RegisterRefusal, now: float) -> tuple[tuple[str, str], ...]:
    """Return the headers of the response."""
    if isinstance(result, RegisterSuccess):
        return tuple(("Contact", write_contact(binding, now)) for binding in result.bindings)
    return (("Min-Expires", str(result.min_expires)),) if result.min_expires else ()


def _read_contact(value: str) -> Contact | None:
    address = read_address(value)
    if address is None or len(value) > MAX_TEXT_LENGTH:
        return None
    return Contact(
        address.uri,
        _read_seconds(parameter(address.rest, "expires")),
        _read_q(parameter(address.rest, "q")),
        _read_instance(parameter(address.rest, "+sip.instance")),
    )


def _read_seconds(text: str) -> int | None:
    """Parse an expiry; None if absent. A malformed one is the default (RFC 3261 §10.2.1.1)."""
    if not text:
        return None
    seconds = read_number(text)
    return DEFAULT_EXPIRES if seconds is None else seconds


def _read_q(text: str) -> float:
    try:
        q = float(text or 1)
    except ValueError:
        return 1.0
    return q if 0 <= q <= 1 else 1.0


def _read_instance(text: str) -> str:
    """Return the device identity if it can be written back unchanged, else ""."""
    return text if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text else ""
