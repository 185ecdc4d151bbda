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
    "remark": name_key,
    "contact_name": name_key,
    "company": name_key,
}


def no_checks(_values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """A type of resource.

    `paths` are the names of its endpoint family. `listed` are the fields that a list needs and `row` makes
    the list's row from them and the id. `sorts` are the row's fields that a list may be sorted by, beside
    `id`. `unique` are fields that no two objects of the type may share. A field called `number` is unique
    over all types. `states` are integers that the server maintains, initially 0, for rows. `check` yields
    problems of the whole object. `describe` makes the label of a type without numbers and names.
    `search_text` makes the text that a search looks in, where that is not the number and the names. A list
    that `is_large` is read from the database for each request, others are in the memory of every process.
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
    describe: Callable[[Values], str] | None = None
    search_text: Callable[[Values], str] | None = None
    is_large: bool = False

    @property
    def may_share_labels(self) -> bool:
        """Return True if two objects of the type can have the same label."""
        return "name" not in self.unique and not any(field.name == "number" for field in self.fields)

    def parse(self, body: Body, stored: Values | None = None, *, is_whole: bool = False) -> Values:
        """Return the whole object after a create (`stored` is None) or an update.

        Fields that the body leaves out stay as they are. If it is the whole object (`is_whole`), only secrets
        and fields that are kept (`is_kept`) do. Unknown names are ignored. Raises Invalid with all problems.
        """
        problems: list[Problem] = []
        before: Mapping[str, Any] = {
            f.name: stored[f.name] for f in self.fields if stored and (f.hidden or f.is_kept or not is_whole)
        }
        values = {f.name: f.read(body, before.get(f.name, MISSING), problems) for f in self.fields}
        if not problems:
            problems = list(self.check(values, body, stored))
        if problems:
            raise Invalid(*problems)
        return values

    def serialize(self, id_: int, values: Values, names: Names) -> Row:
        """Return the object as `get` shows it, without hidden fields."""
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
        """Return the name and the number of an object. If it lacks one of them, both are the same."""
        row = self.row({**values, "id": 0})
        name = row.get("name") or row.get("caller_id_name") or (self.describe and self.describe(values))
        number = row.get("number")
        return ResourceName(str(name or number), str(number or name))

    def label(self, values: Values) -> str:
        """Return the label of an object: its number, else its name."""
        if self.describe:
            return self.describe(values)
        text: str = values.get("number") or values["name"]
        return text
