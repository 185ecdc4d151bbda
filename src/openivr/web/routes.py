"""Every page of the admin, and the application that serves them."""

from starlette.responses import RedirectResponse, Response

from openivr.observability.metrics import Observer
from openivr.store.auth.tokens import TokenPolicy
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.menu_cache import MenuCache
from openivr.store.caches.non_menu_config import NonMenuConfig
from openivr.store.database import Database
from openivr.web import prompts, search
from openivr.web.calls import pages as calls
from openivr.web.core import assets, audio, auth
from openivr.web.core.middleware import AdminApp
from openivr.web.core.request import AdminContext, PageRequest, PageRoute, ServerInfo
from openivr.web.core.templates import SECTIONS, Templates
from openivr.web.menus import menu_list
from openivr.web.menus import pages as menu
from openivr.web.reports import pages as reports
from openivr.web.resources import autocomplete
from openivr.web.resources import pages as objects
from openivr.web.settings import api_access
from openivr.web.settings import pages as settings
from openivr.web.simulator import pages as phone
from openivr.web.simulator import replay, scenario_tests


async def start(_visit: PageRequest) -> Response:
    """The first page is that of the menus."""
    return RedirectResponse("/menus", 303)


VIEWS: tuple[PageRoute, ...] = (
    PageRoute(path="/", handle=start),
    *auth.VIEWS,
    *search.VIEWS,
    *menu_list.VIEWS,
    *menu.VIEWS,
    *objects.VIEWS,
    *autocomplete.VIEWS,
    *prompts.VIEWS,
    *api_access.VIEWS,
    *settings.VIEWS,
    *phone.VIEWS,
    *scenario_tests.VIEWS,
    *calls.VIEWS,
    *replay.VIEWS,
    *reports.VIEWS,
    *audio.VIEWS,
)


def build(
    database: Database, live: ListCache, policy: TokenPolicy, observer: Observer, told: ServerInfo
) -> AdminApp:
    """The web admin of a worker."""
    files = assets.load()
    served = {view.path for view in VIEWS}
    pages = Templates(files, [section for section in SECTIONS if section.path in served])
    site = AdminContext(
        database, live, MenuCache(live.feed), NonMenuConfig(live.feed), policy, pages, files, told
    )
    return AdminApp(site, VIEWS, observer)
