"""A database with the demo, and its configuration as calls see it."""

import pytest

from openivr.ivr.model import IvrSnapshot
from openivr.store.backup import copy_tables
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from tests.live_server import prepared_data
from tests.store.conftest import database, open_database

__all__ = ["database", "open_database"]


@pytest.fixture
def snapshot(database: Database) -> IvrSnapshot:
    demo = Database(f"sqlite:///{prepared_data(is_demo=True) / 'openivr.db'}")
    with demo.reading() as source, database.writing() as destination:
        copy_tables(source, destination, lambda _rows: None)
    demo.close()
    with database.reading() as connection:
        return load_snapshot(connection)
