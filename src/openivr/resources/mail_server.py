"""Mail server: where mail is sent from, and as whom. There is one, so it is no resource with a list.

The P-Series has it in its web pages only; the API does not show it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openivr.resources.errors import Invalid, Problem
from openivr.resources.fields import MISSING, Body, ChoiceField, Field, IntegerField, TextField
from openivr.resources.problem_codes import ProblemCode

# An address as SMTP sends it (RFC 5321 §4.1.2), without quoted names and without what ends a command.
ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
HOST = r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:]+"
DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server. `security` is how the connection is encrypted; `url` that of the web admin, for links.

    The password is kept as it is, because the mail server asks for it.
    """

    server: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str
    url: str
    audio_format: str


FIELDS: tuple[Field, ...] = (
    TextField(name="server", required=True, low=1, high=253, pattern=HOST),
    IntegerField(name="port", low=1, high=65535, default=587),
    ChoiceField(name="security", values=("starttls", "tls", "none"), default="starttls"),
    TextField(name="user", high=255),
    TextField(name="password", high=255, hidden=True),
    TextField(name="sender", required=True, low=3, high=254, pattern=ADDRESS),
    TextField(name="url", high=253, pattern=r"https?://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?"),
    ChoiceField(name="audio_format", values=("mp3", "wav"), default="mp3"),
)
NAMES = tuple(one.name for one in FIELDS)


def read_mail_server(body: Body, stored: MailServer | None = None) -> MailServer:
    """Return the mail server of a form or a file. What it leaves out stays as it is. Raises Invalid."""
    problems: list[Problem] = []
    values = {
        one.name: one.read(body, MISSING if stored is None else getattr(stored, one.name), problems)
        for one in FIELDS
    }
    if "port" not in body and stored is None:
        values["port"] = DEFAULT_PORTS.get(values["security"], values["port"])
    problems += check(values)
    if problems:
        raise Invalid(*problems)
    return MailServer(**values)


def check(values: dict[str, Any]) -> Iterator[Problem]:
    """Check that a password goes with a user and never over an open connection."""
    if values["user"] and values["security"] == "none":
        yield Problem("security", ProblemCode.NEEDS_ENCRYPTION)
    if values["user"] and not values["password"]:
        yield Problem("password", ProblemCode.REQUIRED_BY_OPTIONS)
