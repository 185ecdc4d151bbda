"""What field reports tell of servers, done on purpose; every test runs on both faces."""

from typing import Any

import pytest

from openivr.client import (
    AccountIpBlocked,
    ApiError,
    BadAnswer,
    ListChanged,
    Lost,
    MaxLimitationExceeded,
    PagesIgnored,
    TokenExpired,
    Unreachable,
)
from openivr.client.errors import BY_CODE, IpForbidden

from .conftest import CUT, Asked, Connect, OddServer

HTML = b"<html><body>Please wait while the system restarts. the-secret</body></html>"


def ok(**fields: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "SUCCESS", **fields}


def refuse(code: int, **fields: Any) -> dict[str, Any]:
    return {"errcode": code, "errmsg": "REFUSED", **fields}


def test_tokens_end_in_the_middle_of_a_page_loop(odd: OddServer, connect: Connect) -> None:
    ends = {"2", "4"}

    def behave(asked: Asked) -> None:
        if asked.query.get("page") in ends:
            ends.remove(asked.query["page"])
            odd.good.clear()

    odd.behave = behave
    assert [row.id for row in connect(odd.url).rows(page_size=1)] == [1, 2, 3, 4, 5]
    assert (odd.count("refresh_token"), odd.count("get_token"), odd.count("ivr/list")) == (2, 1, 7)


def test_the_ninth_token(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: refuse(60002) if asked.path == "get_token" else None
    driven = connect(odd.url)
    for _ in range(3):
        with pytest.raises(MaxLimitationExceeded) as caught:
            driven.do(lambda client: client.ivr.list())
        assert caught.value.until is not None
    assert odd.count("get_token") == 1


def test_a_lock_out(odd: OddServer, connect: Connect) -> None:
    blocked = refuse(70004, block_expire_time=4_000_000_000)
    odd.behave = lambda asked: blocked if asked.path == "get_token" else None
    driven = connect(odd.url)
    for _ in range(3):
        with pytest.raises(AccountIpBlocked, match="until 2096-10-02"):
            driven.do(lambda client: client.ivr.list())
    assert len(odd.asked) == 1


def test_an_address_that_is_not_allowed(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: refuse(70087)
    with pytest.raises(IpForbidden):
        connect(odd.url).do(lambda client: client.ivr.list())


@pytest.mark.parametrize("code", sorted(BY_CODE.keys() - {-1, 1, 10004, 60002, 70004}))
def test_every_code_has_its_class(odd: OddServer, connect: Connect, code: int) -> None:
    said = {"invalid_param_list": [{"field": "name", "validation_type": "required"}], "new_field": 1}
    odd.behave = lambda asked: refuse(code, **said) if asked.path == "ivr/update" else None
    with pytest.raises(BY_CODE[code], match="name required") as caught:
        connect(odd.url).do(lambda client: client.ivr.update(1))
    assert type(caught.value) is BY_CODE[code]
    assert caught.value.parameters == said


def test_a_code_that_nobody_knows(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: refuse(99999) if asked.path == "ivr/get" else None
    with pytest.raises(ApiError) as caught:
        connect(odd.url).do(lambda client: client.ivr.get(1))
    assert (type(caught.value), caught.value.code) == (ApiError, 99999)


def test_part_of_an_act_is_an_error_and_part_of_a_read_is_not(odd: OddServer, connect: Connect) -> None:
    part = {"errcode": 1, "errmsg": "PARTIAL SUCCESS", "data": [{"id": 4}]}
    odd.behave = lambda asked: part if asked.path in {"ivr/query", "ivr/update"} else None
    driven = connect(odd.url)
    assert [one.id for one in driven.do(lambda client: client.ivr.query([4, 5]))] == [4]
    with pytest.raises(BY_CODE[1]):
        driven.do(lambda client: client.ivr.update(4))


@pytest.mark.parametrize("status", [200, 404, 401])
def test_html_instead_of_json(odd: OddServer, connect: Connect, status: int) -> None:
    odd.behave = lambda asked: (status, HTML) if asked.path == "ivr/list" else None
    with pytest.raises(BadAnswer, match=r"ivr/list: text/html \(status") as caught:
        connect(odd.url).do(lambda client: client.ivr.list())
    assert "the-secret" not in str(caught.value)
    assert odd.count("ivr/list") == 1


def test_html_while_the_server_restarts(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: (502, HTML) if odd.count("ivr/list") in {1, 2} else None
    assert len(connect(odd.url).rows()) == 5


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b'{"errmsg": "SUCCESS"}', b"\xff{}"])
def test_answers_that_are_not_the_envelope(odd: OddServer, connect: Connect, content: bytes) -> None:
    odd.behave = lambda asked: (200, content) if asked.path == "ivr/list" else None
    with pytest.raises(BadAnswer):
        connect(odd.url).do(lambda client: client.ivr.list())


def test_a_login_without_tokens(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: ok() if asked.path == "get_token" else None
    with pytest.raises(BadAnswer, match="without tokens"):
        connect(odd.url).do(lambda client: client.ivr.list())


def test_a_connection_cut_on_a_read(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: CUT if odd.count("ivr/list") in {1, 2} else None
    assert len(connect(odd.url).rows()) == 5


@pytest.mark.parametrize("act", ["create", "update", "delete", "upload"])
def test_a_connection_cut_on_an_act(odd: OddServer, connect: Connect, act: str) -> None:
    odd.behave = lambda asked: CUT if asked.path.endswith(f"/{act}") else None
    acts: dict[str, Any] = {
        "create": lambda client: client.ivr.create(number="6200"),
        "update": lambda client: client.ivr.update(1, name="a"),
        "delete": lambda client: client.ivr.delete(1),
        "upload": lambda client: client.custom_prompt.upload("a.wav", b"RIFF"),
    }
    with pytest.raises(Lost):
        connect(odd.url).do(acts[act])
    assert sum(asked.path.endswith(f"/{act}") for asked in odd.asked) == 1


@pytest.mark.parametrize(("path", "times"), [("ivr/list", 3), ("ivr/delete", 1), ("queue/agent_login", 1)])
def test_raw_repeats_only_what_reads(odd: OddServer, connect: Connect, path: str, times: int) -> None:
    odd.behave = lambda asked: CUT if asked.path == path else None
    with pytest.raises(Lost):
        connect(odd.url).do(lambda client: client.raw("GET", path))
    assert odd.count(path) == times


def test_a_server_that_is_not_there(connect: Connect) -> None:
    with pytest.raises(Unreachable):
        connect("http://127.0.0.1:9").do(lambda client: client.ivr.list())


def test_a_redirect_is_not_followed(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: (302, b"") if asked.path == "ivr/list" else None
    with pytest.raises(BadAnswer, match="redirected"):
        connect(odd.url).do(lambda client: client.ivr.list())


def test_a_total_that_changes(odd: OddServer, connect: Connect) -> None:
    def behave(asked: Asked) -> None:
        if asked.path == "ivr/list" and asked.query["page"] == "2" and len(odd.rows) == 5:
            odd.rows.append({"id": 6, "number": "6206"})

    odd.behave = behave
    driven = connect(odd.url)
    with pytest.raises(ListChanged, match="5 rows and now there are 6"):
        driven.rows(page_size=2)
    odd.rows.pop()
    found = driven.do(lambda client: client.ivr.all(page_size=2))  # reads again
    assert [row.id for row in found] == [1, 2, 3, 4, 5, 6]


def test_a_list_that_never_stands_still(odd: OddServer, connect: Connect) -> None:
    def behave(asked: Asked) -> None:
        if asked.path == "ivr/list":
            odd.rows.append({"id": len(odd.rows) + 1})

    odd.behave = behave
    with pytest.raises(ListChanged):
        connect(odd.url).do(lambda client: client.ivr.all(page_size=2))
    assert odd.count("ivr/list") == 6


def test_a_row_that_comes_twice(odd: OddServer, connect: Connect) -> None:
    odd.rows[3] = odd.rows[1]
    with pytest.raises(ListChanged, match="row 2 came again on page 2"):
        connect(odd.url).rows(page_size=3)


def test_rows_that_are_missing(odd: OddServer, connect: Connect) -> None:
    answer = ok(total_number=9, data=odd.rows[:2])
    odd.behave = lambda asked: answer if asked.path == "ivr/list" else None
    with pytest.raises(ListChanged, match="2 of 9 rows"):
        connect(odd.url).rows(page_size=3)


def test_a_server_that_ignores_the_page(odd: OddServer, connect: Connect) -> None:
    answer = ok(total_number=5, data=odd.rows[:2])
    odd.behave = lambda asked: answer if asked.path == "ivr/list" else None
    with pytest.raises(PagesIgnored):
        connect(odd.url).rows(page_size=2)
    assert odd.count("ivr/list") == 2


def test_a_server_that_ignores_the_page_size(odd: OddServer, connect: Connect) -> None:
    answer = ok(total_number=5, data=odd.rows)
    odd.behave = lambda asked: answer if asked.path == "ivr/list" else None
    assert len(connect(odd.url).rows(page_size=2)) == 5
    assert odd.count("ivr/list") == 1


@pytest.mark.parametrize("size", [2, 5, 7])
def test_a_list_without_a_total(odd: OddServer, connect: Connect, size: int) -> None:
    def behave(asked: Asked) -> Any:
        if asked.path != "ivr/list":
            return None
        page = odd.page(asked.query)
        del page["total_number"]
        return page

    odd.behave = behave
    assert [row.id for row in connect(odd.url).rows(page_size=size)] == [1, 2, 3, 4, 5]


def test_unknown_fields_numbers_as_strings_and_missing_fields(odd: OddServer, connect: Connect) -> None:
    rows = [
        {"id": "1", "number": 6200, "name": "A", "enb_dial_outb_routes": "1", "colour": "red"},
        {"id": 2, "number": "6201", "name": None},
        {"id": 3, "enb_dial_outb_routes": "", "dial_ext_option": "all"},
        {"id": 4, "enb_dial_outb_routes": True},
    ]
    answer = {"errcode": "0", "total_number": "4", "data": rows, "trace": {}}
    odd.behave = lambda asked: answer if asked.path == "ivr/list" else None
    found = connect(odd.url).rows()
    assert [(row.id, row.number, row.name, row.enb_dial_outb_routes) for row in found] == [
        (1, "6200", "A", 1),
        (2, "6201", "", 0),
        (3, "", "", 0),
        (4, "", "", 1),
    ]


def test_a_row_without_an_id(odd: OddServer, connect: Connect) -> None:
    answer = ok(total_number=1, data=[{"number": "6200"}])
    odd.behave = lambda asked: answer if asked.path == "ivr/list" else None
    with pytest.raises(BadAnswer, match="id"):
        connect(odd.url).rows()


@pytest.mark.parametrize("spelling", ["invaild", "invalid"])
def test_both_spellings_of_the_invalid_key(odd: OddServer, connect: Connect, spelling: str) -> None:
    data = {
        "id": 7,
        f"{spelling}_dest": "extension",
        f"{spelling}_dest_value": 12,
        f"allow_out_record_{spelling}": "1",
        "press1_dest": "queue",
        "press1_dest_prefix": None,
        "press1_dest_value": "3",
        "dial_ext_list": [{"id": 5}, 6, {"value": "7", "type": "ext_group", "text": "Sales"}],
        "restrict_dial_ext_list": "",
        "colour": "red",
    }
    odd.behave = lambda asked: ok(data=data) if asked.path == "ivr/get" else None
    ivr = connect(odd.url).do(lambda client: client.ivr.get(7))
    assert (ivr.keys["invalid"].dest, ivr.keys["invalid"].value) == ("extension", "12")
    assert ivr.keys["invalid"].allow_out_record == 1
    assert (ivr.keys["1"].dest, ivr.keys["1"].value) == ("queue", "3")
    assert [link.value for link in ivr.dial_ext_list] == ["5", "6", "7"]
    assert ivr.extra == {"colour": "red"}
    body = ivr.body()
    assert body["invaild_dest_value"] == body["invalid_dest_value"] == "12"
    assert body["press2_dest"] == ""
    assert "name" not in body  # was not sent


def test_a_query_that_answers_one_object(odd: OddServer, connect: Connect) -> None:
    """The documentation says object where it means several."""
    odd.behave = lambda asked: ok(data={"id": 7, "number": "6200"}) if asked.path == "ivr/query" else None
    assert [one.number for one in connect(odd.url).do(lambda client: client.ivr.query([7]))] == ["6200"]


def test_a_token_refused_for_good(odd: OddServer, connect: Connect) -> None:
    odd.behave = lambda asked: refuse(10004) if asked.path == "ivr/get" else None
    with pytest.raises(TokenExpired):
        connect(odd.url).do(lambda client: client.ivr.get(1))
    assert odd.count("ivr/get") == 2


def test_a_program_names_itself(odd: OddServer, connect: Connect) -> None:
    connect(odd.url).do(lambda client: client.ivr.list())
    assert all(asked.headers["User-Agent"] == "openivr-client" for asked in odd.asked)
