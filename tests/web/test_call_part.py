"""What an address says of the calls behind a number comes back as it was, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallFilter, NoteFilter
from openivr.web.calls.drilldown import narrow, read_part, write_part

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=127)
idents = st.integers(0, 2**31 - 1)
noted = st.builds(
    NoteFilter,
    st.sampled_from([("chose",), ("invalid",), ("connected", "recorded")]),
    st.none() | idents,
    st.none() | texts,
    st.none() | st.sampled_from(["", *map(str, DestinationKind)]),
    st.none() | idents,
    st.none() | texts,
)
wanted = st.builds(
    CallFilter,
    since=st.none() | st.integers(0, 2**52),
    until=st.none() | st.integers(0, 2**52),
    path=st.lists(st.from_regex(r"[0-9]{1,7}", fullmatch=True), max_size=5).map(tuple),
    is_whole_path=st.booleans(),
    noted=st.none() | noted,
)


@given(wanted)
def test_what_is_written_is_read_again(wanted: CallFilter) -> None:
    text = write_part(wanted)
    assert narrow(CallFilter(), read_part(text)) == wanted
    assert bool(text) == (wanted != CallFilter())


def test_days_stay_where_no_moments_are_named() -> None:
    part = read_part(write_part(CallFilter(path=("6200",))))
    assert narrow(CallFilter(since=1, until=2, outcome="menu"), part) == CallFilter(
        since=1, until=2, outcome="menu", path=("6200",)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        '{"menu":-1}',
        '{"topics":["chose"],"menu":99999999999}',
        '{"topics":["ended"]}',
        '{"topics":["chose"],"kind":"trunk"}',
        '{"path":["\\u0000"]}',
        '{"topics":["chose"],"input":"\\u0000"}',
        '{"topics":["chose"],"detail":"\\ud800"}',
        '{"since":1e99}',
        '{"unknown":1}',
        '{"path":["' + "6" * 2000 + '"]}',
        '{"path":' + "[" * 600,
    ],
)
def test_what_nobody_wrote_is_not_read(text: str) -> None:
    assert read_part(text) is None
