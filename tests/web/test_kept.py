"""What is filled in when a session ends is kept, sent again by one click, and by nobody else's."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from openivr.web.core.resume_form import MAX_FORM
from tests.live_server import Answer, Running
from tests.web.site import PASSWORD, Admin, where

HOSTILE = """</form><script>alert(1)</script>"'& é"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HIDDEN = re.compile(r'type="hidden" name="([^"]*)" value="([^"]*)"')


@pytest.fixture
def visitor(server: Running, admin: Admin) -> Iterator[Admin]:
    """Somebody who was signed in until just now, with a page still open."""
    visitor = Admin(server).enter()
    visitor.cookies.clear()
    yield visitor
    visitor.close()


def hidden(answer: Answer) -> dict[str, str]:
    return {
        html.unescape(name): html.unescape(value) for name, value in HIDDEN.findall(answer.content.decode())
    }


def test_nothing_is_lost_when_the_session_ends(visitor: Admin) -> None:
    answer = visitor.post("/people/groups/new", {"name": HOSTILE})
    assert answer.status == 401
    assert b"<script>alert" not in answer.content
    carried = hidden(answer)
    assert carried["path"] == "/people/groups/new"
    wrong = visitor.post("/sign-in/again", carried | {"name": "admin", "password": "wrong"})
    assert wrong.status == 401
    assert hidden(wrong) == carried
    back = visitor.post("/sign-in/again", carried | {"name": "admin", "password": PASSWORD})
    assert back.status == 200
    sent = hidden(back)
    assert sent["name"] == HOSTILE
    saved = visitor.send("POST", "/people/groups/new", encode(sent), FORM)
    assert where(saved).startswith("/people/groups/")
    assert html.escape(HOSTILE, quote=False).encode()[:20] in visitor.get("/people/groups").content


def encode(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def test_a_page_that_is_older_than_the_session_is_sent_again(visitor: Admin, server: Running) -> None:
    old = visitor.csrf
    visitor.enter()
    assert visitor.csrf != old
    body = encode({"csrf": old, "name": "From an old page"})
    answer = visitor.send("POST", "/people/groups/new", body, FORM)
    assert answer.status == 403
    assert hidden(answer) == {"name": "From an old page", "csrf": visitor.csrf}
    assert b"From an old page" not in visitor.get("/people/groups").content
    in_place = visitor.send("POST", "/people/groups/new", body, FORM | {"HX-Request": "true"})
    assert (in_place.status, in_place.headers["x-csrf-token"]) == (403, visitor.csrf)


def test_signing_in_elsewhere_first_keeps_it_too(visitor: Admin) -> None:
    carried = hidden(visitor.post("/people/groups/new", {"name": "Elsewhere"}))
    visitor.enter()
    body = encode(carried | {"name": "admin", "password": PASSWORD})
    answer = visitor.send("POST", "/sign-in/again", body, FORM)
    assert answer.status == 403
    assert hidden(answer)["name"] == "Elsewhere"


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/people/groups/new", b"name=x", {"Origin": "http://elsewhere.example"}),
        ("/people/groups/new", b"csrf=x", {}),
        ("/people/groups/new", b"name=" + b"x" * MAX_FORM, {}),
        ("/password", b"old=secret&new=secret2&again=secret2", {}),
        ("/people/groups/new", b'{"name": "x"}', {"Content-Type": "application/json"}),
        ("/menus", b"name=x", {}),
    ],
)
def test_what_is_not_kept(visitor: Admin, path: str, body: bytes, headers: dict[str, str]) -> None:
    answer = visitor.send("POST", path, body, FORM | headers)
    assert (where(answer), answer.content) == ("/sign-in", b"")


def test_strangers_are_told_no_token(visitor: Admin) -> None:
    visitor.enter()
    for headers in ({"Origin": "http://elsewhere.example"}, {"Origin": "null"}):
        answer = visitor.send("POST", "/people/groups/new", b"name=x", FORM | headers)
        assert answer.status == 403
        assert "x-csrf-token" not in answer.headers


@pytest.mark.parametrize(
    "path", ["//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere.example", ""]
)
def test_it_goes_to_no_other_host(visitor: Admin, path: str) -> None:
    fields = {"path": path, "kept": "name=x", "name": "admin", "password": PASSWORD}
    answer = visitor.post("/sign-in/again", fields)
    assert b'class="card" method="post" action="/">' in answer.content
