"""Jobs that die: the first time they are started again at once, then later and later."""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from openivr.observability.logs import configure_logs
from openivr.server import supervisor
from openivr.server.supervisor import MAX_WAIT, ProcessSpec, Supervisor, WorkerContext, wait_before
from tests.process.test_serve import wait_until

SAID = "worker ended, restarting it"


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(1, 0.0), (2, 0.5), (3, 1.0), (4, 2.0), (7, 16.0), (8, 30.0), (10**6, 30.0)]
)
def test_the_wait_grows_with_each_death(deaths: int, seconds: float) -> None:
    assert wait_before(deaths) == seconds <= MAX_WAIT


@contextmanager
def supervised(
    folder: Path, work: Callable[[WorkerContext], None]
) -> Iterator[multiprocessing.process.BaseProcess]:
    """A supervisor of one job in a process of its own, which logs to a file and notes that it is ready."""

    def run() -> None:
        descriptor = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 2)
        sys.stderr = os.fdopen(2, "w")
        configure_logs()
        Supervisor([ProcessSpec("work", work)]).run((folder / "ready").touch)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(60)
    assert process.exitcode == 0


def deaths(folder: Path) -> list[dict[str, Any]]:
    """What the log says of workers that have ended."""
    path = folder / "log"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("\n") and line.startswith("{")]
    return [line for line in found if line["event"] == SAID]


def test_a_job_that_cannot_live_is_started_again_at_once_and_then_later_and_later(tmp_path: Path) -> None:
    def work(_post: WorkerContext) -> None:
        os._exit(3)

    with supervised(tmp_path, work):
        wait_until(lambda: len(deaths(tmp_path)) >= 4)
        assert [(one["process"], one["status"]) for one in deaths(tmp_path)[:4]] == [("work", 3)] * 4
        assert [one["seconds"] for one in deaths(tmp_path)[:4]] == [0.0, 0.5, 1.0, 2.0]
    assert not (tmp_path / "ready").exists()


def test_one_that_has_lived_is_started_again_at_once_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STEADY_SECONDS", 0.0)  # whoever has begun has lived

    def work(post: WorkerContext) -> None:
        post.report_ready()
        while not (tmp_path / "die").exists():
            time.sleep(0.01)
        (tmp_path / "die").unlink()
        os.kill(os.getpid(), signal.SIGKILL)

    with supervised(tmp_path, work):
        wait_until((tmp_path / "ready").exists)
        for times in range(1, 3):
            (tmp_path / "die").touch()
            wait_until(lambda: len(deaths(tmp_path)) == times)  # noqa: B023 - called before it changes
        assert [one["seconds"] for one in deaths(tmp_path)] == [0.0, 0.0]


def test_one_that_dies_while_it_starts_is_waited_for_all_the_same(tmp_path: Path) -> None:
    def work(post: WorkerContext) -> None:
        if not (tmp_path / "tried").exists():
            (tmp_path / "tried").touch()
            os._exit(1)
        post.report_ready()
        signal.sigwait({signal.SIGTERM})

    with supervised(tmp_path, work):
        wait_until((tmp_path / "ready").exists)
        assert len(deaths(tmp_path)) == 1
