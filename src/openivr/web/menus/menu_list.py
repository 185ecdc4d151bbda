"""The menus: their list, making one, deleting one."""

from starlette.responses import Response

from openivr.resources.errors import Duplicate, InUse, Invalid
from openivr.resources.ivr import IVR
from openivr.store.config import resources
from openivr.web.core import listing
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import t

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


async def show_list(request: PageRequest) -> Response:
    found = await listing.read(request, IVR, PATH)
    return request.render("menus.html", where=PATH, listing=found)


async def show_new(request: PageRequest) -> Response:
    return request.render("menu/new.html", where=PATH, number="", name="", problems={})


async def create(request: PageRequest) -> Response:
    number, name = request.form_text("number").strip(), request.form_text("name").strip()
    body = {**START, "number": number, "name": name}
    try:
        ident = await request.database.change_config(resources.create, IVR, body)
    except Invalid as error:
        problems = {problem.field: problem.text for problem in error.problems}
    except Duplicate as error:
        kind = t(f"kind.{error.kind}").lower()
        problems = {error.field: t("menus.taken", kind=kind, name=error.name)}
    else:
        return request.redirect(f"{PATH}/{ident}", [t("menus.created", number=number, name=name)])
    return request.render(
        "menu/new.html", status=REFUSED, where=PATH, number=number, name=name, problems=problems
    )


async def ask_delete(request: PageRequest, status: int = 200) -> Response:
    """What deleting the menu would break."""
    ident = request.path_id()
    values = await request.database.read(resources.fetch, IVR, ident)
    users = await request.database.read(resources.users, IVR, ident)
    return request.render(
        "menu/delete.html", status=status, where=PATH, ident=ident, values=values, users=users
    )


async def delete(request: PageRequest) -> Response:
    values = await request.database.read(resources.fetch, IVR, request.path_id())
    try:
        await request.database.change_config(resources.delete, IVR, request.path_id())
    except InUse:
        return await ask_delete(request, IN_USE)
    return request.redirect(PATH, [t("object.deleted", label=f"{values['number']} {values['name']}")])


ROUTES = (
    PageRoute(path=PATH, handle=show_list),
    PageRoute(path=PATH + "/new", handle=show_new),
    PageRoute(path=PATH + "/new", handle=create, method="POST"),
    PageRoute(path=PATH + "/{id:int}/delete", handle=ask_delete),
    PageRoute(path=PATH + "/{id:int}/delete", handle=delete, method="POST"),
)
