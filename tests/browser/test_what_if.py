"""What happens if someone calls, in a real browser, and a call from the outside in Try it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, check_axe, check_width
from tests.live_server import Running

MAIN = "441632960000"


@pytest.fixture(scope="module", autouse=True)
def _line(server: Running) -> None:
    """The demo's trunk is enabled, and there is another."""
    api = server.log_in()
    api.post("trunk/update", {"id": 1, "enable": 1})
    api.post("trunk/create", {"name": "Second line", "type": "peer", "hostname": "192.0.2.9"})
    route = {"name": "Family", "cid_pattern_list": [{"cid_pattern": "2000"}], "def_dest": "end_call"}
    timed = {"enb_time_condition": 1, "office_time_dest": "end_call", "outoffice_time_dest": "end_call"}
    api.post("inbound_route/create", route | timed)
    api.close()


def ask(page: Page) -> None:
    """From the list of routes to the answer, by keyboard."""
    page.goto("/routes/inbound")
    page.get_by_role("link", name="What happens if someone calls?").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Number that is called").focus()
    page.keyboard.type("+44 1632 960000")
    page.keyboard.press("Enter")
    result = page.locator("[data-result]").first
    expect(result).to_contain_text("The call goes to 6200 VoiceMenu Navigator")
    expect(result).to_contain_text("Inbound route Family only takes calls from 2000")


def test_a_call_is_explained(page: Page) -> None:
    ask(page)
    page.locator("summary", has_text="What the caller hears").first.click()
    expect(page.locator("[data-result] li[data-what=hears]").first).to_be_visible()
    page.get_by_role("link", name="Main number").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Main number")


def test_a_call_is_explained_without_script(open_page: Open) -> None:
    ask(open_page(java_script_enabled=False))


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"?called={MAIN}&caller=&trunk=1",
        "?called=1&caller=1&trunk=2",
        "?called=&caller=2&trunk=77&at=noon",
    ],
)
def test_the_page_is_for_everybody(page: Page, phone: Page, query: str) -> None:
    for one in (page, phone):
        one.goto(f"/routes/what-if{query}")
        for folded in one.locator("[data-result] summary").all():
            folded.click()
        check_axe(one)
        check_width(one)


def test_try_it_calls_from_the_outside(page: Page, phone: Page) -> None:
    page.goto(f"/routes/what-if?called={MAIN}&caller=3000&trunk=1")
    page.get_by_role("link", name="Try this call").click()
    expect(page.get_by_label("Comes in over")).to_have_value("Provider")
    expect(page.get_by_label("Number that is called")).to_have_value(MAIN)
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator('[data-transcript] li[data-what="route"] .what')).to_have_text("Main number")
    page.keyboard.type("1#")
    expect(page.locator('[data-transcript] li[data-what="rings"] .what')).to_have_text("extension 1000")
    page.get_by_role("button", name="Hang up").click()
    page.get_by_label("Name of the test").fill("From the outside")
    page.get_by_role("button", name="Save as test").click()
    expect(page.get_by_text("Saved as the test")).to_be_visible()
    phone.goto("/menus/3/try")
    expect(phone.get_by_label("Number that is called")).to_be_hidden()
    phone.get_by_label("Comes in over").select_option("Second line")
    expect(phone.get_by_label("Number that is called")).to_be_visible()
    check_axe(phone)
    check_width(phone)


def test_a_call_that_no_route_takes_ends_at_once(page: Page) -> None:
    page.goto("/menus/3/try")
    page.get_by_label("Comes in over").select_option("Provider")
    page.get_by_label("Number that is called").fill("77")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator('[data-transcript] li[data-what="ends"] .what')).to_have_text(
        "no inbound route matches"
    )
    expect(page.locator(".display")).to_have_attribute("data-state", "ended")
    expect(page.get_by_role("button", name="Call again")).to_be_visible()


def test_pretending_about_a_number_that_nothing_has_is_said(page: Page) -> None:
    page.goto("/menus/3/try")
    page.get_by_label("Another number").fill("1009")
    page.get_by_label("How it responds").select_option("busy")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Nothing has the number 1009")).to_be_visible()
    page.get_by_label("Another number").fill("1002")
    page.get_by_label("Another number").press("Tab")
    expect(page.get_by_role("alert").filter(has_text="Nothing has the number 1009")).to_be_hidden()
