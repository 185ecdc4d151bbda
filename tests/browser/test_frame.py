"""Signing in, the frame around every page, and finding things from anywhere."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Open, check_axe, check_width
from tests.running import Running
from tests.web.site import PASSWORD


def test_signing_in_by_keyboard(browser: Browser, server: Running, admin: object) -> None:
    context = browser.new_context(base_url=server.base)
    page = context.new_page()
    page.goto("/menus")
    expect(page).to_have_url(server.base + "/sign-in")
    check_axe(page)
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check_axe(page)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Menus")
    context.close()


def test_the_account(page: Page, phone: Page) -> None:
    for one in (page, phone):
        one.goto("/password")
        check_axe(one)
        check_width(one)
        one.locator("details.account summary").click()
        expect(one.get_by_role("button", name="Sign out everywhere")).to_be_visible()
        check_axe(one)
        one.keyboard.press("Escape")
        expect(one.get_by_role("button", name="Sign out everywhere")).to_be_hidden()


def test_search_by_keyboard(page: Page) -> None:
    page.goto("/menus")
    page.keyboard.press("/")
    page.keyboard.type("620")
    page.get_by_role("link", name="6201 Virtual Receptionist").wait_for()
    check_axe(page)
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_contain_text("6200")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_empty()
    expect(page.locator("#search")).to_be_focused()


def test_search_without_script(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/menus")
    page.fill("#search", "receptionist")
    page.keyboard.press("Enter")
    expect(page.locator("#results a")).to_have_text("6201 Virtual Receptionist")


def test_what_is_not_there(page: Page) -> None:
    response = page.goto("/nothing/here")
    assert response is not None
    assert response.status == 404
    check_axe(page)
