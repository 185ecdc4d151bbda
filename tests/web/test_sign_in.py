"""Who gets in, and how long they stay."""

import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from openivr.cli import main
from openivr.store.auth.admin import SessionPolicy
from openivr.store.tables import ADMIN_SESSION
from openivr.web.core.middleware import BEFORE_CHANGE
from tests.live_server import Running, start
from tests.web.site import PASSWORD, Admin, where
from tests.web.test_guard import SHUT, concrete


@pytest.fixture
def visitor(server: Running) -> Iterator[Admin]:
    visitor = Admin(server)
    yield visitor
    visitor.close()


@pytest.fixture(autouse=True)
def forgiven(server: Running) -> None:
    """Wrong passwords of one test lock out no other."""
    with server.database() as database, database.changing("auth") as change:
        change.connection.exec_driver_sql("DELETE FROM login_failure")
        change.connection.exec_driver_sql("DELETE FROM blocked_address")


def test_the_first_password_opens_one_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start(tmp_path_factory.mktemp("first"), demo=False)
    visitor = Admin(running)
    assert len(running.password) == 16
    assert where(visitor.sign_in(running.password)) == "/"
    assert where(visitor.get("/nothing")) == "/password"
    for view in SHUT:
        if view.path not in BEFORE_CHANGE:
            assert where(visitor.send(view.method, concrete(view), b"")) == "/password", view
    assert b"This is a temporary password." in visitor.get("/password").content
    assert visitor.get("/menus", **{"HX-Request": "true"}).headers["hx-redirect"] == "/password"
    wrong = {"old": "x", "new": "short", "again": "other"}
    assert visitor.post("/password", wrong).status == 422
    same = {"old": running.password, "new": running.password, "again": running.password}
    assert visitor.post("/password", same).status == 422
    differ = {"old": running.password, "new": PASSWORD, "again": PASSWORD + "x"}
    assert visitor.post("/password", differ).status == 422
    assert where(visitor.get("/menus")) == "/password"
    right = {"old": running.password, "new": PASSWORD, "again": PASSWORD}
    assert where(visitor.post("/password", right)) == "/"
    assert b"Your password is changed" in visitor.get("/menus").content
    assert where(visitor.get("/")) == "/start"  # an empty server opens on its checklist
    steps = visitor.get("/start").content.decode()
    assert (steps.count("To do"), steps.count("Done")) == (7, 0)
    assert "Revision 0<" in steps
    visitor.post("/menus/new", {"number": "6200", "name": "Office"})
    steps = visitor.get("/start").content.decode()
    assert (steps.count("To do"), steps.count("Done")) == (6, 1)
    assert "Revision 1<" in steps  # of the database, which may be ahead of a worker's lists
    assert where(visitor.post("/start")) == "/menus"
    assert where(visitor.get("/")) == "/menus"
    other = Admin(running)
    assert other.sign_in(running.password).status == 401
    other.close()
    assert running.password not in running.log
    visitor.close()
    running.stop()
    again = start(running.folder, demo=False)
    assert again.password == ""  # told once
    again.stop()


def test_cookies_are_for_this_server_alone(server: Running, admin: Admin, visitor: Admin) -> None:
    answer = visitor.sign_in(PASSWORD)
    assert where(answer) == "/"
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert "path=/" in flags
    assert "secure" not in flags  # over TLS alone
    secret = visitor.cookies["openivr"]
    content = b"".join(path.read_bytes() for path in server.data.glob("openivr.db*"))
    assert secret.encode() not in content


def test_wrong_names_and_passwords_look_alike(admin: Admin, visitor: Admin) -> None:
    answers = [visitor.sign_in("wrong"), visitor.sign_in("", "admin"), visitor.sign_in(PASSWORD, "nobody")]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.content.replace(b"nobody", b"admin") for answer in answers}) == 1
    assert visitor.sign_in(PASSWORD, "a\0b").status == 401
    assert visitor.cookies == {}


def test_guessing_locks_an_address_out(admin: Admin, visitor: Admin) -> None:
    assert [visitor.sign_in(f"wrong {n}").status for n in range(5)] == [401] * 4 + [429]
    assert visitor.sign_in(PASSWORD).status == 429
    assert admin.get("/menus").status == 200  # who is in stays in


def test_guessing_the_present_password_counts_too(server: Running, admin: Admin) -> None:
    visitor = Admin(server)
    visitor.sign_in(PASSWORD)
    visitor.get("/password")
    for _ in range(5):
        assert visitor.post("/password", {"old": "x", "new": "y" * 12, "again": "y" * 12}).status == 422
    right = {"old": PASSWORD, "new": "y" * 12, "again": "y" * 12}
    assert b"Too many failed attempts" in visitor.post("/password", right).content
    visitor.close()


def test_signing_out_ends_the_session_itself(admin: Admin, visitor: Admin) -> None:
    visitor.sign_in(PASSWORD)
    visitor.get("/password")
    kept = dict(visitor.cookies)
    assert where(visitor.post("/sign-out")) == "/sign-in"
    visitor.cookies = kept
    assert where(visitor.get("/menus")) == "/sign-in"
    assert admin.get("/menus").status == 200


def test_signing_out_everywhere(server: Running, visitor: Admin) -> None:
    others = [Admin(server) for _ in range(2)]
    for one in (*others, visitor):
        assert where(one.sign_in(PASSWORD)) == "/"
        one.get("/password")
    assert where(visitor.post("/sign-out", {"everywhere": "1"})) == "/sign-in"
    for one in (*others, visitor):
        assert where(one.get("/menus")) == "/sign-in"
        one.close()


@pytest.mark.parametrize(
    ("column", "seconds"), [("seen", SessionPolicy().idle), ("created", SessionPolicy().life)]
)
def test_sessions_end(server: Running, visitor: Admin, column: str, seconds: int) -> None:
    assert where(visitor.sign_in(PASSWORD)) == "/"
    assert visitor.get("/menus").status == 200
    for age, status in ((seconds - 30, 200), (seconds, 303)):
        with server.database() as database, database.writing() as connection:
            connection.execute(update(ADMIN_SESSION).values({column: int(time.time()) - age}))
        assert visitor.get("/menus").status == status


def test_a_request_keeps_a_session_from_going_idle(server: Running, visitor: Admin) -> None:
    visitor.sign_in(PASSWORD)
    for _ in range(2):
        with server.database() as database, database.writing() as connection:
            connection.execute(update(ADMIN_SESSION).values(seen=ADMIN_SESSION.c.seen - 3000))
        assert visitor.get("/menus").status == 200


TLS = {"X-Forwarded-Proto": "https"}


def test_over_tls_the_cookie_is_for_tls(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start(tmp_path_factory.mktemp("proxy"), "--trusted-proxy", "127.0.0.1", demo=False)
    visitor = Admin(running)
    body = {"name": "admin", "password": running.password}
    answer = visitor.post("/sign-in", body, **TLS, Origin=running.base.replace("http:", "https:"))
    assert answer.headers["set-cookie"].startswith("__Host-openivr=")
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert where(visitor.get("/", **TLS)) == "/password"
    assert where(visitor.get("/")) == "/sign-in"  # without TLS the cookie is not looked at
    visitor.close()
    running.stop()


def test_the_header_of_a_stranger_says_nothing(admin: Admin, visitor: Admin) -> None:
    answer = visitor.post("/sign-in", {"name": "admin", "password": PASSWORD}, **TLS)
    assert answer.headers["set-cookie"].startswith("openivr=")


def test_a_lost_password(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start(tmp_path_factory.mktemp("lost"), demo=False)
    visitor = Admin(running).enter()
    arguments = ["admin", "reset-password", "--data", str(running.data)]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    password = shown.output.split()[-1]
    assert where(visitor.get("/menus")) == "/sign-in"
    assert visitor.sign_in(PASSWORD).status == 401
    assert where(visitor.sign_in(password)) == "/"
    assert where(visitor.get("/menus")) == "/password"
    unknown = CliRunner().invoke(main, [*arguments, "--name", "nobody"])
    assert unknown.exit_code == 1
    assert "nobody" in unknown.output
    visitor.close()
    running.stop()
