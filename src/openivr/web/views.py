"""Every page of the admin, and the application that serves them."""

from starlette.responses import RedirectResponse, Response

from openivr.observe import Observer
from openivr.store.database import Database
from openivr.store.live import Live
from openivr.store.live_menus import LiveMenus
from openivr.store.surroundings import Office
from openivr.store.tokens import TokenPolicy
from openivr.web import (
    access,
    assets,
    calls,
    cases,
    menu,
    menus,
    objects,
    phone,
    pick,
    prompts,
    replay,
    reports,
    search,
    settings,
    sign,
    sound,
)
from openivr.web.pages import SECTIONS, Pages
from openivr.web.server import Web
from openivr.web.view import Site, Told, View, Visit


async def start(_visit: Visit) -> Response:
    """The first page is that of the menus."""
    return RedirectResponse("/menus", 303)


VIEWS: tuple[View, ...] = (
    View(path="/", handle=start),
    *sign.VIEWS,
    *search.VIEWS,
    *menus.VIEWS,
    *menu.VIEWS,
    *objects.VIEWS,
    *pick.VIEWS,
    *prompts.VIEWS,
    *access.VIEWS,
    *settings.VIEWS,
    *phone.VIEWS,
    *cases.VIEWS,
    *calls.VIEWS,
    *replay.VIEWS,
    *reports.VIEWS,
    *sound.VIEWS,
)


def build(database: Database, live: Live, policy: TokenPolicy, observer: Observer, told: Told) -> Web:
    """The web admin of a worker."""
    files = assets.load()
    served = {view.path for view in VIEWS}
    pages = Pages(files, [section for section in SECTIONS if section.path in served])
    site = Site(database, live, LiveMenus(live), Office(live), policy, pages, files, told)
    return Web(site, VIEWS, observer)
