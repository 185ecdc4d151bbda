"""Contacts and phonebooks in the database, and the names of callers that calls have of them."""

from typing import Any

import pytest

from openivr.resources import KINDS
from openivr.resources.errors import Invalid, NotFound
from openivr.resources.order import ListQuery
from openivr.store.caches.call_config_cache import CallConfigCache, PreparedConfig
from openivr.store.caches.loaded_config import apply_changes, load
from openivr.store.caches.non_menu_config import only_menus_changed
from openivr.store.config import contacts, import_export
from openivr.store.config.import_export import DocumentEntry
from openivr.store.database import Database
from tests.store.bodies import create, delete, revision, update

ALL = ListQuery(0, 100)


def contact(name: str, number: str = "+442071838750", **fields: Any) -> dict[str, Any]:
    return {"first_name": name, "number_list": [{"num_type": "mobile_number", "number": number}], **fields}


def find(database: Database, text: str) -> list[str]:
    with database.reading() as connection:
        total, rows = contacts.list_contacts(connection, text, ALL)
    assert total == len(rows)
    return [row["contact_name"] for row in rows]


def test_a_search_finds_names_companies_remarks_and_numbers(database: Database) -> None:
    create(database, "company_contact", contact("Ada", "020 7183-8750", company="Engines", remark="Golden"))
    create(database, "company_contact", contact("Grace", "+1 201 555 0123", email="grace@example.com"))
    for text in ("ada", "ENGINES", "golden", "7183 8750", "71838750", "(020) 7183"):
        assert find(database, text) == ["Ada"], text
    assert find(database, "example.com") == ["Grace"]
    assert find(database, "%") == find(database, "nobody") == []
    assert find(database, "") == ["Ada", "Grace"]


def test_a_phonebook_takes_contacts_and_leaves_them(database: Database) -> None:
    ids = [create(database, "company_contact", contact(name)) for name in ("Ada", "Grace", "Alan")]
    with database.changing() as change:
        book = contacts.create_phonebook(change, {"name": "Customers", contacts.ADD: ids[:2]})
    with database.changing() as change:
        body = {"name": "Clients", contacts.ADD: [ids[2]], contacts.REMOVE: [ids[0]]}
        contacts.update_phonebook(change, book, body)
    with database.reading() as connection:
        row = contacts.fetch_phonebook(connection, book)
        ada, grace = contacts.fetch_contacts(connection, ids[:2])
    assert [it["contact_name"] for it in row["contacts_list"]] == ["Grace", "Alan"]
    assert (row["name"], row["total"]) == ("Clients", 2)
    assert (ada["phonebook_list"], ada["phonebook_id_list"]) == ([], [])
    assert grace["phonebook_list"] == [{"id": book, "name": "Clients"}]
    update(database, "phonebook", book, {"member_select": "sel_all"})
    with database.reading() as connection:
        assert contacts.fetch_phonebook(connection, book)["total"] == 3
    with database.changing() as change:
        contacts.delete_phonebook(change, book)
    assert find(database, "") == ["Ada", "Grace", "Alan"]
    with database.reading() as connection:
        assert all(not row["phonebook_id_list"] for row in contacts.fetch_contacts(connection, ids))
        with pytest.raises(NotFound):
            contacts.fetch_phonebook(connection, book)


@pytest.mark.parametrize("raw", [[99], ["x"], "1", [2**40], list(range(10_001))])
def test_a_phonebook_of_missing_contacts_is_refused(database: Database, raw: Any) -> None:
    before = revision(database)
    with pytest.raises(Invalid) as caught, database.changing() as change:
        contacts.create_phonebook(change, {"name": "Customers", contacts.ADD: raw})
    assert {problem.field for problem in caught.value.problems} == {contacts.ADD}
    assert revision(database) == before


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [{"num_type": "mobile_number", "number": ""}],
        [{"num_type": "mobile_number", "number": "alice"}],
        [{"num_type": "pager", "number": "1"}],
        [{"num_type": "mobile_number", "number": "1"}, {"num_type": "mobile_number", "number": "2"}],
        "1",
    ],
)
def test_bad_numbers_are_refused_by_their_field(database: Database, numbers: Any) -> None:
    with pytest.raises(Invalid) as caught:
        create(database, "company_contact", {"first_name": "Ada", "number_list": numbers})
    assert {problem.field for problem in caught.value.problems} == {"number_list"}


def test_calls_have_the_names_at_each_revision_and_menus_do_without(database: Database) -> None:
    with database.reading() as connection:
        known, plain = load(connection, with_contacts=True), load(connection)
    first = create(database, "company_contact", contact("Ada"))
    second = create(database, "company_contact", contact("Grace"))
    steps: tuple[tuple[int, dict[str, Any] | None, str], ...] = (
        (first, {"last_name": "Byron"}, "Ada Byron"),
        (first, None, "Grace"),
        (second, contact("Grace", "1"), ""),
    )
    for id_, body, name in steps:
        before = revision(database)
        if body is None:
            delete(database, "company_contact", id_)
        else:
            update(database, "company_contact", id_, body)
        with database.reading() as connection:
            known = apply_changes(connection, known, with_contacts=True)
            plain = apply_changes(connection, plain)
            again = load(connection, with_contacts=True)
            assert only_menus_changed(connection, before)
        assert dict(known.contacts.contacts) == dict(again.contacts.contacts)
        assert dict(known.contacts.owners) == dict(again.contacts.owners)
        assert known.configuration.contacts.find(("+442071838750",)) == name
        assert not plain.contacts.contacts
        assert plain.revision == known.revision


def test_a_start_without_the_database_knows_the_names(database: Database) -> None:
    create(database, "company_contact", contact("Ada"))
    with database.reading() as connection:
        loaded = load(connection, with_contacts=True)
    caches = [CallConfigCache(database, lambda config: config, lambda *_: None) for _ in range(2)]
    try:
        caches[0].snapshot = PreparedConfig(loaded, loaded.configuration)
        saved = caches[0].to_save(())
        assert saved is not None
        caches[1].start_from(saved)
        assert dict(caches[1].configuration.contacts.contacts) == dict(loaded.contacts.contacts)
        assert caches[1].configuration.contacts.find(("+442071838750",)) == "Ada"
    finally:
        for cache in caches:
            cache.close()


def test_a_document_keeps_contacts_and_their_phonebooks(database: Database, open_database: Any) -> None:
    book = create(database, "phonebook", {"name": "Good customers"})
    for number in ("1", "2"):  # two of the same name
        create(database, "company_contact", contact("Ada", number, phonebook_id_list=[book], city="London"))
    with database.reading() as connection:
        document = import_export.export(connection)
    assert document["company_contact"][0]["phonebook_id_list"] == ["phonebook Good customers"]
    entries = {kind: [DocumentEntry(row) for row in document.get(kind, [])] for kind in KINDS}
    other = open_database()
    with other.changing() as change:
        plan = import_export.make_plan(change.connection, entries)
        assert plan.mistakes == []
        import_export.carry_out(change, plan)
    with other.reading() as connection:
        assert import_export.export(connection)["company_contact"] == document["company_contact"]
        unnumbered = [
            {name: row[name] for name in row if name != "id"} for row in document["company_contact"]
        ]
        entries["company_contact"] = [DocumentEntry(row) for row in unnumbered]
        again = import_export.make_plan(connection, entries)
    assert (again.mistakes, again.actions) == ([], [])
