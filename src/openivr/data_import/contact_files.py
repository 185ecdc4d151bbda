"""Contacts in files: vCard (RFC 6350 and older) by the library `vobject`, and CSV with the API's names."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import vobject
from vobject.base import VObjectError

from openivr.data_import.errors import MAX_CONTACT_BYTES, ImportFailed, ImportFault
from openivr.data_import.table import read_table
from openivr.download.csv_export import DANGEROUS, MARK, make_csv
from openivr.ivr.number_format import remove_separators
from openivr.resources.contact import MAX_NAME, NUMBER_TYPES, full_name
from openivr.resources.fields import Body
from openivr.resources.resource_type import Values

MAX_CONTACTS = 5_000
MAX_SECONDS = 10.0  # for a whole file
MAX_REMARK = 255
TEXTS = ("first_name", "last_name", "company", "email", "remark")
ADDRESS = ("street", "zip_code", "city", "state", "country")
COLUMNS = (*TEXTS, *NUMBER_TYPES, *ADDRESS)
# Names that address books give to columns, without case.
ALIASES: Mapping[str, str] = {
    **{name.replace("_", " "): name for name in COLUMNS},
    "given name": "first_name",
    "family name": "last_name",
    "name": "first_name",
    "organization": "company",
    "organization name": "company",
    "e-mail": "email",
    "e-mail address": "email",
    "e-mail 1 - value": "email",
    "notes": "remark",
    "business phone": "business_number",
    "business phone 2": "business_number2",
    "company main phone": "other_number",
    "mobile phone": "mobile_number",
    "mobile": "mobile_number",
    "phone": "business_number",
    "phone 1 - value": "business_number",
    "phone 2 - value": "mobile_number",
    "home phone": "home_number",
    "home phone 2": "home_number2",
    "other phone": "other_number",
    "business street": "street",
    "business postal code": "zip_code",
    "business city": "city",
    "business state": "state",
    "business country/region": "country",
}
# Types of numbers of a vCard -> types of ours, the better ones first.
WORK, CELL, HOME = ((f"{name}_number", f"{name}_number2") for name in ("business", "mobile", "home"))
FAX, HOME_FAX, OTHER = ("business_fax", "home_fax"), ("home_fax", "business_fax"), ("other_number",)
ANY = (*WORK, *CELL, *HOME, *OTHER)


def read_file(data: bytes, clock: Callable[[], float] = time.monotonic) -> list[Body]:
    """Return the contacts of a file as bodies for create. Raises ImportFailed.

    `clock` limits the time that is taken.
    """
    if len(data) > MAX_CONTACT_BYTES:
        raise ImportFailed(ImportFault.TOO_LARGE, f"{MAX_CONTACT_BYTES} bytes")
    text = decode(data)
    if text.lstrip()[:11].upper() == "BEGIN:VCARD":
        return list(read_vcards(text, clock))
    return list(read_csv(text))


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8, or as Windows writes it in Western countries."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_vcards(text: str, clock: Callable[[], float]) -> Iterator[Body]:
    """Return the people of a vCard file."""
    limit = clock() + MAX_SECONDS
    try:
        for count, card in enumerate(vobject.readComponents(text, allowQP=True, ignoreUnreadable=True), 1):
            if count > MAX_CONTACTS:
                raise ImportFailed(ImportFault.TOO_LARGE, f"{MAX_CONTACTS} contacts")
            if clock() > limit:
                raise ImportFailed(ImportFault.TOO_LARGE, f"{MAX_SECONDS:.0f} s of work")
            if card.name == "VCARD":
                yield read_card(card)
    except ImportFailed:
        raise
    except (VObjectError, ValueError, TypeError, KeyError, AttributeError, IndexError, LookupError) as error:
        raise ImportFailed(ImportFault.NOT_CONTACTS) from error


def read_card(card: Any) -> Body:
    """Return a person of a vCard."""
    values = {name: [line.value for line in lines] for name, lines in card.contents.items()}
    fields: dict[str, str] = dict(zip(("first_name", "last_name"), read_name(values), strict=True))
    organisation = values.get("org", [""])[0]
    fields["company"] = join(organisation if isinstance(organisation, list) else [organisation])
    fields["email"] = str(values.get("email", [""])[0])
    fields["remark"] = " ".join(str(values.get("note", [""])[0]).split())[:MAX_REMARK]
    for address in values.get("adr", [])[:1]:
        parts = (address.street, address.code, address.city, address.region, address.country)
        fields |= {name: join(flatten(part)) for name, part in zip(ADDRESS, parts, strict=True)}
    if not fields["first_name"]:  # a company, or a person of one name
        fields["first_name"], fields["last_name"] = fields["last_name"] or fields["company"], ""
    numbers = [(write_number(line), types_of(line)) for line in card.contents.get("tel", [])]
    return make_body({name: text.strip() for name, text in fields.items()}, assign_types(numbers))


def read_name(values: Mapping[str, list[Any]]) -> tuple[str, str]:
    """Return the first and the last name of a person: by its parts, or the whole name."""
    for name in values.get("n", []):
        given, family = join(flatten(name.given)), join(flatten(name.family))
        if given or family:
            return given, family
    first, _, last = str(values.get("fn", [""])[0]).strip().rpartition(" ")
    return (first, last) if first else (last, "")


def flatten(part: Any) -> list[str]:
    return [str(item) for item in part] if isinstance(part, list) else [str(part)]


def join(parts: Iterable[Any]) -> str:
    return ", ".join(filter(None, (" ".join(str(part).split()) for part in parts)))[:MAX_NAME]


def write_number(line: Any) -> str:
    """Return the number of a line, which may be a tel URI (RFC 3966)."""
    text = str(line.value).strip()
    if text.lower().startswith("tel:"):
        text = text[4:].partition(";")[0]
    return remove_separators(text)


def types_of(line: Any) -> tuple[str, ...]:
    """Return the types that the number of a line can have here, the best first."""
    words = [word for text in line.params.get("TYPE", []) for word in text.split(",")]
    words = [word.strip().lower() for word in (*words, *line.singletonparams)]
    if "fax" in words:
        return HOME_FAX if "home" in words else FAX
    first = CELL if "cell" in words else HOME if "home" in words else WORK if "work" in words else OTHER
    return (*first, *ANY)


def assign_types(numbers: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Give each number the first of its types that is free. A number without one is left out."""
    assigned: dict[str, str] = {}
    for number, types in numbers:
        free = next((type_ for type_ in types if type_ not in assigned), "")
        if number and free and number not in assigned.values():
            assigned[free] = number
    return assigned


def make_body(fields: Mapping[str, str], numbers: Mapping[str, str]) -> Body:
    rows = [{"num_type": type_, "number": number} for type_, number in numbers.items()]
    return {**{name: text for name, text in fields.items() if text}, "number_list": rows}


def read_csv(text: str) -> Iterator[Body]:
    """Return the rows of a CSV file as contacts."""
    rows = read_table(text, MAX_CONTACTS, ImportFault.NOT_CONTACTS)
    names = {column: ALIASES.get(column.strip().lower().replace("_", " "), "") for column in rows[0]}
    if not {"first_name", "last_name"} & {*names.values()} or not NUMBER_TYPES.keys() & {*names.values()}:
        raise ImportFailed(ImportFault.NOT_CONTACTS)
    for row in rows:
        fields: dict[str, str] = {}
        for column, value in row.items():
            name = names.get(column, "")
            if name and value.strip():
                fields.setdefault(name, unescape(value.strip()))
        numbers = {name: remove_separators(fields.pop(name)) for name in NUMBER_TYPES if name in fields}
        if "first_name" not in fields:
            fields["first_name"] = fields.pop("last_name", "")
        if numbers or any(fields.values()):
            yield make_body(fields, numbers)


def unescape(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from evaluating it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(DANGEROUS) else cell


def write_file(contacts: Iterable[Values], format_: str) -> bytes:
    """Return contacts as a file, "csv" or "vcf", that `read_file` reads."""
    if format_ == "vcf":
        return write_vcards(contacts).encode()
    return (MARK + make_csv(write_csv_rows(contacts))).encode()


def write_csv_rows(contacts: Iterable[Values]) -> Iterator[list[str]]:
    """Return the rows of a CSV file: the names of the columns, then the contacts."""
    yield list(COLUMNS)
    for values in contacts:
        numbers = {row["num_type"]: row["number"] for row in values["number_list"]}
        yield [values[name] if name in values else numbers.get(name, "") for name in COLUMNS]


VCARD_TYPES: Mapping[str, list[str]] = {
    "business_number": ["WORK", "VOICE"],
    "business_number2": ["WORK", "VOICE"],
    "mobile_number": ["CELL"],
    "mobile_number2": ["CELL"],
    "home_number": ["HOME", "VOICE"],
    "home_number2": ["HOME", "VOICE"],
    "business_fax": ["WORK", "FAX"],
    "home_fax": ["HOME", "FAX"],
    "other_number": ["VOICE"],
}


def write_vcards(contacts: Iterable[Values]) -> str:
    """Return contacts as a vCard file (RFC 2426, which every address book reads)."""
    return "".join(write_card(values) for values in contacts)


def write_card(values: Values) -> str:
    card = vobject.vCard()
    card.add("n").value = vobject.vcard.Name(family=values["last_name"], given=values["first_name"])
    card.add("fn").value = full_name(values)
    if values["company"]:
        card.add("org").value = [values["company"]]
    for name, text in (("email", values["email"]), ("note", values["remark"])):
        if text:
            card.add(name).value = text
    for row in values["number_list"]:
        line = card.add("tel")
        line.value = row["number"]
        line.type_param = VCARD_TYPES[row["num_type"]]
    if any(values[name] for name in ADDRESS):
        street, code, city, region, country = (values[name] for name in ADDRESS)
        card.add("adr").value = vobject.vcard.Address(street, city, region, code, country)
    return str(card.serialize())
