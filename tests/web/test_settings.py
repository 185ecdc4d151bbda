"""Who may use the API, who is signed in, and the data as files."""

import re
import sqlite3
import tempfile
import time
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from openivr.config import yaml_document
from openivr.store.auth import tokens
from openivr.store.auth.tokens import TokenPolicy
from tests.live_server import AGENT, Answer, Api, Running
from tests.web.site import Admin, where


def page(answer: Answer) -> str:
    return unescape(answer.content.decode())


def log_in(server: Running, ident: str, secret: str) -> dict:
    api = Api(server.address)
    answer = api.post("get_token", {"username": ident, "password": secret})
    api.close()
    return answer


def make_client(admin: Admin, name: str) -> tuple[str, str]:
    text = page(admin.post("/settings/clients", {"name": name}))
    ident, secret = (re.search(rf'id="made-{part}"[^>]*value="(\w+)"', text) for part in ("id", "secret"))
    assert ident
    assert secret
    return ident[1], secret[1]


def test_a_new_client_can_log_in_and_its_secret_is_shown_once(server: Running, admin: Admin) -> None:
    ident, secret = make_client(admin, "CRM")
    text = page(admin.get("/settings/clients"))
    assert ident in text
    assert secret not in text
    assert log_in(server, ident, secret)["errcode"] == 0
    assert "1 of 8 access tokens is active." in page(admin.get("/settings/clients"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Name is required."),
        ("x" * 64, "Name must have 1 to 63 characters."),
        ("Demo", "A client named Demo exists already."),
        ("a\x00b", "Name contains control or invisible characters."),
    ],
    ids=["empty", "long", "taken", "control"],
)
def test_what_is_no_name_for_a_client(admin: Admin, name: str, words: str) -> None:
    before = page(admin.get("/settings/clients")).count('class="card client"')
    answer = admin.post("/settings/clients", {"name": name})
    assert answer.status == 422
    assert words in page(answer)
    assert "made-secret" not in page(answer)
    assert page(admin.get("/settings/clients")).count('class="card client"') == before


def test_deleting_a_client_ends_its_tokens(server: Running, admin: Admin) -> None:
    ident, secret = make_client(admin, "<b>gone</b>")
    token = log_in(server, ident, secret)["access_token"]
    path = f"/settings/clients/{ident}/delete"
    asked = admin.get(path)
    assert "It has 1 active token, which becomes invalid at once." in page(asked)
    assert b"<b>gone" not in asked.content
    assert where(admin.post(path)) == "/settings/clients"
    assert log_in(server, ident, secret)["errcode"] == -1
    api = Api(server.address, token)
    assert api.get("ivr/list")["errcode"] == 10004
    api.close()
    assert admin.get(path).status == 404
    assert admin.post(path).status == 404


def test_a_token_is_revoked_alone(server: Running, admin: Admin) -> None:
    ident, secret = make_client(admin, "two tokens")
    first, second = (log_in(server, ident, secret)["access_token"] for _ in range(2))
    section = page(admin.get("/settings/clients")).partition('aria-label="two tokens"')[2]
    ends = re.findall(r'action="/settings/tokens/(\d+)/end"', section.partition("</section>")[0])
    assert len(ends) == 2
    assert where(admin.post(f"/settings/tokens/{ends[0]}/end")) == "/settings/clients"
    codes = []
    for token in (first, second):
        api = Api(server.address, token)
        codes.append(api.get("ivr/list")["errcode"])
        api.close()
    assert codes == [10004, 0]
    assert admin.post(f"/settings/tokens/{ends[0]}/end").status == 404


def test_the_allow_list(server: Running, admin: Admin, api: Api) -> None:
    assert "The list is empty" in page(admin.get("/settings/addresses"))
    assert where(admin.post("/settings/addresses", {"network": " 192.0.2.7/24 "})) == "/settings/addresses"
    text = page(admin.get("/settings/addresses"))
    assert "192.0.2.0/24" in text
    assert "Only this address or network can use the API." in text
    assert api.get("ivr/list")["errcode"] == 70087
    assert admin.get("/menus").status == 200
    assert (
        where(admin.post("/settings/addresses/remove", {"network": "192.0.2.0/24"})) == "/settings/addresses"
    )
    assert api.get("ivr/list")["errcode"] == 0
    assert admin.post("/settings/addresses/remove", {"network": "192.0.2.0/24"}).status == 404


@pytest.mark.parametrize("text", ["", "192.0.2.300", "192.0.2.0/33", "example.com", "<script>", "1\x002"])
def test_what_is_no_address(admin: Admin, api: Api, text: str) -> None:
    answer = admin.post("/settings/addresses", {"network": text})
    assert answer.status == 422
    assert "Not a valid IP address or network." in page(answer)
    assert b'<script>"' not in answer.content
    assert api.get("ivr/list")["errcode"] == 0


def test_letting_a_locked_out_address_in_again(server: Running, admin: Admin) -> None:
    policy = TokenPolicy()
    with server.database() as database, database.changing("auth") as change:
        for _ in range(policy.failures):
            tokens.reserve(change.connection, policy, "198.51.100.9", int(time.time()))
            tokens.fail(change.connection, policy, "198.51.100.9", int(time.time()))
    assert "198.51.100.9" in page(admin.get("/settings/addresses"))
    assert (
        where(admin.post("/settings/addresses/unblock", {"address": "198.51.100.9"})) == "/settings/addresses"
    )
    assert "No address is locked out." in page(admin.get("/settings/addresses"))
    assert admin.post("/settings/addresses/unblock", {"address": "198.51.100.9"}).status == 404


def test_the_servers_facts(server: Running, admin: Admin) -> None:
    text = page(admin.get("/settings"))
    assert f"{server.base}/openapi/v1.0" in text
    assert "SQLite" in text
    assert "Menus 4" in text
    assert "for 365 days" in text
    assert "10000–19999" in text
    assert "5 within 10 minutes lock an address out for 10 minutes" in text


def test_signing_another_browser_out(server: Running, admin: Admin) -> None:
    other = Admin(server).enter()
    keys = re.findall(r'name="key" value="(\w+)"', page(admin.get("/settings")))
    assert len(keys) == 1
    assert "This browser" in page(admin.get("/settings"))
    assert where(admin.post("/settings/session", {"key": keys[0]})) == "/settings"
    assert where(other.get("/menus")) == "/sign-in"
    assert admin.get("/menus").status == 200
    for key in (keys[0], "", "\x00"):
        assert admin.post("/settings/session", {"key": key}).status == 404
    other.close()


def test_a_backup_is_a_whole_database(admin: Admin, tmp_path: Path) -> None:
    answer = admin.post("/settings/backup/file")
    name = r"openivr-[\d-]+\.db"
    wanted = rf"attachment; filename=\"{name}\"; filename\*=UTF-8''{name}"
    assert re.fullmatch(wanted, answer.headers["content-disposition"])
    path = tmp_path / "backup.db"
    path.write_bytes(answer.content)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        numbers = connection.execute("SELECT number FROM ivr ORDER BY number").fetchall()
    assert numbers == [("6200",), ("6201",), ("6202",), ("6203",)]


@pytest.mark.parametrize("fields", [{}, {"audio": "1"}])
def test_the_configuration_as_text(admin: Admin, fields: dict[str, str]) -> None:
    answer = admin.post("/settings/backup/export", fields)
    assert answer.headers["content-disposition"].endswith(".yaml")
    document = yaml_document.load(answer.content.decode())
    assert [entry.fields["number"] for entry in document.entries["ivr"]] == ["6202", "6203", "6200", "6201"]


def test_nothing_of_a_backup_stays_behind(admin: Admin) -> None:
    before = set(Path(tempfile.gettempdir()).glob("openivr-backup-*"))
    admin.post("/settings/backup/file")
    assert set(Path(tempfile.gettempdir()).glob("openivr-backup-*")) <= before


def test_files_are_given_to_posts_alone(admin: Admin) -> None:
    for path in ("/settings/backup/file", "/settings/backup/export"):
        assert admin.get(path).status == 405
        assert admin.send("POST", path, b"", AGENT).status == 403
