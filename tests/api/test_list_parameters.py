"""Every bad parameter of a list, on every way by which a request may come."""

import pytest

from tests.live_server import Api

NAMES = ("page", "page_size", "sort_by", "order_by")
NO_INTEGERS = (
    "one",
    "1.0",
    "-1",
    "+1",
    "1e2",
    "0x1",
    "1%20",
    "%EF%BC%91",
    "%D9%A1",
    "1_0",
    "true",
    "%zz",
    "1%00",
)
OUT_OF_RANGE = ("0", "00", "9" * 13, "9" * 19, "9" * 40, "9" * 5000, "1" + "0" * 4299)


def refused(api: Api, query: str, name: str, path: str = "ivr/list") -> dict:
    answer = api.query(path, query)
    assert (answer["errcode"], answer["errmsg"]) == (40002, "PARAMETER ERROR"), answer
    assert [problem["field"] for problem in answer["invalid_param_list"]] == [name]
    assert answer["submsg"].startswith(f"{name} ")
    assert "data" not in answer
    return answer["invalid_param_list"][0]


@pytest.mark.parametrize("path", ["ivr/list", "ivr/search", "extension/list", "outbound_route/search"])
@pytest.mark.parametrize("name", NAMES)
def test_repeated(reader: Api, path: str, name: str) -> None:
    good = {"page": "1", "page_size": "20", "sort_by": "id", "order_by": "asc"}[name]
    assert refused(reader, f"{name}={good}&{name}={good}", name, path) == {"field": name, "value": good}
    assert refused(reader, f"{name}={good}&{name}=", name, path)["value"] == good


@pytest.mark.parametrize("value", NO_INTEGERS)
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_no_integer(reader: Api, name: str, value: str) -> None:
    refused(reader, f"{name}={value}", name)


@pytest.mark.parametrize("value", OUT_OF_RANGE)
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_out_of_range(reader: Api, name: str, value: str) -> None:
    problem = refused(reader, f"{name}={value}", name)
    assert value.startswith(problem["value"].rstrip("…"))
    assert len(problem["value"]) <= 101


def test_the_largest_page_size_is_ten_thousand(reader: Api) -> None:
    assert reader.query("ivr/list", "page_size=10000")["errcode"] == 0
    refused(reader, "page_size=10001", "page_size")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("sort_by=dial_ext_option", "sort_by"),
        ("sort_by=ID", "sort_by"),
        ("sort_by=id,number", "sort_by"),
        ("sort_by=id%20", "sort_by"),
        ("sort_by=" + "n" * 5000, "sort_by"),
        ("sort_by=name%00", "sort_by"),
        ("order_by=ASC", "order_by"),
        ("order_by=ascending", "order_by"),
        ("order_by=1", "order_by"),
        ("order_by=%E2%86%93", "order_by"),
    ],
)
def test_not_in_the_enumeration(reader: Api, query: str, name: str) -> None:
    refused(reader, query, name)


@pytest.mark.parametrize("query", ["page=%FF", "x=%C3%28", "sort_by=%ED%A0%80", "%FF=1"])
def test_no_utf8(reader: Api, query: str) -> None:
    answer = reader.query("ivr/list", query)
    reason = {"submsg": "the query is not UTF-8"}
    assert answer == {"errcode": 40001, "errmsg": "PARAMETER SYNTAX ERROR"} | reason


def test_too_many_parameters(reader: Api) -> None:
    assert reader.query("ivr/search", "&".join(f"x{n}=1" for n in range(99)))["errcode"] == 0
    assert reader.query("ivr/search", "&".join(f"x{n}=1" for n in range(100)))["errcode"] == 40001


@pytest.mark.parametrize(
    ("query", "ids"), [("page=0001&page_size=02", [1, 2]), ("page=000000000000002&page_size=3", [4])]
)
def test_leading_zeros_count_for_nothing(reader: Api, query: str, ids: list[int]) -> None:
    assert [row["id"] for row in reader.query("ivr/list", query)["data"]] == ids


@pytest.mark.parametrize("text", ["x" * 128, "%00", "a%0Ab", "%7F"])
def test_bad_search_values(reader: Api, text: str) -> None:
    refused(reader, f"search_value={text}", "search_value", "ivr/search")


def test_a_search_value_sent_twice(reader: Api) -> None:
    refused(reader, "search_value=a&search_value=a", "search_value", "ivr/search")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("6200", [3]),
        ("620", [1, 2, 3, 4]),
        ("NAVIGATOR", [2, 3]),
        ("voice", [1, 2, 3]),
        (" ", [1, 2, 3, 4]),
        (" menu nav ", [3]),
        ("%25", []),
        ("_", []),
        ("/", []),
        ("%27", []),
        ("%5C", []),
        ("x" * 127, []),
    ],
)
def test_search_is_a_folded_substring_without_wildcards(reader: Api, text: str, ids: list[int]) -> None:
    answer = reader.query("ivr/search", "search_value=" + text.replace(" ", "%20"))
    assert (answer["total_number"], [row["id"] for row in answer["data"]]) == (len(ids), ids)


def test_search_rows_are_the_list_s(reader: Api) -> None:
    assert reader.get("ivr/search") == reader.get("ivr/list")
    assert reader.get("ivr/search", search_value="6200")["data"] == [reader.get("ivr/list")["data"][2]]
