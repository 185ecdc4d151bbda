"""What the calls process asks of the system and of Python's collector."""

import gc
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from openivr.server import os_limits


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """A system that allows 4,256 files to who asks."""
    told = {"now": (1024, 4256)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: told["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: told.update(now=limit))
    return told


def test_the_limit_of_files_is_raised_as_far_as_it_goes(limits: dict[str, tuple[int, int]]) -> None:
    with capture_logs() as logs:
        assert os_limits.raise_fd_limit(1000) == 1000
    assert limits["now"] == (4256, 4256)
    assert logs == []


def test_a_limit_that_is_too_low_for_all_calls_is_told(limits: dict[str, tuple[int, int]]) -> None:
    with capture_logs() as logs:
        assert os_limits.raise_fd_limit(1001) == 1000
    assert [(one["log_level"], one["limit"], one["needed"]) for one in logs] == [("error", 4256, 4260)]


def test_no_limit_at_all_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: infinite)
    assert os_limits.raise_fd_limit(100_000) == 100_000


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_only_what_is_young_is_collected_while_calls_go_on() -> None:
    os_limits.configure_gc()
    loaded = gc.get_freeze_count()
    assert loaded > 10_000
    before = [generation["collections"] for generation in gc.get_stats()]
    kept = [[number] for number in range(100_000)]
    after = [generation["collections"] for generation in gc.get_stats()]
    assert len(kept) == 100_000
    young, middle, old = (new - old for new, old in zip(after, before, strict=True))
    assert young + middle >= 40
    assert middle > 5
    assert old == 0


@pytest.mark.skipif(sys.platform != "linux", reason="SCHED_BATCH is Linux's")
def test_the_cdr_worker_lowers_its_priority() -> None:
    program = """if True:
        import os
        from openivr.server.process_plan import lower_priority
        before = os.nice(0)
        lower_priority()
        print(os.sched_getscheduler(0) == os.SCHED_BATCH, os.nice(0) - before)
    """
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "5"]
