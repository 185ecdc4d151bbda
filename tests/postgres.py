"""A real PostgreSQL for tests, in a folder of its own, reached over a Unix socket."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from openivr.store.tables import METADATA

TEMPLATE = "template_openivr"  # an empty database with the schema, to copy
# Not synchronous_commit=off: a server that is stopped at once would forget what it has acknowledged.
SPEED = {"fsync": "off", "full_page_writes": "off"}
PLACE = {
    "dynamic_shared_memory_type": "mmap"
}  # in its folder: a stop at once leaves nothing behind elsewhere
INITDB = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")


def find_programs() -> Path | None:
    """Where initdb and pg_ctl are: Debian keeps them off the PATH."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    return next(iter([*places, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]), None)


def run(*command: str | Path) -> None:
    """Run a program of PostgreSQL, which refuses to be root."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, timeout=120)


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL that a test may stop, pause and start again. `socket` is the folder of its socket."""

    programs: Path
    socket: str

    @property
    def data(self) -> Path:
        return Path(self.socket) / "data"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.socket}"

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in (SPEED | PLACE).items())
        flags = f"-c listen_addresses= -k {self.socket} {options}"
        log = Path(self.socket) / "log"
        run(self.programs / "pg_ctl", "start", "-w", "-D", self.data, "-o", flags, "-l", log)

    def stop(self, mode: str = "fast") -> None:
        """End it by the signal of this mode: "smart" (SIGTERM), "fast" (SIGINT) or "immediate" (SIGQUIT)."""
        run(self.programs / "pg_ctl", "stop", "-w", "-m", mode, "-D", self.data)

    def processes(self) -> list[int]:
        """List the server's process and its children."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop every process by SIGSTOP: connections are accepted by the kernel, and nothing answers."""
        stopped = self.processes()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@contextmanager
def running() -> Iterator[str]:
    """The folder of a running server's socket."""
    with serving() as server:
        yield server.socket


@contextmanager
def serving() -> Iterator[Server]:
    """A running server."""
    programs = find_programs()
    if programs is None:
        message = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with tempfile.TemporaryDirectory(prefix="openivr-pg-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = Path(folder) / "data"
        run(programs / "initdb", "--pgdata", data, *INITDB)
        server = Server(programs, folder)
        server.start()
        try:
            yield server
        finally:
            if (data / "postmaster.pid").exists():
                server.stop("immediate")


def create_database(socket: str, name: str, template: str = "template1") -> str:
    """A new database; its URL."""
    with psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return database_url(socket, name)


def database_url(socket: str, name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={socket}"


# Everything that a test could change of a schema: another schema is another text.
SCHEMA = """
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, collation_name)
        AS line FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT version_num FROM alembic_version) AS lines
"""
OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class DatabasePool:
    """Databases with the schema, which tests use one after the other.

    A database that comes back is emptied, which takes a hundredth of the time of a new copy. One whose schema
    was changed is left alone.
    """

    def __init__(self, socket: str) -> None:
        self.socket, self.free, self.count = socket, list[str](), 0
        self.tables = [table.name for table in METADATA.sorted_tables]
        with self.connect(TEMPLATE) as connection:
            self.schema = connection.execute(SCHEMA).fetchone()
            found = {name: self.read_rows(connection, name) for name in self.tables}
            self.rows = {name: rows for name, rows in found.items() if rows}
            names = connection.execute("SELECT sequencename FROM pg_sequences").fetchall()
            self.sequences = [str(name) for (name,) in names]
        self.emptying = self.make_emptying()

    def connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(host=self.socket, user="postgres", dbname=name, autocommit=True)

    def read_rows(self, connection: psycopg.Connection, table: str) -> str | None:
        """Return the rows that a new database has in a table, as JSON."""
        query = sql.SQL("SELECT json_agg(t)::text FROM {} AS t").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
        return row[0] if row else None

    def take(self) -> str:
        """Return the name of an empty database."""
        if self.free:
            return self.free.pop()
        self.count += 1
        name = f"pooled_{self.count}"
        create_database(self.socket, name, TEMPLATE)
        return name

    def give_back(self, name: str) -> None:
        """Empty a database that no test uses any longer."""
        with suppress(psycopg.Error), self.connect(name) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(OTHERS)
            if connection.execute(SCHEMA).fetchone() == self.schema:
                connection.execute(self.emptying)
                self.free.append(name)

    def make_emptying(self) -> sql.Composed:
        """Return statements that delete all rows, insert those of a new database and restart sequences."""
        insert = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1})")
        statements = [
            *(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in reversed(self.tables)),
            *(insert.format(sql.Identifier(name), sql.Literal(rows)) for name, rows in self.rows.items()),
            *(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name)) for name in self.sequences),
        ]
        return sql.SQL(";").join(statements)
