"""Trunk: the way to and from the telephone network over SIP."""

from collections.abc import Iterator

from openivr.resources.errors import Problem
from openivr.resources.fields import Body, ChoiceField, IntegerField, SecretField, TextField, flag
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values

LISTED = ("name", "type", "enable", "transport", "hostname", "port")


def keep_password(password: str) -> str:
    """As it is: the server answers its provider's challenges with it, whose realm is not known before."""
    return password


def list_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in LISTED}}


def check(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    """Check that a trunk has the user name or host of its type, and the country code of its number format."""
    needed = {"register": ("hostname", "username"), "peer": ("hostname",), "account": ("username",)}
    for name in needed[values["type"]]:
        if not values[name]:
            yield Problem(name, ProblemCode.REQUIRED_FOR_TRUNK, {"type": values["type"]})
    if values["outbound_number_format"] != "unchanged" and not values["country_code"]:
        yield Problem("country_code", ProblemCode.REQUIRED_BY_OPTIONS)


TRUNK = ResourceType(
    name="trunk",
    paths=("trunk",),
    title="Trunk",
    fields=(
        TextField(name="name", required=True, low=1, high=63),
        ChoiceField(name="type", required=True, values=("register", "peer", "account")),
        flag("enable", default=1),
        ChoiceField(name="transport", values=("udp", "tcp", "tls", "dnsnaptr"), default="udp"),
        TextField(name="hostname", high=253, pattern=r"[A-Za-z0-9.:_\[\]-]+"),
        IntegerField(name="port", low=1, high=65535, default=5060),
        TextField(name="domain", high=253, pattern=r"[A-Za-z0-9.:_\[\]-]+"),
        TextField(name="username", high=63, pattern=r"[^\s@:]+"),
        TextField(name="auth_name", high=63, pattern=r"[^\s:]+"),
        SecretField(name="password", keep=keep_password, low=0, high=127),
        TextField(name="def_outbound_cid", high=31, pattern=r"\+?[0-9]+"),
        IntegerField(name="max_calls", low=0, high=10_000, default=0),
        ChoiceField(name="get_caller_id_from", values=("pai", "from", "ppi", "rpid"), default="pai"),
        flag("follow_redirects", default=0),
        TextField(name="country_code", high=3, pattern=r"[1-9][0-9]*"),
        TextField(name="national_prefix", high=4, pattern=r"[0-9]+", default="0"),
        ChoiceField(
            name="outbound_number_format", values=("unchanged", "e164", "national"), default="unchanged"
        ),
    ),
    listed=LISTED,
    row=list_row,
    sorts=("name",),
    unique=("name",),
    check=check,
)
