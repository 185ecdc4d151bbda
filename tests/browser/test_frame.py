"""Signing in, the frame around every page, and finding things from anywhere."""

import re

from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.conftest import Open, check_axe, check_width, wait_until
from tests.live_server import Running
from tests.web.site import PASSWORD, Admin


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


def test_work_outlives_the_session(page: Page) -> None:
    page.goto("/people/groups/new")
    page.locator("#name").fill("Kept over the night")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have been signed out")
    check_axe(page)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save my changes")).to_be_focused()
    check_axe(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("Kept over the night is saved.")


def test_a_page_goes_on_after_signing_in_elsewhere(page: Page, server: Running) -> None:
    page.goto("/menus/3?open=name")
    page.context.clear_cookies()
    name = page.locator("#name")
    name.fill("Typed while signed out")
    name.press("Tab")
    expect(page.get_by_role("alert")).to_contain_text("Your input is still here")
    wait_until(page, "!document.querySelector('.htmx-request')")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(name).to_have_value("Typed while signed out")
    check_axe(page)
    again = Admin(server).enter()
    again.close()
    page.context.add_cookies([{"name": n, "value": v, "url": server.base} for n, v in again.cookies.items()])
    name.fill("Typed after that")
    name.press("Tab")
    expect(page.locator("#bar")).to_contain_text("→ Typed after that")
    expect(page.locator("#over")).to_be_hidden()
    page.get_by_role("button", name="Discard").or_(page.get_by_role("link", name="Discard")).click()


def test_a_call_goes_on_after_signing_in_elsewhere(page: Page, server: Running) -> None:
    page.goto("/menus/3/try")
    page.get_by_role("button", name="Call", exact=True).click()
    page.locator('[data-what="hears"]').first.wait_for()
    page.context.clear_cookies()
    page.keyboard.press("2")
    expect(page.locator("#over")).to_be_visible()
    again = Admin(server).enter()
    again.close()
    page.context.add_cookies([{"name": n, "value": v, "url": server.base} for n, v in again.cookies.items()])
    expect(page.locator('[data-what="presses"]')).to_be_visible()
    expect(page.locator("#over")).to_be_hidden()


def test_a_refused_sign_in_says_so_at_its_fields(browser: Browser, server: Running, admin: Admin) -> None:
    context = browser.new_context(base_url=server.base)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_accessible_description("Wrong name or password.")
    context.close()


def test_leaving_unsaved_changes_asks(page: Page) -> None:
    def stay(dialog: Dialog) -> None:
        assert dialog.type == "beforeunload"
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto("/people/groups")
    page.get_by_role("link", name="New extension group").click()
    page.locator("#name").press_sequentially("Not saved yet")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Menus", exact=True).click(no_wait_after=True)
    expect(page.locator("#name")).to_have_value("Not saved yet")
    page.get_by_role("link", name="Cancel").click()  # which says already that the changes go
    expect(page).to_have_url(re.compile(r"/people/groups$"))


def test_leaving_a_list_that_was_changed_in_place_asks(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.goto("/people/groups/1")
    page.get_by_role("button", name="Remove").first.click()
    expect(page.locator("#member_list-field .chosen li")).to_have_count(1)
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Menus", exact=True).click(no_wait_after=True)
    page.get_by_role("link", name="Cancel").click()
    page.goto("/menus/3?open=name")
    page.locator("#name").press_sequentially("!")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Menus", exact=True).click(no_wait_after=True)
    page.locator("#name").press("Tab")
    page.get_by_role("link", name="Discard").click()
    expect(page.locator("#bar")).not_to_have_class("unsaved")


def test_the_checklist_and_the_actions_of_a_menu(page: Page, phone: Page) -> None:
    for one in (page, phone):
        one.goto("/start")
        check_axe(one)
        check_width(one)
        one.goto("/menus/3")
        one.get_by_label("More actions").click()
        expect(one.get_by_role("link", name="Delete")).to_be_visible()
        check_width(one)
        one.keyboard.press("Escape")
        expect(one.get_by_role("link", name="Delete")).to_be_hidden()
