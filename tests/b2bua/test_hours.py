"""Real calls on both sides of the end of business hours, by a clock that the test sets."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from openivr.ivr.commands import Note, Topic
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.test_outbound import add_trunk
from tests.store.bodies import ivr

BERLIN = ZoneInfo("Europe/Berlin")
TIMED = {"enb_time_condition": 1, "outoffice_time_dest": "extension", "outoffice_time_dest_value": "2"}
KEY = {
    "enb_time_condition": 1,
    "press1_dest": "extension",
    "press1_dest_value": "1",
    "press1_outoffice_time_dest": "extension",
    "press1_outoffice_time_dest_value": "2",
}


def set_clock(pbx: Pbx, text: str) -> None:
    """Let calls see a time of Monday, 30 November 2026, in Berlin."""
    moment = datetime.fromisoformat(f"2026-11-30 {text}").replace(tzinfo=BERLIN)
    pbx.process.context.now = lambda: int(moment.timestamp() * 1000)


async def open_office(pbx: Pbx) -> None:
    pbx.create("timezone", name="Office", timezone="Europe/Berlin", is_default=1)
    week = "mon tue wed thu fri"
    pbx.create("businesshour", days_of_week=week, office_times=[{"value": "09:00-18:00"}])
    await pbx.process.config_cache.current()


def periods(notes: list[Note]) -> list[str]:
    return [note.detail for note in notes if note.topic is Topic.PERIOD]


@in_loop
async def test_a_route_leads_elsewhere_from_six_o_clock_on(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await open_office(pbx)
        provider, trunk = await add_trunk(pbx, "One")
        line_list = [{"type": "trunk", "value": str(trunk)}]
        day = {"def_dest": "extension", "def_dest_value": "1"}
        pbx.create("inbound_route", name="Sales", trunk_list=line_list, **day, **TIMED)
        await pbx.process.config_cache.current()
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        rung = []
        for time in ("17:59:58", "18:00:02"):
            set_clock(pbx, time)
            line = provider.call("441632960000")
            await line.until_answered()
            rung.append((len(ada.invites), len(grace.invites)))
            line.hang_up()
            await pbx.until_quiet()
        assert rung == [(1, 0), (1, 1)]
        records = pbx.records()
        assert [record.period for record in records] == ["open", "closed"]
        told = [periods(pbx.notes(record.id)) for record in records]
        assert told == [["open hours"], ["closed outside"]]


@in_loop
async def test_a_key_leads_where_the_period_of_its_own_moment_says(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await open_office(pbx)
        pbx.create("ivr", **ivr("6299", **KEY))
        await pbx.process.config_cache.current()
        ada, grace, caller = [await pbx.phone(number) for number in ("1000", "1001", "1002")]
        set_clock(pbx, "17:59:58")
        line = caller.call("6299")
        await line.until_answered()
        set_clock(pbx, "18:00:02")
        line.media.send_dtmf("1")
        await grace.until_called()
        assert ada.invites == []
        line.hang_up()
        await pbx.until_quiet()
        (record,) = pbx.records()
        assert periods(pbx.notes(record.id)) == ["closed outside"]


@in_loop
async def test_an_announcement_is_heard_until_its_end(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await open_office(pbx)
        before = [{"type": "ivr", "value": str(pbx.create("ivr", **ivr("6299")))}]
        end = {"end_time": "2026-11-30 18:00"}
        pbx.create("announcement", name="Storm", prompt="default", before_list=before, **end)
        await pbx.process.config_cache.current()
        caller = await pbx.phone("1002")
        for time in ("17:59:58", "18:00:02"):
            set_clock(pbx, time)
            line = caller.call("6299")
            await line.until_answered()
            line.hang_up()
            await pbx.until_quiet()
        notes = [pbx.notes(record.id) for record in pbx.records()]
        assert [any(note.topic is Topic.ANNOUNCED for note in told) for told in notes] == [True, False]


@in_loop
async def test_a_phone_switches_by_a_code_and_calls_follow(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await open_office(pbx)
        pbx.change("extension", 1, enb_switch_hours=1, hours_pin="864209")
        menu = str(pbx.create("ivr", **ivr("6299", **KEY)))
        await pbx.process.config_cache.current()
        ada, grace, caller = [await pbx.phone(number) for number in ("1000", "1001", "1002")]
        set_clock(pbx, "10:00:00")
        assert (await caller.call("*992").until_over()).status == 404  # it may not
        set_clock(pbx, "10:00:01")  # records are in the order of their beginnings
        line = ada.call("*992")
        await line.until_answered()
        line.media.send_dtmf("111#")
        await line.until(lambda: pbx.records()[-1].stage == "hours_pin")
        await line.until(lambda: pbx.process.pin_lockout.count("hours 1") == 1)
        line.media.send_dtmf("864209#")
        await line.until_over()
        await pbx.process.config_cache.current()
        switch = pbx.process.config_cache.configuration.snapshot.calendars[0].switch
        assert switch
        assert (switch.period, switch.by) == ("closed", "1000 Ada Byron")
        record = pbx.records()[-1]
        assert periods(pbx.notes(record.id)) == ["closed switch"]
        assert "864209" not in str(record.events) + record.keys
        line = caller.call("6299")
        await line.until_answered()
        line.media.send_dtmf("1")
        await grace.until_called()
        line.hang_up()
        await pbx.until_quiet()
        assert menu
