"""Settings in a real browser."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, check_axe, check_width
from tests.live_server import Running


@pytest.mark.parametrize("path", ["", "/clients", "/addresses", "/backup"])
def test_every_page_is_for_everybody(page: Page, phone: Page, path: str) -> None:
    for one in (page, phone):
        one.goto("/settings" + path)
        check_axe(one)
        check_width(one)


def test_a_client_by_keyboard(page: Page, phone: Page, server: Running) -> None:
    page.goto("/settings/clients")
    page.locator("#name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Name is required.")).to_be_visible()
    check_axe(page)
    page.locator("#name").focus()
    page.keyboard.type("<b>CRM</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="<b>CRM</b> can use the API now")).to_be_visible()
    assert len(page.get_by_label("Client secret").input_value()) == 32
    check_axe(page)
    server.log_in().close()
    phone.goto("/settings/clients")
    check_axe(phone)
    check_width(phone)
    phone.get_by_role("button", name="Revoke token 1 of Demo").click()
    expect(phone.get_by_role("status")).to_contain_text("revoked")
    page.get_by_label("<b>CRM</b>").get_by_role("link", name="Delete").click()
    check_axe(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("can no longer use the API")


def test_addresses_without_script(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/settings/addresses")
    page.get_by_label("Address or network").fill("nonsense")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Not a valid IP address")).to_be_visible()
    page.get_by_label("Address or network").fill("127.0.0.0/8")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Only this address or network")).to_be_visible()
    page.get_by_role("button", name="Remove 127.0.0.0/8").click()
    expect(page.get_by_text("The list is empty")).to_be_visible()


def test_a_backup_is_downloaded(page: Page) -> None:
    page.goto("/settings/backup")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a backup").click()
    with closing(sqlite3.connect(download.value.path())) as connection:
        assert connection.execute("SELECT count(*) FROM ivr").fetchone() == (4,)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download YAML").click()
    assert "6200" in download.value.path().read_text()
