"""Calls over trunks, in and out: routes, numbers as they are changed, limits, failover, what is shown."""

import socket
from pathlib import Path
from typing import Any

import pytest

from openivr.b2bua import dialer
from openivr.ivr.commands import Topic
from openivr.ivr.events import Cause
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import Line, Phone

DIALLED = "9441632960000"  # as the demo's menu would have it: 9 for the outside


async def add_trunk(pbx: Pbx, name: str, answers: int | None = 200, **fields: Any) -> tuple[Phone, int]:
    """A provider: a phone that is known by its address, and the trunk that says so."""
    provider = await pbx.stranger()
    provider.answers = answers
    body = {"name": name, "type": "peer", "hostname": "127.0.0.1", "port": provider.address.port} | fields
    ident = pbx.create("trunk", **body)
    await pbx.process.config_cache.current()
    return provider, ident


def add_route(pbx: Pbx, trunks: list[int], **fields: Any) -> int:
    """A route that extension 1000 and the menu 6201 may use for numbers that begin with 9."""
    body = {
        "name": "Out",
        "dial_pattern_list": [{"pattern": "9X.", "strip": 1, "prepend": "0"}],
        "trunk_list": [{"type": "trunk", "value": str(ident)} for ident in trunks],
        "ext_list": [{"type": "extension", "value": "1"}],
    }
    return pbx.create("outbound_route", **body | fields)


async def settle(line: Line) -> None:
    """Wait until the call is answered or over."""
    await line.until(lambda: line.ending is not None or 200 in line.statuses)


@in_loop
async def test_an_extension_calls_out_and_the_number_is_changed_by_the_route(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One", def_outbound_cid="441632000000")
        add_route(pbx, [trunk])
        ada = await pbx.phone("1000")
        line = ada.call(DIALLED)
        await line.until_answered()
        far = await provider.until_called()
        invite = provider.invites[0]
        assert invite.uri.startswith("sip:0441632960000@127.0.0.1")
        assert "<sip:441632000000@" in invite.get("from")
        line.media.send_dtmf("7")
        await far.until(lambda: far.keys == "7")
        far.hang_up()
        await line.until_over()
        await pbx.until_quiet()
        [record] = pbx.records()
        assert (record.outcome, record.legs[0]["via"]) == ("connected", "One")
        assert {note.number for note in pbx.notes(record.id) if note.topic is Topic.DIALLED} == {"..."}


@in_loop
async def test_t16_numbers_are_sent_in_the_form_that_the_trunk_wants(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One", country_code="44", outbound_number_format="e164")
        add_route(pbx, [trunk])
        pbx.change("extension", 1, caller_id="01632960999")
        ada = await pbx.phone("1000")
        line = ada.call("91632960000")  # the route makes 01632960000 of it
        await line.until_answered()
        await provider.until_called()
        invite = provider.invites[0]
        assert invite.uri.startswith("sip:+441632960000@127.0.0.1")
        assert "<sip:+441632960999@" in invite.get("from")
        line.hang_up()
        await pbx.until_quiet()
        pbx.change("trunk", trunk, outbound_number_format="national")
        await pbx.process.config_cache.current()
        line = ada.call("90441632960000")  # 00441632960000
        await line.until_answered()
        await provider.until_called(2)
        assert provider.invites[1].uri.startswith("sip:01632960000@127.0.0.1")
        line.hang_up()
        await pbx.until_quiet()


@in_loop
async def test_who_is_not_listed_may_not_call_out(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        add_route(pbx, [trunk])
        grace = await pbx.phone("1001")
        assert (await grace.call(DIALLED).until_over()).status == 404
        assert provider.invites == []


@in_loop
async def test_the_next_trunk_is_tried_when_one_fails_and_not_when_a_person_is_busy(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        broken, first = await add_trunk(pbx, "One", answers=503)
        works, second = await add_trunk(pbx, "Two")
        add_route(pbx, [first, second])
        ada = await pbx.phone("1000")
        line = ada.call(DIALLED)
        await line.until_answered()
        await broken.until_called()
        await works.until_called()
        line.hang_up()
        await pbx.until_quiet()
        broken.answers = 486
        busy = ada.call(DIALLED)
        await busy.until_over()
        assert len(works.invites) == 1
        assert [leg["result"] for leg in pbx.records()[0].legs] == ["unavailable", "answered"]


def test_a_line_that_says_nothing_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "RESPONSE_SECONDS", 0.3)

    @in_loop
    async def call() -> None:
        async with open_pbx(tmp_path) as pbx:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
                silent.bind(("127.0.0.1", 0))
                _, first = await add_trunk(pbx, "Silent", port=silent.getsockname()[1])
                works, second = await add_trunk(pbx, "Works")
                add_route(pbx, [first, second])
                ada = await pbx.phone("1000")
                line = ada.call(DIALLED)
                await line.until_answered()
                line.hang_up()
                await (await works.until_called()).until_over()
                await pbx.until_quiet()
                [record] = pbx.records()
                told = [(leg["via"], leg["result"]) for leg in record.legs]
                assert told == [("Silent", "unavailable"), ("Works", "answered")]

    call()


@in_loop
async def test_a_limit_refuses_and_a_restart_does_not_forget_it(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        add_route(pbx, [trunk], max_calls=1, max_calls_per_caller=2)
        ada = await pbx.phone("1000")
        first = ada.call(DIALLED)
        await first.until_answered()
        second = ada.call(DIALLED)
        await second.until_over()
        first.hang_up()
        await pbx.until_quiet()
        assert len(provider.invites) == 1
        refused = pbx.records()[1]
        failed = [note.detail for note in pbx.notes(refused.id) if note.topic is Topic.FAILED]
        assert failed == [Cause.LIMIT]
        third = ada.call(DIALLED)
        await third.until_answered()
        third.hang_up()
        await pbx.until_quiet()
        pbx.records()
    async with open_pbx(tmp_path, is_new=False) as again:
        provider = await again.stranger()
        again.change("trunk", 2, hostname="127.0.0.1", port=provider.address.port)
        await again.process.config_cache.current()
        ada = await again.phone("1000")
        await ada.call(DIALLED).until_over()
        assert provider.invites == []


@in_loop
async def test_a_call_from_a_trunk_goes_where_its_number_leads(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        pbx.create(
            "inbound_route",
            name="In",
            did_pattern_list=[{"did_pattern": "44163296XXXX"}],
            trunk_list=[{"type": "trunk", "value": str(trunk)}],
            def_dest="ivr",
            def_dest_value=str(pbx.ivr("6202")),
        )
        provider.user = "0207946000"
        line = provider.call("441632960123")
        await line.until_answered()
        await line.until(lambda: line.packets > 5)
        line.hang_up()
        await pbx.until_quiet()
        unknown = provider.call("33123456789")
        assert (await unknown.until_over()).status == 404
        first, second = pbx.records()
        assert (first.caller, first.called, first.source) == ("0207946000", "441632960123", "One")
        assert (first.path, second.outcome) == ("6202", "refused")


@in_loop
async def test_sound_before_the_answer_is_heard(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One", answers=None)
        add_route(pbx, [trunk])
        ada = await pbx.phone("1000")
        line = ada.call(DIALLED)
        far = await provider.until_called()
        far.ring(is_early=True)
        await line.until(lambda: 183 in line.statuses)
        far.media.send_dtmf("5")
        await line.until(lambda: line.keys == "5")
        assert 200 not in line.statuses
        far.answer()
        await line.until_answered()
        line.hang_up()
        await far.until_over()


@in_loop
async def test_a_trunk_that_is_switched_off_is_not_known_any_more(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        pbx.change("trunk", trunk, enable=0)
        await pbx.process.config_cache.current()
        assert (await provider.call("441632960123").until_over()).status == 401
