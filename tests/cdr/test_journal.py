"""The journal: what is written is read, torn ends are not, files follow one another."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.cdr.journal import writer
from openivr.cdr.journal.entries import JournalEntry, RunStarted, TrunkStateChanged, decode
from openivr.cdr.journal.reader import finished_files, list_files, parse, read
from openivr.cdr.journal.writer import Journal


def entry(number: int) -> TrunkStateChanged:
    return TrunkStateChanged(at=number, trunk=number, state="registered")


def entries_in(folder: Path, positions: dict[str, int] | None = None) -> list[JournalEntry | None]:
    return [place.entry for place in read(folder, positions or {}, 10_000)]


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    written = [entry(number) for number in range(100)]
    for one in written:
        journal.write(one)
    first, *others = entries_in(tmp_path)
    assert isinstance(first, RunStarted)
    assert first.run == journal.run
    assert others == written
    journal.close()


def test_f5_runs_are_in_order_although_the_clock_went_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []
    for step in (0, -3600, -7200, 3600):
        monkeypatch.setattr("time.time_ns", lambda step=step: (1_800_000_000 + step) * 10**9)
        journal = Journal(tmp_path)
        journal.write(entry(len(runs)))
        runs.append(journal.run)
        journal.close()
    assert [found.run for found in entries_in(tmp_path) if isinstance(found, RunStarted)] == runs
    assert [found for found in entries_in(tmp_path) if not isinstance(found, RunStarted)] == list(
        map(entry, range(4))
    )


def test_what_is_written_in_one_turn_is_written_together(tmp_path: Path) -> None:
    turn: list[Callable[[], None]] = []
    journal = Journal(tmp_path, call_soon=turn.append)
    journal.write(entry(1))
    journal.write(entry(2))
    assert entries_in(tmp_path)[1:] == []
    assert len(turn) == 1
    turn.pop()()
    assert entries_in(tmp_path)[1:] == [entry(1), entry(2)]
    journal.write(entry(3))
    journal.close()
    assert entries_in(tmp_path)[1:] == [entry(1), entry(2), entry(3)]
    turn.pop()()  # later, when the file is closed


def test_what_waits_for_the_end_of_a_turn_can_be_written_before_it(tmp_path: Path) -> None:
    turn: list[Callable[[], None]] = []
    journal = Journal(tmp_path, call_soon=turn.append)
    journal.write(entry(1))
    journal.flush()
    assert entries_in(tmp_path)[1:] == [entry(1)]
    journal.write(entry(2))
    assert len(turn) == 1
    turn.pop()()
    assert entries_in(tmp_path)[1:] == [entry(1), entry(2)]
    journal.close()


def test_a_disk_that_takes_nothing_is_asked_once_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn: list[Callable[[], None]] = []
    journal = Journal(tmp_path, call_soon=turn.append)
    real, asked = os.write, []

    def refuse(_file: int, _data: bytes) -> int:
        asked.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    journal.write(entry(1))
    for _ in range(5):
        journal.flush()
    assert len(asked) == 1
    turn.pop()()
    assert len(asked) == 2
    monkeypatch.setattr(os, "write", real)
    journal.write(entry(2))
    journal.flush()
    turn.pop()()
    assert entries_in(tmp_path)[1:] == [entry(1), entry(2)]
    journal.close()


def test_it_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(entry(1))
    journal.close()
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "journal").iterdir())


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(10):
        journal.write(entry(number))
    places = list(read(tmp_path, {}, 4))
    assert len(places) == 4
    rest = entries_in(tmp_path, {places[-1].file: places[-1].end})
    assert rest == [entry(number) for number in range(3, 10)]
    journal.close()


def test_files_follow_one_another_and_each_begins_with_the_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path, file_bytes=200)
    for number in range(20):
        journal.write(entry(number))
    files = list_files(tmp_path)
    assert len(files) > 3
    for name in files:
        assert (
            isinstance(decode((tmp_path / name).read_bytes().split(b"\n")[0] or b"{}"), RunStarted)
            or name == files[-1]
        )
    assert [one for one in entries_in(tmp_path) if not isinstance(one, RunStarted)] == [
        entry(n) for n in range(20)
    ]
    journal.close()


def test_runs_are_read_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    runs = []
    for _ in range(20):
        journal = Journal(tmp_path)
        runs.append(journal.run)
        journal.close()
    assert [one.run for one in entries_in(tmp_path) if isinstance(one, RunStarted)] == runs


def test_a_file_is_finished_when_it_was_read_and_another_follows(tmp_path: Path) -> None:
    journal = Journal(tmp_path, file_bytes=200)
    for number in range(6):
        journal.write(entry(number))
    ends = {place.file: place.end for place in read(tmp_path, {}, 10_000)}
    first, *_, last = list_files(tmp_path)
    done = [path.name for path in finished_files(tmp_path, ends)]
    assert first in done
    assert last not in done
    assert list(finished_files(tmp_path, {})) == []
    journal.close()


def test_a_line_without_its_end_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "0-x-000001.jsonl"
    path.write_bytes(b'{"k":"run","at":1,"run":"a"}\n{"k":"run","at":2,')
    places = list(read(tmp_path, {}, 10))
    assert [place.entry for place in places] == [RunStarted(at=1, run="a")]
    with path.open("ab") as file:
        file.write(b'"run":"b"}\n')
    assert entries_in(tmp_path, {path.name: places[-1].end}) == [RunStarted(at=2, run="b")]


def test_a_line_that_makes_no_sense_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "0-x-000001.jsonl"
    path.write_bytes(b'nonsense\n{"k":"never heard of","at":1}\n{"k":"run","at":2,"run":"b"}\n')
    assert entries_in(tmp_path) == [None, None, RunStarted(at=2, run="b")]


@given(st.binary(max_size=200).filter(lambda line: b"\n" not in line))
def test_any_line_is_read_or_passed_over(line: bytes) -> None:
    parse(Path("x"), line)


@given(st.lists(st.binary(max_size=60) | st.just(b'{"k":"run","at":2,"run":"b"}')))
def test_any_file_is_read_to_its_last_whole_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "0-x-000001.jsonl"
    path.write_bytes(b"\n".join(lines))
    places = list(read(path.parent, {}, 10_000))
    assert len(places) == path.read_bytes().count(b"\n")
    assert all(path.read_bytes()[place.end - 1 : place.end] == b"\n" for place in places)
    assert list(read(path.parent, {path.name: places[-1].end if places else 0}, 10_000)) == []


def test_a_full_disk_ends_no_call_and_what_it_refused_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    real = os.write

    def refuse(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    journal.write(entry(1))
    journal.write(entry(2))
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:7]))
    journal.write(entry(3))
    assert entries_in(tmp_path)[1:] == [entry(1), entry(2), entry(3)]
    journal.close()


def test_what_waits_for_a_full_disk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 300)
    journal = Journal(tmp_path)
    real = os.write

    def refuse(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    for number in range(100):
        journal.write(entry(number))
    monkeypatch.setattr(os, "write", real)
    journal.close()
    kept = entries_in(tmp_path)[1:]
    assert 0 < len(kept) < 10
    assert kept == [entry(number) for number in range(len(kept))]
