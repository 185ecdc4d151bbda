"""Calls over loopback sockets: extensions, menus, ring groups, keys, refusals, ends from either side."""

import asyncio
import errno
from pathlib import Path

import pytest

from openivr.b2bua.call import Call
from openivr.config.call_config import CallConfig
from openivr.ivr.commands import Topic
from openivr.ivr.events import Cause
from openivr.media.recording.wavfile import WavFile
from openivr.sip.handler import Admission
from openivr.sip.message.message import Request
from tests.b2bua.pbx import in_loop, open_pbx


@in_loop
async def test_an_extension_calls_a_menu_and_is_put_through(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        line = ada.call("6200")
        await line.until_answered()
        line.media.send_dtmf("1001")
        other = await grace.until_called()
        assert 'VoiceMenu Navigator" <sip:1000@' in grace.invites[0].get("from")
        await other.until(lambda: other.packets > 10)
        other.media.send_dtmf("5")
        await line.until(lambda: line.keys == "5")
        line.hang_up()
        await other.until_over()
        await pbx.until_quiet()
        [record] = pbx.records()
        assert (record.caller, record.called, record.source) == ("1000", "6200", "1000")
        assert (record.outcome, record.reason) == ("connected", "caller_hangup")
        assert record.input == {"negotiated": ["rfc4733"], "heard": {"rfc4733": 4}}
        assert record.keys == "1001"
        assert record.legs[0]["result"] == "answered"
        assert record.media["caller"]["heard"] > 10
        assert [note.topic for note in pbx.notes(record.id)] == [
            *(Topic.ARRIVED, Topic.ENTERED, Topic.CHOSE, Topic.DIALLED, Topic.CONNECTED, Topic.ENDED)
        ]


@in_loop
async def test_a_call_between_extensions_rings_and_is_ended_by_the_called_side(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001", answers=None)
        line = ada.call("1001")
        other = await grace.until_called()
        await line.until(lambda: 180 in line.statuses)
        assert 200 not in line.statuses
        assert '"Ada Byron" <sip:1000@' in grace.invites[0].get("from")
        other.answer()
        await line.until_answered()
        await line.until(lambda: line.packets > 5)
        other.hang_up()
        assert (await line.until_over()).status == 0
        await pbx.until_quiet()
        [record] = pbx.records()
        assert (record.outcome, record.reason, record.path) == ("connected", "callee_hangup", "")


@pytest.mark.parametrize(
    ("status", "cause"),
    [(486, Cause.BUSY), (603, Cause.DECLINED), (480, Cause.NO_ANSWER), (404, Cause.UNAVAILABLE)],
)
def test_a_phone_that_does_not_take_the_call(tmp_path: Path, status: int, cause: Cause) -> None:
    @in_loop
    async def call() -> None:
        async with open_pbx(tmp_path) as pbx:
            ada, grace = await pbx.phone("1000"), await pbx.phone("1001", answers=status)
            line = ada.call("6200")
            await line.until_answered()
            line.media.send_dtmf("1001")
            await grace.until_called()
            await line.until(lambda: line.packets > 100)  # the notice
            line.hang_up()
            await pbx.until_quiet()
            [record] = pbx.records()
            failed = [note.detail for note in pbx.notes(record.id) if note.topic is Topic.FAILED]
            assert failed == [cause]
            assert record.legs[0]["result"] == cause
            assert record.legs[0]["status"] == status

    call()


@in_loop
async def test_nobody_is_registered(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("1001")
        await line.until_over()
        [record] = pbx.records()
        assert [note.detail for note in pbx.notes(record.id) if note.topic is Topic.FAILED] == [
            Cause.UNAVAILABLE
        ]
        assert record.legs == []


@in_loop
async def test_a_caller_who_gives_up_ends_the_ringing(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001", answers=None)
        line = ada.call("1001")
        other = await grace.until_called()
        await line.until(lambda: 180 in line.statuses)
        line.hang_up()
        ending = await other.until_over()
        assert ending.status == 487
        await pbx.until_quiet()
        [record] = pbx.records()
        assert (record.outcome, record.reason) == ("missed", "caller_hangup")
        assert record.legs[0]["result"] == "cancelled"


@in_loop
async def test_all_phones_of_a_ring_group_ring_and_the_first_wins(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        alan, kate = await pbx.phone("1002", answers=None), await pbx.phone("1003", answers=None)
        line = ada.call("6300")
        one, two = await alan.until_called(), await kate.until_called()
        two.answer()
        await line.until_answered()
        ending = await one.until_over()
        assert ending.status == 487
        line.hang_up()
        await two.until_over()
        await pbx.until_quiet()
        [record] = pbx.records()
        assert sorted(leg["result"] for leg in record.legs) == ["answered", "answered_elsewhere"]


@in_loop
async def test_all_phones_of_an_extension_ring(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.change("extension", 2, concurrent_registrations=2)
        await pbx.process.config_cache.current()
        ada = await pbx.phone("1000")
        desk, cell = await pbx.phone("1001", answers=None), await pbx.phone("1001", answers=486)
        line = ada.call("1001")
        ringing = await desk.until_called()
        await cell.until_called()
        ringing.answer()
        await line.until_answered()
        line.hang_up()
        await ringing.until_over()


@pytest.mark.parametrize("number", ["9999", "02079460000", "*77", "6299"])
def test_numbers_that_lead_nowhere_get_404(tmp_path: Path, number: str) -> None:
    @in_loop
    async def call() -> None:
        async with open_pbx(tmp_path) as pbx:
            ada = await pbx.phone("1000")
            assert (await ada.call(number).until_over()).status == 404
            [record] = pbx.records()
            assert (record.outcome, record.called, record.events) == ("refused", number, [])

    call()


@in_loop
async def test_strangers_are_not_let_in(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        stranger = await pbx.stranger()
        assert (await stranger.call("6200").until_over()).status == 401
        stranger.user, stranger.password = "1000", "guessed"
        assert await stranger.register() == 401


@in_loop
async def test_a_full_house_answers_503(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, max_calls=1) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        line = ada.call("6200")
        await line.until_answered()
        assert (await grace.call("6200").until_over()).status == 503
        line.hang_up()
        await pbx.until_quiet()
        again = grace.call("6200")
        await again.until_answered()


@in_loop
async def test_a_change_reaches_new_calls_at_once_and_calls_under_way_never(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        before = ada.call("6200")
        await before.until_answered()
        pbx.change("ivr", pbx.ivr("6200"), press1_dest="end_call")
        after = grace.call("6200")
        await after.until_answered()
        after.media.send_dtmf("1#")
        await after.until_over()
        before.media.send_dtmf("1#")
        assert (await ada.until_called()).leg is not None
        before.hang_up()


@in_loop
async def test_keys_come_by_info_too_and_count_once(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        line = ada.call("6200")
        await line.until_answered()
        assert line.leg is not None
        for key in "1001":
            line.leg.send_dtmf_info(key)
        await grace.until_called()
        line.hang_up()
        await pbx.until_quiet()
        [record] = pbx.records()
        assert record.input["heard"] == {"info": 4}
        assert record.keys == "1001"


@in_loop
async def test_a_line_that_falls_silent_without_a_word_is_given_up(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, rtp_timeout=1) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        line = ada.call("1001")
        await line.until_answered()
        other = await grace.until_called()
        await other.until(lambda: other.packets > 5)
        line.media.close()
        await line.until_over()
        await other.until_over()
        await pbx.until_quiet()
        [record] = pbx.records()
        assert (record.outcome, record.reason) == ("connected", "caller_lost")
        assert pbx.notes(record.id)[-1].detail == "caller_lost"
        line = ada.call("1001")
        await line.until_answered()
        other = await grace.until_called(times=2)
        await line.until(lambda: line.packets > 5)
        other.media.close()
        await line.until_over()
        await pbx.until_quiet()
        record = pbx.records()[1]
        assert (record.outcome, record.reason) == ("connected", "callee_lost")


@in_loop
async def test_what_is_declined_on_one_phone_is_answered_on_none(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.change("extension", 2, concurrent_registrations=2)
        await pbx.process.config_cache.current()
        ada = await pbx.phone("1000")
        desk, cell = await pbx.phone("1001", answers=None), await pbx.phone("1001", answers=None)
        line = ada.call("1001")
        ringing, declining = await desk.until_called(), await cell.until_called()
        declining.hang_up(603)
        assert (await line.until_over()).status == 603
        assert (await ringing.until_over()).status == 487
        await pbx.until_quiet()
        [record] = pbx.records()
        assert sorted(leg["result"] for leg in record.legs) == ["cancelled", "declined"]


@in_loop
async def test_a_recording_that_was_not_written_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: WavFile, _data: bytes) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(WavFile, "append", refuse)
    async with open_pbx(tmp_path, records=True) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6200")
        await line.until_answered()
        [call] = pbx.process.call_manager.calls.values()
        assert call.recorder.file
        await line.until(lambda: not call.recorder.file)
        line.hang_up()
        await pbx.until_quiet()
        assert pbx.records()[0].recording == ""


@in_loop
async def test_an_invite_without_an_offer_is_answered_with_one(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6200", has_offer=False)
        await line.until_answered()
        await line.until(lambda: line.packets > 5)
        line.media.send_dtmf("1")
        line.hang_up()
        await pbx.until_quiet()
        assert pbx.records()[0].outcome == "menu"


@in_loop
async def test_every_call_is_recorded_where_that_is_asked_for(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, records=True) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6200")
        await line.until_answered()
        await line.until(lambda: line.packets > 50)
        line.hang_up()
        await pbx.until_quiet()
        [record] = pbx.records()
        path = tmp_path / "recordings" / record.recording
        await line.until(lambda: path.exists() and path.stat().st_size > 20_000)


@in_loop
async def test_an_error_ends_one_call_and_leaves_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        other = grace.call("6200")
        await other.until_answered()
        line = ada.call("6200")
        await line.until_answered()
        with monkeypatch.context() as patch:
            patch.setattr(Call, "_start_dial", lambda *_: 1 / 0)
            line.media.send_dtmf("1001")
            await line.until_over()
        assert other.ending is None
        other.hang_up()
        await pbx.until_quiet()
        assert {record.reason for record in pbx.records()} == {"server_error", "caller_hangup"}


@in_loop
async def test_a_configuration_that_cannot_be_read_is_answered_500(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")

        async def fail() -> None:
            raise OSError("gone")

        with monkeypatch.context() as patch:
            patch.setattr(pbx.process.call_manager, "cached_config", lambda: None)
            patch.setattr(pbx.process.call_manager, "load_config", fail)
            assert (await ada.call("6200").until_over()).status == 500
        line = ada.call("6200")
        await line.until_answered()


@in_loop
async def test_a_call_given_up_while_the_configuration_is_read_leaves_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, call_manager = await pbx.phone("1000"), pbx.process.call_manager
        read, goes_on = call_manager.load_config, asyncio.Event()

        async def wait() -> CallConfig:
            await goes_on.wait()
            return await read()

        monkeypatch.setattr(call_manager, "cached_config", lambda: None)
        monkeypatch.setattr(call_manager, "load_config", wait)
        line = ada.call("6200")
        await line.until(lambda: call_manager.waiting == 1)
        assert line.leg is not None
        line.leg.hangup()
        await line.until(lambda: pbx.process.agent.leg_count == 0)
        goes_on.set()
        await line.until(lambda: call_manager.waiting == 0 and bool(pbx.records()))
        [record] = pbx.records()
        assert (record.caller, record.called, record.outcome) == ("1000", "6200", "missed")
        assert (record.reason, record.answered, record.events) == ("caller_hangup", None, [])


@in_loop
async def test_hold_and_resume(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        from openivr.sip.sdp.description import Direction

        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        line = ada.call("1001")
        await line.until_answered()
        other = await grace.until_called()
        assert line.leg is not None
        line.leg.reinvite(line.session.offer(Direction.SENDONLY))
        await line.until(lambda: line.terms is not None and not line.terms.sends)
        line.leg.reinvite(line.session.offer())
        await line.until(lambda: line.terms is not None and line.terms.sends)
        heard = other.packets
        await other.until(lambda: other.packets > heard + 5)
        line.hang_up()
        await other.until_over()


@in_loop
async def test_callers_behind_a_proxy_do_not_shut_each_other_out(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, proxies=("127.0.0.0/8",)) as pbx:
        stranger = await pbx.stranger()
        stranger.user, stranger.password = "1000", "guessed"
        for _ in range(12):  # after 8 of them nobody would answer
            assert await stranger.register() == 401


@pytest.mark.parametrize(
    ("info", "header"),
    [
        ("info=ring3", "<info=ring3>"),
        ("<http://192.0.2.1/ring>;info=x", "<http://192.0.2.1/ring>;info=x"),
        ("", ""),
    ],
)
def test_who_is_rung_by_a_menu_hears_its_ring(tmp_path: Path, info: str, header: str) -> None:
    @in_loop
    async def call() -> None:
        async with open_pbx(tmp_path) as pbx:
            pbx.change("ivr", pbx.ivr("6201"), alert_info=info)
            ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
            line = ada.call("6201")
            await line.until_answered()
            line.media.send_dtmf("1001")
            await grace.until_called()
            assert grace.invites[0].get("alert-info") == header
            ada.call("1001")
            await grace.until_called(times=2)
            assert grace.invites[1].get("alert-info") == ""

    call()


@in_loop
async def test_a_phone_behind_nat_is_kept_within_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pbx(tmp_path) as pbx:
        registrar, ada = pbx.process.registrar, await pbx.phone("1000")
        asked = asyncio.Event()

        def admit(request: Request) -> Admission:
            if request.method == "OPTIONS":
                asked.set()
            return Admission()

        monkeypatch.setattr(ada, "admit", admit)
        monkeypatch.setattr(
            registrar, "due_for_keepalive", lambda: registrar.lookup("1000")
        )  # as if its turn had come
        async with asyncio.timeout(60):
            await asked.wait()
