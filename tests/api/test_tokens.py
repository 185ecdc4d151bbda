"""Tokens over HTTP and, where time matters, in the store: rows 3 to 9 of the API's decisions."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update

from openivr.resources.secret import fingerprint
from openivr.store.auth import clients, tokens
from openivr.store.auth.tokens import TokenPair, TokenPolicy, TooManyTokens, UnknownToken
from openivr.store.database import Database
from openivr.store.schema import migrate
from openivr.store.tables import BLOCKED_ADDRESS, TOKEN
from tests.live_server import AGENT, SECRET, Answer, Api, Running, start

NAMES = count(1)
EXPIRED = {"errcode": 10004, "errmsg": "TOKEN EXPIRED"}
WRONG = {
    "errcode": -1,
    "errmsg": "FAILURE",
    "invalid_param_list": [{"field": "username or password", "value": "error"}],
}
POLICY = TokenPolicy()


@pytest.fixture
def client(server: Running) -> str:
    """The id of a client without tokens."""
    name = f"client-{next(NAMES)}"
    server.add_client(name)
    return name


@pytest.fixture
def anonymous(server: Running) -> Iterator[Api]:
    api = Api(server.address)
    yield api
    api.close()


def log_in(api: Api, client: str, secret: str = SECRET) -> dict:
    return api.post("get_token", {"username": client, "password": secret})


def is_good(api: Api, token: str) -> bool:
    answer = api.get("ivr/list", access_token=token)
    assert answer["errcode"] in {0, 10004}
    return answer["errcode"] == 0


def test_a_log_in_answers_six_fields(anonymous: Api, client: str) -> None:
    answer = log_in(anonymous, client)
    assert list(answer.items())[:3] == [
        ("errcode", 0),
        ("errmsg", "SUCCESS"),
        ("access_token_expire_time", 1800),
    ]
    assert list(answer)[3:] == ["access_token", "refresh_token_expire_time", "refresh_token"]
    assert answer["refresh_token_expire_time"] == 86_400
    for name in ("access_token", "refresh_token"):
        assert len(answer[name]) == 32
        assert answer[name].isalnum()
    assert is_good(anonymous, answer["access_token"])


def test_a_refresh_token_opens_nothing(anonymous: Api, client: str) -> None:
    assert not is_good(anonymous, log_in(anonymous, client)["refresh_token"])


@pytest.mark.parametrize(
    "query", ["", "access_token=", "access_token=x", "access_token=%C3%A9", "Access_Token="]
)
def test_one_answer_for_every_token_that_is_not_good(anonymous: Api, client: str, query: str) -> None:
    assert anonymous.query("ivr/list", query) == EXPIRED
    token = log_in(anonymous, client)["access_token"]
    for wrong in (token.swapcase(), token[:-1], token + "x", f"{token}&access_token={token}"):
        assert anonymous.query("ivr/list", f"access_token={wrong}") == EXPIRED


def test_the_token_stands_in_the_query_only(anonymous: Api, client: str) -> None:
    token = log_in(anonymous, client)["access_token"]
    headers = AGENT | {"Authorization": f"Bearer {token}", "Cookie": f"access_token={token}"}
    assert anonymous.send("GET", anonymous.target("ivr/list", {}), headers=headers).json() == EXPIRED
    assert anonymous.post("ivr/update", {"id": 1, "access_token": token}) == EXPIRED


def test_a_revoked_token_ends_at_once(anonymous: Api, client: str) -> None:
    pair, other = log_in(anonymous, client), log_in(anonymous, client)
    assert anonymous.get("del_token", access_token=pair["access_token"]) == {
        "errcode": 0,
        "errmsg": "SUCCESS",
    }
    assert not is_good(anonymous, pair["access_token"])
    assert anonymous.get("del_token", access_token=pair["access_token"]) == EXPIRED
    assert anonymous.post("refresh_token", {"refresh_token": pair["refresh_token"]}) == EXPIRED
    assert is_good(anonymous, other["access_token"])


def test_eight_tokens_and_no_ninth(anonymous: Api, client: str) -> None:
    pairs = [log_in(anonymous, client) for _ in range(8)]
    assert log_in(anonymous, client) == {"errcode": 60002, "errmsg": "MAX LIMITATION EXCEEDED"}
    assert all(is_good(anonymous, pair["access_token"]) for pair in pairs)
    refreshed = anonymous.post("refresh_token", {"refresh_token": pairs[0]["refresh_token"]})
    assert refreshed["errcode"] == 0
    assert log_in(anonymous, client)["errcode"] == 60002
    anonymous.get("del_token", access_token=pairs[3]["access_token"])
    assert log_in(anonymous, client)["errcode"] == 0


def test_refresh_gives_a_new_pair_and_a_short_grace(anonymous: Api, client: str) -> None:
    old = log_in(anonymous, client)
    new = anonymous.post("refresh_token", {"refresh_token": old["refresh_token"]})
    assert list(new) == list(old)
    assert {new["access_token"], new["refresh_token"]}.isdisjoint(old.values())
    assert is_good(anonymous, old["access_token"])
    assert is_good(anonymous, new["access_token"])


def test_a_refresh_token_used_twice_ends_the_family(anonymous: Api, client: str) -> None:
    stranger = log_in(anonymous, client)
    old = log_in(anonymous, client)
    new = anonymous.post("refresh_token", {"refresh_token": old["refresh_token"]})
    assert anonymous.post("refresh_token", {"refresh_token": old["refresh_token"]}) == EXPIRED
    for pair in (old, new):
        assert not is_good(anonymous, pair["access_token"])
        assert anonymous.post("refresh_token", {"refresh_token": pair["refresh_token"]}) == EXPIRED
    assert is_good(anonymous, stranger["access_token"])


@pytest.mark.parametrize("token", ["x", "x" * 32, "é", "\u0000", " "])
def test_a_bad_refresh_token(anonymous: Api, token: str) -> None:
    assert anonymous.post("refresh_token", {"refresh_token": token}) == EXPIRED


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}])
def test_a_refresh_token_is_required(anonymous: Api, body: dict) -> None:
    answer = anonymous.post("refresh_token", body)
    assert answer["errcode"] == 40002
    assert answer["invalid_param_list"][0]["field"] == "refresh_token"


@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.parametrize("value", [None, "", 7, True, ["x"], {}])
def test_both_parts_of_a_log_in_are_required(anonymous: Api, name: str, value: object) -> None:
    body = {"username": "x", "password": "x", name: value}
    answer = anonymous.post("get_token", body)
    assert answer["errcode"] == 40002
    assert answer["invalid_param_list"][0]["field"] == name
    del body[name]
    problem = {"field": name, "validation_type": "required"}
    assert anonymous.post("get_token", body)["invalid_param_list"] == [problem]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """A server for one test, with little patience."""
    running = start(tmp_path, "--login-failures", "3", "--login-block", "1000")
    running.add_client("client")
    yield running
    running.stop()


def test_wrong_log_ins_lock_the_address_out(own: Running) -> None:
    api = Api(own.address)
    for client, secret in (("client", "wrong"), ("nobody", SECRET)):
        assert log_in(api, client, secret) == WRONG
    assert log_in(api, "client")["errcode"] == 0  # which clears the count
    for _ in range(2):
        assert log_in(api, "client", "wrong") == WRONG
    blocked = log_in(api, "client\u0000", "wrong")
    expires = blocked["block_expire_time"]
    assert blocked == {"errcode": 70004, "errmsg": "ACCOUNT IP BLOCKED", "block_expire_time": expires}
    assert 990 < expires - time.time() <= 1000
    assert log_in(api, "client") == blocked
    with own.database() as database, database.changing("auth") as change:
        change.connection.execute(update(BLOCKED_ADDRESS).values(until=int(time.time())))
    assert log_in(api, "client")["errcode"] == 0
    api.close()


def test_a_lock_out_does_not_touch_tokens_and_survives_a_restart(own: Running, tmp_path: Path) -> None:
    api = own.log_in()
    pair = log_in(api, "client")
    for _ in range(2):
        log_in(api, "client", "wrong")
    blocked = log_in(api, "client", "wrong")
    assert blocked["errcode"] == 70004
    assert is_good(api, pair["access_token"])
    api.close()
    assert own.stop() == 0
    again = start(tmp_path, "--login-failures", "3")
    api = Api(again.address)
    assert is_good(api, pair["access_token"])
    assert log_in(api, "client") == blocked
    assert api.post("refresh_token", {"refresh_token": pair["refresh_token"]})["errcode"] == 0
    api.close()
    assert again.stop() == 0


def test_an_expired_token_is_refused(server: Running, anonymous: Api, client: str) -> None:
    pair, other = log_in(anonymous, client), log_in(anonymous, client)
    kept = fingerprint(pair["access_token"])
    with server.database() as database, database.changing("auth") as change:
        row = TOKEN.c.access_hash == kept
        change.connection.execute(update(TOKEN).where(row).values(access_expires=int(time.time())))
    assert anonymous.query("ivr/list", f"access_token={pair['access_token']}") == EXPIRED
    assert is_good(anonymous, other["access_token"])
    assert anonymous.post("refresh_token", {"refresh_token": pair["refresh_token"]})["errcode"] == 0


def test_a_revoked_client_is_out_at_once(server: Running, anonymous: Api, client: str) -> None:
    pair = log_in(anonymous, client)
    with server.database() as database, database.changing("auth") as change:
        clients.revoke(change.connection, client)
    assert not is_good(anonymous, pair["access_token"])
    assert log_in(anonymous, client) == WRONG


def test_who_is_not_on_the_allow_list_gets_nothing(own: Running) -> None:
    api = own.log_in()

    def allow(network: str) -> None:
        with own.database() as database, database.changing("auth") as change:
            clients.allow(change.connection, network)

    forbidden = {"errcode": 70087, "errmsg": "IP FORBIDDEN"}
    allow("192.0.2.0/24")
    for path in ("ivr/list", "openapi.json", "del_token"):
        assert api.get(path) == forbidden
    assert log_in(api, "client") == forbidden
    assert api.send("GET", "/readyz").status == 200
    allow("127.0.0.0/8")
    assert api.get("ivr/list")["errcode"] == 0
    api.close()


def forwarded(api: Api, address: str) -> Answer:
    headers = AGENT | {"X-Forwarded-For": address}
    return api.send("GET", api.target("ivr/list", {}), headers=headers)


@pytest.mark.parametrize(("options", "code"), [((), 70087), (("--trusted-proxy", "127.0.0.1"), 0)])
def test_addresses_of_proxies_are_believed_only_where_configured(
    tmp_path: Path, options: tuple, code: int
) -> None:
    running = start(tmp_path, *options)
    api = running.log_in()
    with running.database() as database, database.changing("auth") as change:
        clients.allow(change.connection, "192.0.2.0/24")
    assert forwarded(api, "192.0.2.7").json()["errcode"] == code
    assert forwarded(api, "198.51.100.7").json()["errcode"] == 70087
    api.close()
    running.stop()


# Time, with a clock of the test's own.

START = 1_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'openivr.db'}")
    migrate(database)
    with database.changing("auth") as change:
        clients.add(change.connection, "Client", "client", SECRET)
    yield database
    database.close()


def issue(database: Database, now: int) -> TokenPair:
    with database.changing("auth") as change:
        pair = tokens.issue(change.connection, POLICY, "client", now)
    assert isinstance(pair, TokenPair)
    return pair


def refresh(database: Database, token: str, now: int) -> TokenPair | TooManyTokens | UnknownToken:
    with database.changing("auth") as change:
        return tokens.refresh(change.connection, POLICY, token, now)


def ends(database: Database, pair: TokenPair, now: int) -> int | None:
    with database.reading() as connection:
        return tokens.live_tokens(connection, now).get(fingerprint(pair.access))


def test_life_times(database: Database) -> None:
    pair = issue(database, START)
    assert ends(database, pair, START) == START + 1800
    assert ends(database, pair, START + 1799) == START + 1800
    assert ends(database, pair, START + 1800) is None
    assert isinstance(refresh(database, pair.refresh, START + 86_400), UnknownToken)
    assert isinstance(refresh(database, pair.refresh, START + 86_399), TokenPair)


def test_after_a_refresh_the_old_token_has_sixty_seconds(database: Database) -> None:
    pair = issue(database, START)
    refresh(database, pair.refresh, START + 100)
    assert ends(database, pair, START + 159) == START + 160
    assert ends(database, pair, START + 160) is None


def test_a_grace_never_prolongs(database: Database) -> None:
    pair = issue(database, START)
    refresh(database, pair.refresh, START + 1790)
    assert ends(database, pair, START + 1799) == START + 1800


def test_reuse_ends_the_family_even_when_late(database: Database) -> None:
    pair = issue(database, START)
    newer = refresh(database, pair.refresh, START + 100)
    assert isinstance(newer, TokenPair)
    assert isinstance(refresh(database, pair.refresh, START + 50_000), UnknownToken)
    assert isinstance(refresh(database, newer.refresh, START + 50_001), UnknownToken)


def test_expired_tokens_make_room(database: Database) -> None:
    for _ in range(8):
        issue(database, START)
    with database.changing("auth") as change:
        assert isinstance(tokens.issue(change.connection, POLICY, "client", START + 1799), TooManyTokens)
        assert isinstance(tokens.issue(change.connection, POLICY, "client", START + 1800), TokenPair)


def fail(database: Database, now: int, address: str = "192.0.2.1") -> int | None:
    with database.changing("auth") as change:
        assert tokens.reserve(change.connection, POLICY, address, now) is None
        return tokens.fail(change.connection, POLICY, address, now)


def test_the_fifth_failure_within_ten_minutes_blocks_for_ten(database: Database) -> None:
    assert [fail(database, START + n) for n in range(4)] == [None] * 4
    assert fail(database, START + 4, "192.0.2.2") is None
    assert fail(database, START + 599) == START + 599 + 600
    with database.reading() as connection:
        assert tokens.blocked_until(connection, "192.0.2.1", START + 1198) == START + 1199
        assert tokens.blocked_until(connection, "192.0.2.1", START + 1199) is None
        assert tokens.blocked_until(connection, "192.0.2.2", START + 600) is None


def test_old_failures_are_forgotten(database: Database) -> None:
    assert [fail(database, START + n) for n in (0, 1, 2, 3)] == [None] * 4
    assert fail(database, START + 600) is None  # the first is ten minutes old
    assert fail(database, START + 600) == START + 1200
