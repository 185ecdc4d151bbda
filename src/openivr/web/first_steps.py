"""The checklist that an empty server opens on. It ticks itself, and can be hidden."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from openivr.store.config import first_steps
from openivr.web.core.request import PageRequest, PageRoute

PATH = "/start"
# Where each step is done.
LINKS = {
    "people": "/people/extensions/new",
    "line": "/routes/trunks/new",
    "menu": "/menus/new",
    "number": "/routes/inbound/new",
    "greeting": "/prompts",
    "hours": "/hours/week",
    "call": "/menus",
}
OPTIONAL = ("hours",)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the checklist."""

    name: str
    url: str
    is_done: bool
    is_optional: bool


async def start(request: PageRequest) -> Response:
    """Redirect to the checklist until the server is in use, then to the menus."""
    if await request.database.read(first_steps.is_hidden):
        return RedirectResponse("/menus", 303)
    steps = await request.database.read(first_steps.find_first_steps)
    return RedirectResponse("/menus" if steps.is_in_use else PATH, 303)


async def checklist(request: PageRequest) -> Response:
    found = await request.database.read(first_steps.find_first_steps)
    steps = [Step(name, url, getattr(found, name), name in OPTIONAL) for name, url in LINKS.items()]
    following = next((step.name for step in steps if not step.is_done), "")
    return request.render("start.html", where=PATH, steps=steps, following=following)


async def hide(request: PageRequest) -> Response:
    await request.database.write(first_steps.hide)
    return request.redirect("/menus")


ROUTES = (
    PageRoute(path="/", handle=start),
    PageRoute(path=PATH, handle=checklist),
    PageRoute(path=PATH, handle=hide, method="POST"),
)
