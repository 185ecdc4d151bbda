"""What the server is and who is signed in to it; and its data as files."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from openivr import __version__
from openivr.config import yaml_document
from openivr.resources import KINDS
from openivr.store import backup, schema, system
from openivr.store.auth import admin
from openivr.store.config import import_export
from openivr.store.database import Database
from openivr.web.core.request import PageRequest, PageRoute, ServerInfo, now
from openivr.web.messages import say

PATH = "/settings"
PART = 256 * 1024  # bytes of a file that are sent at a time
ONE_BACKUP = asyncio.Lock()  # of a worker at a time: Alembic can prepare but one file in a process


async def show(visit: PageRequest) -> Response:
    """The server's facts, and the administrator's own sessions."""
    assert visit.session is not None  # noqa: S101 - the view is not open
    facts = await visit.database.read(find_facts, visit.database)
    name, policy = visit.session.admin, visit.site.sessions
    sessions = await visit.database.read(admin.list_sessions, policy, name, now())
    api = f"{str(visit.request.base_url).rstrip('/')}/openapi/v1.0"
    facts = [(say("server.version"), __version__), (say("server.api"), api), *facts]
    calls = tell_calls(visit.site.told)
    return visit.page(
        "settings/server.html",
        where=PATH,
        facts=facts,
        calls=calls,
        sessions=sessions,
        policy=visit.site.policy,
    )


def tell_calls(told: ServerInfo) -> list[tuple[str, str]]:
    """Where calls come in, how many may be at a time, and how long it is remembered."""
    ports = told.rtp_ports
    keep = say("server.days", count=told.keep_days) if told.keep_days else say("server.for_ever")
    return [
        (say("server.sip"), told.sip),
        (say("server.sip_tls"), told.sip_tls or say("server.off")),
        (say("server.rtp"), f"{ports.start}–{ports.stop - 1}"),
        (say("server.max_calls"), str(told.max_calls)),
        (say("server.keep"), keep),
    ]


def find_facts(connection: Connection, database: Database) -> list[tuple[str, str]]:
    """What the database says of itself."""
    kind = say("server.sqlite") if database.is_sqlite else say("server.postgresql")
    counts = [f"{say('kinds.' + name)} {system.count(connection, name)}" for name in KINDS]
    return [
        (say("server.serial"), system.serial_number(connection)),
        (say("server.database"), f"{kind}, {database.url.render_as_string(hide_password=True)}"),
        (say("server.schema"), schema.HEAD),
        (
            say("server.objects"),
            ", ".join(counts),
        ),
    ]


async def end_session(visit: PageRequest) -> Response:
    """Sign one browser out."""
    assert visit.session is not None  # noqa: S101 - the view is not open
    await visit.database.change_auth(admin.end_session, visit.session.admin, visit.text("key"))
    return visit.go(PATH, [say("server.signed_out")])


async def show_backup(visit: PageRequest) -> Response:
    return visit.page("settings/backup.html", where=PATH)


async def send_backup(visit: PageRequest) -> Response:
    """Everything in one SQLite file, as `openivr backup` writes it."""
    async with ONE_BACKUP:
        file, size = await visit.database.run_in_thread(make_backup, visit.database)
    headers = attachment("openivr", "db") | {"Content-Length": str(size)}
    return StreamingResponse(parts(file), media_type="application/vnd.sqlite3", headers=headers)


def make_backup(database: Database) -> tuple[BinaryIO, int]:
    """A backup that is gone from the disk already, so that nothing stays behind whatever happens."""
    with tempfile.TemporaryDirectory(prefix="openivr-backup-") as folder:
        path = Path(folder) / "backup.db"
        os.close(os.open(path, os.O_CREAT, 0o600))
        backup.backup(database, path, lambda _count: None)
        file = path.open("rb")
    return file, os.fstat(file.fileno()).st_size


def parts(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while part := file.read(PART):
            yield part


async def send_export(visit: PageRequest) -> Response:
    """The whole configuration as YAML, as `openivr export` writes it."""
    text = await visit.database.read(export, with_audio=bool(visit.text("audio")))
    headers = attachment("openivr", "yaml")
    return Response(text, media_type="application/yaml", headers=headers)


def export(connection: Connection, *, with_audio: bool) -> str:
    return yaml_document.dump(import_export.export(connection, with_audio=with_audio))


def attachment(name: str, ending: str) -> dict[str, str]:
    stamp = time.strftime("%Y-%m-%d-%H%M")
    return {"Content-Disposition": f'attachment; filename="{name}-{stamp}.{ending}"'}


VIEWS = (
    PageRoute(path=PATH, handle=show),
    PageRoute(path=f"{PATH}/session", handle=end_session, method="POST"),
    PageRoute(path=f"{PATH}/backup", handle=show_backup),
    PageRoute(path=f"{PATH}/backup/file", handle=send_backup, method="POST"),
    PageRoute(path=f"{PATH}/backup/export", handle=send_export, method="POST"),
)
