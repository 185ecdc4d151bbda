"""One way of describing an object: its name, its fields, how it is listed and what must hold for it whole.

From this description come its table, its endpoints, its place in the OpenAPI document and its YAML.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openivr.resources.errors import Invalid, Problem
from openivr.resources.fields import MISSING, Body, Field, Names, Reference, ResourceName, Schema
from openivr.resources.order import name_key, number_key

Values = dict[str, Any]  # field name -> stored value
Row = dict[str, Any]  # API name -> API value, in the API's order
Check = Callable[[Values, Body, Values | None], Iterator[Problem]]

# sort field -> its stored sort key; sort fields that are not here are integers and sort as they are
ORDERS: dict[str, Callable[[str], str]] = {
    "number": number_key,
    "name": name_key,
    "caller_id_name": name_key,
}


def no_checks(_values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """A kind of object.

    `paths` are the names of its endpoint family. `listed` are the fields that a list needs and `row` makes
    the list's row from them and the id. `sorts` are the row's fields that a list may be sorted by, beside
    `id`. `unique` are fields that no two objects of the kind may share; a field called `number` is unique
    over all kinds. `states` are integers which nobody configures: the server keeps them, 0 at first, and rows
    may show them. `check` finds what only the whole object can tell.
    """

    name: str
    paths: tuple[str, ...]
    title: str
    fields: tuple[Field, ...]
    listed: tuple[str, ...]
    row: Callable[[Values], Row]
    sorts: tuple[str, ...] = ("number", "name")
    unique: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    check: Check = no_checks

    def parse(self, body: Body, stored: Values | None = None, *, is_whole: bool = False) -> Values:
        """The whole object after a create (`stored` is None) or an update.

        What the body leaves out stays as it is; where it is the whole object (`is_whole`), only secrets do.
        Raises Invalid with every problem found; unknown names are ignored.
        """
        problems: list[Problem] = []
        before: Mapping[str, Any] = {
            f.name: stored[f.name] for f in self.fields if stored and (f.hidden or not is_whole)
        }
        values = {f.name: f.read(body, before.get(f.name, MISSING), problems) for f in self.fields}
        if not problems:
            problems = list(self.check(values, body, stored))
        if problems:
            raise Invalid(*problems)
        return values

    def serialize(self, id_: int, values: Values, names: Names) -> Row:
        """The object as `get` returns it; hidden fields are left out."""
        row: Row = {"id": id_}
        for field in self.fields:
            row.update(field.serialize(values[field.name], names))
        return row

    def references(self, values: Values) -> Iterator[Reference]:
        """Everything the object points to."""
        for field in self.fields:
            yield from field.references(values[field.name])

    def schema(self) -> dict[str, Schema]:
        """JSON Schema of each API name that a request may carry."""
        return {name: schema for field in self.fields for name, schema in field.schema().items()}

    def names(self, values: Values) -> ResourceName:
        """The name and the number under which others show the object; what it lacks, the other stands for."""
        row = self.row({**values, "id": 0})
        name = row.get("name") or row.get("caller_id_name")
        number = row.get("number")
        return ResourceName(str(name or number), str(number or name))

    def label(self, values: Values) -> str:
        """What people call the object: its number, else its name."""
        text: str = values.get("number") or values["name"]
        return text
