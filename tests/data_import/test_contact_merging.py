"""Contacts from outside beside the stored ones: what is new, same, changed or refused."""

from typing import Any

from openivr.data_import.contact_merging import merge
from openivr.data_import.merge_action import MergeAction
from openivr.resources.contact import COMPANY_CONTACT

NEW, SAME, CHANGED, REFUSED = MergeAction.NEW, MergeAction.SAME, MergeAction.CHANGED, MergeAction.REFUSED


def contact(name: str, *numbers: str, **fields: Any) -> dict[str, Any]:
    types = ("business_number", "mobile_number", "home_number")
    rows = [{"num_type": type_, "number": it} for type_, it in zip(types, numbers, strict=False)]
    return {"first_name": name, "number_list": rows, **fields}


STORED = {
    1: COMPANY_CONTACT.parse(contact("Ada", "+4420", "0770", company="Engines")),
    2: COMPANY_CONTACT.parse(contact("Grace", "+1201", email="grace@example.com")),
}


def actions(*bodies: dict[str, Any], phonebook: int = 0) -> list[tuple[MergeAction, int, Any]]:
    return [(row.action, row.id, row.changes) for row in merge(bodies, STORED, phonebook)]


def test_a_known_person_is_not_doubled() -> None:
    assert actions(contact("ADA", "+44 20"), contact("Grace", "+1201")) == [
        (CHANGED, 1, {"first_name": "ADA"}),
        (SAME, 2, None),
    ]
    assert actions(contact("Ada", "0770"), contact("Ada", "0770")) == [(SAME, 1, None)]


def test_what_the_source_adds_is_a_change_and_what_it_lacks_stays() -> None:
    body = contact("Ada", "+4420", "0771", remark="Countess")
    (row,) = actions(body)
    numbers = contact("Ada", "+4420", "0771")["number_list"]
    assert row == (CHANGED, 1, {"remark": "Countess", "number_list": numbers})
    assert actions(contact("Grace", "+999", email="GRACE@example.com"))[0][:2] == (CHANGED, 2)


def test_another_person_of_the_same_name_is_new() -> None:
    assert actions(contact("Ada", "999"), contact("Grace", "999", email="other@example.com")) == [
        (NEW, 0, None),
        (NEW, 0, None),
    ]


def test_bad_contacts_are_refused_alone() -> None:
    rows = list(merge([contact("Ida"), contact("Eve", "alice"), contact("Ida", "1")], STORED))
    assert [row.action for row in rows] == [REFUSED, REFUSED, NEW]
    assert all(row.problem for row in rows[:2])


def test_all_of_a_source_are_put_into_a_phonebook() -> None:
    assert actions(contact("Ada", "0770"), phonebook=4) == [(CHANGED, 1, {"phonebook_id_list": [4]})]
    (row,) = merge([contact("Ida", "1")], STORED, 4)
    assert row.fields["phonebook_id_list"] == [4]
