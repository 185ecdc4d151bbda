"""Administrators, signed in."""

from collections.abc import Iterator

import pytest

from tests.live_server import Running
from tests.store.conftest import database, open_database
from tests.web.site import Admin

__all__ = ["database", "open_database"]


@pytest.fixture(scope="module")
def admin(server: Running) -> Iterator[Admin]:
    """Signed in to the module's server."""
    admin = Admin(server).enter()
    yield admin
    admin.close()
