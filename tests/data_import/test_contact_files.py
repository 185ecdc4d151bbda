"""Contacts of vCard and CSV files, and back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openivr.data_import.contact_files import (
    MAX_CONTACTS,
    read_file,
    write_csv_rows,
    write_vcards,
)
from openivr.data_import.errors import MAX_CONTACT_BYTES, ImportFailed, ImportFault
from openivr.download.csv_export import MARK, make_csv
from openivr.resources.contact import COMPANY_CONTACT, NUMBER_TYPES
from openivr.resources.resource_type import Values

CARD = """BEGIN:VCARD\r
VERSION:{version}\r
{lines}\r
END:VCARD\r
"""


def card(*lines: str, version: str = "3.0") -> bytes:
    return CARD.format(version=version, lines="\r\n".join(lines)).encode()


def numbers(body: Any) -> dict[str, str]:
    return {row["num_type"]: row["number"] for row in body["number_list"]}


def test_a_card_of_an_address_book_has_its_fields() -> None:
    (body,) = read_file(
        card(
            "N:Byron;Ada;;;",
            "FN:Ada Byron",
            "ORG:Engines;Research",
            "TITLE:Countess",
            "TEL;TYPE=WORK,VOICE:+44 (0)20 7183-8750",
            "TEL;TYPE=CELL:07700 900123",
            "TEL;TYPE=HOME,FAX:020 7183 8751",
            "EMAIL;TYPE=INTERNET:ada@example.com",
            "ADR;TYPE=WORK:;;12 St James's Square;London;;SW1Y 4JH;United Kingdom",
            "NOTE:First line\\nsecond line",
        )
    )
    assert numbers(body) == {
        "business_number": "+442071838750",
        "mobile_number": "07700900123",
        "home_fax": "02071838751",
    }
    texts = {name: value for name, value in body.items() if name != "number_list"}
    assert texts == {
        "first_name": "Ada",
        "last_name": "Byron",
        "company": "Engines, Research",
        "email": "ada@example.com",
        "remark": "First line second line",
        "street": "12 St James's Square",
        "zip_code": "SW1Y 4JH",
        "city": "London",
        "country": "United Kingdom",
    }


def test_old_and_new_cards_are_read() -> None:
    old = card(
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;;",
        "TEL;WORK;VOICE:030/1234",
        "TEL;WORK:030/1235",
        "TEL;WORK:030/1236",
        version="2.1",
    )
    new = card(
        "FN:Grace Brewster Hopper", 'TEL;TYPE="cell,voice";VALUE=uri:tel:+1-201-555-0123', version="4.0"
    )
    firm = card("FN:", "ORG:Dockyard", "item1.TEL:112233")
    first, second, third = read_file(old + new + firm)
    assert (first["first_name"], first["last_name"]) == ("Jürgen", "Müller")
    assert numbers(first) == {
        "business_number": "0301234",
        "business_number2": "0301235",
        "mobile_number": "0301236",
    }
    assert (second["first_name"], second["last_name"]) == ("Grace Brewster", "Hopper")
    assert numbers(second) == {"mobile_number": "+12015550123"}
    assert (third["first_name"], numbers(third)) == ("Dockyard", {"other_number": "112233"})


@pytest.mark.parametrize(
    "text",
    [
        "first_name,last_name,company,business_number\r\nAda,Byron,Engines,+44 20 7183 8750\r\n",
        "First Name;Last Name;Company;Business Phone\nAda;Byron;Engines;+44 20 7183 8750\n",
        "Given Name\tFamily Name\tOrganization Name\tPhone 1 - Value\nAda\tByron\tEngines\t+442071838750\n",
        '"First Name","Last Name","Company","Business Phone"\r\n'
        '"Ada","Byron","Engines","\'+44 20 7183 8750"\r\n,,,\r\n',
    ],
)
def test_a_table_has_the_names_of_the_api_or_of_address_books(text: str) -> None:
    (body,) = read_file(text.encode())
    assert body == {
        "first_name": "Ada",
        "last_name": "Byron",
        "company": "Engines",
        "number_list": [{"num_type": "business_number", "number": "+442071838750"}],
    }


def test_a_table_of_windows_is_read() -> None:
    (body,) = read_file("first name,mobile\nJürgen,0170\n".encode("cp1252"))
    assert body["first_name"] == "Jürgen"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"first_name\nAda\n",
        b"business_number\n1\n",
        b"\x00\x01\x02",
        b"BEGIN:VCARD\r\nBEGIN:VCARD\r\n",
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nADR:x\r\n",
        "first_name,mobile\n" + '"' * 200_000,
    ],
)
def test_what_has_no_contacts_is_refused(data: bytes | str) -> None:
    with pytest.raises(ImportFailed) as caught:
        read_file(data.encode() if isinstance(data, str) else data)
    assert caught.value.fault is ImportFault.NOT_CONTACTS


def test_too_much_is_refused() -> None:
    rows = "first_name,mobile\n" + "Ada,1\n" * (MAX_CONTACTS + 1)
    cards = card("FN:Ada", "TEL:1") * (MAX_CONTACTS + 1)
    for data in (rows.encode(), cards, b"x" * (MAX_CONTACT_BYTES + 1)):
        with pytest.raises(ImportFailed) as caught:
            read_file(data)
        assert caught.value.fault is ImportFault.TOO_LARGE
    clock = iter(range(0, 1000, 20)).__next__
    with pytest.raises(ImportFailed) as caught:
        read_file(card("FN:Ada", "TEL:1") * 3, clock)
    assert caught.value.fault is ImportFault.TOO_LARGE


@given(st.binary(max_size=200) | st.text(max_size=200).map(card))
@settings(deadline=None)
def test_no_file_breaks_the_reader(data: bytes) -> None:
    try:
        bodies = read_file(data)
    except ImportFailed:
        return
    assert all(isinstance(body["number_list"], list) for body in bodies)


# An apostrophe in front of a sign is the one that keeps spreadsheets from evaluating the cell.
WORDS = (
    st.text(st.sampled_from("Ada Byörn=+-@;,'\"\\n:é"), max_size=20)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: not text.startswith("'"))
)
NUMBERS = st.from_regex(r"\+?[0-9*#]{1,12}", fullmatch=True)
CONTACTS = st.builds(
    lambda first, texts, rows: COMPANY_CONTACT.parse({"first_name": first, **texts, "number_list": rows}),
    WORDS.filter(bool),
    st.dictionaries(st.sampled_from(("last_name", "company", "remark", "city", "street")), WORDS),
    st.dictionaries(st.sampled_from(tuple(NUMBER_TYPES)), NUMBERS, min_size=1, max_size=9).map(
        lambda rows: [{"num_type": type_, "number": number} for type_, number in rows.items()]
    ),
)


@given(st.lists(CONTACTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_a_csv_file_comes_back_as_it_was(contacts: list[Values]) -> None:
    text = MARK + make_csv(write_csv_rows(contacts))
    again = [COMPANY_CONTACT.parse(body) for body in read_file(text.encode())]
    assert list(map(plain, again)) == list(map(plain, contacts))


def plain(values: Values) -> Values:
    return {**values, "number_list": numbers(values)}


@given(st.lists(CONTACTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_a_vcard_file_keeps_names_and_numbers(contacts: list[Values]) -> None:
    bodies = read_file(write_vcards(contacts).encode())
    assert len(bodies) == len(contacts)
    for body, values in zip(bodies, contacts, strict=True):
        names = [" ".join(filter(None, (it.get("first_name"), it.get("last_name")))) for it in (body, values)]
        assert names[0] == names[1]
        assert {*numbers(body).values()} == {*numbers(values).values()}
