"""Forms that were posted after their session expired: carried on, and sent again after signing in.

Such a form changes nothing. It is put into the page that asks for the password and then into a page with one
button that sends it. Only forms that the browser attributes to a page of ours are carried on, so that another
site cannot place its input behind that button.
"""

from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from openivr.web.core.csrf import is_same_origin
from openivr.web.core.request import PageRequest

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 128 * 1024  # bytes that are read from a client that is not signed in
RESUME = "/sign-in/again"
EXCLUDED = ("/sign-in", "/sign-out", "/password")  # forms with a password are not carried on

Fields = list[tuple[str, str]]


def can_resume(request: PageRequest) -> bool:
    """Return True if the headers of a POST allow to carry its form on."""
    headers = request.http.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return False
    return request.http.url.path not in EXCLUDED and is_same_origin(request.http)


def read_resumed(request: PageRequest) -> tuple[str, Fields]:
    """The target and the fields of the form, posted now or carried on by the page before."""
    if request.http.url.path == RESUME:
        path = request.form_text("path")
        is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
        return (path if is_local else "/"), parse_qsl(request.form_text("kept"), keep_blank_values=True)
    pairs = [(name, value) for name, value in request.form.multi_items() if isinstance(value, str)]
    return request.http.url.path, [(name, value) for name, value in pairs if name != "csrf"]


def sign_in_page(request: PageRequest, *, status: int = 401, name: str = "", problem: str = "") -> Response:
    """The page that asks for the password and carries the form on."""
    path, fields = read_resumed(request)
    values = {"path": path, "kept": urlencode(fields), "name": name, "problem": problem}
    return request.render("kept.html", status=status, is_over=True, **values)


def resubmit_page(request: PageRequest, *, status: int = HTTPStatus.FORBIDDEN) -> Response:
    """The page with the form and the button that sends it with the token of the current session."""
    path, fields = read_resumed(request)
    return request.render("kept.html", status=status, is_over=False, path=path, fields=fields)
