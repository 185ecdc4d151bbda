"""Lists and forms of every kind: what is good is kept as the API keeps it, what is bad changes nothing."""

import re
import time
from html import unescape
from itertools import count
from typing import Any

import pytest

from openivr.resources import KINDS
from openivr.resources.extension import bind_digest
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallRecord
from openivr.store.config import resources
from openivr.store.runtime import registrations
from openivr.store.runtime.registrations import Registration, TrunkStatus
from openivr.store.system import find_download_key
from openivr.web.forms.inputs import MAX_MOVABLE
from openivr.web.resources import phone_setup
from openivr.web.resources.views import RESOURCE_VIEWS, ResourceView
from tests.live_server import Answer, Api
from tests.store.bodies import extension
from tests.web.site import Admin, where

NUMBERS = count(3200)  # none of them is found by 100
KINDS_WITH_PAGES = [view for view in RESOURCE_VIEWS.values() if view.kind.paths]  # others have own tests
COMPARED = [view for view in KINDS_WITH_PAGES if view.kind.name != "pin_list"]  # PINs cannot be compared
HOSTILE = "<script>alert(1)</script>\"'&"
ALERT = re.compile(r'<div class="card wrongs"')

# A good form of each kind, and what the API then says of it.
FORMS: dict[str, dict[str, Any]] = {
    "extension": {
        "first_name": "Jean",
        "reg_name": "{number}",
        "reg_password": "long enough",
        "presence_status": "available",
        "concurrent_registrations": "2",
        "ring_timeout": "20",
        "enb_vm": "1",
        "new_vm_notify": "no",
        "after_vm_notify": "no",
    },
    "ext_group": {"name": "Group {number}", "member_list": ["extension:2", "extension:1"]},
    "ring_group": {
        "name": "Ring {number}",
        "ring_strategy": "sequentially",
        "ring_timeout": "25",
        "member_list": ["extension:3", "ext_group:1"],
        "fail_dest": "ivr",
        "fail_dest_target": "6200 VoiceMenu Navigator",
    },
    "trunk": {
        "name": "Trunk {number}",
        "type": "peer",
        "enable": "1",
        "hostname": "sip.example.com",
        "port": "5061",
        "transport": "tls",
        "get_caller_id_from": "rpid",
        "country_code": "1",
        "national_prefix": "",
        "outbound_number_format": "e164",
        "max_calls": "4",
        "password": "open sesame",
    },
    "inbound_route": {
        "name": "In {number}",
        "did_pattern_list.did_pattern": ["44123", ""],
        "trunk_list.add": "Provider",
        "def_dest": "extension",
        "def_dest_target": "1000",
    },
    "outbound_route": {
        "name": "Out {number}",
        "dial_pattern_list.pattern": ["9X.", ""],
        "dial_pattern_list.strip": ["1", "0"],
        "dial_pattern_list.prepend": ["00", ""],
        "trunk_list": ["trunk:1"],
        "ext_list.add": "Sales",
        "max_calls": "1",
        "max_calls_per_hour": "2",
        "max_calls_per_caller": "3",
    },
    "block_numbers": {
        "name": "Nuisance {number}",
        "number_list.number": ["0900X.", "+4412345", ""],
        "limit_type": "both",
        "def_dest": "ivr",
        "def_dest_target": "6200",
    },
    "allow_numbers": {
        "name": "Known {number}",
        "number_list.number": ["anonymous", ""],
        "limit_type": "inbound",
    },
    "businesshour": {
        "days_of_week": ["mon", "tue", "sat"],
        "office_times.value": ["9:00-18:00", ""],
        "reset_times.value": ["12:00-13:00", ""],
        "remark": "Office {number}",
    },
    "holiday": {"name": "Christmas {number}", "type": "month", "date": "12/25-12/26"},
    "timezone": {"name": "Berlin {number}", "timezone": "Europe/Berlin"},
    "announcement": {
        "name": "Storm {number}",
        "prompt": "default",
        "before_list": ["ivr:1", "inbound_route:1"],
        "end_time": "2199-12-24T18:00",
    },
    "webhook": {
        "name": "Hook {number}",
        "enable": "1",
        "url": "https://example.com/{number}",
        "secret": "secret-of-hook",
        "request_method": "POST",
        "timeout": "7",
        "event_ids": ["30011"],
    },
    "pin_list": {"name": "PINs {number}", "add_pins": "228391827 3301"},
    "company_contact": {
        "first_name": "Ada {number}",
        "last_name": "Byron",
        "company": "Analytical Engines",
        "number_list.number": ["+44 20 7183-8750", "07700 900123", ""],
        "number_list.num_type": ["business_number", "mobile_number", "business_number"],
        "city": "London",
    },
    "phonebook": {"name": "Customers {number}", "member_select": "sel_specific"},
}
SHOWN: dict[str, dict[str, Any]] = {
    "extension": {
        "first_name": "Jean",
        "concurrent_registrations": 2,
        "ring_timeout": 20,
        "enb_vm": 1,
        "type": "SIP",
    },
    "ext_group": {},
    "ring_group": {
        "ring_strategy": "sequentially",
        "ring_timeout": 25,
        "fail_dest": "ivr",
        "fail_dest_value": "3",
    },
    "trunk": {
        "type": "peer",
        "hostname": "sip.example.com",
        "port": 5061,
        "transport": "tls",
        "get_caller_id_from": "rpid",
        "country_code": "1",
        "national_prefix": "",
        "outbound_number_format": "e164",
        "max_calls": 4,
    },
    "inbound_route": {
        "did_pattern_list": [{"did_pattern": "44123"}],
        "def_dest": "extension",
        "def_dest_value": "1",
    },
    "outbound_route": {
        "dial_pattern_list": [{"pattern": "9X.", "strip": 1, "prepend": "00"}],
        "max_calls": 1,
        "max_calls_per_hour": 2,
        "max_calls_per_caller": 3,
    },
    "block_numbers": {
        "number_list": "0900X.&+4412345",
        "limit_type": "both",
        "def_dest": "ivr",
        "def_dest_value": "3",
    },
    "allow_numbers": {"number_list": "anonymous", "limit_type": "inbound"},
    "businesshour": {
        "days_of_week": "mon tue sat",
        "office_times": [{"value": "09:00-18:00"}],
        "reset_times": [{"value": "12:00-13:00"}],
    },
    "holiday": {"type": "month", "date": "12/25-12/26"},
    "timezone": {"timezone": "Europe/Berlin", "is_default": 0},
    "announcement": {"prompt": "default", "begin_time": "", "end_time": "2199/12/24 18:00"},
    "pin_list": {"pin_list": "****,****"},
    "company_contact": {
        "company": "Analytical Engines",
        "business": "+442071838750",
        "mobile": "07700900123",
        "city": "London",
        "phonebook_list": [],
    },
    "phonebook": {"member_select": "sel_specific", "contacts_list": [], "total": 0},
}
# A form that is bad in one way: the field, what is put in, and words of the answer.
BAD = [
    ("extension", "number", "", "Number is required."),
    ("extension", "number", "12a", "Number can only contain digits."),
    ("extension", "number", "1000", "Number: 1000 is already used by extension 1000."),
    ("extension", "number", "6200", "Number: 6200 is already used by menu 6200."),
    ("extension", "email_addr", "nobody", "Email must look like name@example.com."),
    ("extension", "reg_password", "short", "Password must have 8 to 63 characters."),
    ("extension", "vm_pin", "12a", "PIN can only contain digits."),
    ("extension", "ring_timeout", "4", "Rings for must be between 5 and 300."),
    ("extension", "concurrent_registrations", "two", "Phones at once must be a whole number."),
    ("extension", "presence_status", "asleep", "Presence: choose one of"),
    ("ext_group", "name", "", "Name is required."),
    ("ext_group", "member_list.add", "Nobody at all", "Members: “Nobody at all” doesn't exist."),
    ("ext_group", "member_list", "extension:999", "Members: the extension no longer exists."),
    ("ring_group", "ring_strategy", "custom", "Ring order: custom is not available on this server."),
    ("ring_group", "fail_dest_target", "9999", "If nobody answers: “9999” doesn't exist."),
    ("ring_group", "join_prompt.add", "none.wav", "Greeting: there is no prompt called “none.wav”."),
    ("trunk", "hostname", "", "Server is required for this type of trunk."),
    ("trunk", "port", "0", "Port must be between 1 and 65535."),
    ("inbound_route", "def_dest", "", "Choose where these calls go."),
    ("inbound_route", "did_pattern_list.did_pattern", "no spaces", "check the marked rows."),
    ("outbound_route", "dial_pattern_list.pattern", "9[", "check the marked rows."),
    ("block_numbers", "number_list.number", "a b", "check the marked rows."),
    ("outbound_route", "max_calls", "-1", "Calls at once must be"),
    ("businesshour", "office_times.value", "09:00-24:00", "“09:00-24:00” has a time that no clock shows."),
    ("businesshour", "office_times.value", "09:00-25:00", "“09:00-25:00” has a time that no clock shows."),
    ("businesshour", "office_times.value", "18:00-09:00", "“18:00-09:00” must end after it starts."),
    ("businesshour", "reset_times.value", "noon", "write “noon” as 09:00-18:00."),
    ("businesshour", "office_times.value", "", "Open is required."),
    ("businesshour", "timezone_id", "Nowhere", "Calendar: “Nowhere” doesn't exist."),
    ("holiday", "date", "02/31", "“02/31” has a date that doesn't exist."),
    ("holiday", "date", "2026/12/26-2026/12/25", "must not end before it starts."),
    ("holiday", "date", "", "Dates is required."),
    ("pin_list", "add_pins", "12a4", "PINs can only contain digits."),
    ("pin_list", "add_pins", "12", "PINs must have 3 to 15 characters."),
    ("pin_list", "add_pins", "2283,2283", "PINs contains the same entry twice."),
    ("company_contact", "first_name", "", "First name is required."),
    ("company_contact", "email", "nobody", "Email must look like name@example.com."),
    ("company_contact", "phonebook_id_list.add", "None such", "Phonebooks: “None such” doesn't exist."),
    ("phonebook", "name", "", "Name is required."),
    ("announcement", "end_time", "2199-02-31T18:00", "has a date that doesn't exist."),
    ("announcement", "begin_time", "2199-12-24T19:00", "must not end before it starts."),
    ("announcement", "before_list", "ring_group:1", "Played before"),
    ("timezone", "timezone", "Europe/Nowhere", "there is no time zone “Europe/Nowhere”."),
]


def form(kind: str) -> list[tuple[str, str]]:
    """A good form for a new object."""
    number = str(next(NUMBERS))
    texts = {"number": [number]} if any(f.name == "number" for f in KINDS[kind].fields) else {}
    for name, value in FORMS[kind].items():
        texts[name] = [text.format(number=number) for text in ([value] if isinstance(value, str) else value)]
    return [(name, text) for name, values in texts.items() for text in values]


def put(fields: list[tuple[str, str]], name: str, text: str) -> list[tuple[str, str]]:
    """The form with another text in the place of all under a name."""
    return [*((key, value) for key, value in fields if key != name), (name, text)]


def page(answer: Answer) -> str:
    return unescape(answer.content.decode())


def create(admin: Admin, view: ResourceView) -> int:
    answer = admin.post(f"{view.path}/new", form(view.kind.name))
    if found := re.search(r'data-address="/people/extensions/(\d+)/setup"', page(answer)):
        return int(found[1])  # the password of a phone is shown once, in the answer
    assert answer.status == 303, page(answer)
    return int(where(answer).rpartition("/")[2])


def shown(api: Api, view: ResourceView, ident: int) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"{view.kind.paths[0]}/get", id=ident)
    return answer.get("data", answer)


def total(api: Api, view: ResourceView) -> int:
    found: int = api.get(f"{view.kind.paths[0]}/list")["total_number"]
    return found


@pytest.mark.parametrize("view", KINDS_WITH_PAGES, ids=lambda view: view.kind.name)
def test_what_a_form_creates_the_api_shows(admin: Admin, api: Api, view: ResourceView) -> None:
    ident = create(admin, view)
    assert shown(api, view, ident).items() >= SHOWN[view.kind.name].items()
    row = shown(api, view, ident)
    if view.kind.name == "ext_group":
        assert [member["text2"] for member in row["member_list"]] == ["1001", "1000"]
    if view.kind.name == "outbound_route":
        assert [link["text"] for link in row["ext_list"]] == ["Sales"]
    listed = page(admin.get(view.path + "?page_size=500"))
    assert f'{view.path}/{ident}"' in listed


@pytest.mark.parametrize("view", KINDS_WITH_PAGES, ids=lambda view: view.kind.name)
def test_a_form_that_is_sent_as_it_came_changes_nothing(admin: Admin, api: Api, view: ResourceView) -> None:
    ident = create(admin, view)
    before = shown(api, view, ident)
    answer = admin.post(f"{view.path}/{ident}", read_form(admin.get(f"{view.path}/{ident}")))
    assert answer.status == 303, page(answer)
    assert shown(api, view, ident) == before


def read_form(answer: Answer) -> list[tuple[str, str]]:
    """The fields of an object's form as a browser would send them."""
    text = answer.content.decode()
    start = text.index('<form class="object"')
    fields = []
    body = text[start : text.index("</form>", start)]
    for tag in re.findall(r"<input[^>]*>|<select.*?</select>", body, re.DOTALL):
        named = re.search(r'name="([^"]*)"', tag)
        if named is None or named[1] == "csrf":
            continue
        if tag.startswith("<select"):
            chosen = re.search(r'value="([^"]*)" selected', tag)
            fields.append((named[1], unescape(chosen[1]) if chosen else ""))
        elif 'type="checkbox"' not in tag or " checked" in tag:
            value = re.search(r'value="([^"]*)"', tag)
            fields.append((named[1], unescape(value[1]) if value else ""))
    return fields


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad[0]}-{bad[1]}-{bad[2]}")
def test_what_is_bad_is_named_and_changes_nothing(
    admin: Admin, api: Api, bad: tuple[str, str, str, str]
) -> None:
    kind, name, text, words = bad
    view = RESOURCE_VIEWS[kind]
    before = total(api, view)
    fields = put(form(kind), name, text)
    answer = admin.post(f"{view.path}/new", fields)
    assert answer.status == 422
    assert words in page(answer)
    assert ALERT.search(page(answer))
    assert total(api, view) == before
    kept, listed = read_form(answer), (".add", "_list", "_status", "_strategy")
    assert [one for one in fields if one not in kept and not one[0].endswith(listed)] == []


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad[0]}-{bad[1]}-{bad[2]}")
def test_a_bad_change_changes_nothing(admin: Admin, api: Api, bad: tuple[str, str, str, str]) -> None:
    kind, name, text, words = bad
    view = RESOURCE_VIEWS[kind]
    path = f"{view.path}/{create(admin, view)}"
    ident = int(path.rpartition("/")[2])
    before = shown(api, view, ident)
    fields = read_form(admin.get(path))
    answer = admin.post(path, put(fields, name, text))
    assert answer.status == 422
    assert words in page(answer)
    assert shown(api, view, ident) == before


def test_every_problem_is_told_at_once(admin: Admin) -> None:
    fields = form("extension")
    for name, text in (("number", ""), ("email_addr", "x"), ("ring_timeout", "1")):
        fields = put(fields, name, text)
    text = page(admin.post("/people/extensions/new", fields))
    assert text.count('class="problem"') == 3
    assert "Not saved: 3 things need fixing." in text


def test_secrets_are_kept_where_nothing_is_typed_and_never_shown(admin: Admin, api: Api) -> None:
    fields = form("trunk")
    ident = int(where(admin.post("/routes/trunks/new", fields)).rpartition("/")[2])
    answer = admin.get(f"/routes/trunks/{ident}")
    assert b"open sesame" not in answer.content
    assert admin.post(f"/routes/trunks/{ident}", read_form(answer)).status == 303
    with admin.running.database() as database, database.reading() as connection:
        assert resources.fetch(connection, KINDS["trunk"], ident)["password"] == "open sesame"


def test_a_new_registration_name_needs_its_password(admin: Admin) -> None:
    ident = create(admin, RESOURCE_VIEWS["extension"])
    fields = read_form(admin.get(f"/people/extensions/{ident}"))
    answer = admin.post(f"/people/extensions/{ident}", put(fields, "reg_name", "another"))
    assert answer.status == 422
    assert "Enter the password again" in page(answer)


def test_a_password_is_made_up_and_shown_until_it_is_saved(admin: Admin) -> None:
    made = re.compile(r'id="reg_password"[^>]*type="text" value="(\w{23})"')
    first = made.search(page(admin.get("/people/extensions/new")))
    assert first
    ident = create(admin, RESOURCE_VIEWS["extension"])
    path = f"/people/extensions/{ident}"
    fields = read_form(admin.get(path))
    answer = admin.post(path, [*fields, ("do", "reg_password make")])
    second = made.search(page(answer))
    assert second
    assert second[1] != first[1]
    refused = page(admin.post(path, put(read_form(answer), "number", "x")))
    assert made.findall(refused) == [second[1]]
    assert shown_password(admin.post(path, read_form(answer))) == second[1]
    assert second[1] not in page(admin.get(path))
    assert second[1] not in page(admin.get(path + "/setup"))


def shown_password(answer: Answer) -> str:
    """The password of a phone that a page shows, "" if it shows none."""
    found = re.search(r'<code id="setup-password">(\w+)<', page(answer))
    return found[1] if found else ""


def test_a_new_phone_is_set_up_from_one_panel(admin: Admin) -> None:
    fields = dict(put(put(form("extension"), "reg_password", "shown once only"), "reg_name", "desk"))
    answer = admin.post("/people/extensions/new", fields)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    rows = dict(re.findall(r'<code id="setup-(\w+)">([^<]*)<', page(answer)))
    assert rows == {
        "server": "127.0.0.1",
        "port": "5060",
        "transport": "UDP",
        "user": "desk",
        "password": "shown once only",
    }
    assert page(answer).count("<svg viewBox") == 2
    assert "Phones can't reach 127.0.0.1" in page(answer)


def test_a_free_number_is_proposed(admin: Admin) -> None:
    field = re.compile(r'id="(number|reg_name)"[^>]*value="(\d*)"')
    path = "/people/extensions"
    ident = create(admin, RESOURCE_VIEWS["extension"])
    number = dict(field.findall(page(admin.get(f"{path}/{ident}"))))["number"]
    proposed = dict(field.findall(page(admin.get(f"{path}/new"))))
    assert int(proposed["number"]) > int(number)
    assert proposed["reg_name"] == proposed["number"]
    fields = put(put(form("extension"), "number", proposed["number"]), "reg_name", "")
    answer = admin.post(f"{path}/new", fields)  # the user name is the number where none is typed
    assert re.findall(r'<code id="setup-user">(\w+)<', page(answer)) == [proposed["number"]]
    assert field.search(page(admin.get("/people/ring-groups/new")))


def test_a_menu_is_given_a_number(admin: Admin) -> None:
    text = page(admin.get("/routes/inbound/new?menu=3"))
    assert 'id="name" name="name" type="text" value="VoiceMenu Navigator"' in text
    assert 'value="6200 VoiceMenu Navigator"' in text
    assert '<option value="ivr" selected>' in text
    assert admin.get("/routes/inbound/new?menu=999999999999").status == 404


def test_routes_and_trunks_say_how_numbers_arrived(admin: Admin) -> None:
    trunk = create(admin, RESOURCE_VIEWS["trunk"])
    assert "Numbers as they arrive" not in page(admin.get(f"/routes/trunks/{trunk}"))
    called = ("020 1", "+441632960000")
    calls = [
        CallRecord(f"a{at}", started=at, called=number, source_kind="trunk", source_id=trunk, source="Line")
        for at, number in enumerate(called, 1_700_000_000_000)
    ]
    with admin.running.database() as database, database.writing() as connection:
        call_records.save(connection, calls)
    for path in (f"/routes/trunks/{trunk}", "/routes/inbound/new"):
        assert "Line sends +441632960000 (last call: 2023-11-14 " in page(admin.get(path))


def test_a_password_is_renewed_from_the_panel(admin: Admin) -> None:
    ident = create(admin, RESOURCE_VIEWS["extension"])
    path = f"/people/extensions/{ident}/setup"
    assert shown_password(admin.get(path)) == ""
    first, second = (shown_password(admin.post(path)) for _ in range(2))
    assert len(first) == len(second) == 23
    assert first != second
    with admin.running.database() as database, database.reading() as connection:
        stored = resources.fetch(connection, KINDS["extension"], ident)
    assert stored["reg_password"] == bind_digest(stored["reg_name"], second)
    assert shown_password(admin.get(path)) == ""
    assert admin.get("/people/extensions/9999/setup").status == 404


def test_a_hint_says_if_a_secret_is_set(admin: Admin) -> None:
    ident = create(admin, RESOURCE_VIEWS["extension"])
    path = f"/people/extensions/{ident}"
    pin = re.compile(r'id="vm_pin"[^>]*placeholder="([^"]*)"')
    answer = admin.get(path)
    assert pin.findall(page(answer)) == ["Not set"]
    assert page(answer).count("Leave blank to keep the current one.") == 1  # the password's
    assert admin.post(path, put(read_form(answer), "vm_pin", "836251")).status == 303
    answer = admin.get(path)
    assert pin.findall(page(answer)) == ["Set, not shown"]
    assert page(answer).count("Leave blank to keep the current one.") == 2
    assert "836251" not in page(answer)


def test_items_are_moved_without_saving(admin: Admin, api: Api) -> None:
    fields = form("ext_group")
    ident = int(where(admin.post("/people/groups/new", fields)).rpartition("/")[2])
    path = f"/people/groups/{ident}"
    chosen = re.compile(r'name="member_list" value="([^"]*)"')
    for steps, after in (
        ("member_list up 1", ["extension:1", "extension:2"]),
        ("member_list down 0", ["extension:1", "extension:2"]),
        ("member_list remove 0", ["extension:1"]),
        ("member_list add", ["extension:2", "extension:1", "extension:4"]),
        ("nonsense", ["extension:2", "extension:1", "extension:4"]),
    ):
        typed = [("member_list.add", "1003")] if after[-1] == "extension:4" else []
        answer = admin.post(path, [*fields, *typed, ("do", steps)])
        assert answer.status == 200
        assert chosen.findall(page(answer)) == after
    assert [member["value"] for member in shown(api, RESOURCE_VIEWS["ext_group"], ident)["member_list"]] == [
        "2",
        "1",
    ]


@pytest.mark.parametrize("view", KINDS_WITH_PAGES, ids=lambda view: view.kind.name)
def test_deleting(admin: Admin, api: Api, view: ResourceView) -> None:
    ident = create(admin, view)
    path = f"{view.path}/{ident}/delete"
    assert "Nothing uses" in page(admin.get(path))
    assert shown(api, view, ident)["id"] == ident
    assert where(admin.post(path)) == view.path
    assert shown(api, view, ident)["errcode"] == 60001
    assert "is deleted." in page(admin.get(view.path))
    for answer in (admin.get(path), admin.post(path), admin.get(f"{view.path}/{ident}")):
        assert answer.status == 404
    assert admin.post(f"{view.path}/{ident}", form(view.kind.name)).status == 404


def test_what_others_point_to_is_not_deleted(admin: Admin, api: Api) -> None:
    for method in (admin.get, admin.post):
        answer = method("/people/extensions/1/delete")
        assert "it is used in" in page(answer)
        assert '<a href="/menus/3">Menu 6200</a>' in page(answer)
        assert '<a href="/people/groups/1">Extension group Sales</a>' in page(answer)
    assert answer.status == 409
    assert shown(api, RESOURCE_VIEWS["extension"], 1)["number"] == "1000"


def test_names_from_elsewhere_are_text(admin: Admin) -> None:
    view = RESOURCE_VIEWS["ext_group"]
    ident = int(
        where(admin.post(f"{view.path}/new", [("name", HOSTILE), ("member_list.add", HOSTILE)])).rpartition(
            "/"
        )[2]
        or 0
    )
    assert ident == 0
    ident = int(where(admin.post(f"{view.path}/new", [("name", HOSTILE)])).rpartition("/")[2])
    for path in (view.path, f"{view.path}/{ident}", f"{view.path}/{ident}/delete", "/pick?kinds=ext_group"):
        content = admin.get(path).content.decode()
        assert "<script>alert" not in content
        assert "&lt;script&gt;alert" in content
    admin.post(f"{view.path}/{ident}/delete")


def test_lists_are_sorted_searched_and_paged(admin: Admin) -> None:
    path = "/people/extensions"
    numbers = re.compile(r'<td class="number">(\d+)</td>')
    assert numbers.findall(page(admin.get(path)))[:4] == ["1000", "1001", "1002", "1003"]
    found = numbers.findall(page(admin.get(path + "?sort_by=caller_id_name&search_value=100&order_by=desc")))
    assert found == ["1003", "1001", "1002", "1000"]
    assert numbers.findall(page(admin.get(path + "?search_value=hopper"))) == ["1001"]
    assert "No match for “nobody”" in page(admin.get(path + "?search_value=nobody"))
    for nonsense in ("?page=x", "?page=99999999999", "?sort_by=1;drop", "?order_by=up", "?page_size=-1"):
        assert admin.get(path + nonsense).status == 200


def test_options_while_typing(admin: Admin) -> None:
    def options(query: str) -> list[str]:
        return re.findall(r'<option value="([^"]*)">', page(admin.get("/pick?" + query)))

    assert options("kinds=extension&from=x&x=grace") == ["1001 Grace Hopper"]
    assert options("kinds=extension,ext_group&from=x&x=Sales") == ["Sales"]
    assert options("goal=g&g=ext_vm&from=x&x=1000+Ada+Byron") == ["1000 Ada Byron"]
    assert options("goal=g&g=ivr&from=x&x=")[0] == "6200 VoiceMenu Navigator"
    assert options("goal=g&g=end_call&from=x&x=") == []
    assert options("kinds=nonsense,&from=x&x=%00") == []


def test_what_a_stranger_could_dial(admin: Admin, api: Api) -> None:
    text = page(admin.get("/routes/outbound/1"))
    assert "Anyone who calls one of the menus 6200, 6201 can dial" in text
    assert "11 digits beginning with 9" in text
    assert "At most 2 calls at once and 30 an hour; 5 an hour for each caller." in text
    ident = create(admin, RESOURCE_VIEWS["outbound_route"])
    assert "no menu lets its callers use this route" in page(admin.get(f"/routes/outbound/{ident}"))


def test_a_long_list_is_ticked_instead_of_moved(admin: Admin, api: Api) -> None:
    people = [
        api.post("extension/create", extension(str(number), reg_name=f"long{number}"))["id"]
        for number in range(8000, 8000 + MAX_MOVABLE + 1)
    ]
    fields = [("name", "Everybody"), *(("member_list", f"extension:{ident}") for ident in people)]
    path = where(admin.post("/people/groups/new", fields))
    kept = read_form(admin.get(path))
    assert "101 in all." in page(admin.get(path))
    assert "Move 8000 up" not in page(admin.get(path))
    assert admin.post(path, [one for one in kept if one[1] != f"extension:{people[7]}"]).status == 303
    left = [
        one["value"]
        for one in shown(api, RESOURCE_VIEWS["ext_group"], int(path.rpartition("/")[2]))["member_list"]
    ]
    assert left == [str(ident) for ident in people if ident != people[7]]
    assert "Move 8000 down" in page(admin.get(path))


# What one administrator changes and another, in the form and in the API's words; and what the second is told.
BOTH: dict[str, tuple[tuple[str, str], dict[str, Any], tuple[str, str], str]] = {
    "extension": (
        ("first_name", "Mine"),
        {"last_name": "Theirs"},
        ("last_name", "Theirs"),
        "First name: Jean → Mine",
    ),
    "ext_group": (
        ("member_list", "extension:3"),
        {"name": "Theirs"},
        ("name", "Theirs"),
        "Members: 1001 Grace Hopper, 1000 Ada Byron → 1002 Alan Turing",
    ),
    "ring_group": (
        ("fail_dest", "end_call"),
        {"ring_timeout": 60},
        ("ring_timeout", "60"),
        "If nobody answers: VoiceMenu Navigator (6200) → Hang up",
    ),
    "trunk": (
        ("transport", "tcp"),
        {"enable": 0},
        ("port", "5061"),
        "Transport: TLS → TCP",
    ),
    "inbound_route": (
        ("did_pattern_list.did_pattern", "44999"),
        {"alert_info": "theirs"},
        ("alert_info", "theirs"),
        "Called number: 44123 → 44999",
    ),
    "outbound_route": (
        ("max_calls", "7"),
        {"max_calls_per_hour": 99},
        ("max_calls_per_hour", "99"),
        "Calls at once: 1 → 7",
    ),
    "block_numbers": (
        ("limit_type", "inbound"),
        {"def_dest": "end_call"},
        ("def_dest", "end_call"),
        "Blocks: Calls from and to them → Calls from them",
    ),
    "allow_numbers": (
        ("number_list.number", "5."),
        {"limit_type": "both"},
        ("limit_type", "both"),
        "Numbers: anonymous → 5.",
    ),
    "businesshour": (
        ("office_times.value", "10:00-16:00"),
        {"remark": "Theirs"},
        ("remark", "Theirs"),
        "Open: 09:00-18:00 → 10:00-16:00",
    ),
    "holiday": (
        ("date", "12/24-12/26"),
        {"name": "Theirs"},
        ("name", "Theirs"),
        "Dates: 12/25-12/26 → 12/24-12/26",
    ),
    "announcement": (
        ("end_time", "2199-12-24T19:00"),
        {"name": "Theirs"},
        ("name", "Theirs"),
        "Until: 2199/12/24 18:00 → 2199/12/24 19:00",
    ),
    "company_contact": (
        ("company", "Engines & Co"),
        {"last_name": "Theirs"},
        ("last_name", "Theirs"),
        "Company: Analytical Engines → Engines & Co",
    ),
    "phonebook": (
        ("member_select", "sel_all"),
        {"name": "Theirs"},
        ("name", "Theirs"),
        "Contacts in it: Chosen in each contact → All contacts",
    ),
    "timezone": (
        ("timezone", "Europe/Paris"),
        {"name": "Theirs"},
        ("name", "Theirs"),
        "Time zone: Europe/Berlin → Europe/Paris",
    ),
}


@pytest.mark.parametrize("view", COMPARED, ids=lambda view: view.kind.name)
def test_two_who_change_the_same_object_are_told(admin: Admin, api: Api, view: ResourceView) -> None:
    mine, theirs, (name, text), said = BOTH[view.kind.name]
    ident = create(admin, view)
    path = f"{view.path}/{ident}"
    fields = read_form(admin.get(path))
    assert api.post(f"{view.kind.paths[0]}/update", {"id": ident} | theirs)["errcode"] == 0
    before = shown(api, view, ident)
    answer = admin.post(path, put(fields, *mine))
    assert answer.status == 409
    kind = KINDS[view.kind.name].title.lower()
    assert f"Another administrator has saved this {kind} in the meantime" in page(answer)
    assert "1 unsaved change" in page(answer)
    assert f"<li>{said}</li>" in page(answer)
    assert shown(api, view, ident) == before
    again = read_form(answer)
    assert mine in again
    assert (name, text) in again
    assert admin.post(path, again).status == 303
    saved = shown(api, view, ident)
    assert {key: saved[key] for key in theirs} == theirs
    assert saved != before
    assert mine in read_form(admin.get(path))


def test_pins_are_counted_added_and_taken_away_and_never_shown(admin: Admin, api: Api) -> None:
    view = RESOURCE_VIEWS["pin_list"]
    path = f"{view.path}/{create(admin, view)}"
    fields = read_form(admin.get(path))
    assert "PINs in this list: 2" in page(admin.get(path))
    for name, text, number in (("add_pins", "918273645 0042", 4), ("remove_pins", "228391827,0042", 2)):
        assert admin.post(path, put(fields, name, text)).status == 303
        shown_now = page(admin.get(path))
        assert f"PINs in this list: {number}" in shown_now
        assert not any(secret in shown_now for secret in ("228391827", "918273645", "argon2"))
    answer = admin.post(path, put(fields, "remove_pins", "228391827"))
    assert "a PIN to take away is not in the list" in page(answer)
    assert "PINs in this list: 2" in page(admin.get(path))
    assert "argon2" not in page(admin.get(view.path))


def test_two_who_change_pins_keep_both_changes(admin: Admin, api: Api) -> None:
    view = RESOURCE_VIEWS["pin_list"]
    id_ = create(admin, view)
    path = f"{view.path}/{id_}"
    fields = put(read_form(admin.get(path)), "add_pins", "7777")
    assert api.post("pin_list/update", {"id": id_, "name": "Theirs", "add_pins": "8888"})["errcode"] == 0
    answer = admin.post(path, fields)
    assert answer.status == 409
    assert "<li>PINs: changed</li>" in page(answer)
    assert admin.post(path, read_form(answer)).status == 303
    saved = shown(api, view, id_)
    assert (saved["name"], saved["pin_list"]) == ("Theirs", ",".join(["****"] * 4))


def test_two_who_change_the_same_field_are_told(admin: Admin, api: Api) -> None:
    ident = create(admin, RESOURCE_VIEWS["ext_group"])
    path = f"/people/groups/{ident}"
    fields = read_form(admin.get(path))
    assert api.post("extension_group/update", {"id": ident, "name": "Their own"})["errcode"] == 0
    answer = admin.post(path, put(fields, "name", "Mine"))
    assert answer.status == 409
    assert "<li>Name: Their own → Mine</li>" in page(answer)
    assert "You both changed: Name." in page(answer)
    assert shown(api, RESOURCE_VIEWS["ext_group"], ident)["name"] == "Their own"
    assert admin.post(path, read_form(answer)).status == 303
    assert shown(api, RESOURCE_VIEWS["ext_group"], ident)["name"] == "Mine"


def test_a_new_password_waits_like_every_other_change(admin: Admin, api: Api) -> None:
    ident = create(admin, RESOURCE_VIEWS["trunk"])
    path = f"/routes/trunks/{ident}"
    fields = read_form(admin.get(path))
    assert api.post("trunk/update", {"id": ident, "port": 5070})["errcode"] == 0
    answer = admin.post(path, put(fields, "password", "close sesame"))
    assert (answer.status, "<li>Password: changed</li>" in page(answer)) == (409, True)
    assert admin.post(path, read_form(answer)).status == 303
    with admin.running.database() as database, database.reading() as connection:
        kept = resources.fetch(connection, KINDS["trunk"], ident)
    assert (kept["password"], kept["port"]) == ("close sesame", 5070)


def test_a_refused_form_still_sees_what_others_saved(admin: Admin, api: Api) -> None:
    ident = create(admin, RESOURCE_VIEWS["extension"])
    path = f"/people/extensions/{ident}"
    fields = read_form(admin.get(path))
    number = dict(fields)["number"]
    changed = {"id": ident, "presence_status": "lunch", "first_name": "Theirs", "last_name": "Kept"}
    assert api.post("extension/update", changed)["errcode"] == 0
    refused = admin.post(path, put(put(fields, "first_name", "Mine"), "number", ""))
    assert refused.status == 422
    assert "Another administrator has saved this extension in the meantime" in page(refused)
    assert "You both changed: First name." in page(refused)
    assert "<li>First name: Theirs → Mine</li>" in page(refused)
    assert admin.post(path, put(read_form(refused), "number", number)).status == 303
    row = shown(api, RESOURCE_VIEWS["extension"], ident)
    assert (row["first_name"], row["last_name"], row["presence_status"]) == ("Mine", "Kept", "lunch")


def test_forwarding_is_shown_as_a_picture_and_edited_below_it(admin: Admin, api: Api) -> None:
    ident = create(admin, RESOURCE_VIEWS["extension"])
    path = f"/people/extensions/{ident}"
    answer = admin.get(path)
    assert "rings 20 s" in page(answer)
    assert "then voicemail" in page(answer)
    fields = read_form(answer)
    stem = "presence_list.available"
    changes = {
        **{f"{stem}.ring_timeout": "15", f"{stem}.ex_no_answer": "extension"},
        **{f"{stem}.ex_no_answer_target": "1001", f"{stem}.ex_busy": "", f"{stem}.in_always": "end_call"},
        **{f"{stem}.mobile_number": "0170 1"},
    }
    for name, value in changes.items():
        fields = put(fields, name, value)
    wrong = admin.post(path, put(fields, f"{stem}.ex_no_answer_target", "9999"))
    assert wrong.status == 422
    assert "Available: Calls from outside, no answer" in page(wrong)
    assert dict(read_form(wrong))[f"{stem}.ex_no_answer_target"] == "9999"
    assert admin.post(path, put(fields, f"{stem}.ring_timeout", "4")).status == 422
    assert admin.post(path, fields).status == 303
    setting, away, *_ = shown(api, RESOURCE_VIEWS["extension"], ident)["presence_list"]
    names = ("ring_timeout", "enb_ex_busy_forward", "ex_no_answer_forward_dest", "ex_no_answer_forward_value")
    assert [setting[name] for name in names] == [15, 0, "extension", "2"]
    assert (setting["in_always_forward_dest"], setting["mobile_number"]) == ("end_call", "0170 1")
    assert (away["ring_timeout"], away["enb_ex_busy_forward"]) == (0, 1)
    text = page(admin.get(path))
    assert "rings 15 s" in text
    assert "no answer: Grace Hopper (1001)" in text
    assert "busy: back to the menu, or hang up" in text


def test_a_form_with_broken_fingerprints_is_saved_whole(admin: Admin, api: Api) -> None:
    ident = create(admin, RESOURCE_VIEWS["ext_group"])
    for past in ("", "[]", "{", '{"name": 1}', "\x00"):
        fields = [
            ("name", f"Named {ident} {len(past)}"),
            ("member_list", "extension:4"),
            ("fingerprints", past),
        ]
        assert admin.post(f"/people/groups/{ident}", fields).status == 303
        assert shown(api, RESOURCE_VIEWS["ext_group"], ident)["name"] == f"Named {ident} {len(past)}"
    assert [one["value"] for one in shown(api, RESOURCE_VIEWS["ext_group"], ident)["member_list"]] == ["4"]


def test_phones_and_trunks_say_how_they_are(admin: Admin) -> None:
    assert "Switched off. It carries no calls." in page(admin.get("/routes/trunks/1"))
    trunk = create(admin, RESOURCE_VIEWS["trunk"])
    assert "Not known yet." in page(admin.get(f"/routes/trunks/{trunk}"))
    phone = Registration(
        2, "sip:1001@192.0.2.9", int(time.time()) + 600, {"user_agent": "<b>Desk</b>"}, "one"
    )
    state = TrunkStatus(trunk, "down", "403 Forbidden", 1_700_000_000_000, "one")
    with admin.running.database() as database, database.writing() as connection:
        registrations.bind(connection, phone)
        registrations.save_trunks(connection, [state])
        registrations.show_online(connection)
    text = admin.get("/people/extensions/2").content.decode()
    assert "&lt;b&gt;Desk&lt;/b&gt;, registered until" in text
    assert "No phone is registered:" in page(admin.get("/people/extensions/3"))
    listed = page(admin.get("/people/extensions"))
    assert (listed.count(">Registered<"), "Not registered" in listed) == (1, True)
    assert "Down since" in page(admin.get(f"/routes/trunks/{trunk}"))
    assert "403 Forbidden" in page(admin.get(f"/routes/trunks/{trunk}"))
    assert "Down" in page(admin.get("/routes/trunks"))


def test_an_inbound_route_leads_by_business_hours(admin: Admin, api: Api) -> None:
    berlin = create(admin, RESOURCE_VIEWS["timezone"])
    name = shown(api, RESOURCE_VIEWS["timezone"], berlin)["name"]
    by_hours = {
        "enb_time_condition": "1",
        "timezone_id": name,
        "office_time_dest": "ivr",
        "office_time_dest_target": "6200",
        "outoffice_time_dest": "ext_vm",
        "outoffice_time_dest_target": "1000",
        "holiday_dest": "end_call",
    }
    path = where(admin.post("/routes/inbound/new", [*form("inbound_route"), *by_hours.items()]))
    saved = shown(api, RESOURCE_VIEWS["inbound_route"], int(path.rpartition("/")[2]))
    assert (saved["enb_time_condition"], saved["timezone_id"]) == (1, berlin)
    assert [saved[f"{when}_dest"] for when in ("office_time", "outoffice_time", "holiday")] == [
        "ivr",
        "ext_vm",
        "end_call",
    ]
    fields = read_form(admin.get(path))
    assert ("timezone_id", name) in fields
    assert admin.post(path, fields).status == 303
    assert shown(api, RESOURCE_VIEWS["inbound_route"], saved["id"]) == saved
    assert "it is used in 1 place" in page(admin.get(f"/hours/calendars/{berlin}/delete"))


def test_days_are_listed_in_words(admin: Admin, api: Api) -> None:
    path = where(admin.post("/hours/weekly/new", put(form("businesshour"), "remark", "Workshop")))
    assert f'<a href="{path}">Monday, Tuesday, Saturday</a>' in page(admin.get("/hours/weekly"))
    assert f'href="{path}"' in page(admin.get("/search?text=Workshop"))
    weekday = {"name": "Thanks", "type": "weekday", "how_week": "4", "weekday": "thu", "month": "nov"}
    assert admin.post("/hours/holidays/new", weekday).status == 303
    assert "Fourth Thursday of November" in page(admin.get("/hours/holidays"))
    dated = {"time_condition_switch": "1", "months": ["jan", "feb"], "days": "1 15"}
    fields = [*dated.items(), ("office_times.value", "10:00-12:00")]
    texts = [(key, text) for key, value in fields for text in ([value] if isinstance(value, str) else value)]
    assert admin.post("/hours/weekly/new", texts).status == 303
    assert "1, 15 of January, February" in page(admin.get("/hours/weekly"))


def test_a_phone_fetches_its_configuration_for_some_minutes(admin: Admin) -> None:
    ident = create(admin, RESOURCE_VIEWS["extension"])
    with admin.running.database() as database, database.reading() as connection:
        key = find_download_key(connection)
        values = resources.fetch(connection, KINDS["extension"], ident)
    phone = Admin(admin.running)  # which is not signed in

    def fetch(expires: int, mac: str = "") -> Answer:
        mac = mac or phone_setup.sign(key, ident, values, expires)
        return phone.get(f"/provision/{ident}-{expires}-{mac}")

    later = int(time.time()) + 60
    answer = fetch(later)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml")
    assert values["reg_password"].split()[0].removeprefix("md5=").encode() in answer.content
    for refused in (fetch(later, "0" * 32), fetch(int(time.time()) - 1), phone.get("/provision/x")):
        assert refused.status == 404
    admin.post(f"/people/extensions/{ident}/setup")  # which renews the password
    assert fetch(later).status == 404
    phone.close()
    assert f"/provision/{ident}" not in admin.running.log
