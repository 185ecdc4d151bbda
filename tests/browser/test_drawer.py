"""The telephone in a drawer beside the menu's own page: the picture lights up, and what is kept appears."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NARROW, Open, check_axe, check_width

IS_INSIDE = """() => document.activeElement === document.body
  || Boolean(document.activeElement.closest("#phone-drawer"))"""


def open_drawer(page: Page) -> None:
    page.goto("/menus/3")
    page.get_by_role("link", name="Try it").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#phone-drawer [data-dial]")).to_be_focused()


def lit(page: Page, node: str) -> None:
    expect(page.locator(f'[data-box="{node}"]')).to_have_class("box lit")


def test_the_picture_follows_the_call(page: Page) -> None:
    open_drawer(page)
    page.keyboard.press("Enter")
    expect(page.locator('[data-what="hears"]').first).to_be_visible()
    expect(page.locator('[data-box="ivr-3"]')).to_have_class("box start lit")
    page.keyboard.type("1#")
    lit(page, "extension-1")
    page.get_by_role("button", name="is busy").click()
    expect(page.locator('[data-what="fails"]')).to_be_visible()
    expect(page.locator('[data-box="ivr-3"]')).to_have_class("box start lit")
    page.keyboard.type("1001")  # by number, for which there is one box for all
    lit(page, "extension-allow")
    check_axe(page)
    check_width(page)
    page.keyboard.press("Escape")
    expect(page.locator("#phone-drawer")).to_be_hidden()
    expect(page.get_by_role("link", name="Try it")).to_be_focused()
    expect(page.locator(".box.lit")).to_have_count(0)


def test_a_late_answer_does_not_light_the_picture_of_a_closed_phone(page: Page) -> None:
    open_drawer(page)
    address = page.locator("#phone").get_attribute("data-address")
    page.keyboard.press("Enter")
    expect(page.locator('[data-what="hears"]').first).to_be_visible()
    expect(page.locator('[data-box="ivr-3"]')).to_have_class("box start lit")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**{address}", hold)
    with page.expect_request(f"**{address}"):
        page.keyboard.type("1#")
    page.keyboard.press("Escape")
    expect(page.locator("#phone-drawer")).to_be_hidden()
    assert len(held) == 1
    with page.expect_response(f"**{address}") as answer:
        held[0].continue_()
    answer.value.finished()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    expect(page.locator(".box.lit")).to_have_count(0)


def test_a_call_that_is_kept_appears_on_the_page(page: Page) -> None:
    open_drawer(page)
    page.keyboard.press("Enter")
    page.keyboard.type("2")
    expect(page.locator('[data-what="reaches"]')).to_be_visible()
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_label("Name of the test")).to_have_value("2: Answered by ring group 6300")
    page.get_by_role("button", name="Save as test").click()
    expect(page.locator(".case-list li", has_text="2: Answered by ring group 6300")).to_have_attribute(
        "data-state", "passed"
    )
    page.get_by_role("button", name="Call again").click()
    expect(page.get_by_label("Name of the test")).to_be_hidden()
    page.get_by_role("button", name="Hang up").click()
    page.get_by_role("button", name="Close the phone").click()
    expect(page.locator("#phone-drawer")).to_be_hidden()
    open_drawer(page)


def test_changes_are_heard_before_callers_hear_them(page: Page) -> None:
    page.goto("/menus/3")
    page.locator("#tile-5").click()
    page.get_by_label("Dial by name").check()
    expect(page.locator("#bar")).to_contain_text("Key 5")
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_text("Includes your unsaved changes.")).to_be_visible()
    expect(page.locator('#phone [data-key="5"]')).to_contain_text("Dial by name")
    page.locator('#phone [data-key="5"]').click()
    expect(page.locator('[data-what="hears"] .what', has_text="keypad")).to_be_visible()
    expect(page.locator("#bar")).to_contain_text("Key 5")  # and the changes are still there to be saved
    check_axe(page)


def test_on_a_telephone_it_is_all_there_is(open_page: Open) -> None:
    page = open_page(NARROW)
    open_drawer(page)
    page.keyboard.press("Enter")
    page.locator('[data-key="0"]').click()
    expect(page.locator('[data-what="reaches"]')).to_be_visible()
    for _ in range(40):  # the keyboard does not get out to what is behind
        page.keyboard.press("Tab")
        assert page.evaluate(IS_INSIDE)
    check_axe(page)
    check_width(page)
    page.keyboard.press("Escape")
    expect(page.locator("#phone-drawer")).to_be_hidden()


def test_without_script_it_is_a_page(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/menus/3")
    page.get_by_role("link", name="Try it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Try it 6200")
