"""Pages to sign in, sign out and change the password."""

from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from openivr.resources.errors import NotFound
from openivr.resources.secret import hash_password
from openivr.store.auth import admin, tokens
from openivr.store.auth.logins import LoginResult, TooManyLogins
from openivr.web.core.csrf import clear_session_cookie, csrf_token_of, set_session_cookie
from openivr.web.core.request import PageRequest, PageRoute, now
from openivr.web.core.resume_form import MAX_FORM, RESUME, resubmit_page, sign_in_page
from openivr.web.messages import t

log = structlog.get_logger(__name__)
MIN_PASSWORD, MAX_PASSWORD = 10, 200  # characters of a password


async def sign_in_form(request: PageRequest) -> Response:
    if request.session is not None:
        return RedirectResponse("/", 303)
    return request.render("sign_in.html", name="", problem="")


async def sign_in(request: PageRequest) -> Response:
    """Start a session if the password is right."""
    result = await check_sign_in(request)
    if isinstance(result, SignInRefused):
        return request.render("sign_in.html", status=result.status, name=result.name, problem=result.problem)
    response = RedirectResponse("/", 303)
    set_session_cookie(request, response, result)
    return response


async def sign_in_again(request: PageRequest) -> Response:
    """Start a session and show the form that was posted after the last one expired."""
    result = await check_sign_in(request)
    if isinstance(result, SignInRefused):
        return sign_in_page(request, status=result.status, name=result.name, problem=result.problem)
    request.csrf_token = csrf_token_of(result)
    response = resubmit_page(request, status=200)
    set_session_cookie(request, response, result)
    return response


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """A refused sign-in: the name that was typed, the message to show and the HTTP status."""

    name: str
    problem: str
    status: int


async def check_sign_in(request: PageRequest) -> str | SignInRefused:
    """Start a session and return its secret. Failures are counted by address, apart from the API's."""
    moment = now()
    name, password = request.form_text("name").strip(), request.form_text("password")
    try:
        result = await check_password(request, name, password)
    except TooManyLogins:
        return SignInRefused(name, t("sign_in.busy"), 429)
    if result.is_right:
        secret: str = await request.database.change_auth(admin.sign_in, name, moment)
        log.info("signed in", admin=name, address=request.client_address)
        return secret
    log.warning("sign-in refused", address=request.client_address)
    if result.blocked_until is None:
        return SignInRefused(name, t("sign_in.wrong"), 401)
    minutes = -(-(result.blocked_until - moment) // 60)
    return SignInRefused(name, t("sign_in.blocked", count=minutes), 429)


async def check_password(request: PageRequest, name: str, password: str) -> LoginResult:
    """Check an administrator's password. An unknown name takes equally long. Raises TooManyLogins."""
    find = partial(find_hash, name=name)
    address, text = request.client_address, password[:MAX_PASSWORD]
    return await request.app.logins.check(address, find, text, tokens.ADMIN)


def find_hash(connection: Connection, name: str) -> str | None:
    try:
        return admin.find(connection, name).password_hash
    except NotFound:
        return None


async def sign_out(request: PageRequest) -> Response:
    """End this session or, with `everywhere`, all sessions of this administrator."""
    if request.session is not None:
        if request.form_text("everywhere"):
            await request.database.change_auth(admin.sign_out_everywhere, request.session.admin)
        else:
            await request.database.change_auth(admin.sign_out, request.session)
    response = RedirectResponse("/sign-in", 303)
    clear_session_cookie(request, response)
    return response


async def password_page(request: PageRequest) -> Response:
    return request.render("password.html", problems={}, where="/password")


async def change_password(request: PageRequest) -> Response:
    """Replace the password, end all sessions and start a new one for this browser."""
    assert request.session is not None  # noqa: S101 - the view is not open
    name, old, new = request.session.admin, request.form_text("old"), request.form_text("new")
    problems = {}
    try:
        result = await check_password(request, name, old)
    except TooManyLogins:
        problems["old"] = t("sign_in.busy")
    else:
        if not result.is_right:
            is_blocked = result.blocked_until is not None
            problems["old"] = t("password.blocked" if is_blocked else "password.wrong")
    if not MIN_PASSWORD <= len(new) <= MAX_PASSWORD:
        problems["new"] = t("password.length", shortest=MIN_PASSWORD, longest=MAX_PASSWORD)
    elif new == old:
        problems["new"] = t("password.same")
    elif new != request.form_text("again"):
        problems["again"] = t("password.differ")
    if problems:
        return request.render("password.html", status=422, problems=problems, where="/password")
    hashed, moment = await request.database.run_in_thread(hash_password, new), now()
    await request.database.change_auth(admin.put_password, name, hashed, moment)
    await request.database.change_auth(admin.sign_out_everywhere, name)
    response = request.redirect("/", [t("password.changed")])
    set_session_cookie(request, response, await request.database.change_auth(admin.sign_in, name, moment))
    return response


ROUTES = (
    PageRoute(path="/sign-in", handle=sign_in_form, is_open=True),
    PageRoute(path="/sign-in", handle=sign_in, method="POST", is_open=True, max_body=4096),
    PageRoute(path=RESUME, handle=sign_in_again, method="POST", is_open=True, max_body=4 * MAX_FORM),
    PageRoute(path="/sign-out", handle=sign_out, method="POST"),
    PageRoute(path="/password", handle=password_page),
    PageRoute(path="/password", handle=change_password, method="POST"),
)
