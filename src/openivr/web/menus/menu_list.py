"""The menus: their list, making one, deleting one."""

from starlette.responses import Response

from openivr.resources.errors import Duplicate, InUse, Invalid
from openivr.resources.ivr import IVR
from openivr.store.config import resources
from openivr.web.core import listing
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import say

PATH = "/menus"
REFUSED, IN_USE = 422, 409
# What a new menu has beside its number and name: it says something and ends a call that nobody steers.
START = {
    "prompt": "default",
    "prompt_repeat": 3,
    "resp_timeout": 5,
    "digit_timeout": 3,
    "dial_ext_option": "disable",
    "timeout_dest": "end_call",
    "invalid_dest": "end_call",
}


async def show_list(visit: PageRequest) -> Response:
    found = await listing.read(visit, IVR, PATH)
    return visit.page("menus.html", where=PATH, listing=found)


async def show_new(visit: PageRequest) -> Response:
    return visit.page("menu/new.html", where=PATH, number="", name="", problems={})


async def create(visit: PageRequest) -> Response:
    number, name = visit.text("number").strip(), visit.text("name").strip()
    body = {**START, "number": number, "name": name}
    try:
        ident = await visit.database.change_config(resources.create, IVR, body)
    except Invalid as error:
        problems = {problem.field: problem.text for problem in error.problems}
    except Duplicate as error:
        kind = say(f"kind.{error.kind}").lower()
        problems = {error.field: say("menus.taken", kind=kind, name=error.name)}
    else:
        return visit.go(f"{PATH}/{ident}", [say("menus.created", number=number, name=name)])
    return visit.page(
        "menu/new.html", status=REFUSED, where=PATH, number=number, name=name, problems=problems
    )


async def ask_delete(visit: PageRequest, status: int = 200) -> Response:
    """What deleting the menu would break."""
    ident = visit.ident()
    values = await visit.database.read(resources.fetch, IVR, ident)
    users = await visit.database.read(resources.users, IVR, ident)
    return visit.page("menu/delete.html", status=status, where=PATH, ident=ident, values=values, users=users)


async def delete(visit: PageRequest) -> Response:
    values = await visit.database.read(resources.fetch, IVR, visit.ident())
    try:
        await visit.database.change_config(resources.delete, IVR, visit.ident())
    except InUse:
        return await ask_delete(visit, IN_USE)
    return visit.go(PATH, [say("object.deleted", label=f"{values['number']} {values['name']}")])


VIEWS = (
    PageRoute(path=PATH, handle=show_list),
    PageRoute(path=PATH + "/new", handle=show_new),
    PageRoute(path=PATH + "/new", handle=create, method="POST"),
    PageRoute(path=PATH + "/{id:int}/delete", handle=ask_delete),
    PageRoute(path=PATH + "/{id:int}/delete", handle=delete, method="POST"),
)
