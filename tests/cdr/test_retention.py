"""Retention by a wall clock that may be wrong."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.cdr import worker
from openivr.cdr.retention import BELIEVE_SECONDS, DAY, MAX_STEP, RecordClock, RetentionClock, RetentionPolicy
from openivr.cdr.worker import CdrWorker
from openivr.ivr.model import IvrSnapshot
from openivr.store.cdr import call_records, call_writer, voicemail
from openivr.store.cdr.call_records import CallFilter
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.database import Database
from tests.cdr.simulated_calls import record
from tests.cdr.test_worker import write

NOW = 1_800_000_000.0
MINUTE = 60.0


class Machine:
    """The clocks of a machine, and the retention clock of a server on it."""

    def __init__(self, folder: Path, newest: float = NOW) -> None:
        self.folder, self.newest = folder, newest
        self.true, self.steady, self.error, self.boot = NOW, 100.0, 0.0, "first"
        self.start()

    def start(self) -> None:
        self.clock = RetentionClock(
            self.folder,
            self.newest,
            wall=lambda: self.true + self.error,
            steady=lambda: self.steady,
            boot_id=self.boot,
        )

    def reboot(self, seconds: float = 0.0) -> None:
        self.true += seconds
        self.steady, self.boot = 1.0, self.boot + "+"
        self.start()

    def run(self, seconds: float, look: float = 3600.0) -> float:
        """Let the server look every now and then; the last time by which it deletes."""
        end = self.true + seconds
        while self.true < end:
            step = min(look, end - self.true)
            self.true += step
            self.steady += step
            at = self.clock.now()
        return at


@pytest.mark.parametrize("days", [2, 30, 400, 36500])
def test_f7_a_clock_that_steps_ahead_makes_nothing_old(tmp_path: Path, days: int) -> None:
    machine = Machine(tmp_path)
    assert machine.run(MINUTE) == machine.true
    machine.error = days * DAY
    assert machine.run(6 * DAY) <= machine.true
    machine.error = 0.0
    assert machine.run(MINUTE) == machine.true


def test_f7_a_start_with_a_wrong_clock_makes_nothing_old(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(MINUTE)
    machine.error = 400 * DAY
    machine.reboot()
    assert machine.run(12) <= machine.true
    (tmp_path / "new").mkdir()
    first = Machine(tmp_path / "new", newest=NOW - 5)  # its data is older than this version
    first.error = 400 * DAY
    assert first.run(12) <= first.true


def test_f7_a_clock_that_was_reset_is_no_reason_to_doubt_the_right_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(MINUTE)
    machine.error = -machine.true  # 1970, as on a board without a battery
    machine.reboot()
    assert machine.run(MINUTE) < DAY
    machine.error = 0.0
    assert machine.run(MINUTE) == machine.true


def record_clock(machine: Machine) -> RecordClock:
    return RecordClock(
        machine.folder,
        wall=lambda: round(1000 * (machine.true + machine.error)),
        steady=lambda: machine.steady,
        boot_id=machine.boot,
    )


@pytest.mark.parametrize("days", [-366, -2, -0.9, 0, 0.9, 400])
@pytest.mark.parametrize("is_new_boot", [False, True])
def test_f7_a_clock_of_the_past_stamps_no_record(tmp_path: Path, days: float, is_new_boot: bool) -> None:
    machine = Machine(tmp_path)
    machine.run(MINUTE)
    machine.error = days * DAY
    if is_new_boot:
        machine.reboot()
    stamp = record_clock(machine).now() / 1000
    assert stamp == pytest.approx(machine.true if days <= -2 else machine.true + machine.error)


def test_records_have_the_wall_clock_that_retention_believes_at_last(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(MINUTE)
    machine.error = -30 * DAY
    clock = record_clock(machine)
    machine.run(BELIEVE_SECONDS + DAY)
    assert clock.now() / 1000 == pytest.approx(machine.true)
    clock.reload()
    assert clock.now() / 1000 == pytest.approx(machine.true - 30 * DAY)


def test_f7_a_recording_is_as_old_as_its_call(database: Database, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    now = round(time.time() * 1000)
    for name in (f"{now:x}-00ff00ff.wav", f"{now - 400 * 86_400_000:x}-00ff00ff.wav", "old.wav"):
        (recordings / name).write_bytes(b"RIFF")
        os.utime(recordings / name, (1000, 1000))  # the clock was reset while they were written
    CdrWorker(database, "node", tmp_path, RetentionPolicy(recordings=90), recordings).tidy()
    assert [path.name for path in recordings.iterdir()] == [f"{now:x}-00ff00ff.wav"]


def test_a_step_that_stays_is_believed_in_the_end(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(MINUTE)
    machine.reboot(30 * DAY)  # it was switched off
    assert machine.run(BELIEVE_SECONDS - DAY) <= machine.true - 29 * DAY
    machine.reboot()
    assert machine.run(2 * DAY) == machine.true


def test_a_night_of_rest_is_no_step(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run(MINUTE)
    machine.reboot(DAY / 2)
    assert machine.run(MINUTE) == machine.true


@given(st.lists(st.tuples(st.floats(1, DAY / 8), st.floats(-1e9, 1e9)), max_size=30))
def test_f7_no_wrong_clock_makes_data_old_within_a_week(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, float]]
) -> None:
    machine = Machine(tmp_path_factory.mktemp("clock"))
    for seconds, error in steps:
        machine.error = error
        assert machine.run(seconds) <= machine.true + MAX_STEP
        if int(seconds) % 5 == 0:
            machine.start()


def test_f7_a_worker_whose_clock_is_wrong_deletes_nothing(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (recordings / "old.wav").write_bytes(b"RIFF")
    real = time.time()
    write(tmp_path, [*record(snapshot, "old", start=int(real * 1000)).end()])
    with database.writing() as connection:
        message = VoicemailMessage("m", 1, "", "", int(real * 1000), 1000)
        voicemail.save(connection, message, b"RIFF")
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: real + 400 * DAY)
        cdr_worker = CdrWorker(database, "node", tmp_path, RetentionPolicy(365, 90, 365), recordings)
        cdr_worker.catch_up()
        cdr_worker.tidy()
    with database.reading() as connection:
        assert call_records.list_calls(connection, CallFilter())[0] == 1
        assert voicemail.list_messages(connection)[0] == 1
    assert (recordings / "old.wav").exists()


def test_f7_a_turn_deletes_a_bounded_number_of_recordings(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MAX_DELETED_FILES", 3)
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for number in range(5):
        (recordings / f"{number}.wav").write_bytes(b"RIFF")
        os.utime(recordings / f"{number}.wav", (1000 + number, 1000 + number))
    cdr_worker = CdrWorker(database, "node", tmp_path, RetentionPolicy(recordings=1), recordings)
    cdr_worker.tidy()
    assert sorted(path.name for path in recordings.iterdir()) == ["3.wav", "4.wav"], "the oldest first"
    cdr_worker.tidy()
    assert not any(recordings.iterdir())


def test_f7_a_turn_deletes_a_bounded_number_of_records(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_writer, "MAX_DELETED", 3)
    calls = [record(snapshot, f"old-{number}").end() for number in range(5)]
    recent = record(snapshot, "recent", start=int(time.time() * 1000)).end()
    write(tmp_path, [entry for call in [*calls, recent] for entry in call])
    cdr_worker = CdrWorker(database, "node", tmp_path, RetentionPolicy(records=1))
    cdr_worker.catch_up()
    left = []
    for _ in range(3):
        cdr_worker.tidy()
        with database.reading() as connection:
            left.append(call_records.list_calls(connection, CallFilter())[0])
    assert left == [3, 1, 1]


def test_f17_the_oldest_recordings_beyond_the_quota_are_deleted(database: Database, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for number in range(5):
        (recordings / f"{number}.wav").write_bytes(bytes(1000))
        os.utime(recordings / f"{number}.wav", (1000 + number, 1000 + number))
    for quota, left in ((5000, 5), (4999, 4), (2000, 2), (10, 0)):
        CdrWorker(database, "node", tmp_path, RetentionPolicy(recording_bytes=quota), recordings).tidy()
        assert sorted(path.name for path in recordings.iterdir()) == [
            f"{at}.wav" for at in range(5 - left, 5)
        ]
