"""The route table of the admin, and its application."""

from openivr.observability.disk_space import DiskSpace
from openivr.observability.metrics import Observer
from openivr.store.auth.logins import Logins
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.menu_cache import MenuCache
from openivr.store.caches.non_menu_config import NonMenuConfig
from openivr.store.cdr.cdr_lists import CdrLists
from openivr.store.database import Database
from openivr.web import contacts, first_steps, prompts, search
from openivr.web.calls import pages as calls
from openivr.web.core import assets, audio, auth
from openivr.web.core.middleware import AdminApp
from openivr.web.core.request import AdminContext, PageRoute, ServerInfo
from openivr.web.core.templates import SECTIONS, Templates
from openivr.web.hours import import_page, week_page
from openivr.web.hours import pages as hours
from openivr.web.menus import menu_list
from openivr.web.menus import pages as menu
from openivr.web.reports import pages as reports
from openivr.web.resources import autocomplete, phone_setup
from openivr.web.resources import pages as objects
from openivr.web.settings import api_access, mail, webhooks
from openivr.web.settings import pages as settings
from openivr.web.simulator import pages as phone
from openivr.web.simulator import replay, scenario_tests, what_if

ROUTES: tuple[PageRoute, ...] = (
    *first_steps.ROUTES,
    *auth.ROUTES,
    *search.ROUTES,
    *menu_list.ROUTES,
    *menu.ROUTES,
    *hours.ROUTES,
    *week_page.ROUTES,
    *import_page.ROUTES,
    *contacts.ROUTES,
    *objects.ROUTES,
    *phone_setup.ROUTES,
    *autocomplete.ROUTES,
    *prompts.ROUTES,
    *api_access.ROUTES,
    *settings.ROUTES,
    *webhooks.ROUTES,
    *mail.ROUTES,
    *phone.ROUTES,
    *scenario_tests.ROUTES,
    *calls.ROUTES,
    *replay.ROUTES,
    *what_if.ROUTES,
    *reports.ROUTES,
    *audio.ROUTES,
)


def build(  # noqa: PLR0913 - what all pages share
    database: Database,
    live: ListCache,
    logins: Logins,
    observer: Observer,
    *,
    server: ServerInfo,
    disk: DiskSpace,
    call_lists: CdrLists,
) -> AdminApp:
    """The web admin of one worker."""
    files = assets.load()
    served = {route.path for route in ROUTES}
    templates = Templates(files, [section for section in SECTIONS if section.path in served])
    menus, office = MenuCache(live.feed), NonMenuConfig(live.feed)
    context = AdminContext(database, live, menus, office, logins, templates, files, server, disk, call_lists)
    return AdminApp(context, ROUTES, observer)
