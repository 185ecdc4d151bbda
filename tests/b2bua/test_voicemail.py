"""Messages: left at the tone, kept with their call, heard and deleted by their owner after a PIN."""

import errno
import io
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from openivr.b2bua import call_manager, voicemail_recorder
from openivr.ivr.commands import Topic
from openivr.media.audio.clip import Clip
from openivr.media.audio.tone import sines
from openivr.media.recording.wavfile import WavFile
from openivr.store.availability import Unavailable
from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import Line

PIN = "4711"


def messages(pbx: Pbx) -> list[VoicemailMessage]:
    pbx.records()
    with pbx.database.reading() as connection:
        return voicemail.list_messages(connection)[1]


async def leave_message(pbx: Pbx, line: Line) -> VoicemailMessage:
    """Press 2 in the menu 6203 (a message for 1002), skip to the tone, speak, end with #.

    A # at once after the 2 would belong to it. The 1 between them does nothing.
    """
    await line.until_answered()
    line.media.send_dtmf("21#")
    tone = Clip.from_samples(sines((440,), 1.5, 10))
    journal = pbx.journal
    await line.until(lambda: any(journal.glob("vm-*.wav")))
    line.media.play((tone,))
    await line.until(lambda: line.media.statistics().sent > 200)
    line.media.send_dtmf("#")
    await line.until_over()
    await pbx.until_quiet()
    await line.until(lambda: len(messages(pbx)) > 0)
    return messages(pbx)[0]


@in_loop
async def test_a_message_is_left_heard_and_deleted(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.change("extension", 3, vm_pin=PIN)
        ada = await pbx.phone("1000")
        left = await leave_message(pbx, ada.call("6203"))
        assert (left.extension_id, left.caller, left.heard) == (3, "1000", 0)
        assert left.milliseconds > 1000
        with pbx.database.reading() as connection:
            sound = voicemail.audio_of(connection, left.id)
        assert sound is not None
        with wave.open(io.BytesIO(sound)) as file:
            assert (file.getframerate(), file.getnchannels()) == (8000, 1)
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert abs(np.fft.rfftfreq(len(samples), 1 / 8000)[np.abs(np.fft.rfft(samples)).argmax()] - 440) < 2
        record = pbx.records()[0]
        assert (record.id, record.outcome) == (left.call_id, "message")
        owner = ada.call("*02")
        await owner.until_answered()
        owner.media.send_dtmf(f"1002#{PIN}#")
        await owner.until(lambda: bool(messages(pbx)[0].heard))
        owner.media.send_dtmf("3")
        await owner.until(lambda: not messages(pbx))
        owner.hang_up()
        await pbx.until_quiet()
        second = pbx.records()[1]
        details = [note.detail for note in pbx.notes(second.id) if note.topic is Topic.MAILBOX]
        assert details == ["opened", "deleted"]
        written = b"".join(path.read_bytes() for path in pbx.journal.glob("*.jsonl"))
        assert PIN not in second.keys
        assert second.keys == "••••#••••#3"
        assert b'"key":"7"' not in written


async def reach_tone(pbx: Pbx, line: Line) -> None:
    """Press 2 in the menu 6203 (a message for 1002) and wait until the caller is recorded."""
    await line.until_answered()
    line.media.send_dtmf("21#")
    await line.until(lambda: any(pbx.journal.glob("vm-*.wav")))


@in_loop
async def test_hanging_up_keeps_the_message(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6203")
        await reach_tone(pbx, line)
        line.media.play((Clip.from_samples(sines((440,), 3, 10)),))
        sent = line.media.statistics().sent
        await line.until(lambda: line.media.statistics().sent > sent + 80)
        line.hang_up()
        await pbx.until_quiet()
        await line.until(lambda: len(messages(pbx)) == 1)
        assert pbx.records()[-1].outcome == "message"


@pytest.mark.parametrize("reason", ["server_stopped", "server_error"])
def test_a_message_is_in_the_record_whatever_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    @in_loop
    async def run() -> None:
        async with open_pbx(tmp_path) as pbx:
            ada = await pbx.phone("1000")
            line = ada.call("6203")
            await reach_tone(pbx, line)
            line.media.play((Clip.from_samples(sines((440,), 30, 10)),))
            sent = line.media.statistics().sent
            await line.until(lambda: line.media.statistics().sent > sent + 80)
            if reason == "server_stopped":
                await pbx.process.call_manager.close()
            else:
                [call] = pbx.process.call_manager.calls.values()
                step = call.cdr_writer.step

                def fail(*_args: object, **_options: object) -> None:
                    monkeypatch.setattr(call.cdr_writer, "step", step)
                    raise RuntimeError("a mistake of the server")

                monkeypatch.setattr(call.cdr_writer, "step", fail)
                line.media.send_dtmf("1")
            await line.until_over()
            await pbx.until_quiet()
            assert len(messages(pbx)) == 1
            record = pbx.records()[-1]
            assert (record.outcome, record.reason) == ("message", reason)
            ends = [(note.topic, note.detail) for note in pbx.notes(record.id)[-2:]]
            assert ends == [(Topic.RECORDED, ""), (Topic.ENDED, reason)]

    run()


@in_loop
async def test_a_stop_does_not_wait_long_for_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_manager, "CLOSE_SECONDS", 0.1)
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6203")
        await reach_tone(pbx, line)
        writable = threading.Event()
        close = WavFile.close

        def close_late(file: WavFile) -> None:
            writable.wait(60)
            close(file)

        monkeypatch.setattr(WavFile, "close", close_late)
        try:
            await pbx.process.call_manager.close()
            await line.until_over()
            assert results(pbx)[:2] == ("menu", "server_stopped")
        finally:
            writable.set()


@in_loop
async def test_a_pin_is_not_wrong_while_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("*02")
        await line.until_answered()

        async def fail(*_args: object) -> None:
            raise Unavailable("connection refused")

        monkeypatch.setattr(pbx.process.database, "read", fail)
        line.media.send_dtmf(f"1002#{PIN}#")
        await line.until_over()
        await pbx.until_quiet()
        monkeypatch.undo()
        record = pbx.records()[-1]
        assert record.reason == "destination_unreached"
        details = [note.detail for note in pbx.notes(record.id) if note.topic is Topic.MAILBOX]
        assert details == ["unchecked"]


def results(pbx: Pbx) -> tuple[str, str, list[str]]:
    """Outcome and reason of the last call, and why it left no message."""
    record = pbx.records()[-1]
    notes = [note.detail for note in pbx.notes(record.id) if note.topic is Topic.NOT_RECORDED]
    return record.outcome, record.reason, notes


@in_loop
async def test_m10_hanging_up_at_the_tone_leaves_no_message(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6203")
        await reach_tone(pbx, line)
        line.hang_up()
        await pbx.until_quiet()
        assert results(pbx) == ("menu", "caller_hangup", ["empty"])
        assert messages(pbx) == []
        assert not any(pbx.journal.glob("vm-*.wav"))


@in_loop
async def test_m10_silence_leaves_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail_recorder, "SILENCE_SECONDS", 1.0)
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6203")
        await reach_tone(pbx, line)
        await line.until_over()
        await pbx.until_quiet()
        assert results(pbx) == ("menu", "no_message", ["empty"])
        assert messages(pbx) == []


@in_loop
async def test_m9_a_message_that_cannot_be_written_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("6203")
        await reach_tone(pbx, line)

        def refuse(_file: WavFile, _data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(WavFile, "append", refuse)
        line.media.play((Clip.from_samples(sines((440,), 1.5, 10)),))
        await line.until_over()
        await pbx.until_quiet()
        assert results(pbx) == ("menu", "no_message", ["failed"])
        assert messages(pbx) == []


async def try_pin(line: Line, keys: str) -> None:
    """Press these, and wait until they have been sent or the call is over."""
    line.media.send_dtmf(keys)
    enough = line.media.statistics().sent + 250
    await line.until(lambda: line.media.statistics().sent > enough or bool(line.ending))


@in_loop
async def test_a_wrong_pin_and_a_mailbox_that_is_none_are_refused_alike(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.change("extension", 3, vm_pin=PIN)
        ada = await pbx.phone("1000")
        for mailbox in ("1002", "9999"):
            line = ada.call("*02")
            await line.until_answered()
            for attempt in (f"{mailbox}#0000#", "1111#", "2222#"):
                await try_pin(line, attempt)
            await line.until_over()
        for record in pbx.records():
            assert record.reason == "mailbox_refused"
            details = [note.detail for note in pbx.notes(record.id) if note.topic is Topic.MAILBOX]
            assert details == ["refused"] * 3


async def try_message(pbx: Pbx, line: Line) -> int:
    """Press 2 in the menu 6203 and skip to the tone, in vain; how many messages there are then."""
    await line.until_answered()
    line.media.send_dtmf("21#")
    await line.until_over()
    await pbx.until_quiet()
    assert not any(pbx.journal.glob("vm-*.wav"))
    return len(messages(pbx))


@in_loop
async def test_f17_a_full_mailbox_takes_no_message(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, mailbox_messages=1) as pbx:
        ada = await pbx.phone("1000")
        first = await leave_message(pbx, ada.call("6203"))
        assert await try_message(pbx, ada.call("6203")) == 1
        assert results(pbx) == ("menu", "no_message", ["mailbox_full"])
        with pbx.database.writing() as connection:
            voicemail.delete_message(connection, first.id)
        await leave_message(pbx, ada.call("6203"))


@in_loop
async def test_f17_without_space_no_audio_is_written_until_there_is_some(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, records=True) as pbx:
        ada, disk = await pbx.phone("1000"), pbx.process.disk
        disk.floor = 2**60
        assert await try_message(pbx, ada.call("6203")) == 0
        assert results(pbx) == ("menu", "no_message", ["disk_full"])
        disk.floor = 0
        await leave_message(pbx, ada.call("6203"))
        recordings = [record.recording for record in pbx.records()]
        assert recordings == ["", f"{pbx.records()[1].id}.wav"]
        assert [path.name for path in (tmp_path / "recordings").iterdir()] == recordings[1:]
