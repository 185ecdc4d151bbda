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
    return f"postgresql+psycopg://postgres@/{name}?host={socket}"
