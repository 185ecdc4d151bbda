"""What callers type for nobody's eyes is nowhere: no record, journal, database or log has it."""

import re
from pathlib import Path

from sqlalchemy import select
from structlog.testing import capture_logs

from openivr.store.tables import CALL, CALL_NOTE
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.test_outbound import add_route, add_trunk

PIN, CARD = "7592", "986598659865"  # of digits that nothing else here has in this order
OUTSIDE = "9441632965986"
# Times, ports, ids of calls, tags, ids of boots and measurements, which may have any digits.
BY_CHANCE = re.compile(
    r"\b1\d{12}\b|\b\d{5}\b|\b[0-9a-f]{11}-[0-9a-f]{8}\b"
    r"|\b[0-9a-f]{20,}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d+\.\d+\b"
)


def all_written(pbx: Pbx, logs: object) -> str:
    """All that was kept or said."""
    pbx.records()
    with pbx.database.reading() as connection:
        rows = [connection.execute(select(table)).all() for table in (CALL, CALL_NOTE)]
    journal = [path.read_text() for path in pbx.journal.glob("*.jsonl")]
    return BY_CHANCE.sub("", f"{rows} {journal} {logs}")


def pressed(text: str) -> str:
    """The keys among it, one event each, strung together."""
    return "".join(part[0] for part in text.replace(" ", "").replace("'", '"').split('"key":"')[1:])


@in_loop
async def test_a_pin_and_what_is_typed_at_somebody_else_are_kept_nowhere(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with open_pbx(tmp_path) as pbx:
            pbx.change("extension", 3, vm_pin=PIN)
            ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
            line = ada.call("*02")
            await line.until_answered()
            line.media.send_dtmf(f"1002#{PIN}#")
            await line.until(lambda: "opened" in all_written(pbx, ""))
            line.hang_up()
            line = ada.call("6200")
            await line.until_answered()
            line.media.send_dtmf("1001")
            other = await grace.until_called()
            await other.until(lambda: other.packets > 3)
            line.media.send_dtmf(CARD[:6])
            await other.until(lambda: len(other.keys) == 6)
            line.media.send_dtmf(CARD[6:])
            await other.until(lambda: other.keys == CARD)
            line.hang_up()
            await pbx.until_quiet()
            text = all_written(pbx, logs)
            assert [record.keys for record in pbx.records()] == ["••••#••••#", f"1001{'•' * len(CARD)}"]
    assert "1001" in pressed(text)
    for secret in (PIN, CARD, CARD[:4]):
        assert secret not in text
        assert secret not in pressed(text)


@in_loop
async def test_numbers_dialled_outside_are_in_the_record_and_in_no_log(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with open_pbx(tmp_path) as pbx:
            _, trunk = await add_trunk(pbx, "One")
            add_route(pbx, [trunk])
            ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
            line = ada.call(OUTSIDE)
            await line.until_answered()
            line.hang_up()
            await grace.call(OUTSIDE).until_over()
            second = grace.call("1000")
            await second.until_answered()
            asking = ada.lines[-1]
            assert asking.leg is not None
            asking.leg.refer(ada.uri(OUTSIDE))
            await asking.until(lambda: asking.transfers[-1:] == [200])
            second.hang_up()
            await pbx.until_quiet()
            assert [record.called for record in pbx.records()].count(OUTSIDE) == 3
    assert {"call begins", "transfer", "dialled", "call ends"} <= {row["event"] for row in logs}
    assert OUTSIDE[1:] not in str(logs)
