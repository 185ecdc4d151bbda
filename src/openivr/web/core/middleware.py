"""What stands in front of every page: who asks, from where the form came, how large it is, and the headers.

A request without a session gets to open pages only, whatever its path: the rule is here and not in pages.
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

from openivr.observability.metrics import Observer, RequestLine
from openivr.resources.errors import NotFound
from openivr.store.auth import admin
from openivr.store.auth.admin import LoginSession, SessionPolicy
from openivr.store.runtime.registrations import Traffic, count_traffic
from openivr.web.core import assets, resume_form
from openivr.web.core.csrf import HEADERS, TOKEN_HEADER, is_own_form, is_own_origin, read_cookie, token_of
from openivr.web.core.request import AdminContext, PageRequest, PageRoute, now

log = structlog.get_logger(__name__)
NAME = "web"  # in metrics
FINE, FAILED = 0, -2  # the codes under which metrics count pages
SIGN_IN, PASSWORD = "/sign-in", "/password"
BEFORE_CHANGE = (PASSWORD, "/sign-out")  # all that may be seen while a given-out password is in force
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MOST_FIELDS = 50_000  # a menu may name ten thousand extensions in each of its lists


class TooLarge(Exception):
    """The body is longer than the view takes."""


class AdminApp:
    """All pages, as an ASGI application."""

    def __init__(self, site: AdminContext, views: Iterable[PageRoute], observer: Observer) -> None:
        self.site, self.observer = site, observer
        self.routes = [(Route(view.path, ignore, methods=[view.method]), view) for view in views]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started, code = time.perf_counter(), FINE
        request = Request(scope, receive)
        try:
            response = await self.answer(request)
        except Exception:
            log.exception("page failed", path=scope["path"])
            code = FAILED
            response = self.fail(PageRequest(self.site, request), HTTPStatus.INTERNAL_SERVER_ERROR)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        line = RequestLine.of(scope["method"], scope["path"], PageRequest(self.site, request).address)
        self.observer.note(NAME, line, code, time.perf_counter() - started)
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        if request.url.path.startswith(assets.ROOT):
            return self.site.assets.answer(request)
        visit = PageRequest(self.site, request)
        view, status = self.find(request)
        await self.recognise(visit, is_asked=view is None or view.keeps_session)
        if view is None or not view.is_open:
            gate = self.gate(visit)
            if gate is not None:
                return await self.keep(visit, view) or gate
        if view is None:
            return self.fail(visit, status)
        try:
            if view.method == "POST":
                await read_body(visit, view.most_body)
                if not is_own_form(visit):
                    return self.refuse(visit)
            return await view.handle(visit)
        except TooLarge:
            return self.fail(visit, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except MultiPartException:
            return self.fail(visit, HTTPStatus.BAD_REQUEST)
        except NotFound:
            return self.fail(visit, HTTPStatus.NOT_FOUND)
        finally:
            await visit.form.close()

    async def recognise(self, visit: PageRequest, *, is_asked: bool) -> None:
        """Find the session of the request's cookie and, where somebody asked for this, keep it alive."""
        secret = read_cookie(visit.request)
        if not secret:
            return
        policy, moment = self.site.sessions, now()
        session, traffic = await self.site.database.read(look_up, policy, secret, moment)
        if session is None:
            return
        visit.session, visit.traffic, visit.token = session, traffic, token_of(secret)
        if is_asked and moment - session.seen >= admin.SEEN_STEP:
            await self.site.database.change_auth(admin.note_seen, policy, session, moment)

    def gate(self, visit: PageRequest) -> Response | None:
        """Where a visitor has to go first; None for one who may come in."""
        path = visit.request.url.path
        if visit.session is None:
            ahead = SIGN_IN
        elif visit.session.must_change and path not in BEFORE_CHANGE:
            ahead = PASSWORD
        else:
            return None
        if not visit.is_fragment:
            return RedirectResponse(ahead, 303)
        if visit.session is None:  # the page stays, with all that is typed into it, and says so
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        return Response(headers={"HX-Redirect": ahead})

    async def keep(self, visit: PageRequest, view: PageRoute | None) -> Response | None:
        """For somebody whose session has ended: the page that keeps what they sent, if there is anything."""
        if view is None or view.method != "POST" or visit.session or visit.is_fragment:
            return None
        if not resume_form.may_keep(visit):
            return None
        try:
            await read_body(visit, resume_form.MOST)
        except (TooLarge, MultiPartException):
            return None
        return resume_form.ask_to_sign_in(visit) if resume_form.read_kept(visit)[1] else None

    def refuse(self, visit: PageRequest) -> Response:
        """A form without the token of this session. One of our own pages may be older than the session: then
        what was sent is offered to be sent again, and a page that asks in place is told the token of now."""
        if visit.session is None or not is_own_origin(visit.request):
            return self.fail(visit, HTTPStatus.FORBIDDEN)
        if not visit.is_fragment and resume_form.may_keep(visit) and resume_form.read_kept(visit)[1]:
            return resume_form.offer(visit)
        response = self.fail(visit, HTTPStatus.FORBIDDEN)
        response.headers[TOKEN_HEADER] = visit.token
        return response

    def find(self, request: Request) -> tuple[PageRoute | None, HTTPStatus]:
        """The view of a path and method, or why there is none."""
        status = HTTPStatus.NOT_FOUND
        for route, view in self.routes:
            match, child = route.matches(request.scope)
            if match is Match.FULL:
                request.scope.update(child)
                return view, HTTPStatus.OK
            if match is Match.PARTIAL:
                status = HTTPStatus.METHOD_NOT_ALLOWED
        return None, status

    def fail(self, visit: PageRequest, status: HTTPStatus) -> Response:
        """A page that says what went wrong."""
        return visit.page("failed.html", status=status.value, code=status.value)


def look_up(
    connection: Connection, policy: SessionPolicy, secret: str, moment: int
) -> tuple[LoginSession | None, Traffic | None]:
    """The session of a cookie and, for the foot of its pages, what goes on."""
    session = admin.find_session(connection, policy, secret, moment)
    return session, count_traffic(connection) if session else None


async def ignore(_request: Request) -> Response:
    """Routes are only asked whether they match."""
    raise NotImplementedError


async def read_body(visit: PageRequest, most: int) -> None:
    """Read the form or the bytes of a POST, up to a limit."""
    request = visit.request
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > most:
            raise TooLarge
        return message

    if int(request.headers.get("content-length", "0")) > most:
        raise TooLarge
    source = Request(request.scope, limited)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() in FORMS:
        visit.form = await source.form(max_files=20, max_fields=MOST_FIELDS, max_part_size=most)
    else:
        visit.body = await source.body()
