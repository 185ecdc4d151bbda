"""Facts about the database itself."""

from sqlalchemy import Connection, func, select

from openivr.store.tables import OBJECTS, SETTING


def count(connection: Connection, kind: str) -> int:
    """Return the number of objects of a type."""
    return connection.execute(select(func.count()).select_from(OBJECTS[kind])).scalar_one()


def serial_number(connection: Connection) -> str:
    """The installation's own, made at random when its database was."""
    return read_setting(connection, "serial_number")


def read_setting(connection: Connection, name: str) -> str:
    value: str = connection.execute(select(SETTING.c.value).where(SETTING.c.name == name)).scalar_one()
    return value
