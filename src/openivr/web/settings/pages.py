"""Pages of the server's settings, the administrator's sessions, backup and export."""

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
from openivr.download import content_disposition
from openivr.resources import KINDS
from openivr.store import backup, schema, system
from openivr.store.auth import admin
from openivr.store.config import import_export
from openivr.store.database import Database
from openivr.web.core.request import PageRequest, PageRoute, ServerInfo, now
from openivr.web.messages import t

PATH = "/settings"
PART = 256 * 1024  # bytes of a file that are sent at a time
ONE_BACKUP = asyncio.Lock()  # one backup per worker at a time: Alembic can prepare only one file in a process


async def server_page(request: PageRequest) -> Response:
    """The server's settings and the administrator's own sessions."""
    assert request.session is not None  # noqa: S101 - the view is not open
    facts = await request.database.read(find_facts, request.database)
    name, policy = request.session.admin, request.app.sessions
    sessions = await request.database.read(admin.list_sessions, policy, name, now())
    api = f"{str(request.http.base_url).rstrip('/')}/openapi/v1.0"
    facts = [(t("server.version"), __version__), (t("server.api"), api), *facts]
    calls = describe_calls(request.app.server)
    return request.render(
        "settings/server.html",
        where=PATH,
        facts=facts,
        calls=calls,
        sessions=sessions,
        policy=request.app.logins.policy,
    )


def describe_calls(server: ServerInfo) -> list[tuple[str, str]]:
    """The settings about calls: addresses, ports, limits, and how long records are stored."""
    ports = server.rtp_ports
    keep = t("server.days", count=server.keep_days) if server.keep_days else t("server.for_ever")
    return [
        (t("server.sip"), server.sip),
        (t("server.sip_tls"), server.sip_tls or t("server.off")),
        (t("server.rtp"), f"{ports.start}–{ports.stop - 1}"),
        (t("server.max_calls"), str(server.max_calls)),
        (t("server.keep"), keep),
    ]


def find_facts(connection: Connection, database: Database) -> list[tuple[str, str]]:
    """Facts from the database: serial number, URL, schema, and counts of resources."""
    kind = t("server.sqlite") if database.is_sqlite else t("server.postgresql")
    counts = [f"{t('kinds.' + name)} {system.count(connection, name)}" for name in KINDS]
    return [
        (t("server.serial"), system.serial_number(connection)),
        (t("server.database"), f"{kind}, {database.url.render_as_string(hide_password=True)}"),
        (t("server.schema"), schema.HEAD),
        (
            t("server.objects"),
            ", ".join(counts),
        ),
    ]


async def end_session(request: PageRequest) -> Response:
    """Sign another browser out."""
    assert request.session is not None  # noqa: S101 - the view is not open
    await request.database.change_auth(admin.end_session, request.session.admin, request.form_text("key"))
    return request.redirect(PATH, [t("server.signed_out")])


async def backup_page(request: PageRequest) -> Response:
    return request.render("settings/backup.html", where=PATH)


async def send_backup(request: PageRequest) -> Response:
    """Send all data as one SQLite file, as `openivr backup` writes it."""
    async with ONE_BACKUP:
        file, size = await request.database.run_in_thread(make_backup, request.database)
    headers = attachment("openivr", "db") | {"Content-Length": str(size)}
    return StreamingResponse(parts(file), media_type="application/vnd.sqlite3", headers=headers)


def make_backup(database: Database) -> tuple[BinaryIO, int]:
    """Write a backup and remove its file name, so that nothing stays on the disk whatever happens."""
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


async def send_export(request: PageRequest) -> Response:
    """Send the configuration as YAML, as `openivr export` writes it."""
    text = await request.database.read(export, with_audio=bool(request.form_text("audio")))
    headers = attachment("openivr", "yaml")
    return Response(text, media_type="application/yaml", headers=headers)


def export(connection: Connection, *, with_audio: bool) -> str:
    return yaml_document.dump(import_export.export(connection, with_audio=with_audio))


def attachment(name: str, ending: str) -> dict[str, str]:
    stamp = time.strftime("%Y-%m-%d-%H%M")
    return {"Content-Disposition": content_disposition.attachment(f"{name}-{stamp}.{ending}")}


ROUTES = (
    PageRoute(path=PATH, handle=server_page),
    PageRoute(path=f"{PATH}/session", handle=end_session, method="POST"),
    PageRoute(path=f"{PATH}/backup", handle=backup_page),
    PageRoute(path=f"{PATH}/backup/file", handle=send_backup, method="POST"),
    PageRoute(path=f"{PATH}/backup/export", handle=send_export, method="POST"),
)
