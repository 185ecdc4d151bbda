"""Transfers: blind and attended, by either side of a call, within what the asking phone may dial."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import Line, Phone


@asynccontextmanager
async def conversation(folder: Path) -> AsyncIterator[tuple[Pbx, Phone, Phone, Line, Line]]:
    """A call of Ada to Grace, who has answered: both phones, and the line of each."""
    async with open_pbx(folder) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        line, far = await talk(ada, "1001", grace)
        yield pbx, ada, grace, line, far


async def talk(one: Phone, number: str, other: Phone) -> tuple[Line, Line]:
    """A conversation: the line of each side."""
    line = one.call(number)
    await line.until_answered()
    far = await other.until_called()
    await far.until(lambda: far.packets > 3)
    return line, far


def refer(line: Line, uri: str, second: Line | None = None) -> None:
    """Ask for a transfer of a call, in attended ones to the peer of a second call."""
    assert line.leg is not None
    line.leg.refer(uri, second.leg if second is not None else None)


async def hear_each_other(one: Line, other: Line) -> None:
    """Keys pressed on either side come to the other."""
    await hear(one, other, "1")
    await hear(other, one, "2")


async def hear(source: Line, target: Line, key: str) -> None:
    before = target.keys
    source.media.send_dtmf(key)
    await target.until(lambda: target.keys == before + key)


@in_loop
async def test_the_called_side_sends_the_caller_on(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, _ada, grace, line, asking):
        alan = await pbx.phone("1002")
        refer(asking, grace.uri("1002"))
        far = await alan.until_called()
        await asking.until(lambda: asking.transfers[-1:] == [200])
        await asking.until_over()
        assert "<sip:1000@" in alan.invites[0].get("from")
        await hear_each_other(line, far)
        line.hang_up()
        await far.until_over()
        await pbx.until_quiet()
        first, second = pbx.records()
        assert (first.outcome, first.reason) == ("connected", "transferred")
        assert (second.caller, second.called, second.outcome) == ("1000", "1002", "connected")
        assert first.legs[0]["result"] == "transferred"


@in_loop
async def test_the_caller_sends_the_called_side_to_a_menu(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, ada, _grace, asking, far):
        refer(asking, ada.uri("6202"))
        await asking.until(lambda: asking.transfers[-1:] == [200])
        await asking.until_over()
        heard = far.packets
        await far.until(lambda: far.packets > heard + 10)
        assert far.ending is None
        far.hang_up()
        await pbx.until_quiet()
        _, second = pbx.records()
        assert (second.caller, second.source, second.path) == ("1001", "1000", "6202")
        assert (second.outcome, second.reason) == ("menu", "caller_hangup")


@in_loop
async def test_nobody_is_sent_where_the_asking_phone_may_not_dial(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (_, ada, _grace, asking, far):
        refer(asking, ada.uri("900441632960000"))
        await asking.until(lambda: bool(asking.transfers))
        assert asking.transfers == [404]
        await hear_each_other(asking, far)
        asking.hang_up()


@in_loop
async def test_a_transfer_that_fails_says_so_and_gives_the_call_back(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, _ada, grace, line, asking):
        await pbx.phone("1002", answers=486)
        refer(asking, grace.uri("1002"))
        await asking.until(lambda: asking.transfers[-1:] == [486])
        await hear_each_other(line, asking)
        assert (len(grace.invites), asking.ending, line.ending) == (1, None, None)
        asking.hang_up()
        await line.until_over()
        await pbx.until_quiet()
        found = [(record.called, record.outcome, record.reason) for record in pbx.records()]
        assert found == [
            ("1001", "connected", "transferred"),
            ("1002", "menu", "transfer_failed"),
            ("1001", "connected", "callee_hangup"),
        ]
        (leg,) = pbx.records()[2].legs
        assert (leg["number"], leg["result"]) == ("1001", "answered")
        assert leg["began"] <= leg["answered"] <= leg["ended"]


@in_loop
async def test_who_transferred_in_vain_and_hung_up_is_called(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, _ada, grace, line, asking):
        alan = await pbx.phone("1002", answers=None)
        refer(asking, grace.uri("1002"))
        far = await alan.until_called()
        asking.hang_up()
        assert far.leg is not None
        far.leg.hangup(486)
        again = await grace.until_called(times=2)
        assert "<sip:1000@" in grace.invites[1].get("from")
        await hear_each_other(line, again)
        line.hang_up()
        await again.until_over()


@in_loop
async def test_a_caller_who_gives_up_while_transferred_ends_it_for_all(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, _ada, grace, line, asking):
        alan = await pbx.phone("1002", answers=None)
        refer(asking, grace.uri("1002"))
        far = await alan.until_called()
        line.hang_up()
        assert (await far.until_over()).status == 487
        await asking.until_over()
        await pbx.until_quiet()
        assert len(pbx.records()) == 2


@in_loop
async def test_a_transfer_to_a_group_ends_where_the_group_leads(tmp_path: Path) -> None:
    """Nobody in Support answers: the caller gets its mailbox, and is not sent back."""
    async with conversation(tmp_path) as (pbx, _ada, grace, line, asking):
        await pbx.phone("1002", answers=486)
        refer(asking, grace.uri("6300"))
        await asking.until(lambda: asking.transfers[-1:] == [200])
        await asking.until_over()
        heard = line.packets
        await line.until(lambda: line.packets > heard + 20)
        line.hang_up()
        await pbx.until_quiet()
        assert pbx.records()[1].reason == "caller_hangup"


@in_loop
async def test_two_calls_are_joined(tmp_path: Path) -> None:
    """Grace talks to Ada and calls Alan; then Ada and Alan talk to each other."""
    async with conversation(tmp_path) as (pbx, _ada, grace, line, asking):
        alan = await pbx.phone("1002")
        second, far = await talk(grace, "1002", alan)
        refer(asking, grace.uri("1002"), second)
        await asking.until(lambda: asking.transfers[-1:] == [200])
        await second.until_over()
        await hear_each_other(line, far)
        far.hang_up()
        await line.until_over()
        await pbx.until_quiet()
        reasons = {record.called: record.reason for record in pbx.records()}
        assert reasons == {"1001": "callee_hangup", "1002": "transferred"}


@in_loop
async def test_two_calls_that_one_phone_placed_are_joined(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, ada, _grace, first, one):
        alan = await pbx.phone("1002")
        second, other = await talk(ada, "1002", alan)
        refer(first, ada.uri("1002"), second)
        await first.until(lambda: first.transfers[-1:] == [200])
        await second.until_over()
        await hear_each_other(one, other)
        one.hang_up()
        await other.until_over()
        await pbx.until_quiet()
        assert len(pbx.records()) == 2


@in_loop
async def test_who_talks_to_a_menu_has_nobody_to_transfer(tmp_path: Path) -> None:
    """Neither blind nor as the second of two calls; both go on as if nothing had been asked."""
    async with conversation(tmp_path) as (_, ada, _grace, first, far):
        menu = ada.call("6200")
        await menu.until_answered()
        refer(menu, ada.uri("1001"))
        await menu.until(lambda: bool(menu.transfers))
        assert menu.transfers == [603]
        refer(first, ada.uri("6200"), menu)
        await first.until(lambda: bool(first.transfers))
        assert first.transfers == [603]
        await hear_each_other(first, far)
        heard = menu.packets
        await menu.until(lambda: menu.packets > heard)


@in_loop
async def test_nobody_joins_calls_of_others(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, _ada, _grace, line, far):
        alan, kate = await pbx.phone("1002"), await pbx.phone("1003")
        asking, other = await talk(alan, "1003", kate)
        refer(asking, alan.uri("1001"), line)
        await asking.until(lambda: bool(asking.transfers))
        assert asking.transfers == [481]
        await hear_each_other(line, far)
        await hear_each_other(asking, other)
