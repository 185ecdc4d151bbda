"""Calls that a phone or a trunk redirects with 302 (T18)."""

from pathlib import Path

import pytest

from tests.b2bua.pbx import in_loop, open_pbx
from tests.b2bua.test_outbound import DIALLED, add_route, add_trunk, settle


@pytest.mark.parametrize(
    "contact", ["sip:1002@192.0.2.99", "tel:1002;phone-context=pbx", "sip:10-02@pbx;user=phone"]
)
def test_t18_a_phone_forwards_to_another_extension(tmp_path: Path, contact: str) -> None:
    @in_loop
    async def call() -> None:
        async with open_pbx(tmp_path) as pbx:
            ada, grace, edith = [await pbx.phone(number) for number in ("1000", "1001", "1002")]
            grace.forwards_to = contact
            line = ada.call("1001")
            await line.until_answered()
            await edith.until_called()
            line.hang_up()
            await pbx.until_quiet()
            [record] = pbx.records()
            assert record.outcome == "connected"
            assert [(leg["number"], leg["status"]) for leg in record.legs] == [("1001", 302), ("1002", 200)]

    call()


@in_loop
async def test_t18_a_phone_forwards_outside_within_what_its_extension_may_dial(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.stop_forwarding(2)
        provider, trunk = await add_trunk(pbx, "One")
        add_route(pbx, [trunk], max_calls=1)  # extension 1000 may use it
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        ada.forwards_to = f"sip:{DIALLED}@anywhere.example"
        for _ in range(2):  # its place in the limit is free again afterwards
            line = grace.call("1000")
            await line.until_answered()
            assert provider.invites[-1].uri.startswith("sip:0441632960000@127.0.0.1")
            line.hang_up()
            await pbx.until_quiet()
        grace.forwards_to = ada.forwards_to  # which 1001 may not dial
        ada.forwards_to = ""
        line = ada.call("1001")
        assert (await line.until_over()).status == 480
        assert len(provider.invites) == 2


@in_loop
async def test_t18_phones_that_forward_to_each_other_end(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.stop_forwarding(2)
        ada, grace, edith = [await pbx.phone(number) for number in ("1000", "1001", "1002")]
        grace.forwards_to, edith.forwards_to = "sip:1002@pbx", "sip:1001@pbx"
        assert (await ada.call("1001").until_over()).status == 480
        assert len(grace.invites) + len(edith.invites) <= 6


@in_loop
async def test_t18_what_is_no_number_is_not_followed(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.stop_forwarding(2)
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        for contact in ("sip:9999@pbx", "sip:pbx", "mailto:a@b", "sip:6200@pbx", "sip:1001x@pbx"):
            grace.forwards_to = contact
            assert (await ada.call("1001").until_over()).status == 480, contact


@in_loop
async def test_t18_a_trunk_redirects_only_if_it_may(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        first, trunk = await add_trunk(pbx, "One")
        second = await pbx.stranger()
        add_route(pbx, [trunk])
        ada = await pbx.phone("1000")
        first.forwards_to = f"sip:+49-30-1234@127.0.0.1:{second.address.port}"
        line = ada.call(DIALLED)
        await settle(line)
        assert line.ending is not None
        assert second.invites == []
        pbx.change("trunk", trunk, follow_redirects=1)
        await pbx.process.config_cache.current()
        line = ada.call(DIALLED)
        await line.until_answered()
        assert second.invites[0].uri == f"sip:+49301234@127.0.0.1:{second.address.port}"
        line.hang_up()
        await pbx.until_quiet()
        first.forwards_to = "sip:1@elsewhere.example"
        line = ada.call(DIALLED)
        await settle(line)
        assert line.ending is not None, "a name that is not the trunk's is not looked up"
