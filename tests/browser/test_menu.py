"""One menu in a browser: by mouse, by keyboard, without script, on a telephone; and its picture."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, Open, check_axe, check_width
from tests.live_server import Api

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""


@pytest.fixture
def menu(api: Api) -> Iterator[int]:
    """A menu of its own for a test that changes one."""
    body = {
        "number": "6790",
        "name": "Office",
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 3,
        "dial_ext_option": "disable",
        "press1_dest": "extension",
        "press1_dest_value": "1",
        "press_star_dest": "ivr",
        "press_star_dest_value": "3",
        "timeout_dest": "end_call",
        "invalid_dest": "end_call",
    }
    ident: int = api.post("ivr/create", body)["id"]
    yield ident
    assert api.get("ivr/delete", id=ident)["errcode"] == 0


def stored(api: Api, ident: int) -> dict:
    row: dict = api.get("ivr/get", id=ident)["data"]
    return row


PARTS = ("", "name", "hear", "reach", "1", "hash", "timeout")


@pytest.mark.parametrize("opened", PARTS)
def test_everybody_can_read_it(open_page: Open, opened: str) -> None:
    for page in (open_page(), open_page(NARROW)):
        page.goto(f"/menus/3?open={opened}")
        page.locator("#cases").wait_for()
        page.locator("#flow").scroll_into_view_if_needed()
        page.locator("#flow svg.drawing").wait_for()
        check_axe(page)
        check_width(page)


def test_the_library_for_pictures_is_loaded_where_there_is_one(page: Page) -> None:
    page.goto("/menus", wait_until="networkidle")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert len(loaded) > 3
    assert [name for name in loaded if "dagre" in name or "flow" in name] == []


@pytest.mark.parametrize(
    "path",
    ["/menus", "/menus/new", "/menus/3/copy", "/menus/1/delete", "/menus/4/delete", "/menus?search_value=zz"],
)
def test_the_other_pages_of_menus(open_page: Open, path: str) -> None:
    for page in (open_page(), open_page(NARROW)):
        page.goto(path)
        check_axe(page)
        check_width(page)


def test_changing_a_key(page: Page, api: Api, menu: int) -> None:
    page.goto(f"/menus/{menu}")
    page.locator("#tile-5").click()
    editor = page.get_by_role("group", name="Key 5")
    editor.get_by_label("Voicemail").check()
    editor.get_by_label("Which extension").fill("1002")
    editor.get_by_label("Which extension").press("Tab")
    expect(page.locator("#tile-5")).to_contain_text("Alan Turing")
    expect(page.locator("#bar")).to_contain_text("Key 5: Nothing → Alan Turing (voicemail of 1002)")
    assert stored(api, menu)["press5_dest"] == ""
    editor.get_by_role("button", name="Close").click()
    expect(editor).to_be_hidden()
    expect(page.locator("#tile-5")).to_be_focused()
    check_axe(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flash")).to_contain_text("Saved. The next caller gets the change.")
    assert stored(api, menu)["press5_dest_value"] == "3"
    expect(page.locator("#bar")).to_be_empty()


def test_what_the_check_says_comes_before_saving(page: Page, menu: int) -> None:
    page.goto(f"/menus/{menu}")
    expect(page.locator("#key-findings")).to_be_hidden()
    page.locator("#tile-9").click()
    page.get_by_label("Outside number").check()
    page.get_by_label("Number", exact=True).fill("5551234")
    page.get_by_label("Number", exact=True).press("Tab")
    expect(page.locator("#key-findings")).to_contain_text("No trunk for an outside number.")
    page.get_by_label("Nothing").check()
    expect(page.locator("#key-findings")).to_be_hidden()


def test_what_is_typed_while_an_answer_comes_stays(page: Page, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=hear")
    with page.expect_response(re.compile("/draft")):
        page.get_by_label("Wait for a key").fill("7")
        page.get_by_label("Wait for the next digit").fill("4")
    expect(page.locator("#bar")).to_contain_text("Wait for a key (s): 5 → 7")
    expect(page.get_by_label("Wait for the next digit")).to_have_value("4")
    expect(page.get_by_label("Wait for the next digit")).to_be_focused()


def test_options_come_while_typing(page: Page, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=1")
    with page.expect_response(re.compile("/pick")):
        page.get_by_label("Which extension").fill("Gra")
    expect(page.locator("#press1_dest-options-extension option")).to_have_count(1)
    expect(page.locator("#press1_dest-options-extension option")).to_have_attribute(
        "value", "1001 Grace Hopper"
    )


def test_by_keyboard_alone(page: Page, api: Api, menu: int) -> None:
    page.goto(f"/menus/{menu}")
    page.locator("#tile-2").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#press2_dest-nowhere")).to_be_focused()
    for _ in range(10):  # the arrows go round the types: after the last comes the first
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#press2_dest-extension")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("1001")
    page.keyboard.press("Enter")
    expect(page.locator("#tile-2")).to_contain_text("Grace Hopper")
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#tile-2")).to_be_focused()
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#flash")).to_contain_text("Saved.")
    assert stored(api, menu)["press2_dest_value"] == "2"


def test_without_script(open_page: Open, api: Api, menu: int) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"/menus/{menu}")
    expect(page.locator("#flow")).to_contain_text("1: extension 1000 Ada Byron")
    page.locator("#tile-3").click()
    page.get_by_role("group", name="Key 3").get_by_role("radio", name="Ring group").check()
    page.get_by_label("Which ring group").fill("6300")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#tile-3")).to_contain_text("Support")
    page.get_by_role("button", name="Change what callers hear").click()
    page.get_by_label("Play greeting").fill("9")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Play greeting")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Play greeting").fill("2")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flash")).to_contain_text("Key 3: Nothing → Support (6300)")
    row = stored(api, menu)
    assert (row["press3_dest"], row["prompt_repeat"]) == ("ring_group", 2)


def test_on_a_telephone(phone: Page, api: Api, menu: int) -> None:
    phone.goto(f"/menus/{menu}")
    phone.locator("#tile-hash").click()
    phone.get_by_label("Dial by name").check()
    expect(phone.locator("#bar")).to_contain_text("Key #: Nothing → Dial by name")
    check_width(phone)
    check_axe(phone)
    phone.get_by_role("button", name="Save").click()
    expect(phone.locator("#flash")).to_contain_text("Saved.")
    assert stored(api, menu)["press_hash_dest"] == "dial_by_name"


def test_a_target_is_missed_when_the_editor_is_closed(page: Page, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=3")
    editor = page.get_by_role("group", name="Key 3")
    with page.expect_response(re.compile("/draft")):
        editor.get_by_role("radio", name="Ring group").check()
    expect(page.locator("#bar")).to_contain_text("Not saved yet")
    expect(page.locator(".problem")).to_have_count(0)
    editor.get_by_role("button", name="Close").click()
    expect(page.locator("#said-3")).to_contain_text("Key 3: choose a ring group.")
    editor.get_by_label("Which ring group").fill("9999")
    editor.get_by_label("Which ring group").press("Tab")
    expect(page.locator("#said-3")).to_contain_text("Key 3: “9999” doesn't exist.")
    editor.get_by_label("Which ring group").fill("6300")
    editor.get_by_label("Which ring group").press("Tab")
    expect(page.locator("#bar")).to_contain_text("Key 3: Nothing → Support (6300)")
    expect(page.locator(".problem")).to_have_count(0)


def test_done_right_after_a_change_is_not_lost(page: Page, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=3")
    slow = page.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 600, "downloadThroughput": -1, "uploadThroughput": -1}
    slow.send("Network.emulateNetworkConditions", limits)
    page.get_by_role("group", name="Key 3").get_by_label("Dial by name").check()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("group", name="Key 3")).to_be_hidden()
    expect(page.locator("#tile-3")).to_contain_text("Dial by name")


def test_two_who_change_the_same_key_see_it(page: Page, api: Api, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=1")
    page.get_by_label("Which extension").fill("1003")
    page.get_by_label("Which extension").press("Tab")
    expect(page.locator("#bar")).to_contain_text("Key 1: Ada Byron (1000) → Katherine Johnson (1003)")
    changed = {"id": menu, "press1_dest": "end_call", "press2_dest": "end_call"}
    assert api.post("ivr/update", changed)["errcode"] == 0
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="You both changed: Key 1.")).to_be_visible()
    expect(page.locator("#bar")).to_contain_text("Key 1: Hang up → Katherine Johnson (1003)")
    expect(page.locator("#tile-2")).to_contain_text("Hang up")
    check_axe(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flash")).to_contain_text("Saved.")
    row = stored(api, menu)
    assert (row["press1_dest_value"], row["press2_dest"]) == ("4", "end_call")


def test_another_administrator_saved_in_the_meantime(page: Page, api: Api, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=name")
    page.get_by_label("Name", exact=False).last.fill("Mine")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#bar")).to_contain_text("Name: Office → Mine")
    assert api.post("ivr/update", {"id": menu, "press2_dest": "end_call"})["errcode"] == 0
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Another administrator has saved this menu in the meantime"
    )
    check_axe(page)
    expect(page.locator("#tile-2")).to_contain_text("Hang up")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flash")).to_contain_text("Saved.")
    row = stored(api, menu)
    assert (row["name"], row["press2_dest"]) == ("Mine", "end_call")


def test_the_picture(page: Page) -> None:
    page.goto("/menus/3")
    page.locator("#flow").scroll_into_view_if_needed()
    boxes = page.locator("#flow [data-box]")
    boxes.first.wait_for()
    assert boxes.count() == page.locator("#flow [data-node]").count()
    assert page.locator("#flow .arrow").count() == page.locator("#flow [data-to]").count()
    page.evaluate("document.dispatchEvent(new CustomEvent('openivr:place', {detail: {node: 'ivr-2'}}))")
    expect(page.locator("[data-box='ivr-2']")).to_have_class(re.compile(r"\blit\b"))
    page.evaluate("document.dispatchEvent(new CustomEvent('openivr:place', {detail: {node: ''}}))")
    expect(page.locator(".lit")).to_have_count(0)
    link = page.locator("#flow a[aria-label='6202 VoicePrompt']")
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/menus/1$"))


def test_the_picture_shows_what_is_not_saved_yet(page: Page, menu: int) -> None:
    page.goto(f"/menus/{menu}?open=7")
    page.locator("#flow").scroll_into_view_if_needed()
    page.locator("#flow [data-box]").first.wait_for()
    expect(page.locator("#flow .arrow text", has_text=re.compile("^7$"))).to_have_count(0)
    page.get_by_label("Dial by name").check()
    expect(page.locator("#flow .arrow text", has_text=re.compile("^7$"))).to_have_count(1)


def test_hearing_a_prompt(page: Page) -> None:
    page.goto("/menus/3")
    button = page.get_by_role("button", name="Play Built-in greeting")
    with page.expect_response(re.compile("/sounds/")) as heard:
        button.click()
    assert heard.value.ok
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_hostile_names(page: Page, api: Api, menu: int) -> None:
    assert api.post("ivr/update", {"id": menu, "name": HOSTILE})["errcode"] == 0
    page.on("dialog", lambda _dialog: pytest.fail("a script in a name ran"))
    for path in (f"/menus/{menu}?open=1", "/menus?search_value=script", f"/menus/{menu}/delete"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text(HOSTILE)
        assert page.locator("main img").count() == 0
    page.goto(f"/menus/{menu}")
    page.locator("#flow").scroll_into_view_if_needed()
    expect(page.locator(f"[data-box='ivr-{menu}'] title")).to_have_text(re.compile(re.escape("<img src=x")))
    page.keyboard.press("/")
    page.keyboard.type("onerror")
    expect(page.locator("#found")).to_contain_text(HOSTILE)
    check_axe(page)


@pytest.fixture
def pins(api: Api) -> Iterator[int]:
    """A PIN list of its own."""
    id_: int = api.post("pin_list/create", {"name": "Warehouse staff", "pin_list": "4711,918273"})["id"]
    yield id_
    assert api.get("pin_list/delete", id=id_)["errcode"] == 0


def test_a_key_gets_a_pin_list(open_page: Open, api: Api, pins: int, menu: int) -> None:
    page = open_page()
    page.goto(f"/menus/{menu}?open=1")
    page.get_by_label("Ask for a PIN of").select_option("Warehouse staff")
    expect(page.locator("#bar")).to_contain_text("Key 1, PIN list: No PIN → Warehouse staff")
    expect(page.get_by_role("img", name="asks for a PIN of Warehouse staff")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/menus/{menu}")
    assert stored(api, menu)["press1_pin_list_id"] == pins
    for one in (page, open_page(NARROW)):
        one.goto(f"/menus/{menu}?open=1")
        one.locator("#flow").scroll_into_view_if_needed()
        expect(one.locator("#flow svg.drawing .arrow use")).to_have_count(1)
        check_axe(one)
        check_width(one)
        one.goto(f"/routes/pins/{pins}")
        expect(one.locator("#pin_list-field")).to_contain_text("PINs in this list: 2")
        check_axe(one)
        check_width(one)
    assert api.post("ivr/update", {"id": menu, "press1_pin_list_id": 0})["errcode"] == 0
