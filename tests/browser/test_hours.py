"""The page Hours in a real browser."""

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


def test_the_page_is_for_everybody(page: Page, phone: Page) -> None:
    for one in (page, phone):
        for path in ("/hours", "/hours?at=2027-02-31T00:00", "/hours/week", "/hours/import"):
            one.goto(path)
            check_axe(one)
            check_width(one)


def test_a_week_is_painted_with_mouse_and_keys(page: Page, server: Running) -> None:
    api = server.log_in()
    calendar = api.post("timezone/create", {"name": "Painted", "timezone": "Europe/Berlin"})["id"]
    page.goto(f"/hours/week?calendar={calendar}")
    row = page.get_by_role("row", name="Monday")
    row.get_by_role("gridcell", name="Monday 09:00 to 09:30: Closed").hover()
    page.mouse.down()
    row.get_by_role("gridcell", name="Monday 10:00 to 10:30: Closed").hover()
    row.get_by_role("gridcell", name="Monday 09:30 to 10:00").hover()
    page.mouse.up()
    monday = page.get_by_role("group", name="Monday")
    expect(monday.get_by_label("Open")).to_have_value("09:00-10:30")
    page.keyboard.press("ArrowDown")  # from the cell that was pressed first
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    tuesday = page.get_by_role("group", name="Tuesday")
    expect(tuesday.get_by_label("Open")).to_have_value("09:00-10:00")
    page.keyboard.press("Space")
    expect(tuesday.get_by_label("Open")).to_have_value("09:00-09:30")
    page.get_by_role("radio", name="Break").check()
    row.get_by_role("gridcell", name="Monday 09:30 to 10:00: Open").click()
    expect(monday.get_by_label("Breaks")).to_have_value("09:30-10:00")
    page.get_by_role("group", name="Sunday").get_by_label("Open").fill("22:15-00:30")
    expect(page.get_by_role("gridcell", name="Sunday 22:00 to 22:30: Partly")).to_be_visible()
    expect(row.get_by_role("gridcell", name="Monday 00:00 to 00:30: Open")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    rows = [row for row in api.get("businesshour/list")["data"] if row["timezone_id"] == calendar]
    api.close()
    assert {row["days_of_week"]: [span["value"] for span in row["office_times"]] for row in rows} == {
        "mon": ["00:00-00:30", "09:00-10:30"],
        "tue": ["09:00-09:30"],
        "sun": ["22:15-23:59"],
    }
