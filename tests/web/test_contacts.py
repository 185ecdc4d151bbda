"""Contacts on the web: imported after a look, exported, and named on pages."""

from html import unescape

import pytest

from tests.live_server import Answer, Api
from tests.web.site import Admin, where

ROWS = "First Name;Last Name;Business Phone\r\n{name};Import;+44 20 7183 8750\r\nNobody;At all;\r\n"
PATH = "/people/contacts/import"


def page(answer: Answer) -> str:
    return unescape(answer.content.decode())


def upload(admin: Admin, content: str, **fields: str) -> Answer:
    disposition = "Content-Disposition: form-data; name="
    all_fields = {"csrf": admin.csrf, **fields}
    parts = [f'--x\r\n{disposition}"{name}"\r\n\r\n{value}\r\n' for name, value in all_fields.items()]
    name = "people.csv" if content else ""
    parts.append(f'--x\r\n{disposition}"file"; filename="{name}"\r\n\r\n{content}\r\n--x--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return admin.send("POST", PATH, "".join(parts).encode(), headers)


def hidden(answer: Answer, name: str) -> str:
    text = answer.content.decode()
    start = text.index(f'name="{name}" value="') + len(f'name="{name}" value="')
    return unescape(text[start : text.index('"', start)])


def test_a_file_is_looked_at_saved_and_downloaded_again(admin: Admin, api: Api) -> None:
    book = api.post("phonebook/create", {"name": "Customers & <friends>"})["id"]
    before = api.get("company_contact/list")["total_number"]
    assert "Customers & <friends>" in page(admin.get(PATH))
    seen = upload(admin, ROWS.format(name="<b>Ada</b>"), phonebook=str(book))
    assert seen.status == 200
    assert "1 new, 0 changed, 0 there already, 1 can't be used." in page(seen)
    assert "Has no number." in page(seen)
    assert b"<b>Ada" not in seen.content
    assert api.get("company_contact/list")["total_number"] == before
    fields = [(name, hidden(seen, name)) for name in ("phonebook", "bodies")]
    assert where(admin.post(PATH, fields)) == "/people/contacts"
    listed = page(admin.get("/people/contacts?search_value=7183+8750"))
    assert "1 contact added, 0 changed." in listed
    assert "<b>Ada</b> Import" in listed
    row = api.get("company_contact/search", search_value="Import")["data"][0]
    assert [link["id"] for link in row["phonebook_list"]] == [book]
    assert "There is nothing to save." in page(upload(admin, ROWS.format(name="<b>Ada</b>")))
    table, cards = (admin.get(f"/people/contacts/contacts.{it}") for it in ("csv", "vcf"))
    assert "Import" in table.content.decode()
    assert "BEGIN:VCARD" in cards.content.decode()
    assert 'filename="contacts.vcf"' in cards.headers["content-disposition"]
    assert where(admin.post(f"/people/phonebooks/{book}/delete")) == "/people/phonebooks"
    assert api.get("company_contact/get", id=row["id"])["data"]["phonebook_list"] == []
    assert "Import" in page(admin.get("/search?text=Import"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "Choose a file."),
        ("hello", "File: this is neither a vCard file nor a CSV file with columns for names and numbers."),
    ],
)
def test_a_file_without_contacts_is_named(admin: Admin, api: Api, content: str, words: str) -> None:
    before = api.get("company_contact/list")["total_number"]
    answer = upload(admin, content)
    assert answer.status == 422
    assert words in page(answer)
    assert api.get("company_contact/list")["total_number"] == before


@pytest.mark.parametrize("bodies", ["", "[1]", "{}", '[{"first_name": "Ada"}]', '[{"number_list": 1}]'])
def test_a_damaged_form_changes_nothing(admin: Admin, api: Api, bodies: str) -> None:
    before = api.get("company_contact/list")["total_number"]
    answer = admin.post(PATH, [("bodies", bodies)])
    assert answer.status == 422
    assert "can't be read any more" in page(answer)
    assert api.get("company_contact/list")["total_number"] == before


def test_a_phonebook_that_was_deleted_is_named(admin: Admin) -> None:
    answer = upload(admin, ROWS.format(name="Ada"), phonebook="999999")
    assert answer.status == 422
    assert "The phonebook was deleted." in page(answer)
