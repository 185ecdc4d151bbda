"""Company contacts and phonebooks (P-Series: add-a-company-contact, add-a-phonebook).

The names of callers come from contacts: see `openivr.ivr.contact_names`. A contact belongs to any number of
phonebooks, and says so itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openivr.ivr.number_format import remove_separators
from openivr.resources.fields import ChoiceField, InvalidValue, Schema, TableField, TextField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinksField
from openivr.resources.resource_type import ResourceType, Row, Values

# Types of numbers -> their fields in rows.
NUMBER_TYPES: Mapping[str, str] = {
    "business_number": "business",
    "business_number2": "business2",
    "mobile_number": "mobile",
    "mobile_number2": "mobile2",
    "home_number": "home",
    "home_number2": "home2",
    "business_fax": "business_fax",
    "home_fax": "home_fax",
    "other_number": "other",
}
ALL_CONTACTS, SOME_CONTACTS = "sel_all", "sel_specific"  # values of `member_select`
MAX_PHONEBOOKS = 100  # of one contact
MAX_NAME = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumberField(TextField):
    """A number, kept without the separators that people write in it."""

    def parse(self, raw: Any) -> str:
        return TextField.parse(self, remove_separators(raw) if isinstance(raw, str) else raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersField(TableField):
    """The numbers of a contact, at most one of each type."""

    def parse(self, raw: Any) -> list[dict[str, Any]]:
        rows = TableField.parse(self, raw)
        if not rows:
            raise InvalidValue(ProblemCode.REQUIRED)
        if len({row["num_type"] for row in rows}) != len(rows):
            raise InvalidValue(ProblemCode.NAMED_TWICE)
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonebookLinks(LinksField):
    """The phonebooks of a contact, which the API has as plain ids."""

    def schema(self) -> dict[str, Schema]:
        return {self.name: {"type": "array", "items": {"type": "integer"}, "maxItems": self.most}}


def full_name(values: Values) -> str:
    """Return the name of a contact as phones show it."""
    return f"{values['first_name']} {values['last_name']}".strip()


def contact_row(values: Values) -> Row:
    """Return a contact of a list. Who has the names of phonebooks adds them."""
    numbers = {row["num_type"]: row["number"] for row in values["number_list"]}
    return {
        "id": values["id"],
        "contact_name": full_name(values),
        "company": values["company"],
        "email": values["email"],
        "phonebook_list": [{"id": link["id"], "name": ""} for link in values["phonebook_id_list"]],
        "remark": values["remark"],
        **{name: numbers.get(type_, "") for type_, name in NUMBER_TYPES.items()},
    }


def search_text(values: Values) -> str:
    """Return what a contact is searched by: names, address of mail, remark and numbers."""
    numbers = (row["number"] for row in values["number_list"])
    texts = (full_name(values), *(values[name] for name in ("company", "email", "remark")), *numbers)
    return "\n".join(filter(None, texts))


def text(name: str, high: int = MAX_NAME, *, required: bool = False) -> TextField:
    return TextField(name=name, required=required, low=int(required), high=high)


COMPANY_CONTACT = ResourceType(
    name="company_contact",
    paths=("company_contact",),
    title="Contact",
    fields=(
        text("first_name", required=True),
        text("last_name"),
        text("company"),
        TextField(name="email", pattern=r"[^@\s]+@[^@\s]+"),
        PhonebookLinks(name="phonebook_id_list", kinds=("phonebook",), most=MAX_PHONEBOOKS),
        text("remark", 255),
        NumbersField(
            name="number_list",
            required=True,
            columns=(
                PhoneNumberField(
                    name="number",
                    required=True,
                    low=1,
                    high=31,
                    pattern=r"\+?[0-9*#]+",
                ),
                ChoiceField(
                    name="num_type", required=True, values=tuple(NUMBER_TYPES), default="business_number"
                ),
            ),
            most=len(NUMBER_TYPES),
        ),
        text("zip_code"),
        text("street", 127),
        text("city"),
        text("state"),
        text("country"),
    ),
    listed=("first_name", "last_name", "company", "email", "phonebook_id_list", "remark", "number_list"),
    row=contact_row,
    sorts=("contact_name", "company"),
    describe=full_name,
    search_text=search_text,
    is_large=True,
)


def phonebook_row(values: Values) -> Row:
    return {"id": values["id"], "name": values["name"], "member_select": values["member_select"]}


PHONEBOOK = ResourceType(
    name="phonebook",
    paths=("phonebook",),
    title="Phonebook",
    fields=(
        text("name", required=True),
        ChoiceField(name="member_select", values=(SOME_CONTACTS, ALL_CONTACTS), default=SOME_CONTACTS),
    ),
    listed=("name", "member_select"),
    row=phonebook_row,
    sorts=("name",),
    unique=("name",),
)
# Types that no menu and no route refers to: calls need the names of callers alone.
CONTACT_TYPES = frozenset((PHONEBOOK.name, COMPANY_CONTACT.name))
