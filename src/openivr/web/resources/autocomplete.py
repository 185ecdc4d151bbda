"""What fits while somebody types a number or a name: options for the field that asked."""

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.resources import KINDS
from openivr.resources.destination import PLAYS, TARGETS
from openivr.resources.fields import CONTROL
from openivr.resources.order import ListQuery
from openivr.store.config import resources
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.inputs import call

MAX_OPTIONS = 20  # of each kind
MAX_LENGTH = 127


async def pick(request: PageRequest) -> Response:
    """Options of `kinds`, or of what a destination of the type under the name `goal` may lead to.

    `from` is the name of the field, under which its text is sent too.
    """
    kinds = request.query("kinds").split(",")
    if goal := request.query("goal"):
        kinds = [kind_of(request.query(goal))]
    text = CONTROL.sub("", request.query(request.query("from"))).strip()[:MAX_LENGTH]
    known = [kind for kind in kinds if kind in KINDS]
    options = await request.database.read(find_options, known, text)
    return request.render("objects/options.html", options=options)


def kind_of(goal: str) -> str:
    return "custom_prompt" if goal in PLAYS else TARGETS.get(goal, "")


def find_options(connection: Connection, kinds: list[str], text: str) -> list[tuple[str, str]]:
    """The kind and the name, as it may be typed, of each object that fits."""
    found, names = [], resources.namer(connection)
    for name in kinds:
        kind = KINDS[name]
        _, rows = resources.search(connection, kind, narrow(text), ListQuery(0, MAX_OPTIONS, kind.sorts[0]))
        found += [(name, call(*names(name, row["id"]))) for row in rows]
    return found


def narrow(text: str) -> str:
    """Of "1000 Ada Byron", which was chosen and may be changed now, the number."""
    start, _, rest = text.partition(" ")
    return start if rest and start.isdecimal() else text


ROUTES = (PageRoute(path="/pick", handle=pick),)
