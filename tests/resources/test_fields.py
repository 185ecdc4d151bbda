"""Kinds of field: what each reads, refuses, stores, shows and writes into a configuration file."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.resources.errors import Problem
from openivr.resources.fields import (
    MISSING,
    ChoiceField,
    Field,
    IntegerField,
    InvalidValue,
    Reference,
    ResourceName,
    SecretField,
    StoredForm,
    TableField,
    TextField,
    flag,
    number,
    whole,
)
from openivr.resources.import_remarks import ImportRemarksField
from openivr.resources.reference_fields import LinksField, PromptsField

NAME = TextField(name="name", required=True, low=1, high=5)
CODE = TextField(name="code", pattern="[a-z]+")
PORT = IntegerField(name="port", low=1, high=65_535, default=5060)
TYPE = ChoiceField(name="type", values=("udp", "tcp"), unserved=("sctp",), default="udp")
PROMPT = PromptsField(name="prompt", most=2, builtin=("default",))
MEMBERS = LinksField(name="members", kinds=("extension", "ext_group"), unserved=("queue",), most=3)
PATTERNS = TableField(name="patterns", columns=(NAME, PORT), most=2)
PASSWORD = SecretField(
    name="password", keep=lambda text: f"kept:{text}", low=3, high=8, rules=("[0-9]",), kept="kept:.*"
)
REMARKS = ImportRemarksField(name="remarks", former_names=("note",))

ACCEPTED: list[tuple[Field, Any, Any]] = [
    (NAME, "Anna", "Anna"),
    (NAME, "é" * 5, "é" * 5),
    (CODE, "", ""),
    (CODE, "abc", "abc"),
    (number(), "0042", "0042"),
    (PORT, 1, 1),
    (PORT, "65535", 65_535),
    (flag("on"), 1, 1),
    (flag("on"), "0", 0),
    (TYPE, "tcp", "tcp"),
    (PROMPT, "", ""),
    (PROMPT, " a.wav , default ", "a.wav,default"),
    (MEMBERS, [], []),
    (MEMBERS, [7], [{"type": "extension", "id": 7}]),
    (
        MEMBERS,
        [{"id": "7"}, {"value": 7, "type": "ext_group"}],
        [{"type": "extension", "id": 7}, {"type": "ext_group", "id": 7}],
    ),
    (
        PATTERNS,
        [{"name": "a"}, {"name": "b", "port": "9"}],
        [{"name": "a", "port": 5060}, {"name": "b", "port": 9}],
    ),
    (PASSWORD, "abc1", "kept:abc1"),
    (PASSWORD, StoredForm("kept:x"), "kept:x"),
]
REFUSED: list[tuple[Field, Any, str]] = [
    (NAME, "", "length"),
    (NAME, "x" * 6, "length"),
    (NAME, "  ", "format"),
    (NAME, "a\nb", "format"),
    (NAME, "a\ud800", "format"),
    (NAME, 5, "type"),
    (NAME, None, "type"),
    (CODE, "aB", "format"),
    (CODE, "ab\n", "format"),
    (number(), "12a", "format"),
    (number(), "١٢", "format"),
    (number(), "12345678", "length"),
    (PORT, 0, "range"),
    (PORT, 65_536, "range"),
    (PORT, "1.0", "type"),
    (PORT, 1.0, "type"),
    (PORT, True, "type"),
    (PORT, "", "type"),
    (PORT, "٣", "type"),
    (PORT, 10**18, "range"),
    (flag("on"), 2, "range"),
    (TYPE, "sctp", "unsupported"),
    (TYPE, "UDP", "enum"),
    (TYPE, ["udp"], "type"),
    (PROMPT, "a,b,c", "length"),
    (PROMPT, "a,,b", "length"),
    (PROMPT, "a,", "format"),
    (PROMPT, 1, "type"),
    (MEMBERS, "7", "type"),
    (MEMBERS, [1, 2, 3, 4], "length"),
    (MEMBERS, [7, {"id": 7}], "conflict"),
    (MEMBERS, [{"id": 7, "type": "queue"}], "unsupported"),
    (MEMBERS, [{"id": 7, "type": "ivr"}], "enum"),
    (MEMBERS, [{"type": "extension"}], "type"),
    (PATTERNS, {"name": "a"}, "type"),
    (PATTERNS, ["a"], "type"),
    (PATTERNS, [{"name": "a"}] * 3, "length"),
    (PATTERNS, [{"port": 1}], "required"),
    (PATTERNS, [{"name": "a", "port": 0}], "range"),
    (PASSWORD, "a1", "length"),
    (PASSWORD, "abcd", "format"),
    (PASSWORD, "abc\x001", "format"),
    (PASSWORD, 1234, "type"),
]
SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))
VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "value", "type", "name", "port", "x"]), inner, max_size=4),
    ),
    max_leaves=8,
)
FIELDS = (NAME, CODE, PORT, TYPE, PROMPT, MEMBERS, PATTERNS, PASSWORD)


def names(kind: str, id_: int) -> ResourceName:
    return ResourceName(f"{kind} name", f"10{id_:02d}")


def find(kind: str, key: str) -> int | None:
    return int(key) - 1000 if kind == "extension" and key.isdigit() else None


@pytest.mark.parametrize(("field", "raw", "stored"), ACCEPTED)
def test_a_good_value_is_stored(field: Field, raw: Any, stored: Any) -> None:
    assert field.parse(raw) == stored


@pytest.mark.parametrize(("field", "raw", "rule"), REFUSED)
def test_a_bad_value_names_the_rule_that_it_breaks(field: Field, raw: Any, rule: str) -> None:
    problems: list[Problem] = []
    assert field.read({field.name: raw}, MISSING, problems) == field.default
    (problem,) = problems
    assert (problem.field, problem.rule) == (field.name, rule)


@given(field=st.sampled_from(FIELDS), raw=VALUES)
def test_any_json_is_read_or_refused(field: Field, raw: Any) -> None:
    try:
        stored = field.parse(raw)
    except InvalidValue:
        return
    if field is not PASSWORD:  # it is kept in another form than the one that is sent
        assert field.parse(stored) == stored


@given(field=st.sampled_from(FIELDS), raw=VALUES)
def test_what_a_field_stores_goes_into_a_file_and_comes_back(field: Field, raw: Any) -> None:
    try:
        stored = field.parse(raw)
    except InvalidValue:
        return
    if field is MEMBERS and not all(link["type"] == "extension" and 0 <= link["id"] < 100 for link in stored):
        return
    entry = dict(field.dump(stored, names))
    body = field.load(entry, find)
    assert (field.parse(body[field.name]) if body else field.default) == stored


def test_a_field_that_is_not_sent_keeps_what_is_stored_or_takes_its_default() -> None:
    problems: list[Problem] = []
    assert PORT.read({}, 7, problems) == 7
    assert PORT.read({}, MISSING, problems) == 5060
    assert NAME.read({}, "kept", problems) == "kept"
    assert not problems
    NAME.read({}, MISSING, problems)
    assert [(problem.field, problem.rule, problem.value) for problem in problems] == [
        ("name", "required", None)
    ]


def test_what_was_sent_is_repeated_but_never_a_secret() -> None:
    problems: list[Problem] = []
    NAME.read({"name": "x" * 200}, MISSING, problems)
    PASSWORD.read({"password": "secret"}, MISSING, problems)
    assert problems[0].value == "x" * 100 + "…"
    assert problems[1].value is None
    assert "secret" not in repr(problems[1])


def test_a_secret_is_not_shown_and_a_request_cannot_send_its_stored_form() -> None:
    assert list(PASSWORD.serialize("kept:abc1", names)) == []
    assert PASSWORD.parse("kept:x1") == "kept:kept:x1"
    assert PASSWORD.load({"password": "kept:x"}, find) == {"password": StoredForm("kept:x")}
    assert isinstance(PASSWORD.load({"password": "abc1"}, find)["password"], str)


SOUND_MISSING = {"code": "prompt_missing", "prompt": "a.wav"}


def test_remarks_are_no_part_of_the_api() -> None:
    problems: list[Problem] = []
    sent = [{"code": "other", "text": "sent"}]
    assert REMARKS.read({"remarks": sent}, [SOUND_MISSING], problems) == [SOUND_MISSING]
    assert REMARKS.read(REMARKS.load({"remarks": sent}, find), [SOUND_MISSING], problems) == sent
    assert REMARKS.read({}, MISSING, problems) == []
    assert list(REMARKS.serialize([SOUND_MISSING], names)) == []
    assert REMARKS.schema() == {}


@pytest.mark.parametrize(
    "raw",
    [
        "prose",
        ["prose"],
        [{"code": "unknown"}],
        [{"code": "prompt_missing"}],
        [SOUND_MISSING | {"more": "x"}],
        [{"code": "other", "text": "x" * 1001}],
        [{"code": "other", "text": ["x"]}],
    ],
)
def test_only_remarks_that_there_are_can_be_loaded(raw: Any) -> None:
    with pytest.raises(InvalidValue):
        REMARKS.load({"remarks": raw}, find)


def test_remarks_are_bounded() -> None:
    many = [{"code": "other", "text": str(at)} for at in range(501)]
    assert REMARKS.read(REMARKS.load({"remarks": many}, find), [], []) == many[:500]


def test_the_note_of_a_former_release_becomes_remarks() -> None:
    note = "key # led to queue Support, which is not served here\n\nAsk Grace"
    assert REMARKS.load({"note": note}, find) == {
        "remarks": [
            {"code": "destination_unserved", "input": "#", "type": "queue", "name": "Support"},
            {"code": "other", "text": "Ask Grace"},
        ]
    }
    assert REMARKS.load({"note": note, "remarks": []}, find) == {"remarks": []}


def test_links_are_shown_with_name_and_number_and_say_what_they_point_to() -> None:
    stored = MEMBERS.parse([7, {"id": 8, "type": "ext_group"}])
    assert dict(MEMBERS.serialize(stored, names)) == {
        "members": [
            {"text": "extension name", "text2": "1007", "value": "7", "type": "extension"},
            {"text": "ext_group name", "text2": "1008", "value": "8", "type": "ext_group"},
        ]
    }
    assert list(MEMBERS.references(stored)) == [
        Reference("members", "extension", 7),
        Reference("members", "ext_group", 8),
    ]


def test_prompts_refer_by_name_to_all_but_the_built_in_ones() -> None:
    assert list(PROMPT.references("default,a.wav")) == [Reference("prompt", "custom_prompt", "a.wav")]
    assert list(PROMPT.references("")) == []


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        (MEMBERS, {"members": ["extension nobody"]}),
        (MEMBERS, {"members": ["ivr 6200"]}),
        (MEMBERS, {"members": "x"}),
    ],
)
def test_a_file_that_names_nothing_is_refused(field: Field, entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        field.load(entry, find)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_describes_itself(field: Field) -> None:
    schema = field.schema()[field.name]
    assert schema["type"] in {"string", "integer", "array"}


@given(st.integers(-(10**17), 10**17), st.sampled_from([int, str]))
def test_whole_numbers_come_as_numbers_or_digits(value: int, form: Callable[[int], Any]) -> None:
    assert whole(form(value)) == value
