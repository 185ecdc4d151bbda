"""The order of lists and searches is total, and the same as a few lines of Python say."""

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from tests.api.families import EXTENSION, IVR, OUTBOUND_ROUTE, TRUNK, Family
from tests.live_server import Api

NAMES = [
    "b",
    "B",
    "a",
    "A",
    "ab",
    "Ä",
    "ä",
    "Z",
    "z",
    "ß",
    "SS",
    "é",
    "É",
    "10",
    "9",
    "_",
    "日本",
    "🙂",
    "a b",
    "a-b",
]
NUMBERS = ["7", "70", "07", "007", "700", "8", "10", "9999999", "0", "00", "80", "69", "071", "1234567"]


def row_name(row: dict) -> str:
    return str(row.get("name") or row.get("caller_id_name") or "")


def oracle(rows: list[dict], sort: str, order: str) -> list[int]:
    """Numbers as dialled, names by folded case, the rest as integers; equal by id; desc is the mirror."""
    keys: dict[str, Callable[[dict], Any]] = {
        "number": lambda row: (len(row["number"]), row["number"]),
        "name": lambda row: row["name"].casefold(),
        "caller_id_name": lambda row: row["caller_id_name"].casefold(),
    }
    key = keys.get(sort, operator.itemgetter(sort))
    ordered = [row["id"] for row in sorted(rows, key=lambda row: (key(row), row["id"]))]
    return ordered if order == "asc" else ordered[::-1]


@pytest.fixture(scope="module")
def filled(api: Api) -> Api:
    """The module's server with objects whose names and numbers are hard to sort."""
    for position, name in enumerate(NAMES):
        number = NUMBERS[position % len(NUMBERS)]
        bodies: list[tuple[Family, dict]] = [
            (IVR, {"name": name} | ({"number": number} if position < len(NUMBERS) else {})),
            (EXTENSION, {"first_name": "", "last_name": name}),
            (TRUNK, {"name": name}),
            (OUTBOUND_ROUTE, {"name": name, "pos": position % 4}),
        ]
        for family, fields in bodies:
            answer = api.post(f"{family.path}/create", family.body(**fields))
            assert answer["errcode"] == 0, answer
    for name in ("b", "Ä", "🙂"):  # the same name again, where that may be
        assert api.post("ivr/create", IVR.body(name=name))["errcode"] == 0
    return api


SORTS = [
    (IVR, ("id", "number", "name")),
    (EXTENSION, ("id", "number", "caller_id_name")),
    (TRUNK, ("id", "name")),
    (OUTBOUND_ROUTE, ("id", "name", "pos")),
]
CASES = [(family, sort) for family, sorts in SORTS for sort in sorts]


@pytest.mark.parametrize("path", ["list", "search"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(("family", "sort"), CASES, ids=lambda value: getattr(value, "path", value))
def test_every_order_is_the_oracle_s(filled: Api, family: Family, sort: str, order: str, path: str) -> None:
    rows = filled.get(f"{family.path}/list")["data"]
    assert len(rows) > len(NAMES)
    answer = filled.get(f"{family.path}/{path}", sort_by=sort, order_by=order)
    assert [row["id"] for row in answer["data"]] == oracle(rows, sort, order)
    assert answer["total_number"] == len(rows)


@pytest.mark.parametrize("path", ["list", "search"])
@pytest.mark.parametrize(("sort", "order"), [*product(["id", "number", "name"], ["asc", "desc"])])
def test_pages_neither_repeat_nor_miss(filled: Api, path: str, sort: str, order: str) -> None:
    rows = filled.get("ivr/list")["data"]
    for size in (1, 7):
        pages = [
            filled.get(f"ivr/{path}", page=page, page_size=size, sort_by=sort, order_by=order)["data"]
            for page in range(1, len(rows) // size + 2)
        ]
        assert [row["id"] for page in pages for row in page] == oracle(rows, sort, order)


@pytest.mark.parametrize("text", ["a", "A", "ä", "ss", "ß", "É", "7", "00", "-", "_", "日", " ", "zz"])
@pytest.mark.parametrize("family", [IVR, EXTENSION, TRUNK], ids=lambda family: family.path)
def test_search_finds_what_contains_the_text(filled: Api, family: Family, text: str) -> None:
    rows = filled.get(f"{family.path}/list")["data"]
    wanted = text.strip().casefold()
    matching = [
        row for row in rows if wanted in row_name(row).casefold() or wanted in str(row.get("number", ""))
    ]
    for order in ("asc", "desc"):
        answer = filled.get(f"{family.path}/search", search_value=text, order_by=order, page_size=3)
        assert answer["total_number"] == len(matching)
        assert [row["id"] for row in answer["data"]] == oracle(matching, "id", order)[:3]


def test_a_change_moves_a_row_to_its_new_place(filled: Api) -> None:
    ident = filled.get("ivr/search", search_value="日本")["data"][0]["id"]
    for name in ("!", "m", "日本"):
        assert filled.post("ivr/update", {"id": ident, "name": name})["errcode"] == 0
        rows = filled.get("ivr/list")["data"]
        answer = filled.get("ivr/list", sort_by="name")
        assert [row["id"] for row in answer["data"]] == oracle(rows, "name", "asc")
        assert filled.get("ivr/search", sort_by="name") == answer
