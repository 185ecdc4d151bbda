"""Texts that try to be more than texts, in every field that takes them, wherever they are shown."""

import csv
import html
import io
import json
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest

from openivr.download.csv_export import DANGEROUS, MARK
from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.resources import KINDS
from openivr.resources.fields import InvalidValue, TextField
from openivr.resources.import_remarks import ImportRemarksField
from openivr.store.auth import clients
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.config import resources, scenarios
from openivr.store.runtime import registrations
from openivr.store.runtime.registrations import Registration, TrunkStatus
from tests.api.test_prompts import tone
from tests.live_server import Answer, Api, Running, start
from tests.web.site import Admin
from tests.web.test_prompts import send

SCRIPT = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""
RTL = "שלום مرحبا 👩 "
NAMES = {"script": SCRIPT, "long": "W" * 63, "right to left": (RTL * 3)[:63].strip()}
PAGES = (
    *(f"/{path}" for path in ("menus", "people/extensions", "people/groups", "people/ring-groups")),
    *(f"/{path}" for path in ("routes/inbound", "routes/outbound", "routes/trunks", "settings/clients")),
)


@pytest.fixture(scope="module", params=NAMES)
def named(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Running]]:
    """A server of its own on which an object of every kind has such a name."""
    running = start(tmp_path_factory.mktemp("hostile"))
    api, name = running.log_in(), NAMES[request.param]
    for path, field in (
        ("ivr/update", "name"),
        ("extension/update", "first_name"),
        ("extension_group/update", "name"),
        ("ring_group/update", "name"),
        ("inbound_route/update", "name"),
        ("outbound_route/update", "name"),
        ("trunk/update", "name"),
    ):
        answer = api.post(path, {"id": first(api, path.partition("/")[0]), field: name})
        assert answer["errcode"] == 0, (path, answer)
    api.close()
    running.add_client(name)
    yield name, running
    running.stop()


def first(api: Api, kind: str) -> int:
    ident: int = api.get(f"{kind}/list", page=1, page_size=1)["data"][0]["id"]
    return ident


def test_a_name_is_text_on_every_page(named: tuple[str, Running]) -> None:
    name, running = named
    admin = Admin(running).enter()
    shown = 0
    for path in PAGES:
        ends = ("", "/1", "/1/delete") if "settings" not in path else ("",)
        for one in [path + end for end in ends] + ["/menus/3/try", "/menus/1?open=1", "/search?text=" + "W"]:
            answer = admin.get(one)
            assert answer.status == 200, one
            text = answer.content.decode()
            assert "<script>alert" not in text, one
            assert "<img src=x" not in text, one
            shown += html.escape(name[:20], quote=False)[:12] in text
    assert shown >= len(PAGES)
    admin.close()


TAG = "x-hostile"
# What a text field may be given, the worst first: each ends an attribute, an element, a template or a cell.
WORST = (
    f"""=1+"'><{TAG} a=1>{{{{7*7}}}}</script>""",
    f"""=1+"'><{TAG}/a>{{{{7*7}}}}""",
    f"""'"><{TAG}>{{{{7*7}}}}""",
    f"<{TAG} a=1>",
    f"""'"><{TAG}>.mp3""",
)
SAFE_FILE = re.compile(r"""attachment; filename="[A-Za-z0-9._ -]+"; filename\*=UTF-8''[A-Za-z0-9._~%-]+""")
KEPT_IN = {"ivr": {"number"}, "custom_prompt": {"name"}}  # what something else is found by here
MOST_PAGES = 400
REMARKS = [
    {"code": "other", "text": WORST[0]},
    {"code": "destination_unserved", "input": WORST[0][:1], "type": WORST[0], "name": WORST[0]},
]
FREE = (
    Topic.ARRIVED,
    Topic.ENTERED,
    Topic.CHOSE,
    Topic.TIMED_OUT,
    Topic.INVALID,
    Topic.ENDED,
)  # notes with texts that are not the core's


def worst_for(field: TextField) -> str:
    """The worst text that a field takes; "" where it takes none of them."""
    for text in WORST:
        try:
            field.parse(text[: field.high] if TAG in text[: field.high - 1] else text)
        except InvalidValue:
            continue
        return text[: field.high]
    return ""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose every text is hostile that can be."""
    running = start(tmp_path_factory.mktemp("texts"))
    admin = Admin(running).enter()
    assert send(admin, f"""'"><{TAG} a=1>.wav""", tone("wav")).status == 303
    admin.close()
    now = int(time.time() * 1000)
    with running.database() as database:
        with database.changing() as change:
            for kind in KINDS.values():
                fields = [
                    one for one in kind.fields if isinstance(one, TextField) and kind.name != "custom_prompt"
                ]
                remarks = [one.name for one in kind.fields if isinstance(one, ImportRemarksField)]
                for ident, stored in list(resources.fetch_all(change.connection, kind))[:2]:
                    texts = {one.name: worst_for(one) for one in fields}
                    texts = {name: text for name, text in texts.items() if text}
                    if ident > 1 and "email_addr" in texts:
                        del texts["email_addr"]
                    own = {name: f"{ident}{text}"[: len(text)] for name, text in texts.items()}
                    values = stored | (own if ident > 1 else texts) | dict.fromkeys(remarks, REMARKS)
                    resources.save(change, kind, ident, values, is_new=False)
        with database.changing("auth") as change:
            clients.add(change.connection, WORST[0], f"""'"><{TAG}>""", "secret")
            clients.allow(change.connection, "127.0.0.0/8")
        with database.writing() as connection:
            scenarios.rename(connection, 3, scenarios.find_all(connection, 3)[0].id, WORST[0])
            registrations.bind(
                connection, Registration(1, "sip:x", now // 1000 + 600, {"user_agent": WORST[0]}, "n")
            )
            registrations.save_trunks(connection, [TrunkStatus(1, "down", WORST[0], now, "n")])
            call_records.save(connection, make_calls(now))
            notes = [
                Note(topic, 3, WORST[0], DestinationKind.EXTENSION, 1, WORST[0], detail=WORST[0])
                for topic in FREE
            ]
            call_records.save_notes(
                connection, (("over", at, CallNote(now, one)) for at, one in enumerate(notes))
            )
            call_records.save_menus(connection, ["over"])
    yield running
    running.stop()


def make_calls(now: int) -> list[CallRecord]:
    """A call under way and one that is over, about which nothing is harmless."""
    words = ("caller", "caller_name", "called", "source", "keys", "reason", "stage", "node", "recording")
    texts: dict[str, Any] = dict.fromkeys(words, WORST[0])
    leg = {
        "kind": "extension",
        "target": 1,
        "number": WORST[0],
        "began": now,
        "via": WORST[0],
        "result": WORST[0],
    }
    over = CallRecord("over", started=now, updated=now, path=f"6200 {WORST[3]}", menu=3, legs=[leg], **texts)
    over.ended = over.answered = now
    over.outcome = "menu"
    live = CallRecord("live", started=now, updated=now, path=WORST[1], menu=3, legs=[leg], **texts)
    return [over, live]


class Reader(HTMLParser):
    """What a browser makes of a page: its links, and elements that no template has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.strange = set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_foreign = tag == "script" and not str(given.get("src")).startswith("/static/")
        if tag in (TAG, "style") or is_foreign:
            self.strange.append(self.get_starttag_text() or tag)
        self.strange += [name for name in given if name.startswith("on") or name == TAG]
        for name in ("href", "hx-get", "src", "data-peaks"):
            if given.get(name):
                self.links.add(str(given[name]))


def test_a_text_is_text_wherever_it_is_shown(hostile: Running) -> None:
    """Follow every link from the first page on, to pages, fragments, tables and files."""
    admin = Admin(hostile).enter()
    todo, seen, shown, kinds = ["/menus", "/reports/plots", "/calls/file?"], set[str](), 0, set[str]()
    todo += [f"/search?text={quote(WORST[3])}", f"/pick?kinds=extension,ivr,trunk&from=x&x={quote(WORST[3])}"]
    todo += [f"/calls?number={quote(WORST[1])}&menu={quote(WORST[0])}", f"/{quote(WORST[0])}"]
    while todo:
        path = todo.pop(0)
        parts = urlsplit(path)
        sort = parts.path if parts.path.count("/") < 2 or parts.query.startswith("open") else parts.path + "?"
        if sort in seen or parts.netloc or parts.path.startswith("/static/") or len(seen) > MOST_PAGES:
            continue
        seen.add(sort)
        answer = admin.get(path)
        assert answer.status in {200, 303, 404, 405}, path
        kinds.add(check(answer, path))
        if answer.headers.get("content-type", "").startswith("text/html"):
            reader = Reader(answer.content.decode())
            assert reader.strange == [], path
            text = answer.content.decode()
            shown += f"&lt;{TAG}" in text
            assert "49</script>" not in text, path
            todo += [urljoin(path, link) for link in sorted(reader.links)]
    admin.close()
    assert shown > 40
    assert {"text/html", "text/csv", "application/json", "audio/wav"} <= kinds


def check(answer: Answer, path: str) -> str:
    """Its kind of content; what is saved as a file has a harmless name, and tables have no formulas."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    name = answer.headers.get("content-disposition")
    assert name is None or SAFE_FILE.fullmatch(name), (path, name)
    if kind == "text/csv":
        rows = list(csv.reader(io.StringIO(answer.content.decode().removeprefix(MARK))))
        assert len(rows) > 1, path
        assert [cell for row in rows for cell in row if cell.startswith(DANGEROUS)] == [], path
    return kind


def test_no_text_writes_a_line_of_the_log(hostile: Running) -> None:
    admin = Admin(hostile).enter()
    forged = '\r\n{"level":"error","event":"forged"}\n'
    admin.get("/menus/" + quote(forged), **{"X-Forwarded-For": WORST[0]})
    admin.post("/sign-in", {"name": forged, "password": forged})
    api = Api(hostile.address)
    api.post("get_token", {"username": forged, "password": forged})
    api.send("GET", "/openapi/v1.0/" + quote(forged))
    api.close()
    admin.get("/menus?last=1")
    admin.close()
    lines = hostile.expect_log("forged").splitlines()
    assert [line for line in lines if line.startswith("{") and json.loads(line)["event"] == "forged"] == []
