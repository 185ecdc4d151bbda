"""What is left of a call when it is over: nothing, and without the collector's help.

A collection that has to look for circles among all calls stops the sound of all of them.
"""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from weakref import WeakSet

import pytest

from openivr.b2bua.party import Party
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import WAIT_SECONDS


@pytest.fixture
def collector() -> Iterator[None]:
    """None, for a while."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parties(pbx: Pbx) -> list[Party]:
    """Both sides of all calls, as far as there are such."""
    calls = pbx.process.call_manager.calls.values()
    return [party for call in calls for party in (call.caller, call.callee) if party is not None]


async def until_gone(things: WeakSet[object]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while things:  # noqa: ASYNC110 - nothing says that something was freed
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(
    ("number", "keys", "sides"),
    [("6200", "", 1), ("6200", "3", 1), ("6200", "0", 2), ("1003", "", 2), ("6300", "", 2)],
    ids=["menu", "another menu", "through a menu", "extension", "ring group"],
)
@in_loop
async def test_nothing_is_left_of_a_call(tmp_path: Path, number: str, keys: str, sides: int) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, _other = await pbx.phone("1000"), await pbx.phone("1003")
        line = ada.call(number)
        await line.until_answered()
        line.media.send_dtmf(keys)
        await line.until(lambda: len(parties(pbx)) == sides and line.packets > 10)
        things: WeakSet[object] = WeakSet(pbx.process.call_manager.calls.values())
        things.update(party.media for party in parties(pbx))
        assert len(things) == 1 + sides
        line.hang_up()
        await pbx.until_quiet()
        await until_gone(things)


@pytest.mark.usefixtures("collector")
@in_loop
async def test_nothing_is_left_of_a_message(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6203")
        await line.until_answered()
        line.media.send_dtmf("21#")
        await line.until(lambda: any(pbx.journal.glob("vm-*.wav")))
        things: WeakSet[object] = WeakSet(pbx.process.call_manager.calls.values())
        things.update(party.media for party in parties(pbx))
        assert len(things) == 2
        line.hang_up()
        await pbx.until_quiet()
        await until_gone(things)
