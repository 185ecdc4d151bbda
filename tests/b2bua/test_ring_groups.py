"""Ring groups that ring members in turn, over sockets; `test_ring_strategy` tests the rounds."""

from pathlib import Path

import pytest

from openivr.b2bua import ring_strategy
from tests.b2bua.pbx import Pbx, in_loop, open_pbx


def hunt(pbx: Pbx, strategy: str) -> None:
    """Let the demo's ring group (1002, 1003) use this strategy, with rounds of 2.5 s."""
    pbx.change("ring_group", 1, ring_strategy=strategy, ring_timeout=5)


@in_loop
async def test_who_is_busy_is_passed_over_at_once(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        hunt(pbx, "sequentially")
        ada = await pbx.phone("1000")
        alan, kate = await pbx.phone("1002", answers=486), await pbx.phone("1003")
        line = ada.call("6300")
        await line.until_answered()
        assert (len(alan.invites), len(kate.invites)) == (1, 1)
        line.hang_up()
        await pbx.until_quiet()
        assert [leg["result"] for leg in pbx.records()[0].legs] == ["busy", "answered"]


@in_loop
async def test_the_next_rings_when_the_first_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_strategy, "MIN_ROUND_SECONDS", 0.1)
    async with open_pbx(tmp_path) as pbx:
        hunt(pbx, "sequentially")
        ada = await pbx.phone("1000")
        alan, kate = await pbx.phone("1002", answers=None), await pbx.phone("1003")
        line = ada.call("6300")
        first = await alan.until_called()
        await line.until_answered()
        assert (await first.until_over()).status == 487
        assert len(kate.invites) == 1
        line.hang_up()


@in_loop
async def test_in_a_memory_hunt_the_first_goes_on_ringing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_strategy, "MIN_ROUND_SECONDS", 0.1)
    async with open_pbx(tmp_path) as pbx:
        hunt(pbx, "memory_hunt")
        ada = await pbx.phone("1000")
        alan, kate = await pbx.phone("1002", answers=None), await pbx.phone("1003", answers=None)
        line = ada.call("6300")
        first = await alan.until_called()
        second = await kate.until_called()
        assert first.ending is None
        first.answer()
        await line.until_answered()
        assert (await second.until_over()).status == 487
        line.hang_up()


@in_loop
async def test_a_group_that_nobody_answers_goes_to_its_own_destination(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        await pbx.phone("1002", answers=486)
        line = ada.call("6300")
        await line.until_answered()  # by the mailbox of 1002
        await line.until(lambda: line.packets > 20)
        line.hang_up()
        await pbx.until_quiet()
        [record] = pbx.records()
        assert record.outcome == "menu"
        assert record.legs[0]["result"] == "busy"
