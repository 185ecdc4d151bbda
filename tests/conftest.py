"""Real servers for every test that wants one."""

import logging
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from openivr.store.caches import change_feed
from openivr.store.database import Database
from openivr.store.schema import migrate
from tests import postgres
from tests.effort import scale
from tests.live_server import Api, Running, end_all, start

# An example has no deadline: a machine that does other work as well would miss it.
# In CI the same examples come every time: a failure is then due to the change and not to the draw.
settings.register_profile(
    "openivr", max_examples=scale(50), deadline=None, derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("openivr")


File = tuple[Path, list[pytest.Item]]

# Tests in these folders mostly wait: for pages, processes and phones. The longest come first.
WAITING = ["process", "b2bua", "client"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files whose tests wait among those that compute: each worker always has some of both.

    A worker takes the files in this order. Waiting files come early: none of them runs alone at the end.
    """
    files = [(path, list(group)) for path, group in groupby(items, lambda item: item.path)]
    items[:] = [item for _path, group in spread(files) for item in group]


def spread(files: Sequence[File]) -> list[File]:
    """Place the waiting files evenly in the first two thirds of the order."""
    waiting = [file for folder in WAITING for file in files if file[0].parent.name == folder]
    others = [file for file in files if file[0].parent.name not in WAITING]
    step = len(others) * 2 / 3 / max(1, len(waiting))
    places = [(place * step, file) for place, file in enumerate(waiting)]
    places += [(float(place), file) for place, file in enumerate(others)]
    return [file for _place, file in sorted(places, key=lambda placed: placed[0])]


@pytest.fixture(scope="session", autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a command set for the logs of its process, so that the next test finds its lines."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let caches wait for a database of a busy machine: what a server does without it is not under test."""
    monkeypatch.setattr(change_feed, "REFRESH_SECONDS", 60.0)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The socket folder of a PostgreSQL that is this session's own."""
    with postgres.running() as socket:
        database = Database(postgres.create_database(socket, postgres.TEMPLATE))
        migrate(database)
        database.close()
        yield socket


@pytest.fixture(scope="session")
def postgres_pool(postgres_socket: str) -> postgres.DatabasePool:
    """Databases of this session's PostgreSQL that tests take in turn."""
    return postgres.DatabasePool(postgres_socket)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the demo that no test may change."""
    running = start(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the demo that the tests of one module share, and may change."""
    running = start(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def reader(demo: Running) -> Iterator[Api]:
    """A client, logged in, of the server that nobody changes."""
    api = demo.log_in()
    yield api
    api.close()


@pytest.fixture(scope="module")
def api(server: Running) -> Iterator[Api]:
    """A client, logged in, of the module's server."""
    api = server.log_in()
    yield api
    api.close()
