"""A server on a disk that is full: calls go on, pages say so, and nothing is lost once there is space."""

import asyncio
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.b2bua.pbx import in_loop
from tests.live_server import start
from tests.process.test_calls_process import ready_phone, records, until
from tests.process.test_serve import children, fetch
from tests.small_disk import small_disk
from tests.web.site import Admin

PAGES = ("/", "/menus", "/extensions", "/calls", "/reports", "/settings", "/prompts")


@in_loop
async def test_f8_calls_and_pages_go_on_while_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 96) as disk:
        server = await asyncio.to_thread(start, tmp_path, "--min-free", "8", command="serve", is_new=True)
        ada = await ready_phone(server, "1000")
        admin = await asyncio.to_thread(Admin(server).enter)
        paths = [path for path in PAGES if (await asyncio.to_thread(admin.get, path)).status == 200]
        assert len(paths) >= 5
        assert (await asyncio.to_thread(fetch, f"{server.base}/readyz")).strip() == "ready"
        workers = children(server.process.pid)

        disk.fill()
        await asyncio.sleep(1.1)  # free space is read once a second
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
        await until(
            lambda: len(records(server)) == 3 and not any(record.is_live for record in records(server))
        )
        await asyncio.sleep(1.1)
        assert (await asyncio.to_thread(fetch, f"{server.base}/readyz")).strip() == "ready"
        assert b"The disk is full" not in (await asyncio.to_thread(admin.get, "/menus")).content
        assert children(server.process.pid) == workers
        admin.close()
        ada.close()
        await ada.media.close()
        assert await asyncio.to_thread(server.stop) == 0
