"""A real browser: Debian's Chromium, signed in to a server of the module's own.

`page` fails a test whose page breaks the Content-Security-Policy, asks another host for anything or has a
script that fails. `check_axe` finds what WCAG 2.2 AA does not allow, in light and in dark.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.live_server import Running
from tests.web.site import Admin

# Debian has Chromium twice: without any window it opens a page in a third of the time.
PROGRAMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--process-per-site",
    "--renderer-process-limit=1",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# In light every rule is tried, in dark those that look at colours: nothing else differs (web/test_styles.py).
RULES = {"light": {"type": "tag", "values": STANDARD}, "dark": {"type": "rule", "values": COLOURS}}
# Violations alone come back: all that passed is some hundred kilobytes a page.
CHECK = """async (rules) => {
    const options = {runOnly: rules, resultTypes: ["violations"]};
    return (await axe.run(document, options)).violations;
}"""
WIDE, NARROW = (1280, 900), (390, 844)
SECONDS = 60  # after which a test has failed
expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a module: as long as one lives, no other test may run an event loop of its own."""
    program = next((path for path in PROGRAMS if path.exists()), None)
    if program is None:
        message = "there is no Chromium (Debian: apt-get install chromium-headless-shell)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def admin(server: Running) -> Iterator[Admin]:
    """Signed in to the module's server, for what a test does beside the browser."""
    admin = Admin(server).enter()
    yield admin
    admin.close()


Open = Callable[..., Page]
Contexts = dict[tuple[tuple[str, Any], ...], BrowserContext]


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Iterator[Contexts]:
    """The module's browser contexts by their options: pages of one share a process, which is warm by then."""
    found: Contexts = {}
    yield found
    for context in found.values():
        context.close()


@pytest.fixture
def open_page(browser: Browser, server: Running, admin: Admin, contexts: Contexts) -> Iterator[Open]:
    """Opens a signed-in page of this width; options are those of a browser context."""
    pages: list[Page] = []
    problems: list[str] = []

    def open_one(size: tuple[int, int] = WIDE, **options: Any) -> Page:
        key = tuple(sorted(options.items()))
        context = contexts.get(key) or browser.new_context(base_url=server.base, **options)
        contexts[key] = context
        context.set_offline(False)
        context.clear_cookies()
        context.add_cookies([{"name": n, "value": v, "url": server.base} for n, v in admin.cookies.items()])
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.set_viewport_size(ViewportSize(width=size[0], height=size[1]))
        page.on("pageerror", lambda error: problems.append(f"a script failed: {error.stack or error}"))
        page.on("console", lambda message: note_console(problems, message))
        page.on("request", lambda request: note_request(problems, server, request))
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        page.close()
    assert problems == []


def note_console(problems: list[str], message: ConsoleMessage) -> None:
    if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
        problems.append(message.text)


def note_request(problems: list[str], server: Running, request: Request) -> None:
    parts = urlsplit(request.url)
    if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(server.base).netloc:
        problems.append(f"asked another host: {request.url}")


@pytest.fixture
def page(open_page: Open) -> Page:
    """A signed-in page, as wide as a desk."""
    return open_page()


@pytest.fixture
def phone(open_page: Open) -> Page:
    """A signed-in page, as narrow as a telephone."""
    return open_page(NARROW)


def check_axe(page: Page) -> None:
    """Nothing on the page breaks WCAG 2.2 AA, in light and in dark."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if page.evaluate("typeof axe === 'undefined'"):
            page.evaluate(AXE_SCRIPT)
        violations = page.evaluate(CHECK, RULES[scheme])
        assert violations == [], f"{scheme}: {AxeResults({'violations': violations}).generate_report()}"


def check_width(page: Page) -> None:
    """Nothing sticks out on either side."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition of the page's script; Playwright's own way needs eval, which the pages forbid."""
    page.evaluate(
        f"""() => new Promise((done, fail) => {{
            const timer = setTimeout(() => fail(new Error("never came")), {SECONDS * 1000});
            const look = () => ({condition} ? (clearTimeout(timer), done()) : requestAnimationFrame(look));
            look();
        }})"""
    )
