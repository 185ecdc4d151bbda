"""Numbers of tel and sip URIs (RFC 3966, RFC 4694; RFC 3261, section 19.1.6)."""

import re
from typing import NamedTuple

from openivr.sip.message.headers import Uri, read_uri

# Visual separators, which are not part of a number; a blank is none in RFC 3966, but people write it.
_SEPARATORS = str.maketrans("", "", "-.() ")
_SUBSCRIBER = re.compile(r"\+?[0-9A-F*#(). -]*[0-9*#][0-9A-F*#(). -]*", re.IGNORECASE)
_DIALLED = re.compile(r"\+?[0-9*#(). -]*[0-9*#][0-9*#(). -]*")  # no letters: those are a user name
_PREFIX = re.compile(r"\+[0-9(). -]+")


class PhoneNumber(NamedTuple):
    """A number as it is written in a URI, without visual separators and parameters.

    `context` is the prefix of a phone-context parameter ("+44"), "" without one.
    """

    text: str
    context: str = ""

    @property
    def forms(self) -> tuple[str, ...]:
        """Return the spellings to look the number up by: as written, and with the prefix of its context."""
        if not self.context or self.text.startswith("+"):
            return (self.text,)
        return (self.text, self.context + self.text.removeprefix("0"))


def read_phone_number(uri: Uri) -> PhoneNumber:
    """Return the number of a URI. A user that is no number ("alice") is returned as it is."""
    user, _, rest = uri.user.partition(";")
    is_phone = uri.scheme == "tel" or uri.parameters.get("user", "").lower() == "phone"
    if not (_SUBSCRIBER if is_phone else _DIALLED).fullmatch(user):
        return PhoneNumber(uri.user)
    parameters = uri.parameters if uri.scheme == "tel" else _read_user_parameters(rest)
    context = parameters.get("phone-context", "")
    prefix = context.translate(_SEPARATORS) if _PREFIX.fullmatch(context) else ""
    return PhoneNumber(user.translate(_SEPARATORS), prefix)


def number_of(text: str) -> str:
    """Return the number of a URI, given as text; "" if it is malformed or has none."""
    uri = read_uri(text)
    return read_phone_number(uri).text if uri is not None else ""


def _read_user_parameters(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(";"))
    return {name.lower(): value for name, _, value in parts}
