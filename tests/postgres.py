"""A real PostgreSQL for tests, in a folder of its own, reached over a Unix socket."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

TEMPLATE = "template_openivr"  # an empty database with the schema, to copy
SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
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


@contextmanager
def running() -> Iterator[str]:
    """The folder of a running server's socket."""
    programs = find_programs()
    if programs is None:
        message = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with tempfile.TemporaryDirectory(prefix="openivr-pg-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = Path(folder) / "data"
        run(programs / "initdb", "--pgdata", data, *INITDB)
        options = " ".join(f"-c {name}={value}" for name, value in (SPEED | PLACE).items())
        flags = f"-c listen_addresses= -k {folder} {options}"
        run(programs / "pg_ctl", "start", "-w", "-D", data, "-o", flags, "-l", Path(folder) / "log")
        try:
            yield folder
        finally:
            run(programs / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)


def create_database(socket: str, name: str, template: str = "template1") -> str:
    """A new database; its URL."""
    with psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"postgresql+psycopg://postgres@/{name}?host={socket}"
