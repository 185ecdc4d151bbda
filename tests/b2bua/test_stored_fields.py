"""Stored fields that callers notice: do not disturb, a group's prompt, the ring tone of a route."""

import io
import wave
from pathlib import Path

import numpy as np

from openivr.media.audio.tone import sines
from openivr.store.config import prompts
from tests.b2bua.pbx import in_loop, open_pbx
from tests.b2bua.test_outbound import add_trunk


@in_loop
async def test_m11_who_may_not_be_disturbed_is_busy_and_does_not_ring(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        pbx.stop_forwarding(2)
        pbx.change("extension", 2, presence_status="do_not_disturb")
        assert (await ada.call("1001").until_over()).status == 486
        assert grace.invites == []
        pbx.change("extension", 2, presence_status="away")
        line = ada.call("1001")
        await line.until_answered()
        line.hang_up()
        await pbx.until_quiet()


@in_loop
async def test_m11_phones_get_the_ring_tone_of_an_inbound_route(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        pbx.create(
            "inbound_route",
            name="Sales",
            alert_info="sales",
            trunk_list=[{"type": "trunk", "value": str(trunk)}],
            def_dest="extension",
            def_dest_value="1",
        )
        ada = await pbx.phone("1000")
        line = provider.call("441632960000")
        await line.until_answered()
        assert ada.invites[0].get("alert-info") == "<sales>"
        line.hang_up()
        await pbx.until_quiet()


def tone_wav() -> bytes:
    """Two seconds of 700 Hz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(sines((700,), 2.0, 10).astype("<i2").tobytes())
    return file.getvalue()


def loudest(path: Path) -> float:
    """The loudest frequency in a wav file, in Hz."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return float(np.fft.rfftfreq(len(samples), 1 / 8000)[np.abs(np.fft.rfft(samples)).argmax()])


@in_loop
async def test_m11_the_prompt_of_a_ring_group_is_played_until_a_phone_answers(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001", None)
        id_ = pbx.create("custom_prompt", name="group.wav")
        with pbx.database.writing() as connection:
            prompts.put_audio(connection, id_, tone_wav(), tone_wav())
        pbx.change("ring_group", 1, join_prompt="group.wav", member_list=["2"])
        line = ada.call("6300")
        far = await grace.until_called()
        await line.until_answered()
        recording = line.media.record(tmp_path / "heard.wav")
        await line.until(lambda: line.media.statistics().heard > 75)
        recording.stop()
        await recording.done
        assert abs(loudest(tmp_path / "heard.wav") - 700) < 5
        far.answer()
        await line.until(lambda: pbx.records()[-1].stage == "connected")
        line.hang_up()
        await pbx.until_quiet()
