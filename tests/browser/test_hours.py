"""The page Hours in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, check_axe, check_width
from tests.live_server import Running


def test_the_office_is_closed_by_hand_without_script(open_page: Open, server: Running) -> None:
    api = server.log_in()
    api.post("businesshour/create", {"days_of_week": "all", "office_times": [{"value": "00:00-23:59"}]})
    api.close()
    page = open_page(java_script_enabled=False)
    page.goto("/hours")
    page.get_by_role("radio", name="Closed").check()
    page.get_by_role("radio", name="Someone switches back").check()
    page.get_by_role("button", name="Switch", exact=True).click()
    expect(page.get_by_role("heading", level=2).first).to_have_text(
        "Now: closed, switched by hand. No change is planned."
    )
    page.goto("/menus")
    page.locator("summary", has_text="Now: closed, switched by hand.").click()
    page.get_by_role("button", name="Follow the business hours again").click()
    expect(page.locator("summary", has_text="Now: open")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Menus")


@pytest.mark.every_page
def test_the_page_is_for_everybody(page: Page, phone: Page) -> None:
    for one in (page, phone):
        for path in ("/hours", "/hours?at=2027-02-31T00:00"):
            one.goto(path)
            check_axe(one)
            check_width(one)
