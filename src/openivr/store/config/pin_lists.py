"""Check of a caller's PIN against a PIN list."""

import hmac

from sqlalchemy import Connection, select

from openivr.resources.pin_list import salt_of, store_pin
from openivr.resources.secret import SALT_BYTES
from openivr.store.tables import OBJECTS

TABLE = OBJECTS["pin_list"]


def is_pin_right(connection: Connection, id_: int, pin: str) -> bool:
    """Return True if a PIN is in a list. An empty or missing list costs one Argon2 hash too."""
    stored: list[str] = connection.execute(select(TABLE.c.pin_list).where(TABLE.c.id == id_)).scalar() or []
    wanted = store_pin(pin, salt_of(stored) or bytes(SALT_BYTES))
    return sum(hmac.compare_digest(wanted, one) for one in stored) > 0
