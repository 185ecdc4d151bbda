"""The page "Query IVR List": its request gets its answer, and its parameters do what it says."""

import pytest

from tests.live_server import AGENT, Api

ROWS = [
    (1, "6202", "VoicePrompt", "disable", 0),
    (2, "6203", "VoiceAssist Navigator", "disable", 0),
    (3, "6200", "VoiceMenu Navigator", "allow", 1),
    (4, "6201", "Virtual Receptionist", "all", 1),
]
KEYS = ["id", "number", "name", "dial_ext_option", "enb_dial_outb_routes"]


def ids(answer: dict) -> list[int]:
    assert answer["errcode"] == 0, answer
    return [row["id"] for row in answer["data"]]


def test_the_page_s_request_gets_the_page_s_answer(reader: Api) -> None:
    target = f"/openapi/v1.0/ivr/list?access_token={reader.token}&page=1&page_size=20&sort_by=id&order_by=asc"
    answer = reader.send("GET", target, headers=AGENT | {"Host": "192.168.5.150:8088"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert list(document.items())[:3] == [("errcode", 0), ("errmsg", "SUCCESS"), ("total_number", 4)]
    assert list(document) == ["errcode", "errmsg", "total_number", "data"]
    assert [list(row.items()) for row in document["data"]] == [
        list(zip(KEYS, row, strict=True)) for row in ROWS
    ]
    assert {key: type(value) for key, value in document["data"][0].items()} == {
        "id": int,
        "number": str,
        "name": str,
        "dial_ext_option": str,
        "enb_dial_outb_routes": int,
    }


def test_without_parameters_everything_comes_by_id(reader: Api) -> None:
    assert ids(reader.get("ivr/list")) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [("id", [1, 2, 3, 4]), ("number", [3, 4, 1, 2]), ("name", [4, 2, 3, 1])],
)
def test_each_order_and_its_mirror(reader: Api, sort: str, ascending: list[int]) -> None:
    assert ids(reader.get("ivr/list", sort_by=sort)) == ascending
    assert ids(reader.get("ivr/list", sort_by=sort, order_by="asc")) == ascending
    assert ids(reader.get("ivr/list", sort_by=sort, order_by="desc")) == ascending[::-1]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 10_000])
def test_pages_put_together_are_the_list(reader: Api, size: int, order: str) -> None:
    whole = ids(reader.get("ivr/list", sort_by="name", order_by=order))
    pages = []
    for page in range(1, 6):
        answer = reader.get("ivr/list", page=page, page_size=size, sort_by="name", order_by=order)
        assert answer["total_number"] == 4
        assert len(answer["data"]) <= size
        pages += ids(answer)
    assert pages == whole


@pytest.mark.parametrize("page", [2, 3, 10**6, 10**12])
def test_past_the_end_there_is_nothing_and_the_true_total(reader: Api, page: int) -> None:
    for path in ("ivr/list", "ivr/search"):
        answer = reader.get(path, page=page, page_size=10_000)
        assert answer == {"errcode": 0, "errmsg": "SUCCESS", "total_number": 4, "data": []}


def test_names_that_nobody_knows_are_ignored(reader: Api) -> None:
    assert ids(reader.query("ivr/list", "colour=red&colour=blue&page_Size=0&x&=&&order_by=desc")) == [
        4,
        3,
        2,
        1,
    ]
