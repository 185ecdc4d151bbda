"""`ivr/list` is answered on two ways; no request can tell which one it took."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openivr.api.fast_list import read_fast_query
from openivr.api.query import read_page, read_query
from openivr.api.responses import ApiError
from openivr.resources import KINDS
from openivr.resources.secret import fingerprint
from tests.effort import scale
from tests.live_server import AGENT, ROOT, Api

NAMES = st.sampled_from(["page", "page_size", "sort_by", "order_by", "access_token", "x", "", "Page"])
VALUES = st.one_of(
    st.sampled_from(["1", "2", "3", "10000", "id", "number", "name", "asc", "desc", "TOKEN"]),
    st.sampled_from(
        ["", "0", "10001", "-1", "+1", "1%31", "%31", "%", "1#", "00000000000001", "9" * 30, "é"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=6),
)
PARTS = st.tuples(NAMES, st.sampled_from(["=", "==", "", "#="]), VALUES).map("".join)
ENDS = st.sampled_from(["", "&", "#", "#&page=2", "&&order_by=desc", ";page=2"])
QUERIES = st.builds(
    lambda parts, end: "&".join(parts) + end,
    st.lists(PARTS, max_size=5).map(lambda parts: ["access_token=TOKEN", *parts]),
    ENDS,
)


@given(QUERIES)
@settings(max_examples=scale(100))
@example("access_token=TOKEN#&page=2")
def test_what_the_fast_way_reads_the_ordinary_way_reads_too(text: str) -> None:
    raw = text.encode()
    fast = read_fast_query(raw)
    if fast is None:
        return
    query = read_query(raw.partition(b"#")[0])
    (token,) = query["access_token"]
    assert (fingerprint(token), read_page(query, KINDS["ivr"])) == fast


def test_plain_requests_do_take_the_fast_way() -> None:
    assert read_fast_query(b"access_token=T&page=1&page_size=20&sort_by=id&order_by=asc") is not None
    assert read_fast_query(b"access_token=T") is not None


@given(QUERIES)
@settings(max_examples=scale(50), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example("access_token=TOKEN#&page=2")
@example("access_token=TOKEN&page=2&page_size=2")
def test_both_ways_give_the_same_bytes(reader: Api, text: str) -> None:
    if not text.isascii():
        return  # not a request line that the client would send
    target = f"{ROOT}ivr/list?" + text.replace("TOKEN", reader.token)
    fast = reader.send("GET", target)
    ordinary = reader.send("GET", target, headers=AGENT | {"Content-Length": "0"})
    assert fast.content == ordinary.content
    assert {**fast.headers, "date": ""} == {**ordinary.headers, "date": ""}


def test_more_parameters_than_may_be_are_too_many_on_both_ways(reader: Api) -> None:
    query = "&".join(f"x{n}=1" for n in range(100))
    with pytest.raises(ApiError):
        read_query(b"access_token=T&" + query.encode())
    assert read_fast_query(b"access_token=T&" + query.encode()) is None
