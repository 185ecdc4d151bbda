"""What holds for every family: list, search, get, query, create, update and delete."""

import pytest

from tests.api.families import (
    EXTENSION,
    EXTENSION_GROUP,
    FAMILIES,
    INBOUND_ROUTE,
    IVR,
    OUTBOUND_ROUTE,
    PIN_LIST,
    RING_GROUP,
    RINGGROUP,
    TRUNK,
    Family,
)
from tests.live_server import Api

each = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.path)
SUCCESS = {"errcode": 0, "errmsg": "SUCCESS"}


def create(api: Api, family: Family, **changes: object) -> int:
    answer = api.post(f"{family.path}/create", family.body(**changes))
    assert answer == {**SUCCESS, "id": answer.get("id")}, answer
    id_: int = answer["id"]
    return id_


def shown(api: Api, family: Family, id_: int) -> dict:
    answer = api.get(f"{family.path}/get", id=id_)
    assert list(answer) == ["errcode", "errmsg", "data"], answer
    return answer["data"]


def bad_fields(answer: dict, code: int = 40002) -> list[str]:
    assert answer["errcode"] == code, answer
    return [problem["field"] for problem in answer["invalid_param_list"]]


@each
def test_the_life_of_an_object(api: Api, family: Family) -> None:
    before = api.get(f"{family.path}/list")["total_number"]
    body = family.body()
    id_ = api.post(f"{family.path}/create", body)["id"]
    first = shown(api, family, id_)
    for name, value in body.items():
        if name in family.secrets:
            assert first.get(name) == family.masked.get(name)
        elif not isinstance(value, list):
            assert first[name] == value
    assert api.get(f"{family.path}/list")["total_number"] == before + 1
    assert api.post(f"{family.path}/update", {"id": id_, **family.change}) == SUCCESS
    second = shown(api, family, id_)
    assert {name for name in first if first[name] != second[name]} >= set(family.change)
    assert api.get(f"{family.path}/delete", id=id_) == SUCCESS
    assert api.get(f"{family.path}/get", id=id_)["errcode"] == 60001
    assert api.get(f"{family.path}/list")["total_number"] == before


@each
def test_update_changes_only_what_it_names(api: Api, family: Family) -> None:
    id_ = create(api, family)
    first = shown(api, family, id_)
    for change in ({}, {"colour": "red"}):
        assert api.post(f"{family.path}/update", {"id": id_, **change}) == SUCCESS
        assert shown(api, family, id_) == first
    name, value = next(iter(family.change.items()))
    assert api.post(f"{family.path}/update", {"id": str(id_), name: value}) == SUCCESS
    second = shown(api, family, id_)
    kept = set(first) - {key for key in first if key.startswith(name)} - family.derived
    assert {key: second[key] for key in kept} == {key: first[key] for key in kept}
    assert second[name] == value


@each
def test_a_copy_of_what_get_returns_can_be_created(api: Api, family: Family) -> None:
    original = shown(api, family, create(api, family))
    fresh = {name: text for name, text in family.body().items() if name in {"number", "name", "reg_name"}}
    id_ = api.post(f"{family.path}/create", {**original, **fresh, **family.secrets})["id"]
    copy = shown(api, family, id_)
    assert copy == {**original, **fresh, "id": id_}


@each
def test_what_is_required(api: Api, family: Family) -> None:
    body = family.body()
    for name in family.required:
        rest = {key: value for key, value in body.items() if key not in {name, name + "_value"}}
        answer = api.post(f"{family.path}/create", rest)
        assert answer["invalid_param_list"] == [{"field": name, "validation_type": "required"}], answer
    total = api.get(f"{family.path}/list")["total_number"]
    assert set(bad_fields(api.post(f"{family.path}/create", {}))) <= set(family.required)
    assert api.get(f"{family.path}/list")["total_number"] == total


@each
def test_ids_are_never_used_again(api: Api, family: Family) -> None:
    first = create(api, family)
    assert api.get(f"{family.path}/delete", id=first) == SUCCESS
    second = create(api, family)
    assert second > first
    assert api.post(f"{family.path}/create", {})["errcode"] == 40002
    assert create(api, family) > second


@each
@pytest.mark.parametrize("id_", [0, 999_999, 2**31, 10**17])
def test_ids_that_are_nobody_s(api: Api, family: Family, id_: int) -> None:
    missing = {"errcode": 60001, "errmsg": "DATA NOT FOUND"}
    assert api.get(f"{family.path}/get", id=id_) == missing
    assert api.get(f"{family.path}/delete", id=id_) == missing
    assert api.get(f"{family.path}/query", ids=id_) == missing
    assert api.post(f"{family.path}/update", {"id": id_, **family.change}) == missing


@each
@pytest.mark.parametrize("text", ["", "one", "-1", "1.5", "1,2", "%00", "9" * 40, str(10**18 + 1)])
def test_ids_that_are_none(api: Api, family: Family, text: str) -> None:
    for name in ("get", "delete"):
        assert bad_fields(api.query(f"{family.path}/{name}", f"id={text}")) == ["id"]
    if text != "1,2":
        assert bad_fields(api.query(f"{family.path}/query", f"ids={text}")) == ["ids"]


@each
def test_id_is_required(api: Api, family: Family) -> None:
    required = {"field": "id", "validation_type": "required"}
    for name in ("get", "delete"):
        assert api.get(f"{family.path}/{name}")["invalid_param_list"] == [required]
    assert api.post(f"{family.path}/update", dict(family.change))["invalid_param_list"] == [required]
    assert bad_fields(api.get(f"{family.path}/query")) == ["ids"]
    impossible: tuple[object, ...] = (None, True, "one", 1.5, [], {}, "")
    for id_ in impossible:
        assert bad_fields(api.post(f"{family.path}/update", {"id": id_, **family.change})) == ["id"]


@each
def test_query_answers_the_found_in_the_order_asked_for(api: Api, family: Family) -> None:
    ids = [create(api, family) for _ in range(3)]
    asked = [ids[2], 999_999, ids[0], ids[2], ids[1]]
    answer = api.get(f"{family.path}/query", ids=",".join(map(str, asked)))
    assert answer["data"] == [shown(api, family, ids[at]) for at in (2, 0, 1)]


@each
def test_search_finds_by_number_and_name(api: Api, family: Family) -> None:
    body = family.body()
    id_ = api.post(f"{family.path}/create", body)["id"]
    text = next(body[name] for name in ("number", "name", "remark", "first_name") if name in body)
    answer = api.get(f"{family.path}/search", search_value=text.upper())
    assert (answer["total_number"], [row["id"] for row in answer["data"]]) == (1, [id_])
    assert answer["data"][0] in api.get(f"{family.path}/list")["data"]


@each
def test_a_wrong_method_is_no_endpoint(api: Api, family: Family) -> None:
    assert api.get(f"{family.path}/create")["errcode"] == 10001
    assert api.post(f"{family.path}/list", {})["errcode"] == 10001
    assert api.send("PUT", api.target(f"{family.path}/update", {}), b"{}").json()["errcode"] == 10001


@each
def test_passwords_never_come_back(api: Api, family: Family) -> None:
    id_ = create(api, family)
    everything = b"".join(
        api.send("GET", api.target(f"{family.path}/{name}", parameters)).content
        for name, parameters in {
            "list": {},
            "search": {},
            "get": {"id": id_},
            "query": {"ids": id_},
        }.items()
    )
    for name, secret in family.secrets.items():
        assert secret.encode() not in everything
        assert (name.encode() in everything) == (name in family.masked)


def test_pins_are_masked_and_can_be_added_and_removed(api: Api) -> None:
    id_ = create(api, PIN_LIST, pin_list="2283,33017")
    row = shown(api, PIN_LIST, id_)
    assert row["pin_list"] == "****,****"
    assert next(one for one in api.get("pin_list/list")["data"] if one["id"] == id_) == row
    for change, count in (
        ({"pin_list": "****,****"}, 2),
        ({"pin_list": "****,****,0042"}, 3),
        ({"add_pins": "7777, 88888"}, 5),
        ({"remove_pins": "2283,0042"}, 3),
        ({"pin_list": "2283"}, 1),
        ({"remove_pins": "2283"}, 0),  # it opens to nobody now
        ({"add_pins": "2283"}, 1),
    ):
        assert api.post("pin_list/update", {"id": id_, **change}) == SUCCESS, change
        assert shown(api, PIN_LIST, id_)["pin_list"] == ",".join(["****"] * count)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"pin_list": "****"}, "conflict"),
        ({"pin_list": ""}, "required"),
        ({"pin_list": "2283,2283"}, "conflict"),
        ({"pin_list": ["2283"]}, "type"),
        ({"add_pins": "2283"}, "conflict"),
        ({"add_pins": "12"}, "length"),
        ({"add_pins": "1234567890123456"}, "length"),
        ({"add_pins": "12a4"}, "format"),
        ({"add_pins": ",".join(str(1000 + number) for number in range(199))}, "length"),
        ({"remove_pins": "4444"}, "reference"),
    ],
)
def test_pins_that_are_refused_change_nothing(api: Api, change: dict, rule: str) -> None:
    id_ = create(api, PIN_LIST, pin_list="2283,33017")
    answer = api.post("pin_list/update", {"id": id_, **change})
    assert [problem["validation_type"] for problem in answer["invalid_param_list"]] == [rule]
    assert "value" not in answer["invalid_param_list"][0]
    assert shown(api, PIN_LIST, id_)["pin_list"] == "****,****"
    assert api.post("pin_list/update", {"id": id_, "remove_pins": "2283,33017"}) == SUCCESS


def test_both_spellings_of_ring_group_are_one_family(api: Api) -> None:
    id_ = create(api, RINGGROUP)
    assert shown(api, RING_GROUP, id_) == shown(api, RINGGROUP, id_)
    assert api.get("ring_group/list") == api.get("ringgroup/list")
    assert api.get("ring_group/delete", id=id_) == SUCCESS
    assert api.get("ringgroup/get", id=id_)["errcode"] == 60001


NUMBERED = [IVR, EXTENSION, RINGGROUP]


@pytest.mark.parametrize("taker", NUMBERED, ids=lambda family: family.path)
@pytest.mark.parametrize("owner", NUMBERED, ids=lambda family: family.path)
def test_a_number_has_one_owner(api: Api, owner: Family, taker: Family) -> None:
    body = owner.body()
    assert api.post(f"{owner.path}/create", body)["errcode"] == 0
    kind = {"ringgroup": "ring_group"}.get(owner.path, owner.path)
    problem = {
        "field": "number",
        "value": body["number"],
        "external_source": kind,
        "external_source_name": body["number"],
    }
    total = api.get(f"{taker.path}/list")["total_number"]
    answer = api.post(f"{taker.path}/create", taker.body(number=body["number"]))
    assert (answer["errcode"], answer["errmsg"]) == (40003, "DUPLICATE KEY VALUE")
    assert answer["duplicate_field_list"] == [problem]
    assert answer["submsg"]
    other = create(api, taker)
    answer = api.post(f"{taker.path}/update", {"id": other, "number": body["number"]})
    assert answer["duplicate_field_list"] == [problem]
    assert api.get(f"{taker.path}/list")["total_number"] == total + 1


@pytest.mark.parametrize(
    ("family", "field", "value"),
    [
        (EXTENSION, "reg_name", "taken"),
        (EXTENSION, "email_addr", "eve@example.com"),
        (EXTENSION_GROUP, "name", "Taken"),
        (TRUNK, "name", "Taken"),
        (INBOUND_ROUTE, "name", "Taken"),
        (OUTBOUND_ROUTE, "name", "Taken"),
    ],
    ids=lambda value: getattr(value, "path", value),
)
def test_other_values_that_only_one_may_have(api: Api, family: Family, field: str, value: str) -> None:
    create(api, family, **{field: value})
    answer = api.post(f"{family.path}/create", family.body(**{field: value}))
    assert answer["errcode"] == 40003
    (problem,) = answer["duplicate_field_list"]
    assert (problem["field"], problem["value"]) == (field, value)
    assert list(problem) == ["field", "value", "external_source", "external_source_name"]


def test_an_object_keeps_its_own_number_and_name(api: Api) -> None:
    body = TRUNK.body()
    id_ = api.post("trunk/create", body)["id"]
    assert api.post("trunk/update", {"id": id_, "name": body["name"]}) == SUCCESS
    body = IVR.body()
    id_ = api.post("ivr/create", body)["id"]
    assert api.post("ivr/update", {"id": id_, "number": body["number"]}) == SUCCESS


def test_a_number_that_was_given_back_is_free(api: Api) -> None:
    body = IVR.body()
    id_ = api.post("ivr/create", body)["id"]
    fresh = IVR.body()["number"]
    assert api.post("ivr/update", {"id": id_, "number": fresh}) == SUCCESS
    create(api, EXTENSION, number=body["number"])
    assert api.get("ivr/delete", id=id_) == SUCCESS
    create(api, RINGGROUP, number=fresh)


def test_what_is_in_use_stays(api: Api) -> None:
    extension, group = create(api, EXTENSION), create(api, EXTENSION_GROUP, name="Used group")
    trunk = create(api, TRUNK, name="Used trunk")
    route = create(api, OUTBOUND_ROUTE, name="Used route", trunk_list=[{"id": trunk}], ext_list=[])
    ring = create(api, RINGGROUP, member_list=[{"id": extension}, {"id": group, "type": "ext_group"}])
    target = create(api, IVR)
    user = create(
        api,
        IVR,
        number="7654321",
        dial_ext_option="allow",
        dial_ext_list=[{"id": extension}, {"value": str(group), "type": "ext_group"}],
        enb_dial_outb_routes=1,
        dial_outb_route_list=[{"id": route}],
        enb_dial_call_number=1,
        dial_call_number_list=[ring],
        press1_dest="ivr",
        press1_dest_value=target,
    )
    used = {"extension": extension, "extension_group": group, "outbound_route": route, "ringgroup": ring}
    for path, id_ in {**used, "trunk": trunk, "ivr": target}.items():
        answer = api.get(f"{path}/delete", id=id_)
        assert (answer["errcode"], answer["errmsg"]) == (70091, "CONNECTION_RELATION_EXISTED"), path
        assert "outbound_route Used route" in answer["submsg"] or "ivr 7654321" in answer["submsg"]
        assert api.get(f"{path}/get", id=id_)["errcode"] == 0
    assert api.get("ivr/delete", id=user) == SUCCESS
    for path, id_ in {"ringgroup": ring, **used, "trunk": trunk, "ivr": target}.items():
        assert api.get(f"{path}/delete", id=id_) == SUCCESS


def test_a_list_of_members_is_shown_with_present_names(api: Api) -> None:
    extension = create(api, EXTENSION, first_name="Mary", last_name="Jackson")
    group = create(api, EXTENSION_GROUP, member_list=[str(extension)])
    number = shown(api, EXTENSION, extension)["number"]
    expected = {"text": "Mary Jackson", "text2": number, "value": str(extension), "type": "extension"}
    assert shown(api, EXTENSION_GROUP, group)["member_list"] == [expected]
    assert api.post("extension/update", {"id": extension, "last_name": "Somerville"}) == SUCCESS
    expected["text"] = "Mary Somerville"
    assert shown(api, EXTENSION_GROUP, group)["member_list"] == [expected]
