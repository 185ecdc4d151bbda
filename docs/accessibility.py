"""Look at every page of the web admin for what WCAG 2.2 AA does not allow: `make accessibility`.

Follows the links from the first page and requests one page of each sort, in light and dark, wide and narrow.
Writes docs/accessibility.md; ends with status 1 if anything was found. Needs Debian's Chromium.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server that the tests start

from docs.screenshots import HALL, open_office, open_page
from openivr.web.routes import ROUTES
from tests.api.test_prompts import tone
from tests.browser.conftest import SCHEMES, STANDARD
from tests.live_server import Running
from tests.web.site import Admin
from tests.web.test_prompts import send

REPORT = Path(__file__).parent / "accessibility.md"
DESK = (1280, 900)
STARTS = ("/", "/menus/3", *(f"/menus/3?open={part}" for part in ("5", "timeout", "hear", "reach", "name")))
STARTS += ("/menus/3/try", "/prompts/built-in", "/search?text=ada", "/nothing", "/password")
FILES = re.compile(r"\.csv$|/(file|recording|messages|outlines|sounds)\b|/now$|/pick$|/reports/plots$")
LEADING = ("/", "/people", "/routes", "/menus/{id:int}/calls")  # redirects, or parts of other pages
VIEW = [(view.path, re.compile(re.sub(r"\{[^}]*\}", "[^/]+", view.path) + "$")) for view in ROUTES]

Finding = tuple[str, str, int]  # rule, description, number of elements


def main() -> int:
    with open_office() as (browser, running, admin):
        send(admin, "Welcome.wav", tone("wav"))
        rows = dict(request_all(browser, running, admin))
    missing = [path for path in sorts() if path not in rows]
    REPORT.write_text(write_report(rows, missing))
    found = sum(len(findings) for _, findings in rows.values())
    print(f"{len(rows)} pages, {found} findings, {len(missing)} types of pages not reached: {REPORT.name}")
    return 1 if found else 0


def sorts() -> list[str]:
    """Return the path of every page."""
    paths = dict.fromkeys(view.path for view in ROUTES if view.method == "GET")
    return [path for path in paths if not FILES.search(path) and path not in LEADING and "{name" not in path]


def sort_of(address: str) -> str:
    """Return the type of a page: the path of its route, with the part that is open in it."""
    parts = urlsplit(address)
    path = next((path for path, pattern in VIEW if pattern.match(parts.path)), parts.path)
    opened = re.search(r"\bopen=\w+", parts.query)
    return f"{path}?{opened[0]}" if opened else path


def request_all(
    browser: Browser, running: Running, admin: Admin
) -> Iterator[tuple[str, tuple[int, list[Finding]]]]:
    """Visit each type of page; yield the number of rules passed and the violations."""
    pages = [open_page(browser, running, admin, "light", size) for size in (DESK, HALL)]
    todo, seen = [urljoin(running.base, start) for start in STARTS], set[str]()
    while todo:
        address = todo.pop(0)
        sort = sort_of(address)
        if sort in seen:
            continue
        seen.add(sort)
        pages[0].goto(address, wait_until="load")
        todo += [link for link in links(pages[0], running.base) if sort_of(link) not in seen]
        sort = sort_of(pages[0].url)  # after redirects
        seen.add(sort)
        pages[1].goto(address, wait_until="load")
        print(sort, flush=True)
        yield sort, look(pages)
    page = browser.new_page(base_url=running.base)
    page.goto("/sign-in")
    yield "/sign-in", look([page])


def links(page: Page, base: str) -> list[str]:
    script = "[...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))"
    found = [urljoin(page.url, link) for link in page.evaluate(script)]
    return [link for link in found if link.startswith(base) and not FILES.search(urlsplit(link).path)]


def look(pages: list[Page]) -> tuple[int, list[Finding]]:
    """Run axe on a page at every width and in every colour scheme."""
    passed, found = 0, Counter[tuple[str, str]]()
    for page in pages:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            said = Axe().run(page, options={"runOnly": {"type": "tag", "values": list(STANDARD)}}).response
            passed = max(passed, len(said["passes"]))
            for one in said["violations"]:
                found[one["id"], one["help"]] += len(one["nodes"])
    return passed, [(rule, about, count) for (rule, about), count in found.items()]


def write_report(rows: dict[str, tuple[int, list[Finding]]], missing: list[str]) -> str:
    lines = [
        "# Accessibility of the web admin",
        "",
        "Written by `make accessibility`: axe's rules for WCAG 2.2 AA and its best practices, on one page of",
        "each type, 1280 and 390 px wide, light and dark. The browser tests check the same rules while pages",
        "are used.",
        "",
        "| page | rules passed | violations |",
        "|---|---|---|",
    ]
    for sort, (passed, findings) in sorted(rows.items()):
        said = "; ".join(f"{rule} ({count}): {about}" for rule, about, count in findings) or "none"
        name = "an address that does not exist" if sort == "/nothing" else f"`{sort}`"
        lines.append(f"| {name} | {passed} | {said} |")
    if missing:
        names = ", ".join(f"`{path}`" for path in missing)
        lines += ["", f"No link of the demo leads to {names}; the browser tests check it."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
