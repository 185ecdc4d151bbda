"""Signing in and out, and the administrator's own password."""

from dataclasses import dataclass

import structlog
from starlette.responses import RedirectResponse, Response

from openivr.resources.errors import NotFound
from openivr.resources.secret import hash_password, matches
from openivr.store.auth import admin, tokens
from openivr.web.core.csrf import give_cookie, take_cookie, token_of
from openivr.web.core.request import PageRequest, PageRoute, now
from openivr.web.core.resume_form import AGAIN, MOST, ask_to_sign_in, offer
from openivr.web.messages import say

log = structlog.get_logger(__name__)
SHORTEST, LONGEST = 10, 200  # characters of a password


async def show_sign_in(visit: PageRequest) -> Response:
    if visit.session is not None:
        return RedirectResponse("/", 303)
    return visit.page("sign_in.html", name="", problem="")


async def sign_in(visit: PageRequest) -> Response:
    """A session for the right password."""
    refused = await enter(visit)
    if isinstance(refused, SignInRefused):
        return visit.page("sign_in.html", status=refused.status, name=refused.name, problem=refused.problem)
    response = RedirectResponse("/", 303)
    give_cookie(visit, response, refused)
    return response


async def sign_in_again(visit: PageRequest) -> Response:
    """A session for somebody whose last one ended while a form was filled in; the form goes along."""
    refused = await enter(visit)
    if isinstance(refused, SignInRefused):
        return ask_to_sign_in(visit, status=refused.status, name=refused.name, problem=refused.problem)
    visit.token = token_of(refused)
    response = offer(visit, status=200)
    give_cookie(visit, response, refused)
    return response


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Why somebody does not get in, and the HTTP status that says so."""

    name: str
    problem: str
    status: int


async def enter(visit: PageRequest) -> str | SignInRefused:
    """The secret of a new session for the right password. Wrong ones count by address, not with the API's."""
    database, policy, moment = visit.database, visit.site.policy, now()
    name, password = visit.text("name").strip(), visit.text("password")
    until = await database.read(tokens.blocked_until, visit.address, moment, tokens.ADMIN)
    if until is None:
        if await is_right(visit, name, password):
            await database.change_auth(tokens.forgive, visit.address, tokens.ADMIN)
            secret: str = await database.change_auth(admin.sign_in, name, moment)
            log.info("signed in", admin=name, address=visit.address)
            return secret
        until = await database.change_auth(tokens.fail, policy, visit.address, moment, tokens.ADMIN)
        log.warning("sign-in refused", address=visit.address)
    if until is None:
        return SignInRefused(name, say("sign_in.wrong"), 401)
    minutes = -(-(until - moment) // 60)
    return SignInRefused(name, say("sign_in.blocked", count=minutes), 429)


async def is_right(visit: PageRequest, name: str, password: str) -> bool:
    """Whether this is the administrator's password; takes equally long for a name that nobody has."""
    try:
        kept = (await visit.database.read(admin.find, name)).password_hash
    except NotFound:
        kept = None
    return await visit.database.run_in_thread(matches, kept, password[:LONGEST])


async def sign_out(visit: PageRequest) -> Response:
    """End this session, or (`everywhere`) all of this administrator's."""
    if visit.session is not None:
        if visit.text("everywhere"):
            await visit.database.change_auth(admin.sign_out_everywhere, visit.session.admin)
        else:
            await visit.database.change_auth(admin.sign_out, visit.session)
    response = RedirectResponse("/sign-in", 303)
    take_cookie(visit, response)
    return response


async def show_password(visit: PageRequest) -> Response:
    return visit.page("password.html", problems={}, where="/password")


async def change_password(visit: PageRequest) -> Response:
    """Replace the password; every session but a new one for this browser ends."""
    assert visit.session is not None  # noqa: S101 - the view is not open
    name, old, new = visit.session.admin, visit.text("old"), visit.text("new")
    problems = {}
    if await visit.database.read(tokens.blocked_until, visit.address, now(), tokens.ADMIN) is not None:
        problems["old"] = say("password.blocked")
    elif not await is_right(visit, name, old):
        await visit.database.change_auth(tokens.fail, visit.site.policy, visit.address, now(), tokens.ADMIN)
        problems["old"] = say("password.wrong")
    if not SHORTEST <= len(new) <= LONGEST:
        problems["new"] = say("password.length", shortest=SHORTEST, longest=LONGEST)
    elif new == old:
        problems["new"] = say("password.same")
    elif new != visit.text("again"):
        problems["again"] = say("password.differ")
    if problems:
        return visit.page("password.html", status=422, problems=problems, where="/password")
    kept, moment = await visit.database.run_in_thread(hash_password, new), now()
    await visit.database.change_auth(admin.put_password, name, kept, moment)
    await visit.database.change_auth(admin.sign_out_everywhere, name)
    response = visit.go("/", [say("password.changed")])
    give_cookie(visit, response, await visit.database.change_auth(admin.sign_in, name, moment))
    return response


VIEWS = (
    PageRoute(path="/sign-in", handle=show_sign_in, is_open=True),
    PageRoute(path="/sign-in", handle=sign_in, method="POST", is_open=True, most_body=4096),
    PageRoute(path=AGAIN, handle=sign_in_again, method="POST", is_open=True, most_body=4 * MOST),
    PageRoute(path="/sign-out", handle=sign_out, method="POST"),
    PageRoute(path="/password", handle=show_password),
    PageRoute(path="/password", handle=change_password, method="POST"),
)
