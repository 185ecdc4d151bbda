"""Fixtures of tests that call a server process. Each module starts one in a fixture `shared_server`."""

from collections.abc import Iterator

import pytest

from tests.b2bua.server_process import ServerProcess


@pytest.fixture
def server(shared_server: ServerProcess) -> Iterator[ServerProcess]:
    """The module's server, without phones and without records of earlier tests."""
    shared_server.forget_records()
    yield shared_server
    shared_server.close_handsets()
