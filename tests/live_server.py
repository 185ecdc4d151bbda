"""A real server for tests: a process of `openivr` in a folder of its own, and a client for it."""

import fcntl
import http.client
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from openivr.config.settings import Settings
from openivr.server.bootstrap import prepare_demo
from openivr.store.auth import clients
from openivr.store.caches.change_feed import read_revision
from openivr.store.database import Database
from openivr.store.schema import migrate
from tests.fork_server import ForkedProcess, ForkServer

ROOT = "/openapi/v1.0/"
AGENT = {"User-Agent": "OpenAPI"}
SECRET = "a secret of the tests"
PORTS = {  # any that are free, where a test does not say which
    "api": {"--http": "127.0.0.1:0"},
    "calls": {"--sip": "127.0.0.1:0"},
    "serve": {"--http": "127.0.0.1:0", "--sip": "127.0.0.1:0"},
}
CONFIGURED = re.compile(r'"revision":(\d+),"event":"new configuration"')
Process = subprocess.Popen[str] | ForkedProcess
STARTED: list[Process] = []  # whatever a failed test leaves running is ended with the session


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Api:
    """Speaks to one server over one connection at a time, as itself or with a token."""

    def __init__(self, address: tuple[str, int], token: str = "") -> None:
        self.address, self.token = address, token
        self.connection = http.client.HTTPConnection(*address, timeout=60)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Exactly this request."""
        waiting = self.connection.sock
        if waiting is not None and select.select([waiting], [], [], 0)[0]:
            self.connection.close()  # the server has ended it for being idle, as it may
        try:
            self.connection.request(method, target, body, dict(AGENT if headers is None else headers))
            response = self.connection.getresponse()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise
        names: dict[str, str] = {}
        for name, value in response.getheaders():  # several of a name, as cookies are, a line each
            before = names.get(name.lower())
            names[name.lower()] = value if before is None else f"{before}\n{value}"
        return Answer(response.status, names, response.read())

    def target(self, path: str, parameters: Mapping[str, Any]) -> str:
        tokens = {"access_token": self.token} if self.token else {}
        return ROOT + path + "?" + urlencode(tokens | dict(parameters), quote_via=quote)

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer of a GET with these query parameters."""
        return self.checked(self.send("GET", self.target(path, parameters)))

    def query(self, path: str, raw: str) -> dict[str, Any]:
        """The answer of a GET with the token and this text behind it in the query, just as it is."""
        return self.checked(self.send("GET", f"{self.target(path, {})}&{raw}"))

    def post(self, path: str, body: Any, **parameters: Any) -> dict[str, Any]:
        """The answer of a POST; `body` is sent as JSON unless it is bytes already."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = AGENT | {"Content-Type": "application/json"}
        return self.checked(self.send("POST", self.target(path, parameters), content, headers))

    def checked(self, answer: Answer) -> dict[str, Any]:
        """The JSON of an answer, which has status 200 whatever it says."""
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "application/json"
        document: dict[str, Any] = answer.json()
        return document

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A server process and where to find it."""

    process: Process
    folder: Path
    base: str
    client_id: str
    client_secret: str
    password: str = ""  # the administrator's first
    sip_ports: tuple[int, ...] = ()  # in the order of the addresses that it listens on

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.base)
        return str(parts.hostname), int(parts.port or 0)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def sip_port(self) -> int:
        return self.sip_ports[0] if self.sip_ports else 0

    def stop(self) -> int:
        """End the process and wait for it."""
        self.process.terminate()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL for the supervisor alone; returns when no worker holds the data any longer either."""
        self.process.kill()
        self.until_released()

    def until_released(self) -> None:
        """Wait until the process has ended, and the workers that outlive it for a moment."""
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        for path in self.data.glob("*lock"):
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The server's database, opened beside it."""
        database = Database(f"sqlite:///{self.data / 'openivr.db'}")
        try:
            yield database
        finally:
            database.close()

    def add_client(self, name: str) -> None:
        """A further API client, whose id is its name and whose secret is SECRET."""
        with self.database() as database, database.changing("auth") as change:
            clients.add(change.connection, name, name, SECRET)

    def log_in(self) -> Api:
        """A client of the API with a token."""
        api = Api(self.address)
        pair = api.post("get_token", {"username": self.client_id, "password": self.client_secret})
        api.token = pair["access_token"]
        return api

    def expect_log(self, text: str) -> str:
        """The log as soon as it has this text in it: lines are written in batches."""
        deadline = time.monotonic() + 60
        while text not in self.log:
            assert time.monotonic() < deadline, f"{text!r} never came in\n{self.log[-5000:]}"
            time.sleep(0.02)
        return self.log

    def settle(self) -> None:
        """Wait until signalling goes by all that was changed: it looks for that many times a second."""
        with self.database() as database, database.reading() as connection:
            wanted = read_revision(connection)
        deadline = time.monotonic() + 60
        while not any(int(found) >= wanted for found in CONFIGURED.findall(self.log)):  # it may be ahead
            assert time.monotonic() < deadline, f"revision {wanted} never came in\n{self.log[-5000:]}"
            time.sleep(0.02)


@cache
def fork_server() -> ForkServer:
    """The process of this session that forks servers."""
    return ForkServer()


@cache
def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="openivr-data-")


@cache
def prepared_data(*, is_demo: bool) -> Path:
    """A data folder with an empty database, or the demo; its first server still makes the administrator."""
    folder = Path(temporary_folder().name) / ("demo" if is_demo else "empty")
    folder.mkdir(mode=0o700)
    database = Database(Settings(data=folder).url)
    try:
        migrate(database)
        if is_demo:
            prepare_demo(database, folder)
    finally:
        database.close()
    return folder


def end_all() -> None:
    """End the servers that a failed test did not, and what started them."""
    for process in STARTED:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
    if fork_server.cache_info().currsize:
        fork_server().close()
    if temporary_folder.cache_info().currsize:
        temporary_folder().cleanup()


def start(
    folder: Path, *options: str, demo: bool = True, command: str = "api", is_new: bool = False
) -> Running:
    """Start `openivr api`, or another command, on free ports; returns when it says that it answers.

    Most servers are forked, with data that were prepared once. `is_new` starts one as a person does, with the
    command line's own process and an empty folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = [word for name, at in PORTS[command].items() if name not in options for word in (name, at)]
    arguments = [command, *ports, "--data", "data", *options, *(["--demo"] if demo else [])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENIVR_")}
    if not (is_new or (folder / "data").exists() or {"--data", "--database"} & {*options}):
        shutil.copytree(prepared_data(is_demo=demo), folder / "data")
    with (folder / "log").open("a") as log:
        if is_new:
            process: Process = subprocess.Popen(
                [sys.executable, "-m", "openivr", *arguments],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        else:
            process = fork_server().start(arguments, folder, environment, log)
    return read_announcement(process, folder, "phones" if command == "calls" else "Try")


def read_announcement(process: Process, folder: Path, last: str) -> Running:
    """Read what a server says when it answers, up to a line that begins with this word."""
    STARTED.append(process)
    assert process.stdout is not None
    base = client_id = secret = password = ""
    places: list[str] = []
    for line in process.stdout:
        match line.split():
            case ["OpenIVR", "answers", "on", base, *_]:
                pass
            case ["client", "id", client_id, "secret", secret]:
                pass
            case ["sign", "in", "name", "admin", "password", password, *_]:
                pass
            case ["SIP", *_]:
                places = re.findall(r":(\d+)(?=[ ,])", line.partition(";")[0])
        if line.strip().startswith(last):
            return Running(process, folder, base, client_id, secret, password, tuple(map(int, places)))
    raise AssertionError(f"the server ended: {(folder / 'log').read_text()}")
