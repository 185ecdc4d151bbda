"""Writes src/openivr/client/models.py from the descriptions of the resources: `make docs`.

The client may not import the server's packages, so its typed objects are generated and not derived at run
time. A test keeps the module current.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openivr.resources import KINDS, ResourceType
from openivr.resources.contact import PhonebookLinks
from openivr.resources.destination import DestinationField, Keys
from openivr.resources.fields import Field, IntegerField, SecretField, SeparatedField, TableField
from openivr.resources.import_remarks import ImportRemarksField
from openivr.resources.ivr import KEYS
from openivr.resources.pin_list import ADD, REMOVE, PinsField
from openivr.resources.presence import PresenceField
from openivr.resources.reference_fields import LinkField, LinksField
from openivr.server.http_process import choose_kinds

WIDTH = 110  # of a line
TARGET = Path(__file__).parents[1] / "src/openivr/client/models.py"
HEAD = '''"""Typed objects: rows as lists show them, and whole objects as get and query answer them.

Generated from the descriptions in openivr.resources by `make docs`; do not edit. Names are the API's. Every
field but the id may be missing.
"""
# ruff: noqa: RUF012 - msgspec copies an empty default for each object

from collections.abc import Mapping
from typing import Any, ClassVar

from openivr.client.model_types import (
    Destination,
    Detail,
    Device,
    KeyNames,
    Link,
    Row,
    WithDestination,
    WithKeys,
)
'''
# Required fields have no default in the API. These are what the P-Series puts into a new object's form.
SUGGESTED: dict[tuple[str, str], Any] = {
    ("extension", "type"): "SIP",
    ("extension", "presence_status"): "available",
    ("ivr", "prompt_repeat"): 3,
    ("ivr", "resp_timeout"): 5,
    ("ivr", "digit_timeout"): 3,
    ("ivr", "dial_ext_option"): "disable",
    ("ring_group", "ring_strategy"): "ring_all",
}
# Described with a default of the server's that an older server may not share.
PLAIN = {("custom_prompt", "type"), ("custom_prompt", "format"), ("custom_prompt", "loudness")} | {
    ("outbound_route", name) for name in ("max_calls", "max_calls_per_hour", "max_calls_per_caller")
}


def class_name(kind: ResourceType) -> str:
    """Return the name of a kind's class: "RingGroup" for "Ring group"."""
    return "".join(word.capitalize() for word in kind.title.split())


def title_of(kind: ResourceType) -> str:
    """Return a kind's title with its article: "A ring group", "An IVR"."""
    title = " ".join(word if word.isupper() else word.lower() for word in kind.title.split())
    return f"{'An' if title[0] in 'aeioAEIO' else 'A'} {title}"


def annotation(kind: ResourceType, field: Field) -> str:
    """Return the type and default of a field of a whole object."""
    match field:
        case PhonebookLinks():
            return "tuple[int, ...] = ()"
        case LinksField():
            return "tuple[Link, ...] = ()"
        case SeparatedField() | PinsField():
            return 'str = ""'
        case TableField() | PresenceField():
            return "tuple[Mapping[str, Any], ...] = ()"
        case DestinationField():
            return "Destination = Destination()"
        case Keys():
            return "dict[str, Destination] = {}"
    is_number = isinstance(field, IntegerField | LinkField)
    default = SUGGESTED.get((kind.name, field.name), field.default)
    if (kind.name, field.name) in PLAIN or (is_number and default == ""):
        default = 0 if is_number else ""
    return f"{'int' if is_number else 'str'} = {quote(default)}"


def quote(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def write_detail(kind: ResourceType) -> Iterator[str]:
    fields = [
        field
        for field in kind.fields
        if (not field.hidden or isinstance(field, PinsField)) and not isinstance(field, ImportRemarksField)
    ]
    kinds = {type(field) for field in fields}
    parent = "WithKeys" if Keys in kinds else "WithDestination" if DestinationField in kinds else "Detail"
    yield f"class {class_name(kind)}({parent}, frozen=True, kw_only=True):"
    has_pins = PinsField in kinds
    secret_names = [field.name for field in kind.fields if isinstance(field, SecretField)]
    secrets = ", ".join([*secret_names, *((ADD, REMOVE) if has_pins else ())])
    about = f" Never answered: {secrets}." if secrets else ""
    yield f'    """{title_of(kind)}.{about}"""'
    yield ""
    if secrets:
        hidden = tuple(field.name for field in kind.fields if field.hidden)
        secret_fields = (ADD, REMOVE) if has_pins else hidden
        line = f"    secret_names: ClassVar[tuple[str, ...]] = {names(secret_fields)}"
        if len(line) <= WIDTH:
            yield line
        else:
            yield "    secret_names: ClassVar[tuple[str, ...]] = ("
            yield from (f"        {quote(name)}," for name in secret_fields)
            yield "    )"
    if Keys in kinds:
        yield "    key_names: ClassVar[Mapping[str, KeyNames]] = {"
        for key, destination in KEYS.keys.items():
            spellings = f"{names(destination.stems)}, {names(KEYS.opt_outs[key])}"
            spellings += f", {quote(KEYS.pins[key].name)}" if key in KEYS.pins else ""
            if len(destination.stems) == 1:
                yield f"        {quote(key)}: KeyNames({spellings}),"
            else:
                yield f"        {quote(key)}: KeyNames(\n            {spellings}\n        ),"
        yield "    }"
    for field in fields:
        yield f"    {field.name}: {annotation(kind, field)}"


def names(values: tuple[str, ...]) -> str:
    return f"({', '.join(map(quote, values))}{',' if len(values) == 1 else ''})"


def write_row(kind: ResourceType) -> Iterator[str]:
    yield f"class {class_name(kind)}Row(Row, frozen=True, kw_only=True):"
    yield f'    """{title_of(kind)} in a list."""'
    yield ""
    samples = {field.name: sample(field) for field in kind.fields} | {"id": 0}
    for name, value in kind.row(samples).items():
        if name != "id":
            yield f"    {name}: {row_annotation(value)}"


def sample(field: Field) -> Any:
    if isinstance(field, DestinationField):
        return {"dest": "", "prefix": "", "value": ""}
    return {"text": "", "integer": 0, "json": []}[field.stored]


def row_annotation(value: Any) -> str:
    match value:
        case str():
            return 'str = ""'
        case int():
            return "int = 0"
        case list():
            return "tuple[Mapping[str, Any], ...] = ()"
    return "dict[str, Device] = {}"


def render() -> str:
    """Return the whole module."""
    shown = choose_kinds("newer")  # its rows have every field that a row may have
    classes = []
    for name in (kind.name for kind in KINDS.values() if kind.paths):
        classes += ["\n".join(write_row(shown[name])), "\n".join(write_detail(shown[name]))]
    return "\n\n".join([HEAD, *(f"{text}\n" for text in classes)])


def renew(*, check: bool) -> bool:
    """Write the module if it is out of date, or only look (`check`). Return True if it was."""
    text = render()
    if text == TARGET.read_text(encoding="utf-8"):
        return False
    if not check:
        TARGET.write_text(text, encoding="utf-8")
    return True
