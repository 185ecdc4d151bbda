"""Stored test cases of menus. A scenario belongs to its menu: it calls the number that the menu has now.

One that calls over a trunk keeps the number that it calls, and names its menu beside that.

A document is a mapping as docs/scenarios.md describes it. This module does not interpret it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from openivr.resources.errors import Duplicate, Invalid, NotFound, Problem, shorten
from openivr.resources.problem_codes import ProblemCode
from openivr.store.config.resources import can_be_stored
from openivr.store.tables import OBJECTS, SCENARIO

IVR = OBJECTS["ivr"]
MAX_SCENARIOS = 200  # of one menu
MAX_NAME = 100  # characters
TITLE, NUMBER = "scenario", "calls"  # the names under which a document has its own name and the number called
TRUNK, MENU = "trunk", "menu"  # of a call from the outside: the trunk, and the number of the scenario's menu

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredScenario:
    """A stored scenario. `document` is complete, with its name and the number that it calls."""

    id: int
    ivr_id: int
    name: str
    document: Document


def find_all(connection: Connection, ivr_id: int | None = None) -> list[StoredScenario]:
    """Those of one menu, or of all, in the order in which they were saved."""
    columns = (SCENARIO.c.id, SCENARIO.c.ivr_id, SCENARIO.c.name, SCENARIO.c.document, IVR.c.number)
    wanted = select(*columns).join_from(SCENARIO, IVR, IVR.c.id == SCENARIO.c.ivr_id)
    if ivr_id is not None:
        wanted = wanted.where(SCENARIO.c.ivr_id == ivr_id)
    rows = connection.execute(wanted.order_by(SCENARIO.c.ivr_id, SCENARIO.c.id))
    return [
        StoredScenario(
            row.id,
            row.ivr_id,
            row.name,
            {TITLE: row.name, menu_field(row.document): row.number} | row.document,
        )
        for row in rows
    ]


def menu_field(document: Document) -> str:
    """Return the name under which a document has the number of its menu."""
    return MENU if document.get(TRUNK) else NUMBER


def add(connection: Connection, ivr_id: int, document: Document) -> int:
    """Store a scenario with a menu and return its id. Raises NotFound, Duplicate, Invalid."""
    hold(connection, ivr_id)
    count = select(func.count()).where(SCENARIO.c.ivr_id == ivr_id)
    if connection.execute(count).scalar_one() >= MAX_SCENARIOS:
        raise Invalid(Problem("scenario", ProblemCode.TOO_MANY_SCENARIOS, {"high": MAX_SCENARIOS}))
    name = check_name(connection, ivr_id, str(document[TITLE]))
    kept = {key: value for key, value in document.items() if key not in (TITLE, menu_field(document))}
    row = {"ivr_id": ivr_id, "name": name, "document": kept}
    id_: int = connection.execute(insert(SCENARIO).values(row).returning(SCENARIO.c.id)).scalar_one()
    return id_


def rename(connection: Connection, ivr_id: int, id_: int, name: str) -> None:
    """Give a menu's scenario another name. Raises NotFound, Duplicate, Invalid."""
    own = owned(ivr_id, id_)
    hold(connection, ivr_id)
    name = check_name(connection, ivr_id, name, id_)
    if not connection.execute(update(SCENARIO).where(own).values(name=name)).rowcount:
        raise NotFound(f"scenario {id_}")


def remove(connection: Connection, ivr_id: int, id_: int) -> None:
    """Delete a menu's scenario. Raises NotFound."""
    if not connection.execute(delete(SCENARIO).where(owned(ivr_id, id_))).rowcount:
        raise NotFound(f"scenario {id_}")


def hold(connection: Connection, ivr_id: int) -> None:
    """Lock the scenarios of this menu until the transaction ends. Raises NotFound."""
    own = select(IVR.c.id).where(IVR.c.id == ivr_id).with_for_update()
    if not can_be_stored(ivr_id) or connection.execute(own).first() is None:
        raise NotFound(f"ivr {ivr_id}")


def owned(ivr_id: int, id_: int) -> ColumnElement[bool]:
    """The one scenario, if it is this menu's. Raises NotFound for a number that no column can hold."""
    if not can_be_stored(id_):
        raise NotFound(f"scenario {id_}")
    return (SCENARIO.c.ivr_id == ivr_id) & (SCENARIO.c.id == id_)


def check_name(connection: Connection, ivr_id: int, name: str, id_: int = 0) -> str:
    """A name that this scenario of a menu can have, without space around it. Raises Duplicate, Invalid."""
    name = name.strip()
    if problem := find_problem(name):
        raise Invalid(problem)
    same = (SCENARIO.c.ivr_id == ivr_id) & (SCENARIO.c.name == name) & (SCENARIO.c.id != id_)
    if connection.execute(select(SCENARIO.c.id).where(same)).first():
        raise Duplicate(TITLE, name, TITLE, name)
    return name


def find_problem(name: str) -> Problem | None:
    """Return why a text is no valid name of a scenario."""
    if not 0 < len(name) <= MAX_NAME:
        return Problem(TITLE, ProblemCode.LENGTH, {"low": 1, "high": MAX_NAME}, shorten(name))
    if not name.isprintable():
        return Problem(TITLE, ProblemCode.NOT_ONE_LINE)
    return None


def bring_in(connection: Connection, documents: Iterable[Document], *, keeps_others: bool = False) -> None:
    """Replace all scenarios, or those with the same names, by these, each at the menu that it calls."""
    menus = {row.number: row.id for row in connection.execute(select(IVR.c.number, IVR.c.id))}
    if not keeps_others:
        connection.execute(delete(SCENARIO))
    for document in documents:
        ivr_id, name = menus[document[menu_field(document)]], document[TITLE]
        connection.execute(delete(SCENARIO).where(SCENARIO.c.ivr_id == ivr_id, SCENARIO.c.name == name))
        add(connection, ivr_id, document)
