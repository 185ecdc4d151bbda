"""The page of reports in a browser: plots are drawn, follow the range, the scheme and the width."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from tests.browser.conftest import Open, check_axe, check_width, wait_until
from tests.call_history import keep_past, make_past
from tests.live_server import Running

PLOTS = ("days", "hours", "outcomes", "week", "ways", "keys", "trouble")
# Two frames: the plot has answered to the mouse.
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
COLOURS = """
  (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] === 255) found.add((data[at] << 16) + (data[at + 1] << 8) + data[at + 2]);
    }
    return [...found];
  }
"""


@pytest.fixture(scope="module", autouse=True)
def past(server: Running) -> None:
    """Five weeks of calls, the last of them yesterday."""
    database = Database(f"sqlite:///{server.data / 'openivr.db'}")
    with database.reading() as connection:
        snapshot = load_snapshot(connection)
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    keep_past(database, make_past(snapshot, "6200", (midnight - timedelta(days=35)).astimezone(), 35, 25))
    database.close()


def open_reports(page: Page, asked: str = "range=month") -> Page:
    page.emulate_media(reduced_motion="reduce")  # so that plots are there whole at once
    page.goto(f"/reports?{asked}")
    page.locator("#week canvas").first.wait_for()
    return page


def colours(page: Page, plot: str) -> set[int]:
    """What is drawn in a plot, as colours without those of blends."""
    layers = page.locator(f"#{plot} canvas").all()
    return {colour for layer in layers for colour in layer.evaluate(COLOURS)}


def token(page: Page, name: str) -> int:
    """A colour of the style, as it is in the present scheme."""
    red, green, blue = page.evaluate(
        """(name) => {
            const probe = document.createElement("span");
            probe.style.color = `var(${name})`;
            document.body.append(probe);
            const found = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
            probe.remove();
            return found;
        }""",
        name,
    )
    return (red << 16) + (green << 8) + blue


def test_every_plot_is_drawn(page: Page) -> None:
    open_reports(page)
    for plot in ("days", "clock", *PLOTS[2:]):
        assert len(colours(page, plot)) > 3, plot
    assert page.locator("details.numbers[open]").count() == 0
    assert token(page, "--tint-extension") in colours(page, "ways")
    assert token(page, "--tint-end_call") in colours(page, "ways")
    assert token(page, "--accent") in colours(page, "week")
    names = page.locator("[role=img][aria-label]")
    assert names.count() >= 7
    assert all(
        "call" in text or "%" in text or "key" in text
        for text in names.evaluate_all(
            "(all) => all.filter((one) => one.classList.contains('canvas')).map((one) => one.ariaLabel)"
        )
    )


def test_the_range_is_switched_in_place(page: Page) -> None:
    open_reports(page)
    page.evaluate("window.isSame = true")
    page.get_by_role("link", name="7 days").focus()
    page.keyboard.press("Enter")
    page.locator("#hours canvas").first.wait_for()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("link", name="7 days")).to_be_focused()
    assert page.evaluate("window.isSame")
    assert page.url.endswith("/reports?range=week")
    assert page.locator("#days tbody tr").count() == 7
    page.go_back()
    page.locator("#clock canvas").first.wait_for()


def test_a_plot_is_replaced_while_it_is_painted(page: Page) -> None:
    # Every look at the clock takes 20 ms, as on a slow machine: a heat map paints one cell in each frame.
    page.add_init_script("let looks = 0; const read = Date.now; Date.now = () => read() + 20 * looks++;")
    open_reports(page)
    page.get_by_role("link", name="7 days").click()
    page.locator("#hours canvas").first.wait_for()
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frames)  # by then a slice that was due has failed, and `page` has noted it


def test_own_days_can_be_chosen(page: Page) -> None:
    open_reports(page)
    day = datetime.now() - timedelta(days=8)
    page.get_by_label("From").fill(f"{day:%Y-%m-%d}")
    page.get_by_label("to", exact=True).fill(f"{day:%Y-%m-%d}")
    page.get_by_role("button", name="Show").click()
    page.locator("#week canvas").first.wait_for()
    assert page.locator("#days").count() == 0  # a single day has hours alone
    assert page.locator("#hours tbody tr").count() in {23, 24, 25}


def test_numbers_are_downloaded(page: Page) -> None:
    open_reports(page)
    with page.expect_download() as event:
        page.get_by_role("link", name="Download as CSV: Calls per day").click()
    assert event.value.suggested_filename.startswith("openivr-days-")
    lines = event.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("Day,Connected,")
    assert len(lines) == 31


def test_a_bar_leads_to_its_calls(page: Page) -> None:
    open_reports(page)
    href = page.locator("#outcomes tbody tr").first.locator("a").get_attribute("href")
    box = page.locator("#outcomes canvas").first.bounding_box()
    assert box is not None
    assert href is not None
    with page.expect_request(lambda request: request.is_navigation_request()) as event:
        page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + 32)
    assert event.value.url.endswith(href)


def test_colours_follow_the_scheme(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    open_reports(page)
    light = token(page, "--accent")
    page.evaluate("window.before = document.querySelector('#week canvas')")
    page.emulate_media(color_scheme="dark")
    wait_until(page, "document.querySelector('#week canvas') !== window.before")
    dark = token(page, "--accent")
    assert light != dark
    assert dark in colours(page, "week")
    assert light not in colours(page, "week")


def test_nothing_moves_for_who_wants_that(open_page: Open) -> None:
    page = open_reports(open_page(reduced_motion="reduce"))
    first = colours(page, "ways")
    assert token(page, "--tint-extension") in first  # at once, without growing


def test_plots_follow_the_width(page: Page) -> None:
    open_reports(page)
    before = page.locator("#days canvas").first.bounding_box()
    page.set_viewport_size({"width": 500, "height": 900})
    wait_until(page, "document.querySelector('#days canvas').clientWidth < 500")
    after = page.locator("#days canvas").first.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] < before["width"]
    check_width(page)


def test_a_telephone_has_room(phone: Page) -> None:
    open_reports(phone)
    check_width(phone)
    check_axe(phone)


def test_axe_finds_nothing(page: Page) -> None:
    open_reports(page)
    check_axe(page)
    for numbers in page.locator("details.numbers summary").all():
        numbers.press("Enter")
    check_axe(page)


def test_days_without_calls_look_right(page: Page) -> None:
    page.goto("/reports?from=2020-01-01&to=2020-01-02")
    page.get_by_role("heading", name="No calls in these days").wait_for()
    check_axe(page)


def test_without_script_there_are_tables(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/reports?range=week")
    page.wait_for_url("**/reports/plots?range=week")
    tables = page.locator("table")
    assert tables.count() == 8
    for number in range(8):
        expect(tables.nth(number)).to_be_visible()
    page.get_by_role("link", name="30 days").click()
    page.wait_for_url("**/reports/plots?range=month")
    assert page.locator("#days tbody tr").count() == 30


def test_the_library_is_loaded_here_alone(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/menus")
    page.wait_for_load_state("networkidle")
    assert not any("echarts" in url for url in asked)
    open_reports(page)
    assert any("echarts" in url for url in asked)


def test_a_hostile_name_is_text_in_what_a_plot_tells(page: Page, server: Running) -> None:
    name = """<x-hostile>'"><img src=x onerror=alert(1)>{b}{{7*7}}"""
    api = server.log_in()
    ids = {row["number"]: row["id"] for row in api.get("ivr/list")["data"]}
    for ident in ids.values():
        assert api.post("ivr/update", {"id": ident, "name": name})["errcode"] == 0
    api.close()
    open_reports(page)
    for plot in ("ways", "trouble"):
        canvas = page.locator(f"#{plot} canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        places = [
            (left, down) for left in (8, box["width"] / 2) for down in range(12, int(box["height"]), 12)
        ]
        told = page.locator(f"#{plot} .plot-tooltip b").filter(has_text=name).locator("visible=true")
        for left, down in places * 5:  # a busy machine may miss one
            page.mouse.move(box["x"] + left, box["y"] + down)
            page.evaluate(PAINTED)
            if told.count():
                break
        expect(told.first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('x-hostile, img').length") == 0
