"""Blocked numbers over SIP: callers who are rejected, and numbers that a phone may not call."""

from pathlib import Path

from tests.b2bua.pbx import in_loop, open_pbx
from tests.b2bua.test_outbound import DIALLED, add_route, add_trunk


@in_loop
async def test_a_blocked_caller_is_rejected_and_recorded(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        pbx.create(
            "inbound_route",
            name="All",
            trunk_list=[{"type": "trunk", "value": str(trunk)}],
            def_dest="ivr",
            def_dest_value=str(pbx.ivr("6203")),
        )
        pbx.create("block_numbers", name="Nuisance", limit_type="both", number_list="2000&0900.")
        await pbx.process.config_cache.current()
        provider.user = "2000"
        assert (await provider.call("6203").until_over()).status == 603
        provider.user = "2001"
        line = provider.call("6203")
        await line.until_answered()
        line.hang_up()
        await pbx.until_quiet()
        ended = [(record.caller, record.outcome, record.reason) for record in pbx.records()]
        assert ended == [("2000", "refused", "caller_blocked"), ("2001", "menu", "caller_hangup")]


@in_loop
async def test_a_phone_cannot_call_a_blocked_number(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        add_route(pbx, [trunk])
        pbx.create("block_numbers", name="Costly", limit_type="outbound", number_list=DIALLED)
        ada = await pbx.phone("1000")
        assert (await ada.call(DIALLED).until_over()).status == 403
        assert provider.invites == []
        line = ada.call(DIALLED + "1")
        await line.until_answered()
        line.hang_up()
        await pbx.until_quiet()
        assert [record.reason for record in pbx.records()] == ["number_blocked", "caller_hangup"]
