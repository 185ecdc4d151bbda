"""Ids, secrets, tokens and passwords: in no repr, no log, no exception."""

import logging
import traceback
from typing import Any

import pytest

from openivr.client import ClientError, Network
from openivr.client.effects import Ask, File
from openivr.client.network import Address, build_request
from openivr.client.session import Account, Pair, Saved

from .conftest import CUT, Asked, Connect, OddServer

SECRETS = ("the-client-id", "the-secret", "token-0000", "refresh-token", "hunter2hunter2", "4711")


def assert_clean(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


def parrot(asked: Asked) -> Any:
    """A server that repeats whatever it is told, in an error."""
    if asked.path in {"get_token", "ivr/list"}:
        return None
    said = f"{asked.query} {asked.body} {asked.headers}"
    echoed = [{"field": "password", "value": str(value)} for value in asked.body.values()]
    return {"errcode": 40002, "errmsg": said, "submsg": said, "invalid_param_list": echoed, said: asked.query}


def html_parrot(asked: Asked) -> Any:
    return (404, f"{asked.query} {asked.body}".encode()) if asked.path == "extension/create" else None


@pytest.mark.parametrize(
    "behave", [parrot, html_parrot, lambda asked: CUT if "create" in asked.path else None]
)
def test_errors_and_logs(
    odd: OddServer, connect: Connect, behave: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd.behave = behave
    driven = connect(odd.url)
    fields = {"reg_password": "hunter2hunter2", "more": {"of_others": [{"vm_pin": "4711"}]}}
    with pytest.raises(ClientError) as caught:
        driven.do(lambda client: client.extension.create(number="1000", **fields))
    error: Any = caught.value
    shown = [str(error), repr(error), repr(vars(error)), repr(driven.client), *map(str, error.args)]
    for text in (*shown, "".join(traceback.format_exception(error)), caplog.text):
        assert_clean(text)
    driven.do(lambda client: client.ivr.list())
    assert_clean(caplog.text)


def test_a_login_that_is_repeated_in_its_error(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: {"errcode": -1, "errmsg": "FAILURE", "you_sent": asked.body}
    with pytest.raises(ClientError) as caught:
        connect(odd.url).do(lambda client: client.ivr.list())
    assert_clean(repr(vars(caught.value)))


def test_reprs(odd: OddServer, connect: Connect) -> None:
    driven = connect(odd.url)
    driven.do(lambda client: client.ivr.list())
    session = driven.client.session
    ask = Ask(method="POST", path="a", body={"password": "the-secret"}, token="token-0000")
    pair = Pair(access="token-0000", access_ends=1, renew_at=1)
    for one in (driven.client, session.account, session.pair, session, ask, pair, Saved(pair=pair)):
        assert_clean(repr(one))
    assert_clean(repr(Account("the-client-id", "the-secret")))
    assert_clean(repr(Network(proxy="http://user:the-secret@127.0.0.1:1")))
    assert_clean(repr(File("a.wav", b"the-secret")))


def test_a_url_with_a_password_is_refused() -> None:
    with pytest.raises(ValueError, match="password") as caught:
        Address.parse("https://user:the-secret@pbx.example")
    assert_clean(str(caught.value))


@pytest.mark.parametrize(
    "url", ["https://pbx.example", "https://pbx.example/", "https://pbx.example/openapi/v1.0/"]
)
def test_the_token_stands_in_the_query_alone(url: str) -> None:
    ask = Ask(method="GET", path="ivr/list", query={"page": "1"}, token="token-0000")
    request = build_request(Address.parse(url), Network(), ask)
    assert str(request.url) == "https://pbx.example/openapi/v1.0/ivr/list?page=1&access_token=token-0000"
    assert "token-0000" not in str(request.headers)


@pytest.mark.parametrize("url", ["pbx.example", "ftp://pbx.example", "https://", "https://pbx.example/?a=b"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Address.parse(url)
