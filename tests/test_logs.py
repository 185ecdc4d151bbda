"""Logs: secrets masked, exceptions told, and nobody kept waiting by who reads them."""

import json
import logging
import os
import select
import sys
import threading
from unittest.mock import Mock

import pytest
import structlog

from openivr.observability import logs
from openivr.observability.metrics import AccessLog, RequestLine
from openivr.server import http_process


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_below_the_level_are_not_even_made(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure_logs("warning")
    structlog.get_logger("quiet").info("not told", password="x")
    structlog.get_logger("quiet").warning("told", password="x")
    logging.getLogger("foreign").info("not told")
    logging.getLogger("foreign").warning("told %s", "as well")
    found = lines(capfd.readouterr().err)
    assert [one["event"] for one in found] == ["told", "told as well"]
    assert [one["level"] for one in found] == ["warning", "warning"]
    assert found[0]["password"] == "***"


def test_a_library_s_exception_is_told_whole(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure_logs()
    try:
        raise OSError("no more ink")
    except OSError:
        logging.getLogger("foreign").exception("failed")
    logging.getLogger("foreign").log(25, "of a level of its own")
    found = lines(capfd.readouterr().err)
    assert "no more ink" in str(found[0]["exception"])
    assert [one["level"] for one in found] == ["error", "info"]


def test_what_json_does_not_know_is_told_in_python_s_words(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure_logs()
    structlog.get_logger("odd").info("odd", value=Ellipsis)
    assert lines(capfd.readouterr().err)[0]["value"] == "Ellipsis"


def test_a_thread_writes_what_was_logged_and_why_it_failed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writers: list[str] = []

    def note_writer(descriptor: int, told: list[bytes]) -> int:
        writers.append(threading.current_thread().name)
        return os.write(descriptor, b"".join(told))

    monkeypatch.setattr(os, "writev", note_writer)
    logs.configure_logs("info")
    with logs.output.in_thread():
        structlog.get_logger("aside").info("first")
        try:
            raise OSError("no more paper")
        except OSError:
            structlog.get_logger("aside").exception("second")
    structlog.get_logger("aside").info("third")
    found = lines(capfd.readouterr().err)
    assert [one["event"] for one in found] == ["first", "second", "third"]
    assert "no more paper" in str(found[1]["exception"])
    assert set(writers) == {"log", "MainThread"}
    assert writers[-1] == "MainThread"


def test_who_logs_does_not_wait_for_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_LINES", 50)
    reader, writer = os.pipe()
    monkeypatch.setattr(logs.output, "descriptor", writer)
    logs.configure_logs("info")
    with open(reader) as end:
        with logs.output.in_thread():
            for number in range(200):
                structlog.get_logger("full").info("line", number=number, padding="x" * 4096)
            found: list[str] = []
            reading = threading.Thread(target=lambda: found.extend(end))
            reading.start()
        os.close(writer)
        reading.join()
    told = [json.loads(line) for line in found]
    numbers = [one["number"] for one in told if one["event"] == "line"]
    assert numbers == sorted(numbers)
    assert 50 <= len(numbers) < 200
    assert told[-1]["event"] == "log lines were dropped"
    assert told[-1]["count"] == 200 - len(numbers)


def test_a_reader_that_has_stopped_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "END_SECONDS", 0.1)
    reader, writer = os.pipe()
    output = logs.Output(writer)
    with output.in_thread():
        for _ in range(200):
            output.write(b"x" * 4096)
    (thread,) = [each for each in threading.enumerate() if each.name == "log"]
    while thread.is_alive():
        if select.select([reader], [], [], 0.01)[0]:  # else the last was read, and the thread is about to end
            os.read(reader, 2**20)
    os.close(reader)
    os.close(writer)


def test_an_http_worker_does_not_wait_for_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    found: list[str] = []
    monkeypatch.setattr(logs.output, "descriptor", writer)
    monkeypatch.setattr(sys, "setswitchinterval", lambda _seconds: None)
    logs.configure_logs("info")

    with open(reader) as end:
        reading = threading.Thread(target=lambda: found.extend(end))

        async def serve(*_values: object) -> None:
            access_log = AccessLog()
            for number in range(200):
                structlog.get_logger("full").info("line", number=number, padding="x" * 4096)
                access_log.add(RequestLine.of("GET", "/page", "192.0.2.1"), 0, 0.1)
            access_log.flush()
            reading.start()  # only now somebody reads

        monkeypatch.setattr(http_process, "serve", serve)
        http_process.run_worker(*(Mock() for _ in range(4)))
        os.close(writer)
        reading.join()
    events = [json.loads(line)["event"] for line in found]
    assert events == ["line"] * 200 + ["request"] * 200


def test_a_log_that_cannot_be_written_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(logs.output, "descriptor", writer)
    logs.configure_logs("info")
    structlog.get_logger("deaf").info("nobody hears this")
    with logs.output.in_thread():
        structlog.get_logger("deaf").info("nor this")
    os.close(writer)
