"""People, groups, routes and trunks in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from openivr.web.resources.views import RESOURCE_VIEWS
from tests.browser.conftest import Open, check_axe, check_width
from tests.live_server import Api
from tests.web.site import Admin

PATHS = [
    path
    for view in RESOURCE_VIEWS.values()
    for path in (view.path, f"{view.path}/new", f"{view.path}/1", f"{view.path}/1/delete")
] + ["/people/extensions/1/setup"]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_for_everybody(page: Page, phone: Page, path: str) -> None:
    for one in (page, phone):
        one.goto(path)
        for folded in one.locator("details.card > summary").all():
            folded.click()
        check_axe(one)
        check_width(one)


def test_empty_and_refused_pages_too(page: Page, phone: Page) -> None:
    for one in (page, phone):
        one.goto("/people/groups?search_value=nobody")
        check_axe(one)
        one.goto("/people/extensions/new")
        one.get_by_label("Number number").fill("")  # one is proposed
        one.get_by_role("button", name="Save", exact=True).click()
        expect(one.get_by_role("alert")).to_be_focused()
        check_axe(one)
        check_width(one)


def test_an_extension_by_keyboard_alone(page: Page) -> None:
    page.goto("/people/extensions")
    page.get_by_role("link", name="New extension").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Number number").focus()
    page.keyboard.type("12x")
    page.keyboard.press("Tab")
    page.keyboard.type("Jean")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Number can only contain digits.")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Number number")).to_be_focused()
    expect(page.get_by_label("First name")).to_have_value("Jean")
    page.keyboard.press("Control+A")
    page.keyboard.type("1200")
    password = page.locator("#reg_password").input_value()
    assert len(password) > 20
    page.locator("#reg_name").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("1200")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the phone of 1200 Jean")
    expect(page.locator("#setup-password")).to_have_text(password)
    check_axe(page)
    assert page.url.endswith("/setup")
    page.reload()
    expect(page.locator("#setup-user")).to_have_text("1200")
    expect(page.locator("#setup-password")).to_have_count(0)
    page.get_by_role("link", name="Done").click()
    expect(page.locator("#reg_password")).to_have_value("")
    expect(page.get_by_role("heading", level=1)).to_have_text("1200 Jean")


def test_a_password_is_made_up_in_place(page: Page) -> None:
    page.goto("/people/extensions/2")
    page.get_by_label("Last name").fill("Not saved yet")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#reg_password")).to_have_value(re.compile(r"\w{23}"))
    expect(page.get_by_label("Last name")).to_have_value("Not saved yet")
    check_axe(page)


def members(page: Page) -> list[str]:
    return page.locator("#member_list-field .chosen a").all_inner_texts()


def move_members(page: Page) -> None:
    """Add one, move it up, take another off, save; and see it all kept."""
    page.goto("/people/ring-groups/1")
    assert members(page) == ["1002 Alan Turing", "1003 Katherine Johnson"]
    page.locator("#member_list").fill("1000")
    page.get_by_role("button", name="Add", exact=True).first.click()
    expect(page.locator("#member_list-field .chosen li")).to_have_count(3)
    page.get_by_role("button", name="Move 1000 Ada Byron up").click()
    expect(page.locator("#member_list-field .chosen li").nth(1)).to_contain_text("Ada")
    page.get_by_role("button", name="Remove 1003 Katherine Johnson").click()
    expect(page.locator("#member_list-field .chosen li")).to_have_count(2)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("6300 Support is saved.")
    assert members(page) == ["1002 Alan Turing", "1000 Ada Byron"]
    page.get_by_role("button", name="Remove 1000 Ada Byron").click()
    expect(page.locator("#member_list-field .chosen li")).to_have_count(1)
    page.locator("#member_list").fill("1003")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("saved")
    assert members(page) == ["1002 Alan Turing", "1003 Katherine Johnson"]


def test_members_are_moved_in_place(page: Page) -> None:
    page.goto("/menus")
    loads = []
    page.on("load", lambda _page: loads.append(page.url))
    move_members(page)
    assert len(loads) == 3  # the page, and one for each saving


def test_members_are_moved_without_script(open_page: Open) -> None:
    move_members(open_page(java_script_enabled=False))


def test_members_are_moved_by_keyboard(page: Page) -> None:
    page.goto("/people/groups/1")
    assert members(page) == ["1000 Ada Byron", "1001 Grace Hopper"]
    page.get_by_role("button", name="Move 1001 Grace Hopper up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#member_list-field .chosen li").first).to_contain_text("Grace")
    expect(page.locator(":focus")).to_have_accessible_name(re.compile("1001 Grace Hopper"))


def test_options_follow_what_is_typed(page: Page) -> None:
    page.goto("/people/groups/1")
    page.locator("#member_list").fill("tur")
    expect(page.locator("#member_list-options option")).to_have_count(1)
    expect(page.locator("#member_list-options option")).to_have_attribute("value", "1002 Alan Turing")


def test_a_destination_has_only_what_it_needs(page: Page, phone: Page) -> None:
    for one in (page, phone):
        one.goto("/routes/inbound/1")
        target, times = one.locator("#def_dest_target"), one.locator("#def_dest_prefix")
        expect(target).to_have_value("6200 VoiceMenu Navigator")
        expect(times).to_be_hidden()
        one.locator("#def_dest").select_option("end_call")
        expect(target).to_be_hidden()
        one.locator("#def_dest").select_option("play_greeting")
        expect(times).to_be_visible()
        one.locator("#def_dest").select_option("ring_group")
        target.fill("6")
        expect(one.locator("#def_dest_target-options option")).to_have_attribute("value", "6300 Support")
        check_axe(one)
        check_width(one)


def test_patterns_are_told_in_words_before_saving(page: Page) -> None:
    page.goto("/routes/outbound/1")
    expect(page.locator(".notes")).to_contain_text("11 digits beginning with 9.")
    page.get_by_role("group", name="Row 3").get_by_label("Pattern").fill("00.")
    page.get_by_role("group", name="Row 3").get_by_role("button", name="Add").click()
    expect(page.locator(".notes .warn")).to_contain_text("Any number beginning with 00, of any length.")
    expect(page.get_by_role("group", name="Row 4").get_by_label("Pattern")).to_be_focused()
    check_axe(page)


def test_what_is_in_use_is_not_deleted(page: Page, admin: Admin) -> None:
    page.goto("/people/extensions/1")
    page.locator(".more > summary").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("it is used in")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("link", name="Extension group Sales").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sales")


def test_deleting(page: Page, admin: Admin) -> None:
    admin.post("/people/groups/new", [("name", "<img src=x onerror=alert(1)>")])
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto("/people/groups")
    page.get_by_role("link", name="<img src=x onerror=alert(1)>").click()
    page.locator(".more > summary").click()
    page.get_by_role("link", name="Delete").click()
    check_axe(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("is deleted.")
    expect(page.get_by_role("link", name="<img")).to_have_count(0)


def test_what_somebody_else_saved_is_told_before_it_is_saved_over(page: Page, phone: Page, api: Api) -> None:
    for one in (page, phone):
        api.post("extension_group/update", {"id": 1, "name": "Sales"})
        one.goto("/people/groups/1")
        one.locator("#name").fill("Mine")
        assert api.post("extension_group/update", {"id": 1, "name": "Theirs"})["errcode"] == 0
        one.locator(".object > .save button").click()
        notice = one.get_by_role("alert").filter(
            has_text="Another administrator has saved this extension group"
        )
        expect(notice).to_contain_text("Name: Theirs → Mine")
        expect(notice).to_be_focused()
        check_axe(one)
        check_width(one)
        one.locator(".object > .save button").click()
        expect(one.get_by_role("heading", level=1)).to_have_text("Mine")
    api.post("extension_group/update", {"id": 1, "name": "Sales"})
