"""The admin as an ASGI application: session, CSRF check, size limits and security headers around every page.

Only open pages answer a request without a session. The rule is enforced here, so no page can forget it.
"""

import time
from collections.abc import Iterable
from http import HTTPStatus

import structlog
from sqlalchemy import Connection
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from openivr.hours.calendar import Calendar
from openivr.observability.disk_space import is_disk_full
from openivr.observability.metrics import Observer, RequestLine
from openivr.resources.errors import NotFound
from openivr.store.auth import admin
from openivr.store.auth.admin import LoginSession, SessionPolicy
from openivr.store.availability import Unavailable
from openivr.store.caches.calendar_cache import CalendarCache
from openivr.store.caches.change_feed import read_revision
from openivr.store.runtime.registrations import Traffic, count_traffic
from openivr.web.core import assets, resume_form
from openivr.web.core.csrf import (
    HEADERS,
    TOKEN_HEADER,
    csrf_token_of,
    is_csrf_safe,
    is_same_origin,
    read_session_cookie,
)
from openivr.web.core.request import AdminContext, PageRequest, PageRoute, now

log = structlog.get_logger(__name__)
NAME = "web"  # in metrics
FINE, FAILED = 0, -2  # the codes under which metrics count pages
SIGN_IN, PASSWORD = "/sign-in", "/password"
BEFORE_CHANGE = (PASSWORD, "/sign-out")  # pages that are open while the password is a temporary one
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SIGNED = "/provision/"  # what follows lets a phone sign in, and so is not logged
MAX_FIELDS = 50_000  # a menu may name ten thousand extensions in each of its lists


class TooLarge(Exception):
    """The body is longer than the route allows."""


class AdminApp:
    """All pages of the admin."""

    def __init__(self, context: AdminContext, routes: Iterable[PageRoute], observer: Observer) -> None:
        self.context, self.observer = context, observer
        self.routes = [(Route(route.path, ignore, methods=[route.method]), route) for route in routes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started, code = time.perf_counter(), FINE
        request = PageRequest(self.context, Request(scope, receive))
        try:
            response = await self.answer(request)
        except Unavailable as error:
            log.error("page refused: the database does not answer", path=shown_path(scope), reason=str(error))
            is_full = is_disk_full(error)
            code = FAILED
            status = HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.SERVICE_UNAVAILABLE
            response = self.error_page(PageRequest(self.context, request.http), status)
            response.headers["Retry-After"] = "1"
        except Exception as error:
            log.exception("page failed", path=shown_path(scope))
            code = FAILED
            blank = PageRequest(self.context, request.http)  # without the session, which may be the cause
            is_full = is_disk_full(error)
            status = HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.INTERNAL_SERVER_ERROR
            response = self.error_page(blank, status)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        line = RequestLine.of(scope["method"], shown_path(scope), request.client_address)
        self.observer.note(NAME, line, code, time.perf_counter() - started)
        await response(scope, receive, send)

    async def answer(self, request: PageRequest) -> Response:
        if request.http.url.path.startswith(assets.ROOT):
            return self.context.assets.answer(request.http)
        route, status = self.find_route(request.http)
        await self.authenticate(request, extends_session=route is None or route.keeps_session)
        if route is None or not route.is_open:
            redirect = self.require_session(request)
            if redirect is not None:
                return await self.keep_form(request, route) or redirect
        if route is None:
            return self.error_page(request, status)
        try:
            if route.method == "POST":
                await read_body(request, route.max_body)
                if not is_csrf_safe(request):
                    return self.refuse(request)
            return await route.handle(request)
        except TooLarge:
            return self.error_page(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except MultiPartException:
            return self.error_page(request, HTTPStatus.BAD_REQUEST)
        except NotFound:
            return self.error_page(request, HTTPStatus.NOT_FOUND)
        finally:
            await request.form.close()

    async def authenticate(self, request: PageRequest, *, extends_session: bool) -> None:
        """Load the session that the cookie names and, for requests of the administrator, keep it alive."""
        secret = read_session_cookie(request.http)
        if not secret:
            return
        policy, moment = self.context.sessions, now()
        session, traffic, calendar, revision = await self.context.database.read(
            look_up, policy, secret, moment, self.context.calendars
        )
        if session is None:
            return
        request.session, request.traffic, request.csrf_token = session, traffic, csrf_token_of(secret)
        request.calendar, request.revision = calendar, revision
        if extends_session and moment - session.seen >= admin.SEEN_STEP:
            try:
                await self.context.database.change_auth(admin.note_seen, policy, session, moment)
            except Exception as error:
                if not is_disk_full(error):
                    raise
                # The page is shown all the same.
                log.warning("session cannot be kept alive: the disk is full")

    def require_session(self, request: PageRequest) -> Response | None:
        """Redirect to sign-in or to the change of a temporary password, None if neither is due."""
        if request.session is None:
            target = SIGN_IN
        elif request.session.must_change and request.http.url.path not in BEFORE_CHANGE:
            target = PASSWORD
        else:
            return None
        if not request.is_fragment:
            return RedirectResponse(target, 303)
        if request.session is None:  # frame.js keeps the page with its unsent input and shows a notice
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        return Response(headers={"HX-Redirect": target})

    async def keep_form(self, request: PageRequest, route: PageRoute | None) -> Response | None:
        """Return a sign-in page that carries on a form posted after the session expired, None without one."""
        if route is None or route.method != "POST" or request.session or request.is_fragment:
            return None
        if not resume_form.can_resume(request):
            return None
        try:
            await read_body(request, resume_form.MAX_FORM)
        except (TooLarge, MultiPartException):
            return None
        return resume_form.sign_in_page(request) if resume_form.read_resumed(request)[1] else None

    def refuse(self, request: PageRequest) -> Response:
        """Answer a form with a wrong CSRF token.

        A page of ours may be older than the session. Its form is offered to be sent again. A request by
        script gets the current token in a header and repeats itself.
        """
        if request.session is None or not is_same_origin(request.http):
            return self.error_page(request, HTTPStatus.FORBIDDEN)
        if (
            not request.is_fragment
            and resume_form.can_resume(request)
            and resume_form.read_resumed(request)[1]
        ):
            return resume_form.resubmit_page(request)
        response = self.error_page(request, HTTPStatus.FORBIDDEN)
        response.headers[TOKEN_HEADER] = request.csrf_token
        return response

    def find_route(self, http: Request) -> tuple[PageRoute | None, HTTPStatus]:
        """The route of a path and method, or None and the status that says why there is none."""
        status = HTTPStatus.NOT_FOUND
        for pattern, route in self.routes:
            match, child = pattern.matches(http.scope)
            if match is Match.FULL:
                http.scope.update(child)
                return route, HTTPStatus.OK
            if match is Match.PARTIAL:
                status = HTTPStatus.METHOD_NOT_ALLOWED
        return None, status

    def error_page(self, request: PageRequest, status: HTTPStatus) -> Response:
        return request.render("failed.html", status=status.value, code=status.value)


def shown_path(scope: Scope) -> str:
    """The path of a request as logs have it."""
    path: str = scope["path"]
    return SIGNED if path.startswith(SIGNED) else path


def look_up(
    connection: Connection, policy: SessionPolicy, secret: str, moment: int, calendars: CalendarCache
) -> tuple[LoginSession | None, Traffic | None, Calendar | None, int]:
    """Load a cookie's session, and the traffic, default calendar and revision that every page shows."""
    session = admin.find_session(connection, policy, secret, moment)
    if session is None:
        return None, None, None, 0
    return session, count_traffic(connection), calendars.read(connection), read_revision(connection)


async def ignore(_request: Request) -> Response:
    """Placeholder endpoint: Starlette's routes are used for matching only."""
    raise NotImplementedError


async def read_body(request: PageRequest, limit: int) -> None:
    """Read the form or the bytes of a POST. Raises TooLarge beyond `limit` bytes."""
    http = request.http
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await http.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLarge
        return message

    if int(http.headers.get("content-length", "0")) > limit:
        raise TooLarge
    source = Request(http.scope, limited)
    if http.headers.get("content-type", "").partition(";")[0].strip().lower() in FORMS:
        request.form = await source.form(max_files=20, max_fields=MAX_FIELDS, max_part_size=limit)
    else:
        request.body = await source.body()
