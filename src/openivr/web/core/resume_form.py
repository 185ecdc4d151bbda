"""What somebody had filled in when their session ended: nothing of it is lost.

A form that comes without a session, or with the token of an earlier one, is not acted upon. It is put into
the page that says so, to be sent again by the same person's own click. Only forms that a browser says come
from our own pages are kept, so nobody else can put words into that click.
"""

from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from openivr.web.core.csrf import is_own_origin
from openivr.web.core.request import PageRequest

FORM = "application/x-www-form-urlencoded"
MOST = 128 * 1024  # bytes of a form that is read for somebody who is not signed in
AGAIN = "/sign-in/again"
NEVER = ("/sign-in", "/sign-out", "/password")  # a password is typed anew

Fields = list[tuple[str, str]]


def may_keep(visit: PageRequest) -> bool:
    """Whether a POST is one that can be kept, as far as its headers tell."""
    headers = visit.request.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return False
    return visit.request.url.path not in NEVER and is_own_origin(visit.request)


def read_kept(visit: PageRequest) -> tuple[str, Fields]:
    """Where the form was to go, and its fields: its own, or those that the page before carried."""
    if visit.request.url.path == AGAIN:
        path = visit.text("path")
        own = path.startswith("/") and not path.startswith(("//", "/\\"))
        return (path if own else "/"), parse_qsl(visit.text("kept"), keep_blank_values=True)
    pairs = [(name, value) for name, value in visit.form.multi_items() if isinstance(value, str)]
    return visit.request.url.path, [(name, value) for name, value in pairs if name != "csrf"]


def ask_to_sign_in(visit: PageRequest, *, status: int = 401, name: str = "", problem: str = "") -> Response:
    """The page that asks for the password and carries the form on."""
    path, fields = read_kept(visit)
    values = {"path": path, "kept": urlencode(fields), "name": name, "problem": problem}
    return visit.page("kept.html", status=status, is_over=True, **values)


def offer(visit: PageRequest, *, status: int = HTTPStatus.FORBIDDEN) -> Response:
    """The page with the form as it was, which one click sends again, now with a token that counts."""
    path, fields = read_kept(visit)
    return visit.page("kept.html", status=status, is_over=False, path=path, fields=fields)
