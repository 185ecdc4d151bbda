"""Forms into bodies, without a server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from openivr.resources import KINDS
from openivr.resources.fields import Field
from openivr.web.forms.parse import ParsedForm, move, parse_form
from openivr.web.resources.views import RESOURCE_VIEWS

KNOWN = {
    ("extension", "1000"): 1,
    ("extension", "1001"): 2,
    ("ext_group", "Sales"): 7,
    ("ext_group", "1000"): 8,
    ("ring_group", "6300"): 3,
    ("custom_prompt", "two words.wav"): 4,
}


def field(kind: str, name: str) -> Field:
    return next(one for one in KINDS[kind].fields if one.name == name)


def read(kind: str, name: str, **form: list[str]) -> ParsedForm:
    given = {key.replace("__", "."): values for key, values in form.items()}
    return parse_form([field(kind, name)], given, lambda *key: KNOWN.get(key))


def test_texts_are_trimmed_and_flags_are_there_or_not() -> None:
    assert read("extension", "first_name", first_name=["  Ada "]).body == {"first_name": "Ada"}
    assert read("extension", "enb_vm", enb_vm=["1"]).body == {"enb_vm": 1}
    assert read("extension", "enb_vm").body == {"enb_vm": 0}


def test_an_empty_secret_is_not_sent() -> None:
    assert read("extension", "reg_password", reg_password=[""]).body == {}
    draft = read("extension", "reg_password", reg_password=[" x "], reg_password__generated=["1"])
    assert (draft.body, draft.generated) == ({"reg_password": " x "}, {"reg_password"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1000", ("extension", "1")),
        ("1000 Ada Byron", ("extension", "1")),
        ("Sales", ("ext_group", "7")),
        ("ext_group 1000", ("ext_group", "8")),
        ("extension 1001", ("extension", "2")),
    ],
)
def test_members_are_added_as_people_call_them(text: str, found: tuple[str, str]) -> None:
    draft = read("ring_group", "member_list", member_list=["extension:2"], member_list__add=[text])
    first = {"type": "extension", "value": "2"}
    added = dict(zip(("type", "value"), found, strict=True))
    assert draft.body["member_list"] == ([first, added] if added != first else [first])
    assert draft.problems == []


@pytest.mark.parametrize("text", ["1002", "Sal", "Sales team", "extension", "ring_group 6300"])
def test_what_names_nobody_is_kept_and_refused(text: str) -> None:
    draft = read("ring_group", "member_list", member_list__add=[text])
    assert draft.body["member_list"] == []
    assert draft.typed == {"member_list.add": text}
    assert [(p.field, p.rule) for p in draft.problems] == [("member_list", "reference")]


@pytest.mark.parametrize("item", ["trunk:1", "extension:x", "extension:", "extension:-1", "", "extension:１"])
def test_items_that_no_form_of_ours_has_are_refused(item: str) -> None:
    draft = read("ring_group", "member_list", member_list=[item, "extension:2"])
    assert draft.body["member_list"] == [{"type": "extension", "value": "2"}]
    assert [p.field for p in draft.problems] == ["member_list"]


@pytest.mark.parametrize(
    ("dest", "prefix", "target", "sent"),
    [
        ("extension", "9", "1000 Ada", ("extension", "", "1")),
        ("ext_vm", "", "1001", ("ext_vm", "", "2")),
        ("ring_group", "", "6300", ("ring_group", "", "3")),
        ("end_call", "2", "1000", ("end_call", "", "")),
        ("", "2", "1000", ("", "", "")),
        ("play_greeting", "", "two words.wav", ("play_greeting", "1", "two words.wav")),
        ("play_greeting", "3", "two words.wav", ("play_greeting", "3", "two words.wav")),
        ("external_num", "9", "(020) 79-46", ("external_num", "9", "0207946")),
        ("extension", "", "", ("extension", "", "")),
        ("nonsense", "1", "2", ("nonsense", "1", "")),
    ],
)
def test_a_destination_has_only_what_its_type_has(
    dest: str, prefix: str, target: str, sent: tuple[str, str, str]
) -> None:
    draft = read(
        "ring_group", "fail_dest", fail_dest=[dest], fail_dest_prefix=[prefix], fail_dest_target=[target]
    )
    assert tuple(draft.body.values()) == sent
    assert draft.problems == []
    assert draft.typed.get("fail_dest_target", "") == target


def test_a_destination_to_nobody_is_refused() -> None:
    draft = read("ring_group", "fail_dest", fail_dest=["extension"], fail_dest_target=["Ada"])
    assert [(p.field, p.value) for p in draft.problems] == [("fail_dest_value", "Ada")]
    assert draft.typed == {"fail_dest_target": "Ada"}


def test_empty_rows_are_no_rows() -> None:
    columns: dict[str, Any] = {
        "dial_pattern_list__pattern": ["9X", "", "", "X"],
        "dial_pattern_list__strip": ["1", "0", "2", ""],
        "dial_pattern_list__prepend": ["", "", "", "00"],
    }
    assert read("outbound_route", "dial_pattern_list", **columns).body["dial_pattern_list"] == [
        {"pattern": "9X", "strip": "1", "prepend": ""},
        {"pattern": "", "strip": "2", "prepend": ""},
        {"pattern": "X", "strip": "0", "prepend": "00"},
    ]


def test_prompts_are_named() -> None:
    assert read("ring_group", "join_prompt", join_prompt__add=["two words.wav"]).body == {
        "join_prompt": "two words.wav"
    }
    assert read("ring_group", "join_prompt", join_prompt=["a.wav"]).body == {"join_prompt": "a.wav"}
    assert read("ring_group", "join_prompt", join_prompt__add=["two"]).problems[0].field == "join_prompt"


FORM = {
    "list": ["a", "b", "c"],
    "list.add": ["new"],
    "table.one": ["1", "2"],
    "table.two": ["x", "y"],
    "list2": ["z"],
}


@pytest.mark.parametrize(
    ("steps", "name", "after"),
    [
        ("list up 1", "list", ["b", "a", "c"]),
        ("list down 1", "list", ["a", "c", "b"]),
        ("list remove 0", "list", ["b", "c"]),
        ("list up 0", "list", ["a", "b", "c"]),
        ("list down 2", "list", ["a", "b", "c"]),
        ("list remove 0", "list.add", ["new"]),
        ("list remove 0", "list2", ["z"]),
        ("list remove 9", "list", ["a", "b", "c"]),
        ("list add", "list", ["a", "b", "c"]),
        ("table up 1", "table.one", ["2", "1"]),
        ("table up 1", "table.two", ["y", "x"]),
        ("list up ٣", "list", ["a", "b", "c"]),
    ],
)
def test_moves(steps: str, name: str, after: list[str]) -> None:
    assert move(FORM, steps)[name] == after
    assert FORM["list"] == ["a", "b", "c"]


@given(
    some.sampled_from(list(RESOURCE_VIEWS.values())),
    some.dictionaries(
        some.sampled_from(
            sorted(
                {
                    name + ending
                    for view in RESOURCE_VIEWS.values()
                    for one in view.fields
                    for name in (one.name, *(f"{one.name}.{c.name}" for c in getattr(one, "columns", ())))
                    for ending in ("", ".add", "_target", "_prefix", ".generated")
                }
            )
        ),
        some.lists(
            some.text(max_size=12) | some.sampled_from(["extension:1", "1", "0", "ext_vm", "9X."]), max_size=3
        ),
    ),
    some.text(max_size=20)
    | some.builds("{} {} {}".format, some.just("member_list"), some.just("up"), some.integers()),
)
def test_no_form_can_break_the_reading(view: Any, form: dict[str, list[str]], steps: str) -> None:
    draft = parse_form(view.fields, move(form, steps), lambda *key: KNOWN.get(key))
    assert isinstance(draft.body, dict)
