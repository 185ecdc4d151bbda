"""Call transfer: REFER and its NOTIFY (RFC 3515), Replaces (RFC 3891)."""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, unquote

from openivr.sip.message.headers import read_address, read_parameters, read_uri
from openivr.sip.message.message import PHRASES, Message, Request

_FRAGMENT = re.compile(rb"\s*SIP/2\.0 +([1-6][0-9]{2})")


class Replaces(NamedTuple):
    """The dialog to be replaced; tags as seen by the recipient of the request."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False


def read_replaces(text: str) -> Replaces | None:
    """Read a Replaces header."""
    call_id, _, rest = text.partition(";")
    parameters = read_parameters(";" + rest)
    if not call_id.strip() or not parameters or not {"to-tag", "from-tag"} <= parameters.keys():
        return None
    return Replaces(call_id.strip(), parameters["to-tag"], parameters["from-tag"], "early-only" in parameters)


def write_replaces(replaces: Replaces) -> str:
    """Write the value of a Replaces header."""
    return f"{replaces.call_id};to-tag={replaces.to_tag};from-tag={replaces.from_tag}"


def write_refer_to(target: str, replaces: Replaces | None) -> str:
    """Write a Refer-To value. Replaces becomes an escaped header of the URI."""
    if replaces is None:
        return f"<{target}>"
    return f"<{target}?Replaces={quote(write_replaces(replaces), safe='')}>"


def read_refer_to(text: str) -> tuple[str, Replaces | None] | None:
    """Return the URI to call, without headers, and the dialog to replace; None if it is not for INVITE."""
    address = read_address(text)
    uri = read_uri(address.uri) if address else None
    if address is None or uri is None or uri.parameters.get("method", "INVITE").upper() != "INVITE":
        return None
    for header in uri.headers.split("&"):
        name, _, value = header.partition("=")
        if name.lower() == "replaces":
            replaces = read_replaces(unquote(value))
            return (address.uri.partition("?")[0], replaces) if replaces else None
    return address.uri.partition("?")[0], None


class Referral:
    """A transfer requested by the peer."""

    __slots__ = (
        "_answer",
        "_answered",
        "_done",
        "_notify",
        "no_subscription",
        "referred_by",
        "replaces",
        "uri",
    )

    def __init__(
        self,
        request: Request,
        uri: str,
        replaces: Replaces | None,
        answer: Callable[[int], None],
        notify: Callable[[bytes, bool], None],
    ) -> None:
        self.uri = uri  # the transfer target
        self.replaces = replaces  # attended transfer: the dialog to replace
        self.referred_by = request.get("referred-by")
        self.no_subscription = request.get("refer-sub").lower() == "false"  # RFC 4488: send no NOTIFY
        self._answer = answer
        self._notify = notify
        self._answered = False
        self._done = False

    def accept(self) -> None:
        """Send 202. `report` its progress afterwards."""
        if not self._answered:
            self._answered = True
            self._answer(202)
            self.report(100)

    def reject(self, status: int = 603) -> None:
        """Reject the transfer."""
        if not self._answered:
            self._answered = self._done = True
            self._answer(status)

    def report(self, status: int) -> None:
        """Send NOTIFY with the status of the new call: 1xx any number of times, then one final status."""
        if self._done or not self._answered:
            return
        self._done = status >= 200
        if not self.no_subscription:
            self._notify(write_sipfrag(status), self._done)


def write_sipfrag(status: int) -> bytes:
    """Return the body of a NOTIFY: a status line (message/sipfrag, RFC 3420)."""
    return f"SIP/2.0 {status} {PHRASES.get(status, 'Unknown')}\r\n".encode()


def read_sipfrag(body: bytes) -> int | None:
    """Return the status in the body of a NOTIFY."""
    match = _FRAGMENT.match(body)
    return int(match[1]) if match else None


def is_subscription_terminated(message: Message) -> bool:
    """Return True if a NOTIFY is the last of its subscription."""
    return message.get("subscription-state").partition(";")[0].strip().lower() == "terminated"


def is_refer_event(message: Message) -> bool:
    """Return True if a NOTIFY is about a transfer."""
    return message.get("event").partition(";")[0].strip().lower() == "refer"
