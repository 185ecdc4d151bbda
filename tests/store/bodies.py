"""Requests that create objects, as short as they may be."""

from typing import Any

from openivr.resources import KINDS
from openivr.store.config import resources
from openivr.store.database import Database


def ivr(number: str = "6200", **fields: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"Menu {number}",
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 3,
        "dial_ext_option": "disable",
        **fields,
    }


def extension(number: str = "1000", **fields: Any) -> dict[str, Any]:
    return {
        "type": "SIP",
        "number": number,
        "presence_status": "available",
        "concurrent_registrations": 1,
        "reg_name": number,
        "reg_password": "registration",
        "user_password": "Password10",
        **fields,
    }


def create(database: Database, kind: str, body: dict[str, Any]) -> int:
    with database.changing() as change:
        return resources.create(change, KINDS[kind], body)


def update(database: Database, kind: str, id_: int, body: dict[str, Any]) -> None:
    with database.changing() as change:
        resources.update(change, KINDS[kind], id_, body)


def delete(database: Database, kind: str, id_: int) -> None:
    with database.changing() as change:
        resources.delete(change, KINDS[kind], id_)


def show(database: Database, kind: str, id_: int) -> dict[str, Any]:
    with database.reading() as connection:
        return resources.fetch_row(connection, KINDS[kind], id_)


def revision(database: Database) -> int:
    from sqlalchemy import select

    from openivr.store.tables import REVISION

    with database.reading() as connection:
        found: int = connection.execute(select(REVISION.c.config)).scalar_one()
    return found
