"""What an empty server needs before it answers callers, and what of it there is."""

from dataclasses import dataclass

from sqlalchemy import Connection, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from openivr.store.tables import CALL, NUMBER, OBJECTS, SETTING

BUILTIN = "default"  # the built-in greeting among the prompts of a menu
HIDDEN = "first_steps_hidden"  # name of a setting; it exists once the checklist is hidden


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The steps of the checklist, in their order. True means done."""

    people: bool
    line: bool
    menu: bool
    number: bool
    greeting: bool
    hours: bool
    call: bool

    @property
    def is_in_use(self) -> bool:
        """True if the server has people and a menu, and a call has reached it."""
        return self.people and self.menu and self.call


def find_first_steps(connection: Connection) -> FirstSteps:
    """Return what there is."""
    trunk, menu = OBJECTS["trunk"], OBJECTS["ivr"]
    wanted = {
        "people": select(OBJECTS["extension"].c.id),
        "line": select(trunk.c.id).where(trunk.c.enable == 1),
        "menu": select(menu.c.id),
        "number": select(OBJECTS["inbound_route"].c.id),
        "greeting": select(menu.c.id).where(menu.c.prompt.not_in(("", BUILTIN))),
        "hours": select(OBJECTS["businesshour"].c.id),
        "call": select(CALL.c.id),
    }
    row = connection.execute(select(*(exists(query).label(name) for name, query in wanted.items()))).one()
    return FirstSteps(**{name: bool(value) for name, value in row._mapping.items()})


def is_hidden(connection: Connection) -> bool:
    """Return True if an administrator has hidden the checklist."""
    return connection.execute(select(SETTING.c.value).where(SETTING.c.name == HIDDEN)).scalar() is not None


def hide(connection: Connection) -> None:
    """Hide the checklist for all administrators."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"name": HIDDEN, "value": "1"}
    connection.execute(dialect.insert(SETTING).values(values).on_conflict_do_nothing())


def propose_number(connection: Connection, kind: str, first: str) -> str:
    """Return a free number for a new resource: one that follows the newest of its type, or `first`.

    "" if the numbers of that length are used up.
    """
    newest = select(NUMBER.c.number).where(NUMBER.c.kind == kind).order_by(NUMBER.c.object_id.desc()).limit(1)
    last = connection.execute(newest).scalar()
    start, taken = int(last) + 1 if last else int(first), select(NUMBER.c.number)
    length = len(last or first)
    used = set(connection.execute(taken).scalars())
    numbers = (str(value).zfill(length) for value in range(start, 10**length))
    return next((number for number in numbers if number not in used), "")
