"""Measures pages of the web admin with ten thousand menus, in a headless browser on this machine."""

import http.client
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench.machine import free_port, print_table, python, running
from openivr.resources import KINDS
from openivr.resources.secret import hash_password
from openivr.store.auth import admin
from openivr.store.config import resources
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import ConfigTransaction, Database
from openivr.store.schema import migrate
from tests.call_history import keep_past, make_past

MENUS = 10_000
OFFICE = 10  # menus that lead to one another
PEOPLE = 200
DAYS, DAILY = 365, 720  # calls: so many on a working day
DAY_OF_CALLS = f"{datetime.now() - timedelta(days=9):%Y-%m-%d}"
RUNS = 200
NAME = "admin"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "data") as (base, cookie):
        browser = Browser(base, cookie)
        form = browser.form(f"/menus/{MENUS // 2}?open=5")
        seen = browser.find(r'data-seen="([^"]*)"', "/calls")
        call = browser.find(r'<tr id="past-([^"]*)"', "/calls?outcome=connected")
        pages = {
            "list of menus": lambda: browser.get("/menus"),
            "its last page, by name": lambda: browser.get(f"/menus?page={MENUS // 20}&sort_by=name"),
            "menus found by name": lambda: browser.get("/menus?search_value=menu+77"),
            "one menu": lambda: browser.get(f"/menus/{MENUS // 2}"),
            "the same while a key is changed": lambda: browser.post(f"/menus/{MENUS // 2}/draft", form),
            "search from anywhere": lambda: browser.get("/search?text=77"),
            "extensions": lambda: browser.get("/people/extensions"),
            "calls": lambda: browser.get("/calls"),
            "the first of them": lambda: browser.get("/calls?order_by=asc"),
            "those of one day": lambda: browser.get(f"/calls?since={DAY_OF_CALLS}&until={DAY_OF_CALLS}"),
            "those that left a message": lambda: browser.get("/calls?outcome=message"),
            "those through the menu that all come to": lambda: browser.get("/calls?menu=10000"),
            "those by a trunk that left a message": lambda: browser.get(
                "/calls?source=trunk-1&outcome=message"
            ),
            "those with a part of a number": lambda: browser.get("/calls?number=23456"),
            "one call": lambda: browser.get(f"/calls/{call}"),
            "whether a call came or went": lambda: browser.get(f"/calls/now?seen={seen}"),
            "reports, before their numbers": lambda: browser.get("/reports"),
            f"reports of 30 days, of {DAYS * DAILY * 3 // 4:,} calls in a year": lambda: browser.get(
                "/reports/plots"
            ),
        }
        rows = [measure(name, ask) for name, ask in pages.items()]
        head = ("page", "median", "p99", "size")
        print_table(f"Pages with {MENUS:,} menus and {PEOPLE} extensions", head, rows)


def measure(name: str, ask: Callable[[], int]) -> tuple[str, str, str, str]:
    size, taken = ask(), []
    for _ in range(RUNS):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
    p99 = statistics.quantiles(taken, n=100)[98]
    return name, f"{statistics.median(taken):.1f} ms", f"{p99:.1f} ms", f"{size / 1000:.0f} kB"


class Browser:
    """A signed-in client with one kept connection."""

    def __init__(self, base: str, cookie: str) -> None:
        self.base = base
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        self.headers = {"Cookie": f"openivr={cookie}", "Origin": base}

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self.connection.request(method, path, body, self.headers | kind)
        response = self.connection.getresponse()
        content = response.read()
        if response.status not in (200, 204):
            raise RuntimeError(f"{method} {path}: {response.status}")
        return content

    def get(self, path: str) -> int:
        return len(self.send("GET", path))

    def post(self, path: str, body: bytes) -> int:
        return len(self.send("POST", path, body))

    def find(self, pattern: str, path: str) -> str:
        """Return the first group of the first match of a pattern in a page."""
        found = re.search(pattern, self.send("GET", path).decode())
        if found is None:
            raise RuntimeError(f"{path} has no {pattern}")
        return found[1]

    def form(self, path: str) -> bytes:
        """Return the fields of a menu's form, with another destination for key 5."""
        page = self.send("GET", path).decode()
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
        return urlencode([*hidden, ("press5_dest", "end_call")]).encode()


@contextmanager
def serve(data: Path) -> Iterator[tuple[str, str]]:
    """Run a server with the menus. Yield it with the cookie of a signed-in administrator."""
    cookie = fill(data)
    base = f"http://127.0.0.1:{free_port()}"
    options = ("--http", base.removeprefix("http://"), "--data", str(data), "--no-access-log")
    with running(*python("-m", "openivr", "api", *options), url=f"{base}/readyz"):
        yield base, cookie


def fill(data: Path) -> str:
    data.mkdir()
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    migrate(database)
    now = int(time.time())
    with database.changing() as change:
        fill_office(change)
        admin.make(change.connection, NAME, now)
        admin.put_password(change.connection, NAME, hash_password("bench"), now)
        cookie = admin.sign_in(change.connection, NAME, now)
    with database.reading() as connection:
        snapshot = load_snapshot(connection)
    first = datetime.now().astimezone() - timedelta(days=DAYS)
    keep_past(database, make_past(snapshot, "10000", first, DAYS, DAILY))
    database.close()
    return cookie


def fill_office(change: ConfigTransaction) -> None:
    """Make extensions, and offices of ten menus: one with an inbound route, and those behind its keys."""
    for at in range(PEOPLE):
        number = str(1000 + at)
        person = {"type": "SIP", "number": number, "reg_name": number, "presence_status": "available"}
        secrets = {"reg_password": "registration", "user_password": "Password10"}
        resources.create(change, KINDS["extension"], {**person, **secrets, "concurrent_registrations": 1})
    for at in range(MENUS):
        head = at - at % OFFICE + 1
        body = {
            "number": str(10_000 + at),
            "name": f"Menu {at * 104_729 % 1_000_003}",
            "prompt": "default",
            "prompt_repeat": 3,
            "resp_timeout": 5,
            "digit_timeout": 3,
            "dial_ext_option": "all",
            "press0_dest": "extension",
            "press0_dest_value": str(at % PEOPLE + 1),
            "press_star_dest": "ivr",
            "press_star_dest_value": str(head),
        }
        ident = resources.create(change, KINDS["ivr"], body)
        if ident != head:
            key = f"press{ident - head}_dest"
            resources.update(change, KINDS["ivr"], head, {key: "ivr", f"{key}_value": str(ident)})
        else:
            route = {"name": f"Number {at}", "def_dest": "ivr", "def_dest_value": str(ident)}
            if at < OFFICE * 20:
                resources.create(change, KINDS["inbound_route"], route)
