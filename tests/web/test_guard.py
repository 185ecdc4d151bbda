"""No page without a session, no change by a form that is not ours, and what browsers are told."""

import re

import pytest

from openivr.web.core.csrf import POLICY
from openivr.web.core.request import PageRoute
from openivr.web.routes import ROUTES
from tests.live_server import Running
from tests.web.site import Admin, where

OPEN = {"/provision/{address}", "/sign-in", "/sign-in/again"}
SHUT = [view for view in ROUTES if not view.is_open]


def concrete(view: PageRoute) -> str:
    """A path that the view answers."""
    return re.sub(r"\{[^}]*:int\}", "1", re.sub(r"\{\w+\}", "x", re.sub(r"\{[^}:]*:path\}", "x", view.path)))


def name(view: PageRoute) -> str:
    return f"{view.method} {view.path}"


def test_exactly_these_are_open() -> None:
    assert {view.path for view in ROUTES if view.is_open} == OPEN
    assert len(SHUT) > 5


@pytest.mark.parametrize("cookie", [{}, {"openivr": "x" * 32}, {"openivr": ""}])
@pytest.mark.parametrize("view", SHUT, ids=name)
def test_every_other_page_sends_strangers_away(demo: Running, view: PageRoute, cookie: dict) -> None:
    visitor = Admin(demo)
    visitor.cookies = cookie
    body = b"csrf=x" if view.method == "POST" else None
    answer = visitor.send(view.method, concrete(view), body)
    assert (where(answer), answer.content) == ("/sign-in", b"")
    answer = visitor.send(view.method, concrete(view), body, {"HX-Request": "true"})
    assert (answer.status, answer.content) == (401, b"")  # the page stays, with all that is typed into it
    visitor.close()


@pytest.mark.parametrize("view", [view for view in SHUT if view.method == "POST"], ids=name)
def test_no_form_of_another_page_is_taken(server: Running, admin: Admin, view: PageRoute) -> None:
    path, kind = concrete(view), {"Content-Type": "application/x-www-form-urlencoded"}
    good = f"csrf={admin.csrf}".encode()
    for body, headers in (
        (b"", {}),
        (b"csrf=", {}),
        (b"csrf=" + b"0" * 64, {}),
        (b"csrf=%C3%A9", {}),
        (b"", {"X-CSRF-Token": "0" * 64}),
        (good, {"Origin": "http://elsewhere.example"}),
        (good, {"Origin": "null"}),
        (good, {"Origin": server.base.replace("127.0.0.1", "127.0.0.2")}),
    ):
        assert admin.send("POST", path, body, kind | headers).status == 403, (body, headers)
    assert admin.get("/menus").status == 200


def test_the_browsers_word_about_the_origin(demo: Running) -> None:
    visitor = Admin(demo)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "tests"}
    for headers, status in (
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 401),
        ({"Origin": demo.base}, 401),
    ):
        answer = visitor.connection.send("POST", "/sign-in", b"name=x&password=", kind | headers)
        assert answer.status == status, headers
    visitor.close()


@pytest.mark.parametrize("view", [view for view in ROUTES if view.method == "GET"], ids=name)
def test_no_page_is_less_strict(admin: Admin, view: PageRoute) -> None:
    answer = admin.get(concrete(view))
    assert answer.status in {200, 303, 404}
    assert answer.headers["content-security-policy"] == "; ".join(POLICY)
    if "html" in answer.headers.get("content-type", ""):
        assert b'<html lang="en">' in answer.content or b"<html" not in answer.content  # a part of a page
        assert re.findall(rb"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.content) == []
        addresses = re.findall(rb"""\b(?:src|href|action)=["'](?:https?:)?//([^/"']+)""", answer.content)
        assert addresses == []


def test_headers_of_every_answer(admin: Admin) -> None:
    for path in ("/menus", "/nothing", "/sign-in", "/static/x/frame.css"):
        headers = admin.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_methods_and_bodies_that_no_page_takes(admin: Admin) -> None:
    assert admin.send("DELETE", "/menus").status == 405
    assert admin.send("POST", "/search", b"").status == 405
    assert admin.post("/sign-in", {"name": "x" * 5000}).status == 413
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert admin.send("POST", "/password", b"--x\r\nbroken", kind).status in {400, 403}
