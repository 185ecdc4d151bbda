"""Style and scripts: addresses that change with them, so that browsers may keep them for good."""

import gzip
import posixpath
import re
from collections.abc import Iterator

import pytest

from openivr.web.core import assets
from tests.live_server import Running
from tests.web.site import Admin

MOST_FIRST_LOAD = 300_000  # bytes, compressed


@pytest.fixture(scope="module")
def visitor(demo: Running) -> Iterator[Admin]:
    visitor = Admin(demo)
    yield visitor
    visitor.close()


def test_every_asset_is_served_to_keep(visitor: Admin) -> None:
    loaded = assets.load()
    for path, asset in loaded.files.items():
        answer = visitor.get(loaded.address(path))
        assert answer.content == asset.content
        assert answer.headers["content-type"] == asset.media_type
        assert "immutable" in answer.headers["cache-control"]
        squeezed = visitor.get(loaded.address(path), **{"Accept-Encoding": "gzip, br"})
        assert squeezed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(squeezed.content) == asset.content
        again = visitor.get(loaded.address(path), **{"If-None-Match": answer.headers["etag"]})
        assert (again.status, again.content) == (304, b"")


LIBRARIES = ("vendor/dagre", "vendor/echarts")  # of pictures and plots, fetched where there are any


@pytest.mark.parametrize(
    "path", ["/menus/3", "/menus/3/try", "/prompts", "/people/extensions/1", "/settings"]
)
def test_the_first_load_of_every_page_is_small(server: Running, admin: Admin, path: str) -> None:
    page = admin.get(path)
    total, waiting, seen = (
        len(gzip.compress(page.content)),
        set(REFERENCE.findall(page.content)),
        set[bytes](),
    )
    assert len(waiting) > 3
    while waiting:
        name = waiting.pop()
        seen.add(name)
        asset = assets.load().files[name.decode()]
        if name.decode().startswith(LIBRARIES):
            continue
        total += len(asset.compressed)
        waiting |= {found for found in find_imports(name, asset.content) if found not in seen}
    assert total < MOST_FIRST_LOAD


REFERENCE = re.compile(rb'"/static/\w+/([^"#]+)')


def find_imports(name: bytes, content: bytes) -> set[bytes]:
    """The modules that a module names, by their paths below the folder."""
    folder = posixpath.dirname(name)
    return {
        posixpath.normpath(posixpath.join(folder, part + rest))
        for part, rest in re.findall(rb"""(?:from|import)\s*\(?["'](\.{1,2}/)([\w./-]+)["']""", content)
    }


@pytest.mark.parametrize("path", ["x/frame.css", "../view.py", "%2e%2e/view.py", "", "vendor"])
def test_nothing_else_is(visitor: Admin, path: str) -> None:
    for root in (assets.ROOT, f"{assets.ROOT}{assets.load().version}/"):
        assert visitor.get(root + path).status == 404


def test_the_first_load_is_small(visitor: Admin) -> None:
    page = visitor.get("/sign-in").content
    found = set(re.findall(rb'"(/static/[^"#]+)', page))
    assert len(found) > 3
    total = len(page)
    for address in found:
        total += len(visitor.get(address.decode(), **{"Accept-Encoding": "gzip"}).content)
    assert total < MOST_FIRST_LOAD
