"""Data of released schemas: how they are loaded, and how those of today's schema are written at a release.

    python -m tests.schema_data

writes tests/data/schemas/HEAD: the demo with a week of calls, in a database of each sort.
"""

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from openivr.server.bootstrap import load_demo
from openivr.store.backup import backup, restore
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.schema import HEAD, migrate
from tests import postgres
from tests.call_history import keep_past, make_past

SCHEMAS = Path(__file__).parent / "data/schemas"
SQLITE, POSTGRESQL = "sqlite.sql.gz", "postgresql.sql.gz"
FIRST, DAYS, CALLS = datetime(2026, 11, 2, tzinfo=UTC), 7, 30
FOR_PSQL = ("\\restrict ", "\\unrestrict ")  # commands that pg_dump writes for psql alone


def load_dump(database: Database, version: str) -> None:
    """Fill an empty database, without tables, with the data of a schema."""
    folder = SCHEMAS / version
    if database.is_sqlite:
        with closing(sqlite3.connect(database.path)) as connection:
            connection.executescript(gzip.decompress((folder / SQLITE).read_bytes()).decode())
        return
    url = database.engine.url
    socket, name = str(url.query["host"]), url.database
    with psycopg.connect(host=socket, user="postgres", dbname=name, autocommit=True) as connection:
        connection.execute(gzip.decompress((folder / POSTGRESQL).read_bytes()))


def write_dumps(target: Path) -> None:
    """Write the demo with its calls as SQL of both databases."""
    with tempfile.TemporaryDirectory() as name, postgres.running() as socket:
        folder = Path(name)
        first = Database(f"sqlite:///{folder / 'first.db'}")
        migrate(first)
        with first.changing() as change:
            load_demo(change)
        with first.reading() as connection:
            snapshot = load_snapshot(connection)
        keep_past(first, make_past(snapshot, "6200", FIRST, DAYS, CALLS))
        backup(first, folder / "backup.db", lambda _rows: None)
        first.close()
        for url in (f"sqlite:///{folder / 'openivr.db'}", postgres.create_database(socket, "released")):
            database = Database(url)
            migrate(database)
            restore(folder / "backup.db", database, lambda _rows: None)
            database.close()
        with closing(sqlite3.connect(folder / "openivr.db")) as connection:
            sqlite = "\n".join(connection.iterdump())
        target.mkdir(parents=True, exist_ok=True)
        write(target / SQLITE, sqlite)
        write(target / POSTGRESQL, dump_postgresql(socket, "released"))


def dump_postgresql(socket: str, name: str) -> str:
    programs = postgres.find_programs()
    assert programs is not None
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    options = ["--inserts", "--no-owner", "--no-privileges", "--host", socket, "--username", "postgres"]
    command = [*user, str(programs / "pg_dump"), *options, name]
    dump = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    return "".join(line for line in dump.splitlines(keepends=True) if not line.startswith(FOR_PSQL))


def write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    place = SCHEMAS / HEAD
    shutil.rmtree(place, ignore_errors=True)
    write_dumps(place)
    print(f"wrote {place}")
