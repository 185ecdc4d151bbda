"""A server on a disk that is full: calls go on, pages say so, and nothing is lost once there is space."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.error import HTTPError

import pytest
from sqlalchemy import select

from openivr.api.app import FULL
from openivr.store.tables import METADATA, TRUNK_STATE
from openivr.web.resources.views import RESOURCE_VIEWS
from tests.api import test_prompts as prompts
from tests.api.families import FAMILIES
from tests.b2bua.pbx import in_loop
from tests.live_server import AGENT, Answer, Api, Running, start
from tests.process.test_calls_process import ready_phone, records, until
from tests.process.test_outages import until as until_stored
from tests.process.test_serve import children, fetch
from tests.small_disk import SmallDisk, small_disk
from tests.web import test_objects as objects
from tests.web import test_prompts as prompt_pages
from tests.web.site import PASSWORD, Admin, Fields, where
from tests.web.test_cases import keep
from tests.web.test_phone import press

JSON = AGENT | {"Content-Type": "application/json"}
PAGES = ("/", "/menus", "/extensions", "/calls", "/reports", "/settings", "/prompts")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallDisk, Running]]:
    """A server on a disk that can be filled."""
    folder = tmp_path_factory.mktemp("full")
    with small_disk(folder / "data", 96) as disk:
        server = start(folder, "--min-free", "8", command="serve", is_new=True)
        yield disk, server
        assert server.stop() == 0


async def until_page_says(admin: Admin, *, is_full: bool) -> None:
    """Wait until a page shows the state of the disk. The server reads its free space once a second."""
    async with asyncio.timeout(60):
        while True:
            page = await asyncio.to_thread(admin.get, "/menus")
            if (b"The disk is full" in page.content) == is_full:
                return
            await asyncio.sleep(0.1)


@in_loop
async def test_f8_calls_and_pages_go_on_while_the_disk_is_full(place: tuple[SmallDisk, Running]) -> None:
    disk, server = place
    ada = await ready_phone(server, "1000")
    admin = await asyncio.to_thread(Admin(server).enter)
    paths = [path for path in PAGES if (await asyncio.to_thread(admin.get, path)).status == 200]
    assert len(paths) >= 5
    assert (await asyncio.to_thread(fetch, f"{server.base}/readyz")).strip() == "ready"
    workers = children(server.process.pid)

    disk.fill()
    await until_page_says(admin, is_full=True)
    for path in paths * 2:
        page = await asyncio.to_thread(admin.get, path)
        assert (page.status, b"The disk is full" in page.content) == (200, True), path
    fields = {"old": "wrong", "new": "another passphrase", "again": "another passphrase"}
    assert b"isk" in (await asyncio.to_thread(admin.post, "/password", fields)).content
    with pytest.raises(HTTPError) as not_ready:
        await asyncio.to_thread(fetch, f"{server.base}/readyz")
    assert not_ready.value.code == 503
    assert b"the disk is full" in not_ready.value.read()
    assert "openivr_disk_low 1.0" in await asyncio.to_thread(fetch, f"{server.base}/metrics")
    for _ in range(3):
        line = ada.call("6200")
        await line.until_answered()
        line.hang_up()
    assert children(server.process.pid) == workers, "no process was killed"

    disk.empty()
    await until(lambda: len(records(server)) == 3 and not any(record.is_live for record in records(server)))
    await until_page_says(admin, is_full=False)
    assert (await asyncio.to_thread(fetch, f"{server.base}/readyz")).strip() == "ready"
    assert children(server.process.pid) == workers
    admin.close()
    ada.close()
    await ada.media.close()


class Change(NamedTuple):
    """A change in the web admin, or in the API if it has no path of a page."""

    path: str
    fields: Fields = ()


class Things:
    """What there is to be changed and deleted on the server."""

    def __init__(self, server: Running, api: Api, admin: Admin) -> None:
        self.objects = [(view, objects.create(admin, view)) for view in RESOURCE_VIEWS.values()]
        self.families = [(each, int(api.post(f"{each.path}/create", each.body())["id"])) for each in FAMILIES]
        self.trunks = {id_ for view, id_ in self.objects if view.kind.name == "trunk"}
        self.trunks |= {id_ for family, id_ in self.families if family.path == "trunk"}
        assert where(keep(admin, "Kept", press("1"))) == "/menus/3/tests"
        self.test = int(re.findall(rb"/menus/3/tests/(\d+)", admin.get("/menus/3/tests").content)[-1])
        self.prompt = prompts.upload(api, "kept.wav", prompts.tone("wav"))["id"]
        assert admin.post("/settings/clients", {"name": "kept"}).status == 200
        clients = admin.get("/settings/clients").content
        self.client = re.findall(rb"/settings/clients/([^/\"]+)/delete", clients)[-1].decode()
        self.token = re.findall(rb"/settings/tokens/(\d+)/end", clients)[-1].decode()
        assert where(admin.post("/settings/addresses", {"network": "127.0.0.0/8"})) == "/settings/addresses"
        Admin(server).enter().close()  # another session
        page = admin.get("/settings").content.decode()
        self.session = re.findall(r'name="key" value="([^"]+)"', page)[0]

    def list_changes(self, admin: Admin) -> Iterator[Change]:
        """Yield a change of each kind in the web admin. None of them depends on another."""
        for view, id_ in self.objects:
            yield Change(f"{view.path}/new", objects.form(view.kind.name))
            fields = objects.read_form(admin.get(f"{view.path}/{id_}"))
            name = next(name for name, _ in fields if name in {"name", "first_name", "remark"})
            yield Change(f"{view.path}/{id_}", objects.put(fields, name, "Changed"))
            yield Change(f"{view.path}/{id_}/delete")
        yield Change("/menus/new", {"number": "6690", "name": "New one"})
        yield Change("/menus/3/copy", {"number": "6691", "name": "Copy"})
        menu = next(id_ for family, id_ in self.families if family.path == "ivr")
        yield Change(f"/menus/{menu}/delete")
        call = json.dumps({"happenings": press("2")})
        yield Change("/menus/3/tests", {"name": "Another", "call": call})
        yield Change(f"/menus/3/tests/{self.test}", {"name": "Renamed"})
        yield Change(f"/menus/3/tests/{self.test}/delete")
        yield Change("/hours/switch", {"period": "closed", "until": "none", "note": ""})
        yield Change(f"/prompts/{self.prompt}/delete")
        yield Change("/settings/session", {"key": self.session})
        yield Change("/settings/clients", {"name": "another"})
        yield Change(f"/settings/clients/{self.client}/delete")
        yield Change(f"/settings/tokens/{self.token}/end")
        yield Change("/settings/addresses", {"network": "192.0.2.0/24"})
        yield Change("/settings/addresses/remove", {"network": "127.0.0.0/8"})
        again = "another passphrase"
        yield Change("/password", {"old": PASSWORD, "new": again, "again": again})
        yield Change("/sign-out")


def list_requests(things: Things, api: Api, server: Running) -> Iterator[tuple[str, Any]]:
    """Yield the changes of each kind in the API: a path, and a body or the id of what is deleted."""
    for family, id_ in things.families:
        yield f"{family.path}/create", family.body()
        yield f"{family.path}/update", {"id": id_, **family.change}
        yield f"{family.path}/delete", id_
    yield "businesshour/switch", {"period": "closed"}
    yield "custom_prompt/delete", things.prompt
    yield "get_token", {"username": server.client_id, "password": server.client_secret}


def read_everything(server: Running) -> dict[str, list[Any]]:
    """The rows of all tables, but for what says when a session was last used."""
    with server.database() as database, database.reading() as connection:
        tables = [table for table in METADATA.sorted_tables if table.name not in MOVING]
        return {table.name: [tuple(row) for row in connection.execute(table.select())] for table in tables}


def read_trunk_states(server: Running) -> set[int]:
    """The trunks whose state is stored. A server stores it once it has tried to reach them."""
    with server.database() as database, database.reading() as connection:
        return set(connection.execute(select(TRUNK_STATE.c.trunk_id)).scalars())


MOVING = {"heartbeat"}


def use_up(disk: SmallDisk, server: Running) -> None:
    """Leave the database no room: neither on the disk nor in its log."""
    with server.database() as database, database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one():
            pass
    disk.fill()


def test_f8_every_kind_of_change_says_that_the_disk_is_full(place: tuple[SmallDisk, Running]) -> None:
    disk, server = place
    api, admin = server.log_in(), Admin(server).enter()
    things = Things(server, api, admin)
    changes = [*things.list_changes(admin)]
    until_stored(lambda: things.trunks <= read_trunk_states(server), "the states of the new trunks")
    before = read_everything(server)

    def check(answer: Answer, name: str) -> None:
        assert (answer.status, b"The disk is full" in answer.content) == (507, True), (name, answer.content)

    for path, fields in changes:
        use_up(disk, server)
        check(admin.post(path, fields), path)
    use_up(disk, server)
    check(prompt_pages.send(admin, "new.wav", prompts.tone("wav")), "upload")
    visitor = Admin(server)
    visitor.get("/sign-in")
    check(visitor.sign_in(PASSWORD), "sign-in")
    visitor.close()

    def refuse(answer: Answer, name: str) -> None:
        assert (answer.status, json.loads(answer.content)["submsg"]) == (503, FULL), (name, answer.content)

    for path, body in list_requests(things, api, server):
        use_up(disk, server)
        if isinstance(body, int):
            refuse(api.send("GET", api.target(path, {"id": body})), path)
        else:
            refuse(api.send("POST", api.target(path, {}), json.dumps(body).encode(), JSON), path)
    use_up(disk, server)
    file = prompts.form(("is_check", None, b"force"), ("file", "new.wav", prompts.tone("wav")))
    target = api.target("custom_prompt/upload", {})
    refuse(api.send("POST", target, file, prompt_pages.KIND | AGENT), target)

    disk.empty()
    assert read_everything(server) == before
    assert where(admin.post("/menus/new", {"number": "6692", "name": "New one"})).startswith("/menus/")
    admin.close()
    api.close()
