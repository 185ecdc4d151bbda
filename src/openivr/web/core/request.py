"""What a page is: a path with a handler. What the handler is given: a visit. What it answers: a response.

A family of pages is a module with `VIEWS`. Each view is for signed-in administrators unless it says that it
is open; `server` has checked that, and that a form was sent from one of our own pages, before a handler runs.
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

from openivr.store.auth.admin import LoginSession, SessionPolicy
from openivr.store.auth.tokens import TokenPolicy
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.menu_cache import MenuCache
from openivr.store.caches.non_menu_config import NonMenuConfig
from openivr.store.database import Database
from openivr.store.runtime.registrations import Traffic
from openivr.web.core.assets import Assets
from openivr.web.core.templates import Templates

TOLD = "openivr-told"  # the cookie with what the next page says of what was done
MOST_TOLD = 2000  # characters: a cookie has room for no more
MOST_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What the server was told about calls, for people to see. `keep_days` 0 keeps records for ever."""

    sip: str
    sip_tls: str  # "" where there is none
    rtp_ports: range
    max_calls: int
    keep_days: int
    recordings: Path  # the folder of recorded calls on this machine


@dataclass(frozen=True, slots=True)
class AdminContext:
    """What pages work with: one per worker."""

    database: Database
    live: ListCache
    menus: MenuCache
    office: NonMenuConfig
    policy: TokenPolicy
    pages: Templates
    assets: Assets
    told: ServerInfo
    sessions: SessionPolicy = field(default_factory=SessionPolicy)


@dataclass(slots=True)
class PageRequest:
    """One request. `session` is None on open pages alone; `token` goes into every form as `csrf`.

    `form` has the fields of a POST, files among them; `body` the bytes of one that is no form.
    """

    site: AdminContext
    request: Request
    session: LoginSession | None = None
    traffic: Traffic | None = None  # for the foot of the rail
    token: str = ""
    form: FormData = field(default_factory=FormData)
    body: bytes = b""

    @property
    def database(self) -> Database:
        return self.site.database

    @property
    def address(self) -> str:
        """The caller's; a Unix socket has none."""
        return self.request.client.host if self.request.client else "127.0.0.1"

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks, which takes its part out of the page."""
        return self.request.headers.get("hx-request") == "true"

    def text(self, name: str) -> str:
        """A field of the form, "" where it is missing or a file."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    def query(self, name: str) -> str:
        """A parameter of the address, "" where it is missing."""
        return self.request.query_params.get(name, "")

    def ident(self, name: str = "id") -> int:
        """A number in the path, declared there as `{id:int}`."""
        value: int = self.request.path_params[name]
        return value

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page of a template, which has the visit and these values."""
        told = read_told(self.request.cookies.get(TOLD, ""))
        html = self.site.pages.render(template, visit=self, told=told, **values)
        response = HTMLResponse(html, status)
        if told:
            response.delete_cookie(TOLD, path="/", httponly=True, samesite="strict")
        return response

    def go(self, path: str, told: Sequence[str] = ()) -> Response:
        """Send the browser on to another page, which says what was done."""
        response = RedirectResponse(path, 303)
        if told:
            packed = base64.urlsafe_b64encode(msgspec.json.encode(shorten(told))).decode()
            secure = self.request.url.scheme == "https"
            response.set_cookie(
                TOLD, packed, max_age=60, path="/", secure=secure, httponly=True, samesite="strict"
            )
        return response


def shorten(told: Sequence[str]) -> list[str]:
    """As many of the sentences as a cookie has room for."""
    kept: list[str] = []
    room = MOST_TOLD
    for sentence in told:
        room -= len(sentence.encode())
        if room < 0:
            return [*kept, "…"]
        kept.append(sentence)
    return kept


def read_told(packed: str) -> list[str]:
    """The sentences of a cookie; none where it is not one of ours."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(packed), type=list[str]) if packed else []
    except (ValueError, msgspec.MsgspecError):
        return []


def now() -> int:
    """Unix seconds."""
    return int(time.time())


Handler = Callable[[PageRequest], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """A path (Starlette's notation: `/menus/{id:int}`), its method and its handler.

    `most_body` is how many bytes a POST may have: raise it where files are sent. What a page asks by itself,
    without anybody there, does not keep a session from going idle.
    """

    path: str
    handle: Handler
    method: Literal["GET", "POST"] = "GET"
    is_open: bool = False
    most_body: int = MOST_BODY
    keeps_session: bool = True
