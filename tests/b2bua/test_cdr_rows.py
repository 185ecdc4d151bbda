"""The routing stages of a real call: through two menus and a ring group to a phone, over SIP."""

from pathlib import Path
from typing import Any

from openivr.api.cdr import row_of
from openivr.api.display_time import DisplayFormat
from openivr.store.cdr.cdr_lists import CdrLists, CdrQuery
from tests.b2bua.pbx import Pbx, in_loop, open_pbx


def rows(pbx: Pbx) -> list[dict[str, Any]]:
    """The rows of `cdr/list` after the worker has stored the calls."""
    pbx.records()
    with pbx.database.reading() as connection:
        _, found = CdrLists().list_rows(connection, CdrQuery())
    return [row_of(row, DisplayFormat("DD/MM/YYYY", "hh:mm:ss AM")) for row in found]


@in_loop
async def test_each_stage_of_a_call_has_a_row(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, records=True) as pbx:
        ada, alan = await pbx.phone("1000"), await pbx.phone("1002")
        line = ada.call("6200")
        await line.until_answered()
        await line.until(lambda: line.packets > 3)
        line.media.send_dtmf("3")
        await line.until(lambda: current(pbx) == "6202")
        line.media.send_dtmf("0")
        far = await alan.until_called()
        await far.until(lambda: far.packets > 3)
        line.hang_up()
        await pbx.until_quiet()
        found = rows(pbx)
    first, second, group, phone = found
    assert [row["call_to"] for row in found] == [
        "IVR VoiceMenu Navigator<6200>",
        "IVR VoicePrompt<6202>",
        "Ring Group Support<6300>",
        "Alan Turing<1002>",
    ]
    assert {row["disposition"] for row in found} == {"ANSWERED"}
    assert {row["call_from"] for row in found} == {"Ada Byron<1000>"}
    assert len({row["uid"] for row in found}) == len({row["call_id"] for row in found}) == 1
    assert "ring_duration" not in first
    assert "ring_duration" not in second
    assert first["timestamp"] + first.get("duration", 0) == second["timestamp"]
    assert second["timestamp"] + second.get("duration", 0) == group["timestamp"] <= phone["timestamp"]
    assert group.get("talk_duration", 0) == phone.get("talk_duration", 0)
    assert [("record_file" in row) for row in found].count(True) == 1
    assert phone["time"].endswith(("AM", "PM"))


def current(pbx: Pbx) -> str:
    (call,) = pbx.process.call_manager.calls.values()
    return call.session.ivr.number
