"""Calls in a browser: a telephone rings through, and the page tells it as it goes."""

import io
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, Route, expect

from openivr.ivr.commands import Note, Topic
from openivr.store.cdr import call_writer, voicemail
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.runtime import liveness
from tests.browser.callers import Callers, open_callers
from tests.browser.conftest import Open, check_axe, check_width, wait_until
from tests.live_server import Running, start

HOSTILE = '<img src=x onerror="document.title=1">'
NOW = time.time_ns() // 1_000_000
HOUR = 3_600_000
OVER = CallRecord(
    "over-1",
    started=NOW - 20 * HOUR,
    answered=NOW - 20 * HOUR,
    ended=NOW - 20 * HOUR + 65_000,
    stage="ended",
    caller="0555123",
    caller_name=HOSTILE,
    called="6200",
    path="6200",
    outcome="connected",
    reason="caller_hangup",
    recording="over-1.wav",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A whole server, calls and all, that has seen a few."""
    running = start(tmp_path_factory.mktemp("calls"), "--record-calls", command="serve")
    (running.data / "recordings").mkdir(exist_ok=True)
    (running.data / "recordings" / "over-1.wav").write_bytes(tone())
    with running.database() as database, database.writing() as connection:
        missed = replace(OVER, outcome="missed", reason="destination_unreached", recording="", caller="0777")
        past = [replace(missed, id=f"miss-{at}", started=NOW - 30 * HOUR + at) for at in range(25)]
        entered = CallNote(OVER.started, Note(Topic.ENTERED, ivr=3, number="6200"))
        call_writer.write_calls(connection, [OVER, *past], [(OVER.id, 0, entered)])
        voicemail.save(connection, VoicemailMessage("vm-1", 1, "over-1", "0555123", NOW, 2000), tone())
    yield running
    running.stop()


def tone() -> bytes:
    target = io.BytesIO()
    soundfile.write(target, np.sin(np.arange(16_000) / 3) * 0.4, 8000, format="WAV", subtype="PCM_16")
    return target.getvalue()


@pytest.fixture(scope="module")
def callers(server: Running) -> Iterator[Callers]:
    with open_callers(server) as callers:
        yield callers


def stay(page: Page) -> None:
    """Mark the page, so that one that was loaded again would be known."""
    page.evaluate("window.stayed = true")


def check_stayed(page: Page) -> None:
    assert page.evaluate("window.stayed")


def test_a_call_comes_goes_on_and_is_over(page: Page, callers: Callers) -> None:
    page.goto("/calls")
    expect(page.get_by_role("status").filter(has_text="No live calls.")).to_be_visible()
    stay(page)
    before = page.locator("#past tbody tr").first.get_attribute("id")
    line = callers.call("1001", "6200")
    row = page.locator("#live tbody tr")
    expect(row).to_contain_text("Grace Hopper 1001")
    expect(row).to_contain_text("6200 VoiceMenu Navigator")
    expect(page.get_by_text("1 live call")).to_be_visible()
    expect(page.locator("#traffic")).to_have_text("1 call now")
    row.get_by_role("link", name="Grace Hopper").focus()
    callers.press(line, "3")
    expect(row.locator("kbd")).to_have_text("3")
    expect(row).to_contain_text("6202 VoicePrompt")
    expect(row.get_by_role("link", name="Grace Hopper")).to_be_focused()
    first = row.locator("time").inner_text()
    expect(row.locator("time")).not_to_have_text(first)
    callers.hang_up(line)
    expect(row).to_have_count(0)
    expect(page.get_by_text("No live calls.")).to_be_visible()
    past = page.locator("#past tbody tr").first
    expect(past).to_contain_text("6200 › 6202")
    expect(past).to_contain_text("caller hung up")
    assert past.get_attribute("id") != before
    check_stayed(page)
    past.get_by_role("link").first.click()
    way = page.locator(".call-path")
    expect(way).to_contain_text(re.compile(r"6200 VoiceMenu Navigator\s+3\s+6202 VoicePrompt"))
    expect(page.get_by_text("1 key received as an event.")).to_be_visible()
    page.get_by_role("link", name="Replay step by step").click()
    expect(page.get_by_role("heading", name="Replay of a call")).to_be_visible()
    expect(page.locator(".transcript li").filter(has_text="Presses")).to_have_count(1)


def test_the_page_of_a_call_goes_on_too(page: Page, callers: Callers) -> None:
    callers.phone("1000").answers = None
    line = callers.call("1001", "6200")
    page.goto("/calls")
    page.locator("#live tbody").get_by_role("link", name="Grace Hopper").click()
    stay(page)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    callers.press(line, "1")
    expect(page.locator(".call-path")).to_contain_text("1000 Ada Byron")
    expect(page.locator(".legs")).to_contain_text("ringing")
    check_axe(page)
    callers.hang_up(line)
    expect(page.locator(".legs")).to_contain_text("stopped ringing")
    expect(page.locator("audio")).to_have_count(1)
    check_stayed(page)
    assert page.locator("#watched").get_attribute("data-watch") is None


def test_reading_slowly(page: Page, callers: Callers) -> None:
    page.goto("/calls")
    page.get_by_role("button", name="Pause").click()
    line = callers.call("1001", "6200")
    go_on = page.get_by_role("button", name="Resume")
    expect(go_on).to_have_attribute("aria-pressed", "true")
    with page.expect_request(lambda request: "/calls/now" in request.url, timeout=10_000):
        expect(page.locator("#live tbody tr")).to_have_count(0)
        go_on.click()
    expect(page.locator("#live tbody tr")).to_have_count(1)
    callers.hang_up(line)
    expect(page.locator("#live tbody tr")).to_have_count(0)


def test_a_server_that_does_not_answer(page: Page) -> None:
    page.goto("/calls")

    def fail(route: Route) -> None:
        route.abort()

    page.route("**/calls/now*", fail)
    expect(page.locator("#lost")).to_be_visible()
    page.unroute("**/calls/now*", fail)
    expect(page.locator("#lost")).to_be_hidden(timeout=15_000)


def test_being_signed_out_meanwhile(open_page: Open, server: Running) -> None:
    page = open_page()
    page.goto("/calls")
    page.context.clear_cookies()
    expect(page).to_have_url(server.base + "/sign-in")


def test_a_phone_service_that_has_gone(page: Page, server: Running) -> None:
    with server.database() as database:
        with database.reading() as connection:
            alive = dict(liveness.read_nodes(connection, 0).alive)
        with database.writing() as connection:
            for name in alive:
                liveness.note_alive(connection, name, NOW - HOUR)
        page.goto("/calls")
        expect(page.get_by_text("The phone service has not reported")).to_be_visible()
        check_axe(page)
        with database.writing() as connection:
            for name in alive:
                liveness.note_alive(connection, name, time.time_ns() // 1_000_000)
    expect(page.get_by_text("The phone service has not reported")).to_have_count(0)


def test_finding_calls_by_keyboard(page: Page) -> None:
    page.goto("/calls")
    page.get_by_label("Caller or called number").focus()
    page.keyboard.type("0555")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"number=0555"))
    expect(page.locator("#past tbody tr")).to_have_count(1)
    page.locator("summary", has_text="Menu, trunk, outcome").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Outcome").select_option("Unanswered")
    page.get_by_label("Caller or called number").fill("0777")
    page.keyboard.press("Enter")
    expect(page.locator("#past tbody tr")).to_have_count(20)
    page.get_by_role("link", name="Next").press("Enter")
    expect(page.get_by_text("21–25 of 25")).to_be_visible()
    expect(page.get_by_label("Outcome")).to_have_value("missed")
    page.get_by_role("link", name="Clear").press("Enter")
    expect(page).to_have_url(re.compile(r"/calls$"))


def test_a_menu_is_offered_as_it_is_typed(page: Page) -> None:
    page.goto("/calls?outcome=connected")
    page.get_by_label("Through the menu").fill("Prompt")
    option = page.locator("#menu-options option")
    expect(option.first).to_have_attribute("value", "6202 VoicePrompt")
    page.get_by_label("Through the menu").fill("6202 VoicePrompt")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("menu=6202"))


def test_the_file(page: Page, tmp_path: Path) -> None:
    page.goto("/calls?number=0555")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert re.fullmatch(r"openivr-calls-[\d-]+\.csv", download.value.suggested_filename)
    download.value.save_as(tmp_path / "calls.csv")
    assert (tmp_path / "calls.csv").read_text("utf-8-sig").count("\n") == 2


def test_hearing_a_call(page: Page) -> None:
    page.goto("/calls/over-1")
    expect(page.locator("img")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
    check_axe(page)
    page.get_by_role("button", name="Play The call").click()
    wait_until(page, "document.querySelector('audio').currentTime > 0.2")
    page.get_by_role("button", name="Play Message for 1000 Ada Byron").click()
    wait_until(page, "document.querySelectorAll('audio')[1].currentTime > 0.2")
    assert page.evaluate("document.querySelector('audio').paused")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Message").click()
    assert download.value.suggested_filename == "openivr-vm-1.wav"


def test_every_page_for_everybody(page: Page, phone: Page, callers: Callers) -> None:
    line = callers.call("1001", "6200")
    for one in (page, phone):
        for path in (
            "/calls",
            "/calls?outcome=missed",
            "/calls?number=nobody",
            "/calls/over-1",
            "/calls/miss-1",
        ):
            one.goto(path)
            check_axe(one)
            check_width(one)
        one.goto("/menus/3")
        one.locator(".card.calls").scroll_into_view_if_needed()
        expect(one.locator(".card.calls tbody tr").first).to_be_visible()
        check_axe(one)
        check_width(one)
    callers.hang_up(line)


def test_without_script(open_page: Open, callers: Callers) -> None:
    page = open_page(java_script_enabled=False)
    line = callers.call("1001", "6200")
    page.goto("/calls")
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#live tbody tr")).to_contain_text("6200 VoiceMenu Navigator")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    page.fill("#number", "0555")
    page.get_by_role("button", name="Find").click()
    page.locator("#past tbody").get_by_role("link").first.click()
    expect(page.locator("audio")).to_have_count(2)
    page.goto("/menus/3")
    page.get_by_role("link", name="All calls of this menu").click()
    expect(page).to_have_url(re.compile("menu=6200"))
    callers.hang_up(line)
