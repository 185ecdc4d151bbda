"""Free space on a disk."""

import errno
import sqlite3
from pathlib import Path

import pytest

from openivr.observability.disk_space import DiskSpace, DiskState, is_disk_full
from tests.small_disk import small_disk


def test_f17_a_disk_is_low_then_full_then_has_space_again(tmp_path: Path) -> None:
    now = 0.0
    with small_disk(tmp_path / "disk", 16) as disk:
        space = DiskSpace(disk.folder, floor=8 * 2**20, clock=lambda: now)
        states = [space.state()]
        for leave in (7 * 2**20, 0):
            disk.fill(leave)
            assert space.state() is states[-1], "it is read once a second"
            now += 1.0
            states.append(space.state())
        disk.empty()
        now += 1.0
        assert [*states, space.state()] == [DiskState.OK, DiskState.LOW, DiskState.FULL, DiskState.OK]


def test_errors_that_say_that_the_disk_is_full() -> None:
    assert is_disk_full(OSError(errno.ENOSPC, "No space left on device"))
    assert is_disk_full(sqlite3.OperationalError("database or disk is full"))
    wrapped = ValueError("x")
    wrapped.__cause__ = OSError(errno.ENOSPC, "")
    assert is_disk_full(wrapped)
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))


@pytest.mark.parametrize("leave", [0, 4096])
def test_a_disk_can_be_filled(tmp_path: Path, leave: int) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        disk.fill(leave)
        with pytest.raises(OSError, match="space"):
            (disk.folder / "more").write_bytes(bytes(leave + 1))
