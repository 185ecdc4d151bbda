"""The index in memory does what a sorted list does, at every size and place."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.resources.order import ListQuery, name_key
from openivr.store.caches import encoded_list
from openivr.store.caches.encoded_list import EncodedList, Rows, key_of

NAMES = st.lists(st.sampled_from(["", "a", "A", "b", "ä", "Z", "aa"]), max_size=30)


def encode(id_: int, name: str) -> bytes:
    return msgspec.json.encode({"id": id_, "name": name})


def oracle(rows: dict[int, str]) -> list[bytes]:
    return [encode(i, n) for i, n in sorted(rows.items(), key=lambda item: (name_key(item[1]), item[0]))]


def build(rows: dict[int, str]) -> EncodedList:
    encoded = {id_: encode(id_, name) for id_, name in sorted(rows.items())}

    def ordered(_sort: str) -> Any:
        return iter(sorted(rows, key=lambda id_: (name_key(rows[id_]), id_)))

    return EncodedList.build(("name",), encoded, ordered)


def pages(built: EncodedList, page: ListQuery) -> list[bytes]:
    text = b"[" + b",".join(built.page(page)) + b"]"
    return [msgspec.json.encode(row) for row in msgspec.json.decode(text)]


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded_list, "CHUNK", 3)
        yield


@given(NAMES, st.integers(0, 35), st.integers(1, 12), st.booleans())
def test_a_page_is_a_slice(names: list[str], offset: int, limit: int, is_descending: bool) -> None:
    rows = dict(enumerate(names, 1))
    expected = oracle(rows)[::-1] if is_descending else oracle(rows)
    found = pages(build(rows), ListQuery(offset, limit, "name", is_descending))
    assert found == expected[offset : offset + limit]


CHANGES = st.lists(st.tuples(st.integers(1, 12), st.none() | st.sampled_from(["a", "B", "c"])), max_size=60)


@given(NAMES, CHANGES)
def test_changes_give_what_building_anew_gives(
    names: list[str], changes: list[tuple[int, str | None]]
) -> None:
    rows = dict(enumerate(names, 1))
    built = build(rows)
    for id_, name in changes:
        before, total = built, built.total
        built = built.change(id_, None if name is None else encode(id_, name))
        assert before.total == total  # who holds the old one keeps it
        rows.pop(id_, None)
        if name is not None:
            rows[id_] = name
        assert pages(built, ListQuery(0, 1000, "name")) == oracle(rows)
        assert built.total == len(rows)


def test_an_index_grows_from_nothing_and_shrinks_to_nothing() -> None:
    built = build({})
    for id_ in range(1, 20):
        built = built.change(id_, encode(id_, "x"))
    for id_ in range(1, 20):
        built = built.change(id_, None)
    assert (built.total, built.page(ListQuery(0, 10))) == (0, [])
    assert Rows.build(key_of("id"), ()).page_descending(0, 5) == []
