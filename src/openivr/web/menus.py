"""The menus: their list, making one, deleting one."""

from starlette.responses import Response

from openivr.objects.ivr import IVR
from openivr.web import listing
from openivr.web.view import View, Visit

PATH = "/menus"


async def show_list(visit: Visit) -> Response:
    found = await listing.read(visit, IVR, PATH)
    return visit.page("menus.html", where=PATH, listing=found)


VIEWS = (View(path=PATH, handle=show_list),)
