"""PageRequest, the request as page handlers get it, and PageRoute, a path with its handler.

A family of pages is a module with `ROUTES`. A route needs a signed-in administrator unless it `is_open`.
`core.middleware` has checked the session and the CSRF token before a handler runs.
"""

import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from openivr.clock import lifetime
from openivr.hours.calendar import Calendar
from openivr.observability.disk_space import DiskSpace, DiskState
from openivr.resources.errors import NotFound
from openivr.store.auth.admin import LoginSession, SessionPolicy
from openivr.store.auth.logins import Logins
from openivr.store.caches.calendar_cache import CalendarCache
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.menu_cache import MenuCache
from openivr.store.caches.non_menu_config import NonMenuConfig
from openivr.store.cdr.cdr_lists import CdrLists
from openivr.store.database import Database
from openivr.store.runtime.registrations import Traffic
from openivr.web.core.assets import Assets
from openivr.web.core.office_now import OfficeNow, OfficeNowCache
from openivr.web.core.templates import Templates

FLASH = "openivr-flash"  # cookie with the messages that the next page shows
MAX_FLASH = 2000  # bytes of messages: browsers limit a cookie to 4096
MAX_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Settings of the server that pages show. `keep_days` 0 stores call records for ever."""

    sip: str
    sip_tls: str  # "" if there is none
    rtp_ports: range
    max_calls: int
    keep_days: int
    recordings: Path  # folder of recorded calls on this machine
    listens: tuple[tuple[str, int], ...] = ()  # addresses and ports for UDP and TCP
    listens_tls: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class AdminContext:
    """Everything that the pages of a worker share."""

    database: Database
    live: ListCache
    menus: MenuCache
    office: NonMenuConfig
    logins: Logins
    templates: Templates
    assets: Assets
    server: ServerInfo
    disk: DiskSpace
    calls: CdrLists
    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    calendars: CalendarCache = field(default_factory=CalendarCache)
    office_now: OfficeNowCache = field(default_factory=OfficeNowCache)


@dataclass(slots=True)
class PageRequest:
    """A request for a page. `session` is None on open pages only. Every form carries `csrf_token` as `csrf`.

    `form` has the fields of a posted form, files among them. `body` has the bytes of any other POST.
    """

    app: AdminContext
    http: Request
    session: LoginSession | None = None
    traffic: Traffic | None = None  # shown at the foot of the rail
    calendar: Calendar | None = None  # the default one
    revision: int = 0  # of the configuration, as the database has it
    csrf_token: str = ""
    form: FormData = field(default_factory=FormData)
    body: bytes = b""

    @property
    def database(self) -> Database:
        return self.app.database

    @property
    def disk_state(self) -> DiskState:
        """The state of the disk that the data folder is on."""
        return self.app.disk.state()

    @property
    def office_now(self) -> OfficeNow | None:
        """The line about the office. None if nothing says when it is open."""
        return self.app.office_now.read(self.calendar, int(time.time())) if self.calendar else None

    @property
    def return_path(self) -> str:
        """The path that leads back to this page, "" if it is the answer to a form."""
        url = self.http.url
        if self.http.method != "GET":
            return ""
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def client_address(self) -> str:
        """The client's IP address. A Unix socket counts as 127.0.0.1."""
        return self.http.client.host if self.http.client else "127.0.0.1"

    @property
    def is_fragment(self) -> bool:
        """True if htmx sent the request and takes its part out of the page."""
        return self.http.headers.get("hx-request") == "true"

    def form_text(self, name: str) -> str:
        """A field of the form, "" if it is missing or a file."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    def form_texts(self) -> dict[str, list[str]]:
        """All fields of the form by their names, without files."""
        texts: dict[str, list[str]] = {}
        for name, value in self.form.multi_items():
            if isinstance(value, str):
                texts.setdefault(name, []).append(value)
        return texts

    def query(self, name: str) -> str:
        """A query parameter, "" if it is missing."""
        return self.http.query_params.get(name, "")

    def path_id(self, name: str = "id") -> int:
        """A number in the path, declared there as `{id:int}`."""
        value: int = self.http.path_params[name]
        return value

    def path_text(self, name: str) -> str:
        """A text in the path. Raises NotFound for one that no database can be asked for."""
        value: str = self.http.path_params[name]
        if "\0" in value:
            raise NotFound(name)
        return value

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """The page of a template, which gets this request, the flash messages and `values`."""
        flash = read_flash(self.http.cookies.get(FLASH, ""))
        html = self.app.templates.render(template, request=self, flash=flash, **values)
        response = HTMLResponse(html, status)
        if flash:
            response.delete_cookie(FLASH, path="/", httponly=True, samesite="strict")
        return response

    def redirect(self, path: str, flash: Sequence[str] = ()) -> Response:
        """Redirect after a POST. The next page shows the `flash` messages."""
        response = RedirectResponse(path, 303)
        if flash:
            packed = base64.urlsafe_b64encode(msgspec.json.encode(fit_cookie(flash))).decode()
            secure = self.http.url.scheme == "https"
            response.set_cookie(
                FLASH, packed, max_age=60, path="/", secure=secure, httponly=True, samesite="strict"
            )
        return response


def fit_cookie(flash: Sequence[str]) -> list[str]:
    """As many of the messages as a cookie has room for."""
    fitting: list[str] = []
    room = MAX_FLASH
    for message in flash:
        room -= len(message.encode())
        if room < 0:
            return [*fitting, "…"]
        fitting.append(message)
    return fitting


def read_flash(packed: str) -> list[str]:
    """The messages of a cookie, none if it is not one of ours."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(packed), type=list[str]) if packed else []
    except (ValueError, msgspec.MsgspecError):
        return []


def now() -> int:
    """Return the time for expiry times, in Unix seconds; it never steps."""
    return int(lifetime.now())


Handler = Callable[[PageRequest], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """A path (Starlette's notation: `/menus/{id:int}`), its method and its handler.

    `max_body` limits a POST in bytes. Routes that take files raise it. A route that scripts poll does not
    keep the session alive (`keeps_session`).
    """

    path: str
    handle: Handler
    method: Literal["GET", "POST"] = "GET"
    is_open: bool = False
    max_body: int = MAX_BODY
    keeps_session: bool = True
