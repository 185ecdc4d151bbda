"""Take the pictures of the web admin that the README shows: `make screenshots`. Needs Debian's Chromium."""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server that the tests start, and its first sign-in

from tests.running import Running, start
from tests.web.site import Admin

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb"]
IMAGES = Path(__file__).parent / "images"
COLOURS = 256  # of a picture: pages are flat, so that few are enough
HALL = (390, 844)
MENU = "/menus/3"


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        running = start(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        admin = Admin(running).enter()
        for name, scheme, size, visit in SHOTS:
            page = open_page(browser, running, admin, scheme, size)
            visit(page)
            save(page, name)
            page.context.close()
        admin.close()
        browser.close()
        running.stop()


def open_page(
    browser: Browser, running: Running, admin: Admin, scheme: Literal["light", "dark"], size: tuple[int, int]
) -> Page:
    context = browser.new_context(
        base_url=running.base,
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": n, "value": v, "url": running.base} for n, v in admin.cookies.items()])
    return context.new_page()


def show_menu(page: Page) -> None:
    page.goto(MENU)
    page.locator("#flow").scroll_into_view_if_needed()
    page.locator("#flow svg.drawing").wait_for()
    page.evaluate("scrollTo(0, 0)")


def change_key(page: Page) -> None:
    page.goto(f"{MENU}?open=5")
    page.get_by_role("radio", name="Voicemail").check()
    page.get_by_label("Which extension").fill("1002 Alan Turing")
    page.get_by_label("Which extension").press("Tab")
    page.locator("#bar li").wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def list_menus(page: Page) -> None:
    page.goto("/menus", wait_until="networkidle")


def try_menu(page: Page) -> None:
    page.goto(f"{MENU}/try")
    page.get_by_role("button", name="Call", exact=True).click()
    page.locator(".transcript li").nth(2).wait_for()
    page.keyboard.press("2")
    page.locator(".transcript li").nth(4).wait_for()


def list_people(page: Page) -> None:
    page.goto("/people/extensions", wait_until="networkidle")


Shot = tuple[str, Literal["light", "dark"], tuple[int, int], Callable[[Page], None]]
SHOTS: tuple[Shot, ...] = (
    ("menu", "light", (1280, 1330), show_menu),
    ("key", "dark", (1280, 1040), change_key),
    ("menus-narrow", "light", HALL, list_menus),
    ("try-narrow", "dark", HALL, try_menu),
    ("people", "light", (1280, 720), list_people),
)


def save(page: Page, name: str) -> None:
    """A picture with few colours, which keeps it small."""
    taken = Image.open(io.BytesIO(page.screenshot()))
    flat = taken.convert("RGB").quantize(
        COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    flat.save(IMAGES / f"{name}.png", optimize=True)
    print(f"{name}.png", (IMAGES / f"{name}.png").stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
