"""Copies of menus."""

from sqlalchemy import Connection, select

from openivr.resources.ivr import IVR
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.store.tables import NUMBER


def copy_menu(change: ConfigTransaction, id_: int, number: str, name: str) -> int:
    """Create a menu like another one, with a number and a name of its own, and return its id.

    Keys that lead back to the menu lead back to the copy. Tests and remarks of an import stay with the menu.
    Raises NotFound, Invalid, Duplicate.
    """
    values = resources.fetch(change.connection, IVR, id_)
    changed = IVR.parse({"number": number, "name": name}, values)
    copy_id = resources.next_id(change.connection, IVR)
    resources.save(change, IVR, copy_id, lead_back(changed, id_, copy_id), is_new=True)
    return copy_id


def lead_back(values: Values, id_: int, copy_id: int) -> Values:
    """Return the values of a menu with the destinations that were itself changed to its copy."""
    keys = {
        key: {**to, "value": str(copy_id)} if (to["dest"], to["value"]) == (IVR.name, str(id_)) else to
        for key, to in values["keys"].items()
    }
    return {**values, "keys": keys, "import_remarks": []}


def find_free_number(connection: Connection, number: str) -> str:
    """Return the next number of the same length that is free, "" if there is none."""
    taken = set(connection.execute(select(NUMBER.c.number)).scalars())
    if not (number.isascii() and number.isdecimal()):
        return ""
    following = (str(value).zfill(len(number)) for value in range(int(number) + 1, 10 ** len(number)))
    return next((candidate for candidate in following if candidate not in taken), "")
