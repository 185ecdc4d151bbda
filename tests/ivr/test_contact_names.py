"""The names of callers: an index that is changed is the index made of everything."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.ivr.contact_names import NO_CONTACTS, NamedNumbers, index_contacts
from openivr.ivr.number_format import NumberFormat, remove_separators

NUMBERS = st.sampled_from(("+442071838750", "02071838750", "1000", "07700900123"))
CONTACTS = st.builds(
    NamedNumbers,
    st.sampled_from(("Ada", "Grace", "Alan")),
    st.lists(NUMBERS, max_size=3, unique=True).map(tuple),
)
CHANGES = st.dictionaries(st.integers(1, 5), CONTACTS | st.none(), max_size=4)


@given(st.lists(CHANGES, max_size=6))
def test_changes_give_what_all_contacts_give(steps: list[dict[int, NamedNumbers | None]]) -> None:
    names, contacts = NO_CONTACTS, dict[int, NamedNumbers]()
    for changes in steps:
        before = names
        kept = dict(before.contacts), dict(before.owners)
        names = names.change(changes)
        for id_, row in changes.items():
            contacts.pop(id_, None)
            if row is not None:
                contacts[id_] = row
        assert (dict(before.contacts), dict(before.owners)) == kept
        assert dict(names.contacts) == contacts
        assert len(names.contacts) == len(contacts)
        assert dict(names.owners) == dict(index_contacts(contacts).owners)


def test_the_lowest_id_has_a_number_that_several_contacts_have() -> None:
    rows = {id_: NamedNumbers(f"Contact {id_}", ("+442071838750",)) for id_ in (7, 3, 5)}
    names = index_contacts(rows)
    assert names.find(("+442071838750",)) == "Contact 3"
    assert names.change({3: None}).find(("+442071838750",)) == "Contact 5"
    assert names.change({3: None, 5: None, 7: None}).find(("+442071838750",)) == ""


def test_a_caller_is_found_by_every_spelling_of_the_trunk() -> None:
    britain = NumberFormat("44", "0")
    for stored in ("+442071838750", "02071838750", "00442071838750"):
        names = index_contacts({1: NamedNumbers("Ada Byron", (stored,))})
        for sent in ("+442071838750", "02071838750", "00442071838750", "442071838750"):
            assert names.find(britain.forms(sent)) == "Ada Byron"
        assert names.find(NumberFormat().forms(stored)) == "Ada Byron"
        assert names.find(britain.forms("+442071838751")) == ""


def test_separators_are_no_part_of_a_number() -> None:
    assert remove_separators(" +44 (0)20 7183-8750 ") == "+442071838750"
    assert remove_separators("(020) 7183.8750") == "02071838750"
    assert remove_separators("+49\u00a030/1234\u20115") == "+493012345"
    assert remove_separators("*31#") == "*31#"
