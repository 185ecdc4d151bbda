"""Trying a menu in a real browser: with sound, by keyboard, on a telephone's screen, and kept as a test."""

import re

import pytest
from playwright.sync_api import Page, expect

from openivr.cli.snapshot import load
from tests.browser.conftest import Open, check_axe, check_width, wait_until
from tests.cdr.simulated_calls import record as act_out
from tests.live_server import Api, Running
from tests.web.test_replay import save

TRY = "/menus/3/try"
# Until the prompt has been heard for half a second and the level has moved.
HEAR = """() => new Promise((resolve) => {
  const audio = document.querySelector("[data-audio]");
  const level = document.querySelector("[data-level]");
  audio.addEventListener("timeupdate", () => {
    if (audio.currentTime > 0.5 && Number(level.dataset.level) > 0) resolve(audio.currentTime);
  });
})"""
END = """() => new Promise((resolve) => {
  document.querySelector("[data-audio]").addEventListener("ended", resolve);
})"""
TELL_PLACES = """() => {
  window.places = [];
  document.addEventListener("openivr:place", (event) => window.places.push(event.detail.node));
}"""

UNTIL_RUNG = """() => new Promise((done) => {
  const isRung = () => window.places.includes("ring_group-1") && done();
  document.addEventListener("openivr:place", isRung);
  isRung();
})"""


def line(page: Page, what: str, text: str) -> None:
    """The transcript has, or gets, such a line."""
    found = page.locator(f'[data-transcript] li[data-what="{what}"] .what', has_text=text)
    expect(found.last).to_be_visible()


CLOCK = (
    "document.querySelector('[data-clock]').textContent.split(':').reduce((m, s) => m * 60 + Number(s), 0)"
)


def seconds(page: Page) -> int:
    """The duration of the call that the telephone shows."""
    shown: int = page.evaluate(CLOCK)
    return shown


def state(page: Page, name: str) -> None:
    expect(page.locator(".display")).to_have_attribute("data-state", name)


def begin(page: Page) -> None:
    page.goto(TRY)
    page.get_by_role("button", name="Call", exact=True).click()
    line(page, "hears", "Welcome.")


def test_a_menu_is_heard_and_an_extension_reached(page: Page) -> None:
    begin(page)
    assert page.evaluate(HEAR) > 0.5
    page.get_by_role("button", name="0 Katherine Johnson").click()
    line(page, "rings", "extension 1003")
    expect(page.locator("[data-caption]")).to_have_text("Ringing 1003 Katherine Johnson")
    assert page.evaluate("document.querySelector('[data-audio]').paused")
    line(page, "reaches", "extension 1003")
    state(page, "connected")
    page.get_by_role("button", name="Hang up").click()
    line(page, "ends", "caller hung up")
    state(page, "ended")


def test_the_announcement_ends_when_its_sound_does(page: Page) -> None:
    begin(page)
    page.evaluate(END)
    line(page, "waits", "5 s")
    state(page, "waiting")


def test_a_sound_that_cannot_be_played_is_told(page: Page) -> None:
    page.route("**/sounds/**", lambda route: route.abort())
    begin(page)
    line(page, "misses", "Welcome.")
    line(page, "waits", "5 s")


def test_by_keyboard_alone(page: Page) -> None:
    page.goto(TRY)
    page.locator("#content").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.hasAttribute('data-dial')"):
            break
    page.keyboard.press("Enter")
    line(page, "hears", "Welcome.")
    page.keyboard.type("1#")
    line(page, "rings", "extension 1000")
    page.keyboard.press("Tab")  # to the sound's switch, where keys are the telephone's all the same
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="is busy")).to_be_focused()
    page.keyboard.press("Enter")
    line(page, "fails", "busy")
    page.keyboard.type("1001")
    line(page, "rings", "extension 1001")
    page.keyboard.press("Escape")
    page.get_by_label("Call from").focus()
    page.keyboard.type("1001")  # into the field, and not into the call
    expect(page.get_by_label("Call from")).to_have_value("1001")
    assert page.locator('[data-what="presses"]').count() == 6


def test_pretending_and_the_caller_count_from_the_start(page: Page) -> None:
    page.goto(TRY)
    page.get_by_label("Call from").fill("2000")
    page.get_by_label("6300 Support").select_option("no_answer")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator('[data-what="calls"] .why')).to_have_text("from 2000")
    page.keyboard.type("2")
    line(page, "rings", "ring group 6300")
    page.get_by_label("6300 Support").select_option("declined")  # meanwhile
    line(page, "fails", "declined")
    line(page, "hears", "message")
    page.keyboard.press("#")
    line(page, "records", "1002")
    state(page, "recording")
    began = seconds(page)
    wait_until(page, f"{CLOCK} >= {began + 2}")  # anything shorter is no message
    page.keyboard.press("#")
    line(page, "leaves", "a message")


def test_the_page_is_told_where_the_caller_is(page: Page) -> None:
    page.goto(TRY)
    page.evaluate(TELL_PLACES)
    page.get_by_role("button", name="Call", exact=True).click()
    line(page, "hears", "Welcome.")
    page.keyboard.type("3")
    line(page, "enters", "6202")
    expect(page.locator('[data-key="0"]')).to_contain_text("Support")  # the keys are those of the new menu
    page.keyboard.type("0")
    line(page, "rings", "ring group 6300")
    page.get_by_role("button", name="Hang up").click()
    line(page, "ends", "caller hung up")
    places = page.evaluate("window.places")
    assert [place for at, place in enumerate(places) if place != places[at - 1]] == [
        "ivr-3",
        "ivr-1",
        "ring_group-1",
        "",
    ]


def test_a_call_is_kept_runs_green_and_then_red(page: Page, api: Api) -> None:
    begin(page)
    page.keyboard.type("1#")
    line(page, "reaches", "extension 1000")
    page.get_by_role("button", name="Hang up").click()
    name = page.get_by_label("Name of the test")
    expect(name).to_have_value("1#: Answered by extension 1000")
    name.fill("")
    page.get_by_role("button", name="Save as test").click()
    expect(name).to_be_visible()  # an empty name is not sent
    name.fill("A pound ends the pause")
    page.get_by_role("button", name="Save as test").click()
    expect(page.get_by_text("A test called “A pound ends the pause” exists already")).to_be_visible()
    check_axe(page)
    page.get_by_label("Name of the test").fill("<b>Ada</b> by key")
    page.get_by_role("button", name="Save as test").click()
    page.get_by_role("link", name="See the tests").click()
    test = page.locator(".case-list li", has_text="<b>Ada</b> by key")
    expect(test).to_have_attribute("data-state", "passed")
    check_axe(page)
    check_width(page)
    api.post("ivr/update", {"id": 3, "press1_dest": "extension", "press1_dest_value": "4"})
    page.get_by_role("link", name="Run all again").click()
    expect(test).to_have_attribute("data-state", "failed")
    expect(
        page.get_by_role("status").filter(has_text=re.compile(r"^\d+ of \d+ tests fail\.$"))
    ).to_be_visible()
    page.get_by_role("link", name="<b>Ada</b> by key").click()
    expect(page.locator('[data-mark="missing"]').first).to_contain_text("Rings: extension 1000")
    expect(page.locator('[data-mark="extra"]').first).to_contain_text("Rings: extension 1003")
    check_axe(page)
    api.post("ivr/update", {"id": 3, "press1_dest": "extension", "press1_dest_value": "1"})
    page.get_by_role("link", name="Run again").click()
    expect(page.locator(".outcome")).to_have_attribute("data-state", "passed")
    page.get_by_role("button", name="Delete this test").click()
    expect(page.get_by_text("The test “<b>Ada</b> by key” is deleted.")).to_be_visible()


def test_a_call_survives_a_server_that_is_out_of_reach(page: Page) -> None:
    begin(page)
    page.context.set_offline(True)
    page.keyboard.type("0")
    expect(page.get_by_role("alert")).to_contain_text("doesn't respond")
    page.context.set_offline(False)
    line(page, "rings", "extension 1003")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_call_that_cannot_go_on_says_so(page: Page) -> None:
    begin(page)
    page.route("**/call", lambda route: route.fulfill(status=409, json={"problem": "<b>because</b>"}))
    page.keyboard.type("0")
    expect(page.get_by_role("alert")).to_have_text("This call can't continue: <b>because</b>.")
    state(page, "ended")


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_nothing_bars_anybody(open_page: Open, size: tuple[int, int]) -> None:
    page = open_page(size)
    begin(page)
    page.keyboard.type("1#")
    expect(page.locator("[data-choices]")).to_be_visible()
    check_axe(page)
    check_width(page)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_label("Name of the test")).to_be_visible()
    check_axe(page)
    check_width(page)


def test_with_reduced_motion_nothing_slides(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    begin(page)
    assert page.evaluate(HEAR) > 0.5
    assert page.evaluate("document.getAnimations().length") == 0


def test_without_script_keys_go_by_a_form(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(TRY)
    expect(page.locator("[data-dial]")).to_be_hidden()
    page.get_by_label("1000 Ada Byron").select_option("busy")
    page.get_by_label("Keys", exact=True).fill("1# w2 1001")
    page.get_by_role("button", name="Call and press these keys").click()
    line(page, "fails", "busy")
    line(page, "reaches", "extension 1001")
    expect(page.get_by_label("1000 Ada Byron")).to_have_value("busy")
    page.get_by_label("Name of the test").fill("Without script")
    page.get_by_role("button", name="Save as test").click()
    expect(page.get_by_role("link", name="Without script")).to_be_visible()


def test_a_recorded_call_is_stepped_through(page: Page, server: Running) -> None:
    save(server, act_out(load(server.data, ""), "call-1", "2", menu=3))
    page.goto("/calls/call-1/replay")
    page.evaluate(TELL_PLACES)
    check_axe(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    current = page.locator('[aria-current="step"]')
    expect(current).to_contain_text("Menu 6200")
    page.get_by_role("button", name="Back").click()
    expect(current).to_contain_text("Call to menu 6200")
    play = page.get_by_role("button", name="Play")
    play.click()
    page.evaluate(UNTIL_RUNG)  # a busy browser may be past that step before the test looks at it
    if play.get_attribute("aria-pressed") == "true":
        play.click()  # pauses
    expect(page.locator('li[data-node="ring_group-1"]').first).to_contain_text("Rings ring group 6300")
    check_axe(page)
    check_width(page)
