"""Contacts and phonebooks over the API, beside what every family has: links, files, names in answers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openivr.client import BlockingClient
from tests.api.families import COMPANY_CONTACT
from tests.live_server import Api, Running

BOUNDARY = "boundary"
ROWS = "first_name,last_name,business_number\r\n{name},Import,+44 20 7183 8750\r\nNobody,,\r\n"


@pytest.fixture
def phonebook(api: Api) -> Iterator[int]:
    id_ = api.post("phonebook/create", {"name": "Customers"})["id"]
    yield id_
    for row in api.get("company_contact/list")["data"]:
        api.get("company_contact/delete", id=row["id"])
    assert api.get("phonebook/delete", id=id_)["errcode"] == 0


def send_file(api: Api, content: str, **fields: str) -> dict[str, Any]:
    disposition = "Content-Disposition: form-data; name="
    parts = [f'--{BOUNDARY}\r\n{disposition}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append(f'--{BOUNDARY}\r\n{disposition}"file"; filename="people.csv"\r\n\r\n{content}\r\n')
    body = ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return api.checked(api.send("POST", api.target("company_contact/import", {}), body, headers))


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    assert answer["errcode"] == 0, answer
    return tuple(answer[name] for name in ("new", "same", "changed", "refused"))


def test_a_contact_is_listed_with_its_phonebooks(api: Api, phonebook: int) -> None:
    id_ = api.post("company_contact/create", COMPANY_CONTACT.body(phonebook_id_list=[phonebook]))["id"]
    row = next(it for it in api.get("company_contact/list")["data"] if it["id"] == id_)
    assert row["phonebook_list"] == [{"id": phonebook, "name": "Customers"}]
    assert row["business"] == "+442071838750"
    assert row["mobile"] == ""
    detail = api.get("company_contact/get", id=id_)["data"]
    assert detail.items() >= row.items()
    assert detail["phonebook_id_list"] == [phonebook]
    book = api.get("phonebook/query", ids=phonebook)["data"][0]
    assert (book["total"], [it["id"] for it in book["contacts_list"]]) == (1, [id_])
    assert book["contacts_list"][0].keys() == row.keys() - {"phonebook_list"}


@pytest.mark.parametrize("name", ["add_contacts_id_list", "del_contacts_id_list"])
def test_a_phonebook_names_what_is_wrong_with_its_contacts(api: Api, phonebook: int, name: str) -> None:
    answer = api.post("phonebook/update", {"id": phonebook, name: [10**6]})
    assert answer["errcode"] == 40002
    assert name in json.dumps(answer)


def test_a_file_is_previewed_and_imported_once_into_a_phonebook(api: Api, phonebook: int) -> None:
    rows, book = ROWS.format(name="Ada"), {"phonebook_id": str(phonebook)}
    before = api.get("company_contact/list")["total_number"]
    assert counts(send_file(api, rows, is_check="ask", **book)) == (1, 0, 0, 1)
    assert api.get("company_contact/list")["total_number"] == before
    answer = send_file(api, rows, **book)
    assert counts(answer) == (1, 0, 0, 1)
    assert [row["action"] for row in answer["data"]] == ["new", "refused"]
    assert counts(send_file(api, rows, **book)) == (0, 1, 0, 1)
    assert api.get("phonebook/get", id=phonebook)["data"]["total"] == 1


@pytest.mark.parametrize(
    ("content", "fields", "name"),
    [
        ("hello", {}, "file"),
        (ROWS, {"is_check": "perhaps"}, "is_check"),
        (ROWS, {"phonebook_id": "999999"}, "phonebook_id"),
        (ROWS, {"phonebook_id": "x"}, "phonebook_id"),
    ],
)
def test_a_bad_import_is_refused_by_its_field(
    api: Api, content: str, fields: dict[str, str], name: str
) -> None:
    answer = send_file(api, content, **fields)
    assert answer["errcode"] == 40002
    assert name in json.dumps(answer)


def test_the_client_writes_and_reads_files(api: Api, phonebook: int, server: Running) -> None:
    with BlockingClient(server.base, server.client_id, server.client_secret) as client:
        done = client.company_contact.import_file(
            "people.csv", ROWS.format(name="Grace").encode(), phonebook_id=phonebook
        )
        assert (done["new"], done["refused"]) == (1, 1)
        table, cards = (client.company_contact.export(version) for version in ("csv", "vcf"))
        assert b"Grace,Import,,,,+442071838750" in table
        assert b"FN:Grace Import" in cards
        for content in (table, cards):
            again = client.company_contact.import_file("people", content, is_check="ask")
            assert (again["new"], again["changed"], again["refused"]) == (0, 0, 0)
        (row,) = client.company_contact.search("Grace Import").data
        assert client.company_contact.get(row.id).phonebook_id_list == (phonebook,)
