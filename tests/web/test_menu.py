"""One menu: read, looked at before saving, saved, and saved by two at once."""

import re
from html import unescape

import pytest

from openivr.resources.ivr import IVR
from openivr.store.config import resources
from openivr.web.menus.flow import MAX_NODES
from tests.live_server import Answer, Api, Running
from tests.web.forms import Form
from tests.web.site import Admin, where

KEYS = ("1", "5", "star", "hash", "timeout", "invalid")
PARTS = ("", "name", "hours", "hear", "reach", *KEYS)
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""


def text(answer: Answer) -> str:
    """What people read on a page."""
    page = re.sub(r"<(script|style).*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def bar(answer: Answer) -> list[str]:
    """What saving would change, in words."""
    found = re.search(r'<div class="changes".*?<ul>(.*?)</ul>', answer.content.decode(), re.DOTALL)
    return [unescape(one) for one in re.findall(r"<li>(.*?)</li>", found.group(1))] if found else []


def part(answer: Answer, ident: str) -> str:
    """The text of the element with this id, which is a div or a section."""
    page = answer.content.decode()
    found = re.search(rf'<(div|section|ul)[^>]*id="{ident}".*?</\1>', page, re.DOTALL)
    assert found, ident
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found.group())))


class Page:
    """A menu's page in one browser."""

    def __init__(self, admin: Admin, ident: int) -> None:
        self.admin, self.path = admin, f"/menus/{ident}"
        self.show()

    def show(self, opened: str = "") -> Answer:
        return self.keep(self.admin.get(f"{self.path}?open={opened}"))

    def keep(self, answer: Answer) -> Answer:
        self.answer, self.form = answer, Form(answer.content, "menu")
        return answer

    def look(self, **changes: str | list[str]) -> Answer:
        return self.keep(self.admin.post(self.path + "/draft", self.form.changed(**changes)))

    def save(self, **changes: str | list[str]) -> Answer:
        answer = self.admin.post(self.path, self.form.changed(**changes))
        return answer if where(answer) else self.keep(answer)


@pytest.fixture
def fresh(api: Api) -> int:
    """A menu of its own for a test that changes one."""
    taken = {row["number"] for row in api.get("ivr/list")["data"]}
    number = next(str(n) for n in range(6700, 6800) if str(n) not in taken)
    body = {
        "number": number,
        "name": "Office",
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 3,
        "dial_ext_option": "disable",
        "press1_dest": "extension",
        "press1_dest_value": "1",
        "allow_out_record1": 1,
        "alert_info": "ring2",
    }
    ident: int = api.post("ivr/create", body)["id"]
    return ident


def stored(api: Api, ident: int) -> dict:
    row: dict = api.get("ivr/get", id=ident)["data"]
    return row


def test_what_the_page_says(demo: Running) -> None:
    admin = Admin(demo).enter()
    page = Page(admin, 3)
    said = text(page.answer)
    for words in (
        "6200 VoiceMenu Navigator",
        "Key 1:",
        "Ada Byron 1000",
        "Support 6300",
        "Played up to 3 times.",
        "Callers can dial 1000, 1001 and no other extension.",
        "could dial 9NXXXXXXXXX, 90NXXXXXXXXX outside over National, but its trunk is switched off",
        "Key 1: Key responds late.",
    ):
        assert words in said, words
    admin.close()


@pytest.mark.parametrize("opened", PARTS)
@pytest.mark.parametrize("ident", [1, 2, 3, 4])
def test_a_form_that_is_sent_as_it_came_changes_nothing(
    admin: Admin, api: Api, ident: int, opened: str
) -> None:
    before = stored(api, ident)
    page = Page(admin, ident)
    page.show(opened)
    assert bar(page.look()) == []
    assert where(page.save()) == page.path
    assert stored(api, ident) == before


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"press5_dest": "extension", "press5_dest_target.extension": "1001"}, ("extension", "", "2")),
        (
            {"press5_dest": "extension", "press5_dest_target.extension": "1001 Grace Hopper"},
            ("extension", "", "2"),
        ),
        ({"press5_dest": "ext_vm", "press5_dest_target.extension": "1002"}, ("ext_vm", "", "3")),
        ({"press5_dest": "ring_group", "press5_dest_target.ring_group": "6300"}, ("ring_group", "", "1")),
        ({"press5_dest": "ivr", "press5_dest_target.ivr": "6203 x"}, ("ivr", "", "2")),
        (
            {
                "press5_dest": "external_num",
                "press5_dest_prefix.external_num": "9",
                "press5_dest_target.external_num": "(020) 7946-0000",
            },
            ("external_num", "9", "02079460000"),
        ),
        ({"press5_dest": "dial_by_name", "press5_dest_target.ivr": "6203"}, ("dial_by_name", "", "")),
        ({"press5_dest": "end_call"}, ("end_call", "", "")),
        ({"press5_dest": ""}, ("", "", "")),
    ],
)
def test_a_key_gets_another_destination(
    admin: Admin, api: Api, fresh: int, typed: dict, expected: tuple
) -> None:
    page = Page(admin, fresh)
    page.show("5")
    answer = page.look(**typed)
    assert stored(api, fresh)["press5_dest"] == ""  # nothing is saved by looking
    assert len(bar(answer)) == (1 if expected[0] else 0)
    assert where(page.save()) == page.path
    row = stored(api, fresh)
    assert tuple(row[f"press5_dest{part}"] for part in ("", "_prefix", "_value")) == expected
    assert (row["press1_dest_value"], row["allow_out_record1"], row["alert_info"]) == ("1", 1, "ring2")


def test_keys_lead_elsewhere_when_closed(admin: Admin, api: Api, fresh: int) -> None:
    page = Page(admin, fresh)
    assert "When closed" not in text(page.answer)
    page.show("hours")
    page.look(enb_time_condition="1", go="")
    page.look(show="closed")
    assert ("period", "closed") in page.form.fields
    assert re.search(r'id="tile-1"[^>]*data-kind="nowhere"', page.answer.content.decode())
    page.look(go="1")
    typed = {"press1_outoffice_time_dest": "ext_vm", "press1_outoffice_time_dest_target.extension": "1001"}
    page.look(**typed, go="")
    assert "voicemail 1001 Grace Hopper" in text(page.answer)
    page.look(show="holiday")  # which is like closed hours without a destination
    assert re.search(r'id="tile-1"[^>]*data-kind="ext_vm"', page.answer.content.decode())
    page.look(go="1")
    page.look(press1_holiday_dest="end_call", go="")
    assert bar(page.answer) == [
        "Key 1 when closed: Nothing → Grace Hopper (voicemail of 1001)",
        "Key 1 on holidays: Nothing → Hang up",
        "Keys depend on business hours: off → on",
    ]
    assert where(page.save()) == page.path
    row = stored(api, fresh)
    assert (row["enb_time_condition"], row["time_condition_scope"]) == (1, "all_keys")
    assert (row["press1_dest"], row["press1_dest_value"]) == ("extension", "1")
    assert (row["press1_outoffice_time_dest"], row["press1_outoffice_time_dest_value"]) == ("ext_vm", "2")
    assert row["press1_holiday_dest"] == "end_call"
    assert "press5_holiday_dest" not in row
    page.show()
    assert bar(page.look()) == []
    page.keep(admin.get(f"{page.path}?open=invalid&period=holiday"))
    page.look(invaild_holiday_dest="end_call", go="")
    assert bar(page.answer) == ["Wrong key on holidays: Nothing → Hang up"]


def test_a_key_has_a_condition_of_its_own(admin: Admin, api: Api, fresh: int) -> None:
    calendar = api.post("timezone/create", {"name": HOSTILE[:60], "timezone": "Asia/Kathmandu"})["id"]
    page = Page(admin, fresh)
    page.look(enb_time_condition="1", time_condition_scope="each_key", go="5")
    assert HOSTILE[:60] not in page.answer.content.decode()
    page.look(press5_dest="end_call", press5_enb_time_condition="1", press5_timezone_id=HOSTILE[:60], go="")
    assert "Key 5: depends on business hours: off → on" in bar(page.answer)
    assert f"Key 5: calendar: Default calendar → {HOSTILE[:60]}" in bar(page.answer)
    assert where(page.save()) == page.path
    row = stored(api, fresh)
    assert (row["press5_enb_time_condition"], row["press5_timezone_id"]) == (1, calendar)
    assert (row["time_condition_scope"], row["timezone_id"]) == ("each_key", 0)
    page.keep(admin.get(f"{page.path}?open=1&period=closed"))  # which has no condition
    assert "leads to the same place at any time" in text(page.answer)
    assert re.search(r'id="tile-5"[^>]*data-kind="nowhere"', page.answer.content.decode())
    assert where(page.save()) == page.path
    assert stored(api, fresh) == row
    refused = page.look(timezone_id="Nowhere", go="")
    assert "Nowhere" in text(refused)
    assert page.save(timezone_id="Nowhere").status == 422
    assert stored(api, fresh) == row


def test_the_picture_is_that_of_a_period(admin: Admin, api: Api, fresh: int) -> None:
    night = stored(api, fresh) | {"number": "7811", "name": "At night"}
    del night["id"]
    other = api.post("ivr/create", night)["id"]
    fields = {"press1_outoffice_time_dest": "ivr", "press1_outoffice_time_dest_value": str(other)}
    assert api.post("ivr/update", {"id": fresh, "enb_time_condition": 1, **fields})["errcode"] == 0
    assert "7811 At night" not in part(admin.get(f"/menus/{fresh}"), "flow")
    assert "7811 At night" in part(admin.get(f"/menus/{fresh}?period=closed"), "flow")
    assert "7811 At night" in part(admin.get(f"/menus/{fresh}?period=holiday"), "flow")
    assert admin.get(f"/menus/{fresh}?period={HOSTILE[:8]}").status == 200


def test_conditions_of_two_at_once_are_kept(admin: Admin, api: Api, fresh: int) -> None:
    page = Page(admin, fresh)
    fields = {"id": fresh, "enb_time_condition": 1, "press1_outoffice_time_dest": "end_call"}
    assert api.post("ivr/update", fields)["errcode"] == 0
    page.look(press5_holiday_dest="dial_by_name")
    assert "Another administrator" in text(page.answer) or page.save().status == 409
    assert where(page.save()) == page.path
    row = stored(api, fresh)
    assert (row["press1_outoffice_time_dest"], row["press5_holiday_dest"]) == ("end_call", "dial_by_name")


def test_saving_says_what_it_changed(admin: Admin, api: Api, fresh: int) -> None:
    page = Page(admin, fresh)
    page.show("1")
    page.look(press1_dest_target__extension="1003", go="hear")
    page.look(prompt=["", "", ""], resp_timeout="7", go="reach")
    answer = page.look(dial_ext_option="allow", dial_ext_list=["ext_group:1", "extension:4"], go="")
    assert bar(answer) == [
        "Prompts: Built-in greeting → nothing",
        "Wait for a key (s): 5 → 7",
        "Extensions callers can dial: No extension → Listed extensions",
        "Key 1: Ada Byron (1000) → Katherine Johnson (1003)",
        "Extensions they can dial: nothing → Sales, 1003 Katherine Johnson",
    ]
    assert "Callers can dial 1000, 1001, 1003 and no other extension." in part(answer, "can-reach")
    assert "Silent menu." in part(answer, "findings-hear")
    assert where(page.save()) == page.path
    after = page.show()
    assert "Saved. The next caller gets the change." in text(after)
    assert "Key 1: Ada Byron (1000) → Katherine Johnson (1003)" in text(after)
    assert stored(api, fresh)["prompt"] == ""
    assert [link["value"] for link in stored(api, fresh)["dial_ext_list"]] == ["1", "4"]


def test_findings_come_before_saving_and_go_again(admin: Admin, fresh: int) -> None:
    page = Page(admin, fresh)
    page.show("9")
    answer = page.look(press9_dest="external_num", press9_dest_target__external_num="5551234")
    assert "No trunk for an outside number." in part(answer, "key-findings")
    answer = page.look(press9_dest="", go="")
    assert "No trunk for an outside number." not in text(answer)


@pytest.mark.parametrize(
    ("opened", "typed", "said"),
    [
        ("name", {"number": "62x"}, "Number can only contain digits."),
        ("name", {"number": "1000"}, "Number: 1000 is already used by extension 1000."),
        ("name", {"name": ""}, "Name is required."),
        ("hear", {"prompt": "nobody.wav"}, "Prompts: there is no prompt called “nobody.wav”."),
        ("hear", {"prompt_repeat": "6"}, "Play greeting must be between 1 and 5."),
        ("hear", {"resp_timeout": "soon"}, "Wait for a key (s) must be a whole number."),
        ("reach", {"dial_ext_option": "allow", "dial_ext_list": []}, "can dial: choose at least one."),
        (
            "reach",
            {"enb_dial_outb_routes": "1", "dial_outb_route_list": []},
            "Routes to the outside: choose at least one.",
        ),
        (
            "reach",
            {"dial_ext_option": "allow", "dial_ext_list": "extension:999"},
            "the extension no longer exists.",
        ),
        (
            "1",
            {"press1_dest": "extension", "press1_dest_target.extension": "9999"},
            "Key 1: “9999” doesn't exist.",
        ),
        ("1", {"press1_dest": "ivr", "press1_dest_target.ivr": ""}, "Key 1: choose a menu."),
        ("1", {"press1_dest": "external_num", "press1_dest_target.external_num": "0800x"}, "1 to 15 digits"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_changes_nothing(
    admin: Admin, api: Api, fresh: int, *, opened: str, typed: dict, said: str
) -> None:
    before = stored(api, fresh)
    page = Page(admin, fresh)
    page.show(opened)
    other = {"go": ""} if opened != "name" else {}
    for answer in (page.look(**typed, **other), page.save()):
        assert said in text(answer), text(answer)
    assert page.answer.status == 422
    assert f'name="open" value="{opened}"' in page.answer.content.decode()  # where it can be mended
    assert stored(api, fresh) == before


def test_two_at_once_keep_both_changes(admin: Admin, api: Api, fresh: int) -> None:
    first, second = Page(admin, fresh), Page(admin, fresh)
    first.show("2")
    second.show("3")
    first.look(press2_dest="end_call")
    second.look(press3_dest="dial_by_name")
    assert where(first.save()) == first.path
    answer = second.save()
    assert answer.status == 409
    assert "Another administrator has saved this menu in the meantime" in text(answer)
    assert bar(answer) == ["Key 3: Nothing → Dial by name"]
    assert stored(api, fresh)["press3_dest"] == ""
    assert where(second.save()) == second.path
    row = stored(api, fresh)
    assert (row["press2_dest"], row["press3_dest"]) == ("end_call", "dial_by_name")


def test_two_who_change_the_same_are_told(admin: Admin, api: Api, fresh: int) -> None:
    page = Page(admin, fresh)
    page.show("name")
    page.look(name="Mine")
    api.post("ivr/update", {"id": fresh, "name": "Theirs"})
    answer = page.save()
    assert answer.status == 409
    assert bar(answer) == ["Name: Theirs → Mine"]
    assert where(page.save()) == page.path
    assert stored(api, fresh)["name"] == "Mine"


@pytest.mark.parametrize(
    "past", ["", "{", "[]", '{"keys": 5}', '{"number": ["x"]}', "\ud7ff", '{"keys":{"1":7}}', '{"1": "x"}']
)
def test_a_form_with_a_strange_past(admin: Admin, fresh: int, past: str) -> None:
    page = Page(admin, fresh)
    assert page.look(fingerprints=past).status == 200
    assert page.save(fingerprints=past).status in {303, 409}


def test_names_from_elsewhere_are_text(admin: Admin, api: Api, fresh: int) -> None:
    assert api.post("ivr/update", {"id": fresh, "name": HOSTILE})["errcode"] == 0
    page = Page(admin, fresh)
    for answer in (
        page.answer,
        page.show("name"),
        page.show("1"),
        admin.get("/menus?search_value=script"),
        admin.get("/search?text=script"),
    ):
        content = answer.content.decode()
        assert "<script>alert" not in content
        assert "<img" not in content
        assert "{{7*7}}" in content, content


def test_a_picture_that_is_cut_says_so(admin: Admin, api: Api, fresh: int) -> None:
    chain = [fresh]
    for place in range(MAX_NODES):
        keys = {"press1_dest": "ivr", "press1_dest_value": str(chain[-1])}
        body = stored(api, fresh) | {"number": str(7100 + place), "name": f"Floor {place}"}
        del body["id"]
        chain.append(api.post("ivr/create", body | keys)["id"])
    said = "callers can reach more"
    try:
        assert said not in text(admin.get(f"/menus/{chain[-3]}"))
        page = admin.get(f"/menus/{chain[-1]}")
        assert said in text(page)
        assert page.content.count(b"data-node=") == MAX_NODES
    finally:
        for ident in reversed(chain[1:]):
            assert api.get("ivr/delete", id=ident)["errcode"] == 0


def test_a_menu_that_is_not_there(admin: Admin) -> None:
    for path in ("/menus/99999", "/menus/99999/delete", "/menus/999999999999"):
        assert admin.get(path).status == 404
    assert admin.post("/menus/99999", {}).status == 404
    assert admin.post("/menus/99999/draft", {}).status == 404
    assert admin.post("/menus/99999/delete", {}).status == 404


def test_making_one(admin: Admin, api: Api) -> None:
    for fields, said in (
        ({"number": "1000", "name": "x"}, "Number: 1000 is already used by extension 1000."),
        ({"number": "", "name": ""}, "Number is required."),
    ):
        answer = admin.post("/menus/new", fields)
        assert answer.status == 422
        assert said in text(answer)
    answer = admin.post("/menus/new", {"number": "6690", "name": "New one"})
    row = stored(api, int(where(answer).rpartition("/")[2]))
    assert (row["number"], row["name"], row["timeout_dest"]) == ("6690", "New one", "end_call")
    page = Page(admin, int(where(answer).rpartition("/")[2]))
    assert "Next steps" in text(page.answer)
    assert b'class="finding ' not in page.answer.content
    page.show("1")
    # From then on the check has more to say than that a menu is new.
    page.look(press1_dest="external_num", press1_dest_target__external_num="0012125550100")
    assert "Next steps" not in text(page.answer)
    assert b'class="finding ' in page.answer.content


def test_a_menu_is_duplicated(admin: Admin, api: Api) -> None:
    assert b'href="/menus/3/copy"' in admin.get("/menus/3").content
    page = admin.get("/menus/3/copy")
    assert b'value="VoiceMenu Navigator (copy)"' in page.content
    assert b'name="number" type="text" value="6204"' in page.content
    answer = admin.post("/menus/3/copy", {"number": "6290", "name": HOSTILE[:40]})
    copy, menu = stored(api, int(where(answer).rpartition("/")[2])), stored(api, 3)
    assert (copy["number"], copy["name"]) == ("6290", HOSTILE[:40])
    assert copy["press1_dest_value"] == menu["press1_dest_value"]
    assert (menu["invalid_dest_value"], copy["invalid_dest_value"]) == ("3", str(copy["id"]))
    total = api.get("ivr/list")["total_number"]
    for fields, problem in (
        ({"number": "6290", "name": "x"}, "Number: 6290 is already used by"),
        ({"number": "", "name": ""}, "Number is required."),
    ):
        answer = admin.post("/menus/3/copy", fields)
        assert answer.status == 422
        assert problem in text(answer)
    assert api.get("ivr/list")["total_number"] == total
    assert admin.get("/menus/77/copy").status == 404
    assert admin.post("/menus/77/copy", {"number": "6291", "name": "x"}).status == 404


def test_deleting_one(admin: Admin, api: Api, fresh: int) -> None:
    answer = admin.get("/menus/1/delete")
    assert "6200" in text(answer)
    assert b'action="/menus/1/delete"' not in answer.content
    assert admin.post("/menus/1/delete").status == 409
    assert "VoiceMenu" in text(Page(admin, 3).answer)
    assert b'action="/menus/%d/delete"' % fresh in admin.get(f"/menus/{fresh}/delete").content
    assert where(admin.post(f"/menus/{fresh}/delete")) == "/menus"
    assert api.get("ivr/get", id=fresh)["errcode"] == 60001


def test_many_findings_of_one_rule_are_one_that_opens(admin: Admin, server: Running, fresh: int) -> None:
    for count, is_gathered in ((3, False), (50, True)):
        remarks = [{"code": "other", "text": f"Key {at} led to <b>room {at}</b>"} for at in range(count)]
        with server.database() as database, database.changing() as change:
            menu = resources.fetch(change.connection, IVR, fresh)
            resources.save(change, IVR, fresh, menu | {"import_remarks": remarks}, is_new=False)
        answer = admin.get(f"/menus/{fresh}")
        assert answer.content.count(b"led to &lt;b&gt;room") == count
        assert b"The next <code>openivr pull</code> then" in answer.content
        assert answer.content.count(b"IVR408") == (1 if is_gathered else count)
        assert ("Show all 50" in text(answer)) is is_gathered


def test_the_list(admin: Admin) -> None:
    said = text(admin.get("/menus?sort_by=name&order_by=desc"))
    assert said.index("VoicePrompt") < said.index("VoiceMenu Navigator") < said.index("Virtual Receptionist")
    assert "Virtual Receptionist" not in text(admin.get("/menus?search_value=voice"))
    assert "No menu matches “<b>”" in text(admin.get("/menus?search_value=%3Cb%3E"))
    for query in (
        "page=0",
        "page=x",
        "page_size=-1",
        "page=99999999999",
        "sort_by=x&order_by=y",
        "search_value=%00",
    ):
        assert admin.get("/menus?" + query).status == 200


@pytest.fixture
def staff(api: Api) -> tuple[int, str]:
    """A PIN list of its own, and its name."""
    name = f"Staff {api.get('pin_list/list')['total_number']}"
    id_: int = api.post("pin_list/create", {"name": name, "pin_list": "4711"})["id"]
    return id_, name


def test_a_key_gets_a_pin_list(admin: Admin, api: Api, fresh: int, staff: tuple[int, str]) -> None:
    pins, name = staff
    page = Page(admin, fresh)
    page.show("1")
    page.look(press1_pin_list_id=name)
    assert bar(page.answer) == [f"Key 1, PIN list: No PIN → {name}"]
    assert f"asks for a PIN of {name}" in page.answer.content.decode()
    page.look(go="")
    assert where(page.save()) == page.path
    saved = stored(api, fresh)
    assert (saved["press1_pin_list_id"], saved["press1_dest_value"]) == (pins, "1")
    picture = part(page.show(), "flow")
    assert "1 with a PIN" in picture
    assert re.search(r'data-label="1 with a PIN"[^>]* data-pin', page.answer.content.decode())
    assert api.get("pin_list/delete", id=pins)["errcode"] != 0, "a key uses it"
    page.show("1")
    assert where(page.save(press1_pin_list_id="")) == page.path
    assert "press1_pin_list_id" not in stored(api, fresh)
    assert api.get("pin_list/delete", id=pins)["errcode"] == 0


def test_a_pin_list_that_another_has_set_is_not_taken_away(
    admin: Admin, api: Api, fresh: int, staff: tuple[int, str]
) -> None:
    page = Page(admin, fresh)
    page.show("name")
    assert api.post("ivr/update", {"id": fresh, "press1_pin_list_id": staff[0]})["errcode"] == 0
    assert page.save(name="Mine").status == 409
    assert stored(api, fresh)["press1_pin_list_id"] == staff[0]
    assert where(page.save())
    saved = stored(api, fresh)
    assert (saved["name"], saved["press1_pin_list_id"]) == ("Mine", staff[0])


def test_a_pin_list_that_is_gone_is_named(admin: Admin, api: Api, fresh: int, staff: tuple[int, str]) -> None:
    page = Page(admin, fresh)
    page.show("1")
    assert api.get("pin_list/delete", id=staff[0])["errcode"] == 0
    answer = page.save(press1_pin_list_id=staff[1])
    assert answer.status == 422
    assert f"“{staff[1]}” doesn't exist" in text(answer)
    assert "press1_pin_list_id" not in stored(api, fresh)
