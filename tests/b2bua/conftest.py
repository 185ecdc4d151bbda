"""What tests share that call a whole server: each module has a server of its own, by a fixture `serve`."""

from collections.abc import Iterator

import pytest

from tests.b2bua.served import Served


@pytest.fixture
def house(serve: Served) -> Iterator[Served]:
    """The module's server, without phones, and with no call that a test before began."""
    serve.forget_records()
    yield serve
    serve.close_handsets()
