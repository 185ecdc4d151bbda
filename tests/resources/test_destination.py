"""Destinations and keys: three names of the API are one value, in every spelling."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.resources.destination import (
    MENU_TYPES,
    NOWHERE,
    PARTS,
    TARGETS,
    DestinationField,
    Keys,
    as_words,
    from_words,
)
from openivr.resources.errors import Problem
from openivr.resources.fields import MISSING, InvalidValue, Reference, ResourceName
from openivr.resources.ivr import KEYS

DEST = DestinationField(name="dest", stems=("dst", "dest"))
GOOD: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"dest": "end_call"}, {"dest": "end_call", "prefix": "", "value": ""}),
    ({"dest": ""}, NOWHERE),
    ({"dest": "dial_by_name", "dest_value": ""}, {"dest": "dial_by_name", "prefix": "", "value": ""}),
    ({"dest": "extension", "dest_value": 7}, {"dest": "extension", "prefix": "", "value": "7"}),
    ({"dest": "ivr", "dest_value": " 07 "}, {"dest": "ivr", "prefix": "", "value": "7"}),
    (
        {"dest": "external_num", "dest_prefix": "9", "dest_value": "+1"[1:]},
        {"dest": "external_num", "prefix": "9", "value": "1"},
    ),
    (
        {"dest": "external_num", "dest_value": "+4930"},
        {"dest": "external_num", "prefix": "", "value": "+4930"},
    ),
    (
        {"dest": "play_prompt", "dest_prefix": "2", "dest_value": "a.wav"},
        {"dest": "play_prompt", "prefix": "2", "value": "a.wav"},
    ),
]
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"dest": 1}, "dest", "type"),
    ({"dest": "queue"}, "dest", "unsupported"),
    ({"dest": "nowhere"}, "dest", "enum"),
    ({"dest": "extension"}, "dest_value", "required"),
    ({"dest": "extension", "dest_value": "x"}, "dest_value", "type"),
    ({"dest": "extension", "dest_value": 7, "dest_prefix": "1"}, "dest_prefix", "conflict"),
    ({"dest": "end_call", "dest_value": "7"}, "dest_value", "conflict"),
    ({"dest": "external_num", "dest_value": ""}, "dest_value", "format"),
    ({"dest": "external_num", "dest_value": "12a"}, "dest_value", "format"),
    ({"dest": "external_num", "dest_prefix": "9", "dest_value": "+49"}, "dest_value", "format"),
    ({"dest": "external_num", "dest_value": "1" * 16}, "dest_value", "format"),
    ({"dest": "play_prompt", "dest_prefix": "0", "dest_value": "a.wav"}, "dest_value", "range"),
    ({"dest": "play_prompt", "dest_prefix": "6", "dest_value": "a.wav"}, "dest_value", "range"),
    ({"dest": "play_prompt", "dest_prefix": "1"}, "dest_value", "required"),
    ({"dest": "play_prompt", "dest_value": "a.wav"}, "dest_prefix", "required"),
]
NAMES = {("extension", 7): ("Anna", "1007"), ("ivr", 7): ("Day", "6207"), ("ring_group", 7): ("All", "6307")}


def names(kind: str, id_: int) -> ResourceName:
    return ResourceName(*NAMES.get((kind, id_), ("", f"9{id_}")))


def find(kind: str, key: str) -> int | None:
    return next((id_ for (known, id_), shown in NAMES.items() if known == kind and shown[1] == key), None)


@pytest.mark.parametrize(("body", "value"), GOOD)
def test_a_destination_is_read_into_its_canonical_form(body: dict[str, Any], value: dict[str, str]) -> None:
    problems: list[Problem] = []
    assert DEST.read(body, MISSING, problems) == value
    assert not problems


@pytest.mark.parametrize(("body", "name", "rule"), BAD)
def test_a_bad_destination_names_the_part_and_the_rule(body: dict[str, Any], name: str, rule: str) -> None:
    problems: list[Problem] = []
    before = {"dest": "ivr", "prefix": "", "value": "7"}
    body = {"dest_prefix": "", "dest_value": "", **body} if body["dest"] == "extension" else body
    assert DEST.read(body, MISSING, problems) == NOWHERE
    assert [(problem.field, problem.rule) for problem in problems] == [(name, rule)]
    assert DEST.read(body, before, []) == before


def test_parts_that_are_not_sent_stay_while_the_type_stays() -> None:
    before = {"dest": "play_prompt", "prefix": "2", "value": "a.wav"}
    assert DEST.read({"dest_prefix": "3"}, before, []) == {**before, "prefix": "3"}
    assert DEST.read({}, before, []) == before
    assert DEST.read({"dest": "end_call"}, before, []) == {"dest": "end_call", "prefix": "", "value": ""}


def test_of_two_spellings_the_one_that_is_a_change_counts() -> None:
    before = {"dest": "end_call", "prefix": "", "value": ""}
    assert DEST.read({"dst": "end_call", "dest": "dial_by_name"}, before, [])["dest"] == "dial_by_name"
    assert DEST.read({"dst": "dial_by_name", "dest": "end_call"}, before, [])["dest"] == "dial_by_name"
    problems: list[Problem] = []
    assert DEST.read({"dst": "dial_by_name", "dest": ""}, before, problems) == before
    assert [problem.rule for problem in problems] == ["conflict"]


def test_a_destination_is_shown_in_every_spelling() -> None:
    value = {"dest": "ivr", "prefix": "", "value": "7"}
    assert dict(DEST.serialize(value, names)) == {
        f"{stem}{ending}": value[part] for stem in DEST.stems for part, ending in PARTS.items()
    }
    assert DEST.schema().keys() == dict(DEST.serialize(value, names)).keys()


def test_a_destination_says_what_it_points_to() -> None:
    assert list(DEST.references({"dest": "ext_vm", "prefix": "", "value": "7"})) == [
        Reference("dst_value", "extension", 7)
    ]
    assert list(DEST.references({"dest": "play_prompt", "prefix": "1", "value": "a.wav"})) == [
        Reference("dst_value", "custom_prompt", "a.wav")
    ]
    assert list(DEST.references(NOWHERE)) == []


def destinations() -> st.SearchStrategy[dict[str, str]]:
    def value(kind: str) -> st.SearchStrategy[dict[str, str]]:
        prefix, text = st.just(""), st.just("")
        if kind in TARGETS:
            text = st.just("7")
        elif kind == "external_num":
            text = st.from_regex(r"[0-9]{1,8}", fullmatch=True)
            prefix = st.sampled_from(["", "9", "+", "+49"])
        elif kind.startswith("play_"):
            prefix, text = st.sampled_from("12345"), st.sampled_from(["a.wav", "two words.mp3", "1.gsm"])
        return st.builds(lambda p, t: {"dest": kind, "prefix": p, "value": t}, prefix, text)

    return st.sampled_from(MENU_TYPES).flatmap(value)


@given(destinations())
def test_the_words_of_a_file_mean_the_destination(value: dict[str, str]) -> None:
    assert from_words(as_words(value, names), find) == value


@given(destinations())
def test_what_the_api_shows_can_be_sent_back(value: dict[str, str]) -> None:
    problems: list[Problem] = []
    assert DEST.read(dict(DEST.serialize(value, names)), MISSING, problems) == value
    assert not problems


def test_words_that_name_nothing_are_refused() -> None:
    with pytest.raises(InvalidValue) as bad:
        from_words("extension 4444", find)
    assert bad.value.code.rule == "reference"


@given(st.dictionaries(st.sampled_from(sorted(KEYS.keys)), st.tuples(destinations(), st.integers(0, 1))))
def test_keys_are_shown_and_read_back(given_keys: dict[str, tuple[dict[str, str], int]]) -> None:
    stored = {
        key: {**value, "allow_out_record": opted}
        for key, (value, opted) in given_keys.items()
        if value["dest"] or opted
    }
    problems: list[Problem] = []
    assert KEYS.read(dict(KEYS.serialize(stored, names)), MISSING, problems) == stored
    assert not problems
    entry = dict(KEYS.dump(stored, names))
    assert KEYS.read(KEYS.load(entry, find), MISSING, problems) == stored
    shown = dict(KEYS.serialize(stored, names)).keys()
    conditions = {name for one in KEYS.conditions.values() for name in one.schema()}
    conditions |= {link.name for link in KEYS.pins.values()}
    assert KEYS.schema().keys() - conditions == shown


def test_a_key_has_destinations_of_other_periods_and_a_calendar_of_its_own() -> None:
    body = {
        "press1_dest": "extension",
        "press1_dest_value": "7",
        "press1_outoffice_time_dest": "ivr",
        "press1_outoffice_time_dest_value": "7",
        "press1_holiday_dest": "end_call",
        "press1_enb_time_condition": 1,
        "press1_timezone_id": 3,
        "invalid_outoffice_time_dest": "end_call",
    }
    problems: list[Problem] = []
    stored = KEYS.read(body, MISSING, problems)
    assert not problems
    assert stored["1"]["closed"] == {"dest": "ivr", "prefix": "", "value": "7"}
    assert (stored["1"]["timed"], stored["1"]["timezone_id"]) == (1, 3)
    assert stored["invalid"]["closed"]["dest"] == "end_call"
    shown = dict(KEYS.serialize(stored, names))
    assert body.items() <= shown.items()
    assert shown["invaild_outoffice_time_dest"] == "end_call"
    assert KEYS.read(shown, MISSING, problems) == stored
    assert {(r.field, r.kind, r.key) for r in KEYS.references(stored)} == {
        ("press1_dest_value", "extension", 7),
        ("press1_outoffice_time_dest_value", "ivr", 7),
        ("press1_timezone_id", "timezone", 3),
    }
    assert "closed" not in KEYS.read({"press1_outoffice_time_dest": ""}, stored, problems)["1"]
    entry = dict(KEYS.dump(stored, lambda kind, id_: ResourceName("Night", f"{kind} {id_}")))
    assert entry["keys_closed"] == {"1": "ivr ivr 7", "invalid": "end_call"}
    assert entry["keys_timezone"] == {"1": "Night"}
    ids = {("timezone", "Night"): 3, ("ivr", "ivr 7"): 7, ("extension", "extension 7"): 7}
    assert KEYS.read(KEYS.load(entry, lambda *key: ids[key]), MISSING, problems) == stored
    assert not problems


def test_a_key_that_is_not_sent_stays() -> None:
    stored = {"1": {"dest": "end_call", "prefix": "", "value": "", "allow_out_record": 0}}
    assert KEYS.read({"press2_dest": "dial_by_name"}, stored, []).keys() == {"1", "2"}
    assert KEYS.read({"press1_dest": ""}, stored, []) == {}


@pytest.mark.parametrize("entry", [{"keys": []}, {"allow_out_record": "1"}, {"keys": {"13": "end_call"}}])
def test_a_file_with_bad_keys_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        Keys.load(KEYS, entry, find)
