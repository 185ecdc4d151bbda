"""Facts about the database itself."""

import secrets

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from openivr.store.tables import OBJECTS, SETTING

DOWNLOAD_KEY = "download_key"


def count(connection: Connection, kind: str) -> int:
    """Return the number of objects of a type."""
    return connection.execute(select(func.count()).select_from(OBJECTS[kind])).scalar_one()


def serial_number(connection: Connection) -> str:
    """The installation's own, made at random when its database was."""
    return read_setting(connection, "serial_number")


def find_download_key(connection: Connection) -> str:
    """Return the key that signs addresses of downloads, "" if none was needed yet."""
    return connection.execute(select(SETTING.c.value).where(SETTING.c.name == DOWNLOAD_KEY)).scalar() or ""


def make_download_key(connection: Connection) -> str:
    """Make that key at random, unless there is one, and return it."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"name": DOWNLOAD_KEY, "value": secrets.token_hex(32)}
    connection.execute(dialect.insert(SETTING).values(values).on_conflict_do_nothing())
    return read_setting(connection, DOWNLOAD_KEY)


def read_setting(connection: Connection, name: str) -> str:
    value: str = connection.execute(select(SETTING.c.value).where(SETTING.c.name == name)).scalar_one()
    return value
