"""The core without any I/O: requests out, answers in, and a clock that stands where the test puts it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from openivr.client.effects import Alone, Ask, Got, Pause, Send, Steps
from openivr.client.errors import (
    AccountIpBlocked,
    Failure,
    Lost,
    MaxLimitationExceeded,
    TokenExpired,
    Unreachable,
)
from openivr.client.session import Account, Backoff, Session

LIST = Ask(method="GET", path="ivr/list", is_safe=True)
CREATE = Ask(method="POST", path="ivr/create", body={"number": "6200"})


class World:
    """Answers a session's steps, notes its requests and pauses, and keeps its clock."""

    def __init__(self, answer: Callable[[Ask], Any]) -> None:
        self.answer, self.now = answer, 1_700_000_000.0
        self.asked: list[Ask] = []
        self.pauses: list[float] = []
        self.session = Session(Account("id", "the-secret"), Backoff(), clock=lambda: self.now)

    def run(self, steps: Steps[Any]) -> Any:
        result: Any = None
        error: Exception | None = None
        while True:
            try:
                step = steps.throw(error) if error else steps.send(result)
            except StopIteration as stop:
                return stop.value
            result, error = None, None
            match step:
                case Send(ask):
                    self.asked.append(ask)
                    found = self.answer(ask)
                    result, error = (None, found) if isinstance(found, Exception) else (found, None)
                case Pause(seconds):
                    self.pauses.append(seconds)
                case Alone(inner):
                    try:
                        result = self.run(inner)
                    except Exception as problem:
                        error = problem

    def ask(self, ask: Ask = LIST) -> Any:
        return json.loads(self.run(self.session.ask(ask)).content)

    def paths(self) -> list[str]:
        return [ask.path for ask in self.asked]


def got(code: int = 0, **fields: Any) -> Got:
    return Got(200, "application/json", json.dumps({"errcode": code, "errmsg": "", **fields}).encode())


def pair(name: str, life: int = 1800) -> Got:
    return got(
        access_token=name,
        access_token_expire_time=life,
        refresh_token="refresh " + name,
        refresh_token_expire_time=86_400,
    )


def test_one_login_serves_many_requests() -> None:
    world = World(lambda ask: pair("one") if ask.path == "get_token" else got())
    for _ in range(3):
        world.ask()
    assert world.paths() == ["get_token", *["ivr/list"] * 3]
    assert {ask.token for ask in world.asked[1:]} == {"one"}


def test_a_token_is_renewed_before_it_ends() -> None:
    world = World(lambda ask: pair("new") if ask.path.endswith("_token") else got())
    world.ask()
    world.now += 1499
    world.ask()
    assert "refresh_token" not in world.paths()
    world.now += 2
    world.ask()
    assert world.paths()[-2:] == ["refresh_token", "ivr/list"]
    assert world.asked[-2].body == {"refresh_token": "refresh new"}


def test_a_refresh_token_that_is_over_is_not_tried() -> None:
    world = World(lambda ask: pair("new") if ask.path.endswith("_token") else got())
    world.ask()
    world.now += 90_000
    world.ask()
    assert world.paths() == ["get_token", "ivr/list", "get_token", "ivr/list"]


def test_a_refused_refresh_leads_to_a_login() -> None:
    def answer(ask: Ask) -> Got:
        if ask.path == "refresh_token":
            return got(10004)
        return pair(f"at {world.now}") if ask.path == "get_token" else got()

    world = World(answer)
    world.ask()
    world.now += 1700
    world.ask()
    assert world.paths() == ["get_token", "ivr/list", "refresh_token", "get_token", "ivr/list"]


def test_a_lost_refresh_is_never_repeated() -> None:
    """A refresh token used twice ends all that came from it."""

    def answer(ask: Ask) -> Any:
        if ask.path == "refresh_token":
            return Lost("gone")
        return pair("one") if ask.path == "get_token" else got()

    world = World(answer)
    world.ask()
    world.now += 1700
    world.ask()
    assert world.paths().count("refresh_token") == 1
    assert world.paths()[-2:] == ["get_token", "ivr/list"]


def test_a_refresh_token_that_may_be_spent_is_forgotten() -> None:
    """Also where no login came of it and the old access token is used on."""
    down = False

    def answer(ask: Ask) -> Any:
        if ask.path == "refresh_token":
            return Lost("gone")
        if ask.path == "get_token":
            return Unreachable("down") if down else pair("one")
        return got()

    world = World(answer)
    world.ask()
    down, world.now = True, world.now + 1600
    world.ask()
    world.now += 60
    world.ask()
    assert world.paths().count("refresh_token") == 1


def test_a_good_token_is_used_on_while_none_newer_can_be_had() -> None:
    def answer(ask: Ask) -> Any:
        if ask.path == "get_token" and not world.asked[1:]:
            return pair("one")
        return Unreachable("down") if ask.path.endswith("_token") else got()

    world = World(answer)
    world.ask()
    world.now += 1600
    world.ask()
    assert world.asked[-1].token == "one"
    tries = world.paths().count("refresh_token")
    world.ask()  # and the next try waits a little
    assert world.paths().count("refresh_token") == tries
    world.now += 201
    with pytest.raises(Unreachable):
        world.ask()


@pytest.mark.parametrize("ask", [LIST, CREATE])
def test_a_token_that_the_server_ended_is_replaced_once(ask: Ask) -> None:
    def answer(asked: Ask) -> Got:
        if asked.path in {"get_token", "refresh_token"}:
            return pair(f"token {len(world.asked)}")
        return got(10004) if asked.token == "token 1" else got(id=7)

    world = World(answer)
    assert world.ask(ask)["id"] == 7
    assert world.paths() == ["get_token", ask.path, "refresh_token", ask.path]


def test_a_server_that_refuses_every_token_is_believed() -> None:
    world = World(lambda ask: pair(str(len(world.asked))) if ask.path.endswith("_token") else got(10004))
    with pytest.raises(TokenExpired):
        world.ask()
    assert world.paths().count("ivr/list") == 2


def test_wrong_credentials_are_sent_once() -> None:
    refusal = got(-1, invalid_param_list=[{"field": "username or password", "value": "error"}])
    world = World(lambda _ask: refusal)
    for _ in range(3):
        with pytest.raises(Failure, match="username or password"):
            world.ask()
    assert world.paths() == ["get_token"]


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ({"block_expire_time": 1_700_000_500}, 1_700_000_500),
        ({"block_expire_time": "1700000500"}, 1_700_000_500),
        ({"block_expire_time": 500}, 1_700_000_500),
        ({}, 1_700_000_660),
        ({"block_expire_time": "soon"}, 1_700_000_660),
    ],
)
def test_a_lock_out_is_waited_for(told: dict[str, Any], until: float) -> None:
    world = World(lambda ask: got(70004, **told) if len(world.asked) == 1 else pair("a"))
    for _ in range(3):
        with pytest.raises(AccountIpBlocked) as caught:
            world.ask()
        assert caught.value.until == until
    assert "until 2023-11-14 22:" in str(caught.value)
    assert world.paths() == ["get_token"]
    world.now = until + 1
    world.answer = lambda ask: pair("a") if ask.path == "get_token" else got()
    world.ask()


def test_the_cap_of_tokens_is_waited_for() -> None:
    world = World(lambda _ask: got(60002))
    for _ in range(3):
        with pytest.raises(MaxLimitationExceeded) as caught:
            world.ask()
    assert caught.value.until == world.now + 1800
    assert world.paths() == ["get_token"]
    world.now += 1801
    world.answer = lambda ask: pair("a") if ask.path == "get_token" else got()
    world.ask()


def test_a_limit_met_by_a_create_stops_nothing_else() -> None:
    world = World(lambda ask: pair("a") if ask.path == "get_token" else got(60002 if ask == created else 0))
    created = Ask(method="POST", path="ivr/create", body={}, token="a")
    with pytest.raises(MaxLimitationExceeded):
        world.ask(Ask(method="POST", path="ivr/create", body={}))
    world.ask()


def test_a_blocked_address_stops_every_request() -> None:
    world = World(lambda ask: pair("a") if ask.path == "get_token" else got(70004, block_expire_time=60))
    for _ in range(3):
        with pytest.raises(AccountIpBlocked):
            world.ask()
    assert world.paths() == ["get_token", "ivr/list"]


def test_safe_requests_are_repeated_with_growing_pauses() -> None:
    world = World(lambda ask: pair("a") if ask.path == "get_token" else Lost("cut"))
    with pytest.raises(Lost):
        world.ask()
    assert world.pauses == [0.5, 1.0, 2.0]
    assert world.paths().count("ivr/list") == 4


def test_what_may_have_been_done_is_not_repeated() -> None:
    world = World(lambda ask: pair("a") if ask.path == "get_token" else Lost("cut"))
    with pytest.raises(Lost):
        world.ask(CREATE)
    assert world.paths() == ["get_token", "ivr/create"]


def test_what_was_never_sent_is_repeated() -> None:
    def answer(ask: Ask) -> Any:
        if ask.path == "get_token":
            return pair("a")
        return Unreachable("refused") if world.paths().count("ivr/create") < 3 else got(id=1)

    world = World(answer)
    assert world.ask(CREATE)["id"] == 1


@pytest.mark.parametrize(("ask", "times"), [(LIST, 4), (CREATE, 1)])
def test_a_busy_server_is_asked_again_only_for_what_is_safe(ask: Ask, times: int) -> None:
    busy = Got(503, "application/json", b'{"errcode": -2, "errmsg": "INTERNAL SERVER ERROR"}')
    world = World(lambda asked: pair("a") if asked.path == "get_token" else busy)
    with pytest.raises(Exception, match="INTERNAL"):
        world.ask(ask)
    assert world.paths().count(ask.path) == times


def test_logging_out_gives_the_token_back_once() -> None:
    world = World(lambda ask: pair("a") if ask.path == "get_token" else got())
    world.ask()
    world.run(world.session.log_out())
    world.run(world.session.log_out())
    assert [(ask.path, ask.token) for ask in world.asked[2:]] == [("del_token", "a")]


def test_a_login_that_was_never_made_is_not_given_back() -> None:
    world = World(lambda _ask: got())
    world.run(world.session.log_out())
    assert world.paths() == []
