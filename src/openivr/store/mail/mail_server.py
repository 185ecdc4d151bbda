"""The mail server, in one row of the settings. Without it no mail is sent."""

import msgspec
from sqlalchemy import Connection, delete, insert, select

from openivr.resources.mail_server import MailServer
from openivr.store.tables import SETTING

NAME = "mail_server"


def find_mail_server(connection: Connection) -> MailServer | None:
    """Return the mail server, None if there is none."""
    value = connection.execute(select(SETTING.c.value).where(SETTING.c.name == NAME)).scalar()
    return None if value is None else msgspec.json.decode(value, type=MailServer)


def save_mail_server(connection: Connection, server: MailServer | None) -> None:
    """Replace the mail server. With None no mail is sent any longer."""
    connection.execute(delete(SETTING).where(SETTING.c.name == NAME))
    if server is not None:
        value = msgspec.json.encode(server).decode()
        connection.execute(insert(SETTING).values(name=NAME, value=value))
