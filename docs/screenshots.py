"""Takes the screenshots of the README: `make screenshots`. Needs Debian's Chromium."""

import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server that the tests start, and its first sign-in

from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.runtime import liveness
from tests.call_history import keep_past, make_past
from tests.live_server import Running, start
from tests.web.site import Admin

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb"]
IMAGES = Path(__file__).parent / "images"
COLOURS = 256  # of a picture: pages are flat, so that few are enough
HALL = (390, 844)
MENU = "/menus/3"
NODE = "here"


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with open_office() as (browser, running, admin):
        for name, scheme, size, visit in SHOTS:
            page = open_page(browser, running, admin, scheme, size)
            keep_alive(running)
            visit(page)
            save(page, name)
            page.context.close()


@contextmanager
def open_office() -> Iterator[tuple[Browser, Running, Admin]]:
    """Yield a browser, a demo server with past and live calls, and a signed-in administrator."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        running = start(Path(folder))
        give_past(running)
        give_present(running)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        admin = Admin(running).enter()
        yield browser, running, admin
        admin.close()
        browser.close()
        running.stop()


def give_past(running: Running) -> None:
    """Write six weeks of calls for the reports, ending on a working day."""
    database = Database(f"sqlite:///{running.data / 'openivr.db'}")
    with database.reading() as connection:
        snapshot = load_snapshot(connection)
    first = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        days=42
    )
    keep_past(database, make_past(snapshot, "6200", first, 42, 140))
    database.close()


def give_present(running: Running) -> None:
    """Start two live calls: one connected, one in a menu."""
    now = int(time.time() * 1000)
    leg = {
        "kind": "extension",
        "target": 1,
        "number": "1000",
        "began": now - 90_000,
        "answered": now - 80_000,
    }
    both = CallRecord(
        "live-1", NODE, started=now - 94_000, updated=now, called="02079460000", path="6200", menu=3
    )
    both = replace(both, source_kind="trunk", source_id=1, source="Provider")
    talking = replace(both, stage="connected", caller="01632960501", keys="1", legs=[leg])
    waiting = replace(both, id="live-2", started=now - 12_000, stage="announcing", caller="02079460123")
    database = Database(f"sqlite:///{running.data / 'openivr.db'}")
    with database.writing() as connection:
        call_records.save(connection, [talking, waiting])
        wanted = CallFilter(menu=2, outcome="connected", is_live=False)
        _, (last, *_) = call_records.list_calls(connection, wanted)
        call_records.save(connection, [complete(call_records.load(connection, [last.id])[last.id])])
    database.close()


def keep_alive(running: Running) -> None:
    """Let the node of the live calls have reported just now."""
    database = Database(f"sqlite:///{running.data / 'openivr.db'}")
    with database.writing() as connection:
        liveness.note_alive(connection, NODE, time.time_ns() // 1_000_000)
    database.close()


def complete(record: CallRecord) -> CallRecord:
    """Add legs, DTMF and media statistics to a generated call."""
    ended = record.ended or record.updated
    began, answered = ended - 31_000, ended - 24_000
    busy = {"kind": "extension", "target": 2, "number": "1001", "began": began, "ended": began + 900}
    reached = {"kind": "extension", "target": 3, "number": "1002", "began": began, "answered": answered}
    phones = ({"via": "192.0.2.17:5060"}, {"via": "192.0.2.18:5060"})
    ends = ({"result": "busy", "status": 486}, {"ended": ended, "result": "answered", "status": 200})
    sound = {"sent": 2200, "heard": 2180, "lost": 4, "jitter_ms": 1.8, "strangers": 0}
    return replace(
        record,
        legs=[busy | phones[0] | ends[0], reached | phones[1] | ends[1]],
        input={"negotiated": ["rfc4733"], "heard": {"rfc4733": len(record.keys)}},
        media={"caller": sound, "callee": sound | {"lost": 0, "jitter_ms": 0.6}},
    )


def open_page(
    browser: Browser, running: Running, admin: Admin, scheme: Literal["light", "dark"], size: tuple[int, int]
) -> Page:
    context = browser.new_context(
        base_url=running.base,
        viewport={"width": size[0], "height": size[1]},
        is_mobile=size == HALL,  # whose scroll bars take no room
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


def list_calls(page: Page) -> None:
    page.goto("/calls", wait_until="networkidle")


def show_call(page: Page) -> None:
    page.goto("/calls?menu=6203&outcome=connected", wait_until="networkidle")
    page.locator("#past tbody").get_by_role("link").first.click()
    page.locator(".call-path").wait_for()


def show_reports(page: Page) -> None:
    yesterday = datetime.now() - timedelta(days=1)
    page.goto(f"/reports?from={yesterday - timedelta(days=27):%Y-%m-%d}&to={yesterday:%Y-%m-%d}")
    page.locator("#week canvas").first.wait_for()


def show_ways(page: Page) -> None:
    show_reports(page)
    page.locator("#ways").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('ways').scrollIntoView(); scrollBy(0, -16)")


Shot = tuple[str, Literal["light", "dark"], tuple[int, int], Callable[[Page], None]]
SHOTS: tuple[Shot, ...] = (
    ("menu", "light", (1280, 1330), show_menu),
    ("key", "dark", (1280, 1040), change_key),
    ("menus-narrow", "light", HALL, list_menus),
    ("try-narrow", "dark", HALL, try_menu),
    ("people", "light", (1280, 720), list_people),
    ("calls", "light", (1280, 900), list_calls),
    ("calls-narrow", "dark", HALL, list_calls),
    ("call", "light", (1280, 820), show_call),
    ("reports", "light", (1280, 1432), show_reports),
    ("ways", "dark", (1280, 860), show_ways),
)


def save(page: Page, name: str) -> None:
    """Reduce the colours of a picture, to keep the file small."""
    taken = Image.open(io.BytesIO(page.screenshot()))
    flat = taken.convert("RGB").quantize(
        COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    flat.save(IMAGES / f"{name}.png", optimize=True)
    print(f"{name}.png", (IMAGES / f"{name}.png").stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
