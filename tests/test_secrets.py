"""No token, secret or password in any log line, answer or journal; nothing of the inside in any answer."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openivr.sip.address import Target
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord
from tests.api.families import EXTENSION, IVR, PIN_LIST, TRUNK
from tests.b2bua.phone import Phone, open_media
from tests.live_server import AGENT, ROOT, Answer, Api, Running, start
from tests.web.site import PASSWORD, Admin, where

INTERNAL = {"errcode": -2, "errmsg": "INTERNAL SERVER ERROR"}


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that logs all it can."""
    running = start(tmp_path_factory.mktemp("talker"), "--log-level", "debug")
    yield running
    running.stop()


class Traffic:
    """Requests of many kinds, their answers, and every secret that was in them."""

    def __init__(self, running: Running) -> None:
        self.running, self.answers = running, list[Answer]()
        self.api = Api(running.address)
        self.secrets = {running.client_secret, running.password, *secrets_on_disk(running.data)}

    def send(self, method: str, target: str, body: object = None) -> dict:
        content = None if body is None else json.dumps(body).encode()
        answer = self.api.send(method, target, content, AGENT)
        self.answers.append(answer)
        return answer.json() if answer.headers.get("content-type") == "application/json" else {}

    def log_in(self, client: str, secret: str) -> dict:
        return self.send("POST", ROOT + "get_token", {"username": client, "password": secret})

    def run(self) -> None:
        running, ok = self.running, self.log_in(self.running.client_id, self.running.client_secret)
        token = f"access_token={ok['access_token']}"
        self.secrets |= {ok["access_token"], ok["refresh_token"], "Wr0ng-secret-of-a-client"}
        for path in (
            "ivr/list",
            "ivr/search",
            "extension/list",
            "trunk/get",
            "nothing",
            "ivr/list%3F",
            "openapi.json",
        ):
            for query in (token, token + "&page=0&id=1", token + "&id=999", token + "&x=%FF", "x&" + token):
                self.send("GET", f"{ROOT}{path}?{query}")
        for sign in "?&;":  # a token that slipped into the path
            self.send("GET", f"{ROOT}ivr/list%{ord(sign):x}{token}")
            self.send("GET", f"{ROOT}ivr/{sign if sign != '?' else '%3F'}{token}")
        for family in (EXTENSION, TRUNK, PIN_LIST):
            self.secrets |= set(family.secrets.values())
            ident = self.send("POST", f"{ROOT}{family.path}/create?{token}", family.body())["id"]
            self.send("POST", f"{ROOT}{family.path}/update?{token}", {"id": ident, **family.secrets})
            for name, secret in family.secrets.items():
                for bad in (secret * 10, [secret], {"x": secret}, secret + "\a"):
                    answer = self.send(
                        "POST", f"{ROOT}{family.path}/create?{token}", family.body(**{name: bad})
                    )
                    assert answer["errcode"] == 40002
            for name in ("get", "query", "list", "search"):
                self.send("GET", f"{ROOT}{family.path}/{name}?{token}&id={ident}&ids={ident}")
        self.log_in(running.client_id, "Wr0ng-secret-of-a-client")
        refreshed = self.send("POST", ROOT + "refresh_token", {"refresh_token": ok["refresh_token"]})
        self.secrets |= {refreshed["access_token"], refreshed["refresh_token"]}
        self.send("POST", ROOT + "refresh_token", {"refresh_token": ok["refresh_token"]})
        for path in ("/healthz", "/readyz", "/metrics", f"/?{token}", f"/nothing?{token}"):
            self.send("GET", path)


def secrets_on_disk(data: Path) -> set[str]:
    document = json.loads((data / "demo-secrets.json").read_text())
    return {document["client_secret"], *document["extensions"].values()}


def is_login(answer: Answer) -> bool:
    return b'"refresh_token":"' in answer.content


@pytest.fixture(scope="module")
def traffic(talker: Running) -> Traffic:
    traffic = Traffic(talker)
    traffic.run()
    traffic.api.close()
    return traffic


def test_the_traffic_was_worth_watching(traffic: Traffic) -> None:
    assert len(traffic.answers) > 60
    assert len(traffic.secrets) >= 10
    assert all(len(secret) >= 6 for secret in traffic.secrets)
    codes = {
        answer.json()["errcode"] for answer in traffic.answers if answer.content.startswith(b'{"errcode"')
    }
    assert codes >= {0, -1, 10001, 10004, 40001, 40002, 60001}


def test_the_log_has_every_request_and_no_secret(talker: Running, traffic: Traffic) -> None:
    text = talker.expect_log('"path":"/openapi/v1.0/refresh_token"')
    lines = [json.loads(line) for line in text.splitlines()]
    paths = {line.get("path") for line in lines}
    assert paths >= {"/openapi/v1.0/ivr/list", "/openapi/v1.0/get_token", "/openapi/v1.0/trunk/create"}
    for secret in traffic.secrets:
        assert secret not in text
    assert "access_token=" not in text


def test_answers_have_no_secret_but_the_tokens_just_given(traffic: Traffic) -> None:
    for answer in traffic.answers:
        if not is_login(answer):
            for secret in traffic.secrets:
                assert secret.encode() not in answer.content
    assert sum(map(is_login, traffic.answers)) == 2


def test_answers_show_nothing_of_the_inside(talker: Running, traffic: Traffic) -> None:
    for answer in traffic.answers:
        for sign in (str(talker.folder), "Traceback", ".py", "sqlite", "SELECT ", "sqlalchemy", "Error("):
            assert sign.encode() not in answer.content
        assert "server" not in answer.headers


def test_tokens_and_secrets_are_not_on_disk_in_clear(talker: Running, traffic: Traffic) -> None:
    kept = b"".join(path.read_bytes() for path in talker.data.glob("openivr.db*"))
    trunk = set(TRUNK.secrets.values())  # which the server itself must be able to send
    for secret in traffic.secrets - trunk:
        assert secret.encode() not in kept
    assert (talker.data / "demo-secrets.json").stat().st_mode & 0o077 == 0


def test_a_broken_database_tells_the_log_and_not_the_client(tmp_path: Path) -> None:
    running = start(tmp_path)
    api = running.log_in()
    with closing(sqlite3.connect(running.data / "openivr.db")) as database:
        database.execute("ALTER TABLE trunk RENAME COLUMN domain TO elsewhere")
    body = TRUNK.body()
    assert api.post("trunk/create", body) == INTERNAL
    assert api.get("trunk/get", id=1) == INTERNAL
    assert api.get("ivr/list")["total_number"] == 4
    log = running.expect_log("request failed")
    api.close()
    running.stop()
    assert "domain" in log
    assert body["password"] not in log
    assert api.token not in log


PIN, KEY_PIN, WRONG_KEY_PIN, GUARDED = "864297531", "918273645", "81726354", "6999"
WRONG = {"password": "Wr0ng-password-of-somebody", "phone": "Wr0ng-secret-of-a-phone"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with calls and the web admin, which logs all it can."""
    running = start(tmp_path_factory.mktemp("exchange"), "--log-level", "debug", command="serve")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def used(exchange: Running) -> set[str]:
    """The secrets that were in forms, cookies and calls, all of them used by now."""
    secrets = {PIN, KEY_PIN, PASSWORD, exchange.password, *WRONG.values(), *secrets_on_disk(exchange.data)}
    return secrets | administer(exchange) | asyncio.run(use_phones(exchange))


def administer(exchange: Running) -> set[str]:
    admin = Admin(exchange)
    assert admin.sign_in(WRONG["password"]).status == 401
    admin.enter()
    secrets = {admin.csrf, admin.cookies["openivr"]}
    made = admin.post("/settings/clients", {"name": "Maker"}).content.decode()
    secrets |= set(re.findall(r'id="made-secret"[^>]*value="(\w+)"', made))
    assert len(secrets) >= 3
    for path in (
        "/people/extensions/1",
        "/routes/trunks/new",
        f"/menus?csrf={admin.csrf}",
        "/settings/clients",
    ):
        assert admin.get(path).status == 200
    assert admin.post("/settings/backup/export").status == 200
    for fields in ({"old": WRONG["password"], "new": PASSWORD * 2, "again": PASSWORD}, {"old": PASSWORD}):
        assert admin.post("/password", fields).status == 422
    assert where(admin.post("/sign-out"))
    admin.close()
    api = exchange.log_in()
    assert api.post("extension/update", {"id": 1, "vm_pin": PIN})["errcode"] == 0
    pins = api.post("pin_list/create", PIN_LIST.body(pin_list=KEY_PIN))["id"]
    guarded = {"press1_dest": "end_call", "press1_pin_list_id": pins}
    assert api.post("ivr/create", IVR.body(number=GUARDED, **guarded))["errcode"] == 0
    trunk = TRUNK.body(hostname="127.0.0.1", port=9)
    assert api.post("trunk/create", trunk)["errcode"] == 0
    api.close()
    return secrets | {api.token, *TRUNK.secrets.values()}


async def use_phones(exchange: Running) -> set[str]:
    """Registers with a good and a wrong password, and opens a mailbox with its PIN."""
    known = json.loads((exchange.data / "demo-secrets.json").read_text())["extensions"]
    server, media = Target("UDP", "127.0.0.1", exchange.sip_port), open_media()
    thief = await Phone(server, "1001", WRONG["phone"]).start(media)
    assert await thief.register() == 401
    phone = await Phone(server, "1000", known["1000"]).start(media)
    assert await phone.register() == 200
    line = phone.call("*02")
    await line.until_answered()
    line.media.send_dtmf(f"1000#{PIN}#")
    await line.until(lambda: any(one.keys.count("#") == 2 for one in records(exchange)))
    line.hang_up()
    await line.until(lambda: not any(one.is_live for one in records(exchange)))
    line = phone.call(GUARDED)
    await line.until_answered()
    line.media.send_dtmf(f"1{WRONG_KEY_PIN}#{KEY_PIN}")  # its last digit decides
    await line.until_over()
    await line.until(lambda: len(records(exchange)) == 2 and not any(r.is_live for r in records(exchange)))
    for one in (thief, phone):
        one.close()
    await media.close()
    return set(known.values())


def records(exchange: Running) -> list[CallRecord]:
    with exchange.database() as database, database.reading() as connection:
        return call_records.list_calls(connection, CallFilter())[1]


def test_nothing_that_was_signed_in_or_called_with_is_logged(exchange: Running, used: set[str]) -> None:
    log = exchange.expect_log("/sign-out")
    assert "/people/extensions/1" in log
    assert len(used) > 12
    assert all(len(secret) >= 8 for secret in used)
    assert [secret for secret in used if secret in log] == []


def test_no_pin_is_in_the_journal_or_the_record_of_a_call(exchange: Running, used: set[str]) -> None:
    guarded, mailbox = records(exchange)
    assert mailbox.keys == f"••••#{'•' * len(PIN)}#"
    assert guarded.keys == f"1{'•' * len(WRONG_KEY_PIN)}#{'•' * len(KEY_PIN)}"
    journal = b"".join(path.read_bytes() for path in (exchange.data / "journal").glob("*.jsonl")).decode()
    keys = re.findall(r'"event":"Digit","key":"(.)"', journal)
    assert "".join(keys) == mailbox.keys + guarded.keys
    assert [secret for secret in used if secret in journal] == []
