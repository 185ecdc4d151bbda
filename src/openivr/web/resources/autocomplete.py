"""Suggestions while a number or a name is typed."""

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.resources import KINDS
from openivr.resources.fields import CONTROL
from openivr.resources.order import ListQuery
from openivr.store.config import resources
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.parse import target_type

MAX_OPTIONS = 20  # of each kind
MAX_LENGTH = 127


async def suggest(request: PageRequest) -> Response:
    """Options of the types in `kinds`, or for the destination whose type is in the parameter named by `goal`.

    `from` is the name of the parameter with the text.
    """
    kinds = request.query("kinds").split(",")
    if goal := request.query("goal"):
        kinds = [target_type(request.query(goal))]
    text = CONTROL.sub("", request.query(request.query("from"))).strip()[:MAX_LENGTH]
    known = [kind for kind in kinds if kind in KINDS]
    options = await request.database.read(find_options, known, text)
    return request.render("objects/options.html", options=options)


def find_options(connection: Connection, kinds: list[str], text: str) -> list[tuple[str, str]]:
    """The type and the display name of each resource that matches."""
    options, names = [], resources.namer(connection)
    for name in kinds:
        kind = KINDS[name]
        _, rows = resources.search(connection, kind, narrow(text), ListQuery(0, MAX_OPTIONS, kind.sorts[0]))
        options += [(name, names(name, row["id"]).display_name) for row in rows]
    return options


def narrow(text: str) -> str:
    """The number of a chosen option such as "1000 Ada Byron", else the text."""
    start, _, rest = text.partition(" ")
    return start if rest and start.isdecimal() else text


ROUTES = (PageRoute(path="/pick", handle=suggest),)
