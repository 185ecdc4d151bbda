"""Calls by SIPp, which we did not write: over a trunk, through an inbound route, into a menu.

They come by TCP, where a trunk is known by its address alone: SIPp takes the OPTIONS that a trunk is asked
with for a call that went wrong, so those go to a port where nobody listens.
"""

import asyncio
from pathlib import Path

from tests.b2bua.pbx import in_loop, open_pbx
from tests.sip.phones import find


@in_loop
async def test_sipp_calls_a_menu_over_a_trunk(tmp_path: Path) -> None:
    sipp = find("sipp")
    async with open_pbx(tmp_path) as pbx:
        trunk = pbx.create("trunk", name="SIPp", type="peer", hostname="127.0.0.1", port=1, transport="tcp")
        pbx.create(
            "inbound_route",
            name="In",
            trunk_list=[{"type": "trunk", "value": str(trunk)}],
            def_dest="ivr",
            def_dest_value=str(pbx.ivr("6200")),
        )
        process = await asyncio.create_subprocess_exec(
            *(sipp, "-sn", "uac", "-s", "441632960123", "-i", "127.0.0.1", "-t", "t1"),
            *("-nostdin", "-m", "5", "-r", "5", "-d", "300", "-timeout", "20"),
            f"127.0.0.1:{pbx.server.port}",
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaints = await process.communicate()
        assert process.returncode == 0, complaints
        await pbx.until_quiet()
        records = pbx.records()
        assert [(one.called, one.source, one.path, one.reason) for one in records] == [
            ("441632960123", "SIPp", "6200", "caller_hangup")
        ] * 5
