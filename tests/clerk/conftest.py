"""A database with the demo, and its configuration as calls see it."""

import pytest

from openivr.menu.model import Snapshot
from openivr.startup import fill
from openivr.store.database import Database
from openivr.store.menus import load_snapshot
from tests.store.conftest import database, open_database

__all__ = ["database", "open_database"]


@pytest.fixture
def snapshot(database: Database) -> Snapshot:
    with database.changing() as change:
        fill(change)
    with database.reading() as connection:
        return load_snapshot(connection)
