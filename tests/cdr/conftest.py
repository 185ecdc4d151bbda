"""A database with the demo, and its configuration as calls see it."""

import pytest

from openivr.ivr.model import IvrSnapshot
from openivr.server.bootstrap import load_demo
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from tests.store.conftest import database, open_database

__all__ = ["database", "open_database"]


@pytest.fixture
def snapshot(database: Database) -> IvrSnapshot:
    with database.changing() as change:
        load_demo(change)
    with database.reading() as connection:
        return load_snapshot(connection)
