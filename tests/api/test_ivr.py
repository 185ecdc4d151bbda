"""What only an IVR has: its keys, its permissions to dial, its prompts, and how each can be wrong."""

from collections.abc import Iterable

import pytest

from tests.api.families import IVR
from tests.live_server import Api

KEYS = [
    *(f"press{digit}" for digit in "0123456789"),
    "press_hash",
    "press_star",
    "timeout",
    "invaild",
    "invalid",
]
RECORDS = [*"0123456789", "_hash", "_star", "_timeout", "_invaild", "_invalid"]
DETAIL = [
    *("id", "number", "name", "prompt", "prompt_repeat", "resp_timeout", "digit_timeout"),
    *("dial_ext_option", "enb_dial_outb_routes", "enb_dial_check_vm"),
    *(f"{key}_dest{part}" for key in KEYS for part in ("", "_prefix", "_value")),
    *(f"allow_out_record{key}" for key in RECORDS),
    *("dial_ext_list", "restrict_dial_ext_list", "enb_dial_call_number", "dial_call_number_list"),
    *("dial_outb_route_list", "alert_info", "client_unique_ringtone", "max_invalid"),
    *("enb_time_condition", "time_condition_scope", "timezone_id"),
]
FULL = {
    "prompt": "default",
    "alert_info": "Family 1",
    "client_unique_ringtone": "Ring1.mp3",
    "dial_ext_option": "allow",
    "dial_ext_list": [{"value": "1", "type": "extension"}, {"value": "1", "type": "ext_group"}],
    "restrict_dial_ext_list": [{"value": "2", "type": "extension"}],
    "enb_dial_call_number": 1,
    "dial_call_number_list": [{"value": "1", "type": "ring_group"}],
    "enb_dial_outb_routes": 1,
    "dial_outb_route_list": [{"value": "1"}],
    "enb_dial_check_vm": 1,
    "max_invalid": 3,
    "press0_dest": "end_call",
    "press1_dest": "extension",
    "press1_dest_value": "1",
    "press2_dest": "ext_vm",
    "press2_dest_value": "2",
    "press3_dest": "ivr",
    "press3_dest_value": "3",
    "press4_dest": "ring_group",
    "press4_dest_value": "1",
    "press5_dest": "dial_by_name",
    "press6_dest": "external_num",
    "press6_dest_prefix": "9",
    "press6_dest_value": "5551234",
    "press_hash_dest": "external_num",
    "press_hash_dest_value": "+441632960000",
    "press_star_dest": "ivr",
    "press_star_dest_value": "1",
    "timeout_dest": "extension",
    "timeout_dest_value": "4",
    "invaild_dest": "end_call",
    "allow_out_record1": 1,
    "allow_out_record_star": 1,
    "allow_out_record_invaild": 1,
}


def create(api: Api, **fields: object) -> int:
    answer = api.post("ivr/create", IVR.body(**fields))
    assert answer["errcode"] == 0, answer
    return answer["id"]


def get(api: Api, id_: int) -> dict:
    return api.get("ivr/get", id=id_)["data"]


def refused(api: Api, **fields: object) -> list[dict]:
    """The problems of a create with these fields, which changes nothing."""
    total = api.get("ivr/list")["total_number"]
    answer = api.post("ivr/create", IVR.body(**fields))
    assert (answer["errcode"], answer["errmsg"]) == (40002, "PARAMETER ERROR"), answer
    assert api.get("ivr/list")["total_number"] == total
    return answer["invalid_param_list"]


def test_get_shows_every_field_in_the_page_s_order(api: Api) -> None:
    assert list(get(api, 1)) == DETAIL


def test_all_that_create_takes_is_shown_and_can_be_copied(api: Api) -> None:
    original = get(api, create(api, **FULL))
    for name, value in FULL.items():
        if not isinstance(value, list):
            assert original[name] == value, name
    fresh = IVR.body()["number"]
    answer = api.post("ivr/create", {**original, "number": fresh})
    assert get(api, answer["id"]) == {**original, "number": fresh, "id": answer["id"]}


def test_lists_are_shown_with_names_numbers_ids_and_types(api: Api) -> None:
    shown = get(api, create(api, **FULL))
    assert shown["dial_ext_list"] == [
        {"text": "Ada Byron", "text2": "1000", "value": "1", "type": "extension"},
        {"text": "Sales", "text2": "Sales", "value": "1", "type": "ext_group"},
    ]
    assert shown["dial_call_number_list"][0]["text2"] == "6300"
    route = {"text": "National", "text2": "National", "value": "1", "type": "outbound_route"}
    assert shown["dial_outb_route_list"] == [route]


@pytest.mark.parametrize("item", [{"value": "1"}, {"value": 1}, {"id": 1}, {"id": "1"}, 1, "1"])
def test_items_of_lists_come_in_several_shapes(api: Api, item: object) -> None:
    id_ = create(api, dial_ext_option="allow", dial_ext_list=[item])
    assert get(api, id_)["dial_ext_list"][0]["text2"] == "1000"


def test_update_of_one_key_leaves_the_others(api: Api) -> None:
    id_ = create(api, **FULL)
    before = get(api, id_)
    change = {"press1_dest_value": "2"}
    assert api.post("ivr/update", {"id": id_, **change})["errcode"] == 0
    assert get(api, id_) == {**before, **change}
    change = {"press2_dest": "", "press2_dest_value": ""}
    assert api.post("ivr/update", {"id": id_, "press2_dest": ""})["errcode"] == 0
    assert get(api, id_) == {**before, "press1_dest_value": "2", **change}


def test_spellings_that_disagree_are_refused(api: Api) -> None:
    (problem,) = refused(api, invaild_dest="end_call", invalid_dest="dial_by_name")
    assert problem == {"field": "invaild_dest", "validation_type": "conflict"}


def test_a_new_type_takes_nothing_from_the_old_one(api: Api) -> None:
    id_ = create(api, press1_dest="external_num", press1_dest_prefix="9", press1_dest_value="123")
    assert api.post("ivr/update", {"id": id_, "press1_dest": "end_call"})["errcode"] == 0
    shown = get(api, id_)
    assert (shown["press1_dest_prefix"], shown["press1_dest_value"]) == ("", "")
    answer = api.post("ivr/update", {"id": id_, "press1_dest": "extension"})
    assert answer["invalid_param_list"] == [{"field": "press1_dest_value", "validation_type": "required"}]


@pytest.mark.parametrize("spelling", ["invaild", "invalid"])
@pytest.mark.parametrize("other", [{}, {"dest": "", "value": ""}])
def test_both_spellings_of_invalid_are_read_and_written(api: Api, spelling: str, other: dict) -> None:
    twin = {"invaild": "invalid", "invalid": "invaild"}[spelling]
    empty = {f"{twin}_dest": "", f"{twin}_dest_value": ""} if other else {}
    fields = {
        f"{spelling}_dest": "extension",
        f"{spelling}_dest_value": "3",
        f"allow_out_record_{spelling}": 1,
    }
    id_ = create(api, **fields, **empty)
    shown = get(api, id_)
    for name in ("invaild", "invalid"):
        assert (shown[f"{name}_dest"], shown[f"{name}_dest_value"]) == ("extension", "3")
        assert shown[f"allow_out_record_{name}"] == 1
    assert api.post("ivr/update", {"id": id_, f"{spelling}_dest_value": "4"})["errcode"] == 0
    assert get(api, id_)[f"{twin}_dest_value"] == "4"
    whole = get(api, id_) | {f"{spelling}_dest_value": "2"}
    assert api.post("ivr/update", whole)["errcode"] == 0
    assert get(api, id_)[f"{twin}_dest_value"] == "2"


@pytest.mark.parametrize("kind", ["call_flow", "queue", "group_vm", "conference", "fax_to_email", "outroute"])
@pytest.mark.parametrize("key", ["press1", "press_star", "timeout", "invaild", "invalid"])
def test_types_that_are_not_served_are_refused_by_name(api: Api, key: str, kind: str) -> None:
    answer = api.post("ivr/create", IVR.body(**{f"{key}_dest": kind, f"{key}_dest_value": "1"}))
    assert answer["invalid_param_list"] == [{"field": f"{key}_dest", "value": kind}]
    assert answer["submsg"] == f"{key}_dest {kind} is not served by this server"


WRONG_TYPES: tuple[object, ...] = ("ivr", "", None, 1, [])
IMPOSSIBLE: list[tuple[str, Iterable[object]]] = [
    ("number", ("", "12345678", "62 00", "62a", "+62", "６２", "62\n", None, 6200, [], True)),
    ("name", ("", " ", "x" * 128, "a\x00b", "a\nb", "\x7f", 5, None, {}, False)),
    ("prompt", ("nobody.wav", "default,", ",", 1, None, "default\x00", ",".join(["default"] * 6))),
    *(
        (name, (0, high + 1, -1, 10**17, 10**30, "", "x", "1.0", 1.5, True, False, None, [], {}))
        for name, high in (("prompt_repeat", 5), ("resp_timeout", 10), ("digit_timeout", 10))
    ),
    ("dial_ext_option", ("", "none", "ALL", 1, None, ["all"])),
    ("enb_dial_outb_routes", (2, -1, True, False, "yes", None, "")),
    ("enb_dial_check_vm", (2, True)),
    ("max_invalid", (-1, 11, True, "", None)),
    ("allow_out_record3", (2, True, "x", None)),
    ("alert_info", ("x" * 32, "a\r\nX: y", 1)),
    ("client_unique_ringtone", ("x.exe", "../x.mp3", "a/b.wav", 1)),
    ("press1_dest", ("sofa", "Extension", 1, None, [], {}, True)),
    ("dial_ext_list", ("1", {}, None, [{}], [[]], [None], ["x"], [True], [1.5], [1, 1])),
    ("dial_ext_list", ([{"value": "1", "type": bad}] for bad in WRONG_TYPES)),
    ("dial_call_number_list", ([{"value": 1, "type": bad}] for bad in ("queue", "conference", "ivr"))),
]


@pytest.mark.parametrize(("field", "value"), [(name, bad) for name, values in IMPOSSIBLE for bad in values])
def test_values_that_cannot_be(api: Api, field: str, value: object) -> None:
    (problem,) = refused(api, **{field: value})
    assert problem["field"] == field
    assert set(problem) <= {"field", "value", "validation_type"}


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"dest": "extension"}, "value"),
        ({"dest": "extension", "value": ""}, "value"),
        ({"dest": "extension", "value": "Ada"}, "value"),
        ({"dest": "extension", "value": True}, "value"),
        ({"dest": "extension", "value": "1", "prefix": "9"}, "prefix"),
        ({"dest": "end_call", "value": "1"}, "value"),
        ({"dest": "", "value": "1"}, "value"),
        ({"dest": "dial_by_name", "prefix": "1"}, "prefix"),
        ({"dest": "external_num"}, "value"),
        ({"dest": "external_num", "value": "555-1234"}, "value"),
        ({"dest": "external_num", "prefix": "9", "value": "+1"}, "value"),
        ({"dest": "external_num", "prefix": "9", "value": "1" * 15}, "value"),
        ({"dest": "play_prompt", "prefix": "1"}, "value"),
        ({"dest": "play_prompt", "value": "x.wav"}, "prefix"),
        ({"dest": "play_prompt", "prefix": "0", "value": "x.wav"}, "value"),
        ({"dest": "play_greeting", "prefix": "6", "value": "x.wav"}, "value"),
        ({"dest": "play_greeting", "prefix": "1", "value": "no\x00body.wav"}, "value"),
        ({"value": "1"}, "value"),
    ],
)
def test_destinations_that_cannot_be(api: Api, fields: dict, bad: str) -> None:
    ending = {"dest": "", "prefix": "_prefix", "value": "_value"}
    (problem,) = refused(api, **{f"press7_dest{ending[part]}": value for part, value in fields.items()})
    assert problem["field"] == f"press7_dest_{bad}"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"press1_dest": "extension", "press1_dest_value": "999999"}, "press1_dest_value"),
        ({"press1_dest": "ivr", "press1_dest_value": "99999999999"}, "press1_dest_value"),
        ({"timeout_dest": "ring_group", "timeout_dest_value": "0"}, "timeout_dest_value"),
        ({"invalid_dest": "ext_vm", "invalid_dest_value": "-1"}, "invaild_dest_value"),
        ({"dial_ext_option": "allow", "dial_ext_list": [1, 999]}, "dial_ext_list"),
        ({"dial_ext_option": "restrict", "restrict_dial_ext_list": [{"id": 99, "type": "ext_group"}]},
         "restrict_dial_ext_list"),
        ({"enb_dial_outb_routes": 1, "dial_outb_route_list": [99]}, "dial_outb_route_list"),
        ({"enb_dial_call_number": 1, "dial_call_number_list": [10**17]}, "dial_call_number_list"),
        ({"press1_dest": "play_prompt", "press1_dest_prefix": "1", "press1_dest_value": "no.wav"},
         "press1_dest_value"),
        ({"prompt": "default,no.wav"}, "prompt"),
    ],
)  # fmt: skip
def test_references_must_exist(api: Api, fields: dict, named: str) -> None:
    (problem,) = refused(api, **fields)
    assert problem["field"] == named


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"dial_ext_option": "allow"}, "dial_ext_list"),
        ({"dial_ext_option": "allow", "dial_ext_list": [], "restrict_dial_ext_list": [1]}, "dial_ext_list"),
        ({"dial_ext_option": "restrict", "dial_ext_list": [1]}, "restrict_dial_ext_list"),
        ({"enb_dial_outb_routes": 1}, "dial_outb_route_list"),
    ],
)
def test_options_need_their_lists(api: Api, fields: dict, named: str) -> None:
    assert refused(api, **fields) == [{"field": named, "validation_type": "required"}]


def test_integers_may_come_as_digits(api: Api) -> None:
    id_ = create(api, prompt_repeat="2", resp_timeout="10", enb_dial_check_vm="1", allow_out_record1="1")
    shown = get(api, id_)
    names = ("prompt_repeat", "resp_timeout", "enb_dial_check_vm", "allow_out_record1")
    assert [shown[name] for name in names] == [2, 10, 1, 1]
    assert shown["number"] == str(int(shown["number"]))


def test_every_problem_is_named_at_once(api: Api) -> None:
    problems = refused(api, prompt_repeat=9, dial_ext_option="x", press1_dest="sofa", press2_dest="queue")
    named = {problem["field"] for problem in problems}
    assert named == {"prompt_repeat", "dial_ext_option", "press1_dest", "press2_dest"}


def test_a_refused_update_changes_nothing(api: Api) -> None:
    id_ = create(api, **FULL)
    before = get(api, id_)
    for bad in ({"prompt_repeat": 9}, {"press1_dest_value": "999"}, {"number": "6200"}, {"prompt": "no.wav"}):
        answer = api.post("ivr/update", {"id": id_, "name": "Changed", "press9_dest": "end_call", **bad})
        assert answer["errcode"] in {40002, 40003}
        assert get(api, id_) == before


def test_an_ivr_may_lead_to_itself_and_still_be_deleted(api: Api) -> None:
    id_ = create(api)
    assert api.post("ivr/update", {"id": id_, "press1_dest": "ivr", "press1_dest_value": id_})["errcode"] == 0
    assert api.get("ivr/delete", id=id_)["errcode"] == 0


def test_what_was_sent_comes_back_shortened(api: Api) -> None:
    (problem,) = refused(api, name="x" * 100_000)
    assert problem["value"] == "x" * 100 + "…"
    (problem,) = refused(api, prompt_repeat="9" * 100_000)
    assert len(problem["value"]) == 101


def test_a_key_asks_for_a_pin_of_a_list(api: Api) -> None:
    pins = api.post("pin_list/create", {"name": "Keys", "pin_list": "4711"})["id"]
    id_ = create(api, **FULL, press1_pin_list_id=pins)
    assert get(api, id_)["press1_pin_list_id"] == pins
    assert not any("pin_list_id" in name for name in get(api, id_) if not name.startswith("press1_"))
    assert api.post("ivr/update", {"id": id_, "press1_dest_value": "2"})["errcode"] == 0
    assert get(api, id_)["press1_pin_list_id"] == pins, "a new destination does not open the key"
    for bad in (999, -1, "x", True, None):
        answer = api.post("ivr/update", {"id": id_, "press_hash_pin_list_id": bad})
        assert [one["field"] for one in answer["invalid_param_list"]] == ["press_hash_pin_list_id"]
    assert api.get("pin_list/delete", id=pins)["errcode"] != 0
    assert api.post("ivr/update", {"id": id_, "press1_pin_list_id": 0})["errcode"] == 0
    assert "press1_pin_list_id" not in get(api, id_)
    assert api.get("pin_list/delete", id=pins)["errcode"] == 0
