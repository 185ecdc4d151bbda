"""Logs: secrets masked, exceptions told, and nobody kept waiting by who reads them."""

import json
import logging
import os
import threading
from collections.abc import Iterator

import pytest
import structlog

from openivr import observe

log = structlog.get_logger("openivr.tests")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_below_the_level_are_not_even_made(capsys: pytest.CaptureFixture[str]) -> None:
    observe.configure_logs("warning")
    structlog.get_logger("quiet").info("not told", password="x")
    structlog.get_logger("quiet").warning("told", password="x")
    logging.getLogger("foreign").info("not told")
    logging.getLogger("foreign").warning("told as well")
    found = lines(capsys.readouterr().err)
    assert [one["event"] for one in found] == ["told", "told as well"]
    assert found[0]["password"] == "***"


def test_a_thread_writes_what_was_logged_and_why_it_failed(capsys: pytest.CaptureFixture[str]) -> None:
    observe.configure_logs("info")
    writers: set[int] = set()

    def note_writer(_record: logging.LogRecord) -> bool:
        writers.add(threading.get_ident())
        return True

    logging.getLogger().handlers[0].addFilter(note_writer)
    with observe.log_aside():
        structlog.get_logger("aside").info("first")
        try:
            raise OSError("no more paper")
        except OSError:
            structlog.get_logger("aside").exception("second")
    structlog.get_logger("aside").info("third")
    found = lines(capsys.readouterr().err)
    assert [one["event"] for one in found] == ["first", "second", "third"]
    assert "no more paper" in str(found[1]["exception"])
    assert len(writers) == 2


def test_who_logs_does_not_wait_for_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "MOST_LINES", 50)
    reader, writer = os.pipe()
    with open(writer, "w") as pipe:
        observe.configure_logs("info")
        handler = logging.getLogger().handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(pipe)
        with open(reader) as end:
            with observe.log_aside():
                for number in range(200):
                    structlog.get_logger("full").info("line", number=number, padding="x" * 4096)
                found: list[str] = []
                reading = threading.Thread(target=lambda: found.extend(end))
                reading.start()
            pipe.close()
            reading.join()
    told = [json.loads(line) for line in found]
    numbers = [one["number"] for one in told if one["event"] == "line"]
    assert numbers == sorted(numbers)
    assert 50 <= len(numbers) < 100
    assert told[-1]["event"] == "lines of the log were dropped"
    assert told[-1]["count"] == 200 - len(numbers)
