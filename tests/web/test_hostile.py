"""Names that try to be more than names, on every page that shows one."""

import html
from collections.abc import Iterator

import pytest

from tests.running import Api, Running, start
from tests.web.site import Admin

SCRIPT = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""
RTL = "\u202eשלום\u202c مرحبا 👩‍👩‍👧‍👦 "
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
