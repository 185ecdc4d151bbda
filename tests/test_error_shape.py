"""Every refusal has the documented shape, whatever was wrong and wherever it was noticed."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openivr.api.responses import MESSAGES
from openivr.server.http_process import all_endpoints
from tests.effort import scale
from tests.live_server import AGENT, ROOT, Api

KEYS = {"errcode", "errmsg", "submsg", "invalid_param_list", "duplicate_field_list", "block_expire_time"}
MEGABYTE = 1024 * 1024
JSON = AGENT | {"Content-Type": "application/json"}
SYNTAX = {"errcode": 40001, "errmsg": "PARAMETER SYNTAX ERROR"}


def check_error(answer: dict) -> int:
    """The code of an answer that must be an error of the documented shape."""
    code: int = answer["errcode"]
    assert list(answer)[:2] == ["errcode", "errmsg"]
    assert code != 0
    assert answer["errmsg"] == MESSAGES[code]
    assert set(answer) <= KEYS
    for problem in answer.get("invalid_param_list", []):
        assert set(problem) in ({"field", "value"}, {"field", "validation_type"})
        assert all(isinstance(text, str) for text in problem.values())
    assert (code == 40002) == ("invalid_param_list" in answer)
    assert (code == 40003) == ("duplicate_field_list" in answer)
    return code


def check_syntax(answer: dict) -> None:
    """Expect 40001 with a reason."""
    assert answer.pop("submsg")
    assert answer == SYNTAX


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/openapi/v1.0/", 10001),
        ("GET", "/openapi/v1.0/ivr", 10001),
        ("GET", "/openapi/v1.0/IVR/list", 10001),
        ("GET", "/openapi/v1.0/paging/list", 10001),
        ("GET", "/openapi/v1.0/../v1.0/ivr/list", 10001),
        ("GET", "/openapi/v1.0/%00", 10001),
        ("GET", "/openapi/v1.0/%FF%FE", 10001),
        ("GET", "/openapi/v1.0/" + "x" * 5000, 10001),
        ("POST", "/openapi/v1.0/ivr/list", 10001),
        ("GET", "/openapi/v1.0/ivr/create", 10001),
        ("DELETE", "/openapi/v1.0/ivr/delete", 10001),
        ("PUT", "/openapi/v1.0/ivr/update", 10001),
        ("PATCH", "/openapi/v1.0/ivr/update", 10001),
        ("OPTIONS", "/openapi/v1.0/ivr/list", 10001),
        ("GET", "/openapi/v2.0/ivr/list", 10001),
        ("POST", "/openapi/v2.0/cdr/list", 10001),
        ("GET", "/openapi/v3.0/cdr/list", 10003),
        ("GET", "/openapi/v1.1/ivr/list", 10003),
        ("GET", "/openapi/v1/ivr/list", 10003),
        ("GET", "/openapi/ivr/list", 10001),
        ("GET", "/openapi/", 10001),
    ],
)
def test_what_does_not_exist(reader: Api, method: str, path: str, code: int) -> None:
    answer = reader.send(method, f"{path}?access_token={reader.token}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"errcode": code, "errmsg": MESSAGES[code]}


def test_the_order_of_checks(reader: Api) -> None:
    """Endpoint, syntax of the query, token, parameters: each refusal hides those behind it."""

    def code(path: str, query: str, headers: dict) -> int:
        return check_error(reader.send("GET", f"{ROOT}{path}?{query}", headers=headers).json())

    good = f"access_token={reader.token}"
    assert code("nothing", "%FF", {}) == 10001
    assert code("ivr/list", "x=%FF&page=0", AGENT) == 40001
    assert code("ivr/list", "page=0", AGENT) == 10004
    assert code("ivr/list", f"{good}&page=0", AGENT) == 40002
    assert code("ivr/get", good, AGENT) == 40002
    assert code("ivr/get", f"{good}&id=99", AGENT) == 60001


BROKEN = [
    b"",
    b" ",
    b"{",
    b"{}x",
    b"[]",
    b"[{}]",
    b"null",
    b"true",
    b"1",
    b'"text"',
    b"{'a':1}",
    b'{"a":1,}',
    b'{"a":NaN}',
    b'{"a":\xff}',
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b"\xff\xfe{\x00}\x00",
    b"\x1f\x8b\x08\x00",
    b"username=a&password=b",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:12]))
@pytest.mark.parametrize("path", ["ivr/create", "extension/update", "get_token", "refresh_token"])
def test_a_body_must_be_a_json_object(reader: Api, path: str, body: bytes) -> None:
    check_syntax(reader.post(path, body))


def padded(size: int) -> bytes:
    return b'{"id":99' + b" " * (size - 9) + b"}"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_at_most_one_megabyte(reader: Api, chunked: bool) -> None:
    def send(size: int) -> dict:
        reader.connection.close()
        body = padded(size)
        content = iter([body[:1000], body[1000:]]) if chunked else body
        answer: dict = json.loads(raw_post(reader, content))
        return answer

    assert send(MEGABYTE) == {"errcode": 60001, "errmsg": "DATA NOT FOUND"}
    check_syntax(send(MEGABYTE + 1))


def raw_post(api: Api, content: object) -> bytes:
    api.connection.request("POST", api.target("ivr/update", {}), content, JSON)  # type: ignore[arg-type]
    return api.connection.getresponse().read()


def test_a_body_that_says_it_is_too_large_is_not_waited_for(reader: Api) -> None:
    headers = JSON | {"Content-Length": str(MEGABYTE + 1)}
    answer = reader.send("POST", reader.target("ivr/update", {}), b"", headers)
    check_syntax(answer.json())
    assert answer.headers["connection"] == "close"


def test_numbers_beyond_reason(reader: Api) -> None:
    for number in (b"9" * 5000, b"-" + b"9" * 5000, b"1e400", b"1e5", b"0.5", b"1" + b"0" * 400 + b".5"):
        for template in (b'{"id":%b}', b'{"id":1,"prompt_repeat":%b}', b'{"id":1,"press1_dest_value":%b}'):
            assert check_error(reader.post("ivr/update", template % number)) in {40001, 40002}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
POSTS = sorted(e.path for e in all_endpoints() if e.body and "properties" in e.body and e.path[-1] == "e")
FIELDS = {e.path: sorted(e.body["properties"]) for e in all_endpoints() if e.path in POSTS and e.body}


@given(st.data())
@settings(
    max_examples=scale(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_value_of_any_field_upsets_the_server(api: Api, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(POSTS))
    body = data.draw(st.dictionaries(st.sampled_from(FIELDS[path]) | TEXT, VALUE, max_size=4))
    body = {"id": 1, **body} if data.draw(st.booleans()) else body
    body.pop("type", None) if path == "custom_prompt/update" else None
    answer = api.post(path, body)
    if answer["errcode"]:
        assert check_error(answer) != -2


def test_who_is_still_sending_reads_the_refusal_too(reader: Api) -> None:
    big = bytes(20 * MEGABYTE)
    for path, token, code in (
        ("custom_prompt/upload", "wrong", 10004),
        ("custom_prompt/upload", reader.token, 40004),
        ("ivr/create", reader.token, 40001),
        ("nothing", reader.token, 10001),
    ):
        headers = AGENT | {"Content-Type": "multipart/form-data; boundary=x"}
        answer = reader.send("POST", f"{ROOT}{path}?access_token={token}", big, headers)
        assert answer.json()["errcode"] == code
        assert answer.headers["connection"] == "close"


def test_a_get_with_a_body_is_answered_and_ends_the_connection(reader: Api) -> None:
    answer = reader.send("GET", reader.target("ivr/list", {}), b'{"page":0}')
    assert answer.json()["errcode"] == 0
    assert answer.headers["connection"] == "close"
