"""The telephones that measure calls: what they report is what took place.

How fast it was is not tested: on a machine that does much else, sound is late or left out.
"""

import os
import shutil
from collections.abc import Iterator

import pytest

from bench.calls import FAILURES, Server, faults, sources, start
from bench.machine import core_count
from bench.office import CALLEE, MENU, openivr
from bench.phones import Found, place_calls

pytestmark = pytest.mark.skipif(
    (shutil.which("gcc") is None or core_count() < 2) and "CI" not in os.environ,
    reason="needs gcc and two cores",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start("OpenIVR", openivr) as running:
        yield running


def place(server: Server, number: str, *options: object, calls: int = 4) -> Found:
    shape = ("--calls", calls, "--settle", 0.5, "--seconds", 2)
    return place_calls(*sources(server), "--number", number, *shape, *options)


def mistakes(found: Found) -> dict[str, int]:
    """What went wrong that is not a matter of speed."""
    return {name: found[name] for name in FAILURES if found[name] and name not in {"silent", "unheard"}}


def test_callers_hear_the_prompt_and_where_their_keys_lead(server: Server) -> None:
    found = place(server, MENU, "--keys", 1)
    assert (found["answered"], found["finished"], mistakes(found)) == (4, 4, {})
    assert found["keys"] > found["unheard"]
    assert 4 < found["received"] < 1.2 * found["sent"]
    assert 0 < found["jitter_p50"] <= found["jitter_p99"] <= found["jitter_max"]
    assert 0 < found["key_p50"] <= found["key_max"]


def test_both_ends_of_a_bridged_call_hear_each_other(server: Server) -> None:
    found = place(server, CALLEE, "--answer")
    assert (found["answered"], found["finished"], mistakes(found)) == (4, 4, {})
    assert 4 < found["received"] < 1.2 * found["sent"]
    assert found["through_p50"] > 0


def test_calls_come_and_go_at_a_rate(server: Server) -> None:
    found = place(server, MENU, "--open-loop", "--rate", 10, "--hold", 0.2, calls=40)
    assert found["begun"] == found["answered"] == found["finished"] > 10
    assert not mistakes(found)


def test_a_number_that_is_nobodys_is_refused_and_counted(server: Server) -> None:
    found = place(server, "4999", "--hold", 1)
    assert found["answered"] == 0
    assert found["refused"] > 0
    assert "refused" in faults(found)
    assert found["last_refusal"] >= 400
