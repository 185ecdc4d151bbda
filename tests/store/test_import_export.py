"""Configuration files: out and in again to the letter, all or nothing, mistakes by line."""

import io

import numpy as np
import pytest
import soundfile

from openivr.config import yaml_document
from openivr.resources import KINDS
from openivr.sounds.convert import convert
from openivr.store.config import import_export, prompts, scenarios
from openivr.store.config.import_export import ImportPlan
from openivr.store.config.pin_lists import is_pin_right
from openivr.store.database import Database
from tests.store.bodies import create, extension, ivr, revision, show, update
from tests.store.conftest import Opener


def sound(seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    soundfile.write(
        file, np.sin(np.arange(int(8000 * seconds)) / 5) / 2, 8000, format="WAV", subtype="PCM_16"
    )
    return file.getvalue()


SCENARIO = {
    "scenario": "no",  # a YAML word
    "calls": "6200",
    "from": "007",
    "world": {"1000": "busy", "talk": "5"},
    "steps": [{"hears": "default"}, {"presses": "1"}, {"rings": "extension 1000", "at": "0.2"}, "hangs_up"],
}


def fill(database: Database) -> None:
    """Something of everything."""
    with database.changing() as change:
        prompts.save(change, "hours.wav", sound(), convert(sound(), "wav"))
    one = create(
        database, "extension", extension("1000", first_name="Äda", vm_pin="4711", enb_switch_hours=1)
    )
    presence = {
        **{"status": "away", "ring_timeout": 20, "enb_ring_mobile": 1, "mobile_number": "+44 20 7946 0000"},
        **{"enb_ex_busy_forward": 0, "in_busy_forward_dest": "extension", "in_busy_forward_value": str(one)},
        **{"ex_no_answer_forward_dest": "external_num", "ex_no_answer_forward_prefix": "9"},
        **{"ex_no_answer_forward_num": "555", "enb_ex_always_forward": 1},
    }
    create(database, "extension", extension("1001", presence_list=[presence]))
    group = create(database, "ext_group", {"name": "Sales team", "member_list": [one]})
    ring = create(
        database,
        "ring_group",
        {
            "number": "6300",
            "name": "no",  # a YAML word
            "ring_strategy": "sequentially",
            "ring_timeout": "20",
            "member_list": [{"value": group, "type": "ext_group"}, one],
            "fail_dest": "ext_vm",
            "fail_dest_value": str(one),
        },
    )
    calendar = create(database, "timezone", {"name": "off", "timezone": "Europe/Berlin"})
    hours = {"days_of_week": "mon tue", "office_times": [{"value": "09:00-18:00"}]}
    create(database, "businesshour", {**hours, "timezone_id": calendar, "reset_times": ["12:00-13:00"]})
    create(database, "businesshour", hours)
    create(database, "businesshour", hours)
    for _ in range(2):
        day = {"name": "Xmas", "type": "month", "date": "12/25", "prompt": "hours.wav"}
        create(database, "holiday", {**day, "timezone_id": calendar})
    trunk = create(
        database, "trunk", {"name": "Line", "type": "peer", "hostname": "192.0.2.1", "password": "pässword"}
    )
    route = create(
        database,
        "outbound_route",
        {"name": "Out", "dial_pattern_list": [{"pattern": "9X.", "strip": 1}], "trunk_list": [trunk]},
    )
    create(
        database,
        "block_numbers",
        {
            "name": "Nuisance",
            "limit_type": "both",
            "number_list": "0900.&+441632960999&anonymous",
            "def_dest": "extension",
            "def_dest_value": str(one),
        },
    )
    create(database, "allow_numbers", {"name": "Known", "limit_type": "inbound", "number_list": "09001"})
    pins = create(database, "pin_list", {"name": "Warehouse", "pin_list": "0283,3301", "enb_record_cdr": 1})
    menu = create(
        database,
        "ivr",
        ivr(
            "6200",
            prompt="default,hours.wav",
            enb_dial_outb_routes=1,
            dial_outb_route_list=[route],
            press1_dest="ring_group",
            press1_dest_value=ring,
            press2_dest="play_prompt",
            press2_dest_prefix="2",
            press2_dest_value="hours.wav",
            press_hash_dest="external_num",
            press_hash_dest_prefix="9",
            press_hash_dest_value="5551234",
            allow_out_record_star=1,
            press1_pin_list_id=pins,
            press_hash_pin_list_id=pins,
            enb_time_condition=1,
            time_condition_scope="each_key",
            press1_enb_time_condition=1,
            press1_timezone_id=calendar,
            press1_outoffice_time_dest="end_call",
            press1_holiday_dest="play_greeting",
            press1_holiday_dest_prefix="1",
            press1_holiday_dest_value="hours.wav",
        ),
    )
    create(database, "ivr", ivr("6201", timeout_dest="ivr", timeout_dest_value=str(menu)))
    update(database, "ivr", menu, {"invalid_dest": "ivr", "invalid_dest_value": "2"})
    condition = {"enb_time_condition": 1, "timezone_id": calendar, "holiday_dest": "end_call"}
    places = [{"type": "ivr", "value": menu}]
    fields = {"name": "In", "def_dest": "ivr", "def_dest_value": menu, **condition}
    places.append({"type": "inbound_route", "value": create(database, "inbound_route", fields)})
    storm = {"name": "Storm", "prompt": "hours.wav", "before_list": places, "timezone_id": calendar}
    create(database, "announcement", {**storm, "end_time": "2026-12-24 18:00"})
    book = create(database, "phonebook", {"name": "Good customers"})
    numbers = [{"num_type": "mobile_number", "number": "+44 7700 900123"}]
    fields = {"first_name": "Charles", "number_list": numbers, "phonebook_id_list": [book], "city": "London"}
    create(database, "company_contact", fields)
    hook = {"name": "CRM", "url": "https://crm.example.com/", "secret": "kZ8sW2qA", "event_ids": [30011]}
    create(
        database, "webhook", {**hook, "request_method": "GET", "timeout": 9, "retry_count": 1, "enable": 0}
    )
    with database.changing() as change:
        scenarios.add(change.connection, menu, SCENARIO)


def export(database: Database) -> str:
    with database.reading() as connection:
        return yaml_document.dump(import_export.export(connection))


def bring_in(
    database: Database, text: str, *, keeps_others: bool = False, is_partial: bool = False
) -> ImportPlan:
    document = yaml_document.load(text)
    with database.changing() as change:
        plan = import_export.make_plan(
            change.connection,
            document.entries,
            document.scenarios,
            keeps_others=keeps_others,
            is_partial=is_partial,
        )
        if not plan.mistakes:
            import_export.carry_out(change, plan)
    return plan


def test_a_round_trip_is_exact(open_database: Opener) -> None:
    first, second = open_database(), open_database()
    fill(first)
    text = export(first)
    assert not bring_in(second, text).mistakes
    assert export(second) == text
    for kind, id_ in (("ivr", 1), ("ring_group", 1), ("outbound_route", 1), ("inbound_route", 1)):
        assert show(second, kind, id_) == show(first, kind, id_)
    with first.reading() as one, second.reading() as other:
        assert prompts.audio(one, 1) == prompts.audio(other, 1)


@pytest.mark.parametrize("said", ["", "  duration: 77\n  size: 5\n  format: gsm\n"])
def test_what_follows_from_the_audio_is_computed(open_database: Opener, said: str) -> None:
    """A file may leave it out or have it wrong, whether the audio is new, the same or not in the file."""
    first, second = open_database(), open_database()
    fill(first)
    document = export(first)
    head, audio = document.index("custom_prompt:"), document.index("  audio:")
    named = f"{document[:head]}custom_prompt:\n- id: 1\n  name: hours.wav\n{said}"
    for text in (named + document[audio:], document, named + document[document.index("extension:") :]):
        assert not bring_in(second, text).mistakes
        row = show(second, "custom_prompt", 1)
        assert (row["duration"], row["size"], row["format"]) == (1, len(sound()), "wav")


def test_reading_the_same_in_again_changes_nothing(database: Database) -> None:
    fill(database)
    assert bring_in(database, export(database)).actions == []


def test_a_file_is_the_whole_configuration(open_database: Opener) -> None:
    first, second = open_database(), open_database()
    fill(first)
    create(second, "extension", extension("1000", first_name="Other"))
    create(second, "extension", extension("2000"))
    create(second, "ivr", ivr("7000"))
    plan = bring_in(second, export(first))
    done = {(item.action, item.label) for item in plan.actions}
    assert done >= {
        ("update", "1000"),
        ("update", "1001"),  # it has the id that 2000 had
        ("update", "6200"),
    }
    assert export(second) == export(first)


def test_others_can_be_kept(database: Database) -> None:
    create(database, "ivr", ivr("7000"))
    text = 'openivr: 1\nivr:\n- {number: "6200", name: New, prompt: default, prompt_repeat: 1,'
    text += " resp_timeout: 1, digit_timeout: 1, dial_ext_option: all, keys: {1: ivr 7000}}\n"
    plan = bring_in(database, text, keeps_others=True)
    assert [(item.action, item.id, item.label) for item in plan.actions] == [("create", 2, "6200")]
    assert show(database, "ivr", 2)["press1_dest_value"] == "1"
    assert create(database, "ivr", ivr("7001")) == 3


def merge(database: Database, text: str) -> ImportPlan:
    plan = bring_in(database, "openivr: 1\n" + text, keeps_others=True, is_partial=True)
    assert not plan.mistakes
    return plan


def test_a_partial_entry_changes_what_it_names_and_nothing_else(database: Database) -> None:
    fill(database)
    before = export(database)
    plan = merge(database, "ext_group: [{name: Sales team}]\nivr: [{number: 6201}]\n")
    assert plan.actions == []
    assert export(database) == before
    for text, kind, label, changed in [
        ("ivr: [{number: 6200, resp_timeout: 9}]", "ivr", "6200", ["resp_timeout"]),
        ("ring_group: [{id: 1, number: 6399}]", "ring_group", "6399", ["number"]),
        ("ring_group: [{number: 6399, fail_dest: end_call}]", "ring_group", "6399", ["fail_dest"]),
        ("trunk: [{name: Line, enable: 0}]", "trunk", "Line", ["enable"]),
        ("outbound_route: [{name: Out, max_calls: 7}]", "outbound_route", "Out", ["max_calls"]),
        ("outbound_route: [{name: Out, trunk_list: []}]", "outbound_route", "Out", ["trunk_list"]),
    ]:
        plan = merge(database, text)
        actions = [(item.action, item.kind.name, item.label, item.changed) for item in plan.actions]
        assert actions == [("update", kind, label, changed)], text


def test_a_partial_entry_changes_single_keys_of_a_menu(database: Database) -> None:
    fill(database)
    before = show(database, "ivr", 1)
    merge(database, 'ivr: [{number: 6200, keys: {"1": ivr 6201, "2": ""}}]')
    after = show(database, "ivr", 1)
    differs = {name for name in before if before[name] != after[name]}
    assert differs == {
        "press1_dest",
        "press1_dest_value",
        *(f"press2_dest{p}" for p in ("", "_prefix", "_value")),
    }
    assert (after["press1_dest"], after["press1_dest_value"], after["press2_dest"]) == ("ivr", "2", "")
    opt_outs = [name for name in after if "allow_out_record" in name and after[name]]
    assert opt_outs, "the star's is kept"
    merge(database, "ivr: [{number: 6200, allow_out_record: []}]")
    assert not any(show(database, "ivr", 1)[name] for name in opt_outs)


def test_a_partial_entry_of_something_new_needs_what_every_new_one_needs(database: Database) -> None:
    plan = bring_in(database, "openivr: 1\nivr: [{number: 6200}]\n", keeps_others=True, is_partial=True)
    assert "name is required" in [mistake.text for mistake in plan.mistakes]


def test_pins_leave_as_hashes_and_come_back(open_database: Opener) -> None:
    first, second = open_database(), open_database()
    id_ = create(first, "pin_list", {"name": "Warehouse", "pin_list": "028391827,3301"})
    with first.reading() as connection:
        text = yaml_document.dump(import_export.export(connection))
    assert "028391827" not in text
    assert "$argon2id$" in text
    bring_in(second, text)
    bring_in(second, text.replace("Warehouse", "Storeroom"))
    with second.reading() as connection:
        assert [is_pin_right(connection, id_, pin) for pin in ("028391827", "3301", "0284")] == [
            True,
            True,
            False,
        ]


def test_plain_pins_of_a_file_are_hashed_and_the_same_again_is_no_change(database: Database) -> None:
    text = "openivr: 1\npin_list:\n  - {name: Warehouse, pin_list: ['028391827', '3301']}\n"
    bring_in(database, text)
    document = yaml_document.load(text)
    with database.reading() as connection:
        plan = import_export.make_plan(connection, document.entries)
        assert (plan.mistakes, plan.actions) == ([], [])
        assert "028391827" not in str(plan.items)


def test_a_secret_left_out_stays(database: Database) -> None:
    create(database, "extension", extension("1000"))
    text = export(database)
    without = "\n".join(line for line in text.splitlines() if "password" not in line)
    assert bring_in(database, without).actions == []


MENU = {
    "number": '"6200"',
    "name": "Menu",
    "prompt": "default",
    "prompt_repeat": "3",
    "resp_timeout": "5",
    "digit_timeout": "3",
    "dial_ext_option": "disable",
}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("prompt_repeat", "9", "prompt_repeat must be from 1 to 5"),
        ("dial_ext_option", "some", "dial_ext_option must be one of"),
        ("keys", "{1: extension 1000}", "keys.1 names extension 1000, which does not exist"),
        ("keys", "{1: queue 6400}", "keys.1 queue is not served"),
        ("keys", "{1: ivr 6200, x: end_call}", "keys.x is not a key; keys are 0, 1, 2"),
        ("prompt", "missing.wav", "missing.wav"),
        ("colour", "red", "colour is not a field of ivr"),
        ("id", "x", "id must be an integer"),
    ],
)
def test_mistakes_are_told_by_line_and_change_nothing(
    database: Database, field: str, value: str, said: str
) -> None:
    fields = MENU | {field: value}
    lines = [
        "openivr: 1",
        "ivr:",
        *(f"- {n}: {v}" if n == "number" else f"  {n}: {v}" for n, v in fields.items()),
    ]
    before = export(database)
    plan = bring_in(database, "\n".join(lines))
    line = next(at for at, text in enumerate(lines, 1) if text.strip().startswith(field))
    assert [(mistake.line, said in mistake.text) for mistake in plan.mistakes] == [(line, True)]
    assert export(database) == before


def test_a_number_given_twice_is_a_mistake(database: Database) -> None:
    rows = [{"id": 1, **ivr("6200")}, {"id": 2, **ivr("6201")}]
    text = yaml_document.dump({"openivr": 1, "ivr": rows}).replace("6201", "6200")
    assert bring_in(database, text).mistakes
    assert revision(database) <= 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("openivr: 2\n", 1),
        ("openivr: 1\nmenus: []\n", 2),
        ("openivr: 1\nivr: 6200\n", 2),
        ("openivr: 1\nivr:\n- 6200\n", 3),
        ("openivr: 1\nivr:\n- [a\n", 4),
        ("openivr: 1\n? [a]\n: b\n", 2),
    ],
)
def test_what_is_no_configuration_says_where(text: str, line: int) -> None:
    with pytest.raises(yaml_document.UnreadableDocument) as caught:
        yaml_document.load(text)
    assert caught.value.mistake.line == line


def test_every_kind_is_in_the_test() -> None:
    """A new kind of object must be added to `fill`."""
    assert set(KINDS) == {
        "custom_prompt",
        "timezone",
        "businesshour",
        "holiday",
        "extension",
        "ext_group",
        "ring_group",
        "trunk",
        "outbound_route",
        "inbound_route",
        "block_numbers",
        "allow_numbers",
        "pin_list",
        "ivr",
        "announcement",
        "phonebook",
        "company_contact",
        "webhook",
    }


def saved(database: Database) -> list[tuple[int, str]]:
    with database.reading() as connection:
        return [(stored.ivr_id, stored.name) for stored in scenarios.find_all(connection)]


def test_scenarios_follow_their_menu(database: Database) -> None:
    fill(database)
    text = export(database)
    assert saved(database) == [(1, "no")]
    moved = text.replace("number: '6200'", "number: '6299'").replace("ivr 6200", "ivr 6299")
    plan = bring_in(database, moved)
    assert [mistake.text for mistake in plan.mistakes] == ["calls 6200 is not the number of a menu"]
    assert moved.splitlines()[plan.mistakes[0].line - 1] == "  calls: '6200'"
    assert not bring_in(database, moved.replace("calls: '6200'", "calls: '6299'")).mistakes
    with database.reading() as connection:
        assert scenarios.find_all(connection)[0].document == SCENARIO | {"calls": "6299"}


def test_a_scenario_over_a_trunk_keeps_the_number_that_it_calls(database: Database) -> None:
    fill(database)
    outside = {"scenario": "in", "trunk": "Line", "calls": "441632960000", "from": "withheld", "steps": []}
    with database.changing() as change:
        scenarios.add(change.connection, 1, outside | {"menu": "6200"})
    text = export(database)
    moved = text.replace("number: '6200'", "number: '6299'").replace("ivr 6200", "ivr 6299")
    moved = moved.replace("calls: '6200'", "calls: '6299'")
    plan = bring_in(database, moved)
    assert [mistake.text for mistake in plan.mistakes] == ["menu 6200 is not the number of a menu"]
    assert not bring_in(database, moved.replace("menu: '6200'", "menu: '6299'")).mistakes
    with database.reading() as connection:
        assert scenarios.find_all(connection)[1].document == outside | {"menu": "6299"}
    without = export(database).replace("  menu: '6299'\n", "")
    assert [mistake.text for mistake in bring_in(database, without).mistakes] == [
        "menu is needed: the number of the menu that it is stored with"
    ]


def test_a_file_without_scenarios_leaves_them_and_one_with_an_empty_list_does_not(database: Database) -> None:
    fill(database)
    text = export(database)
    head, _, tail = text.partition("scenario:\n")
    without = head + tail[tail.index("api_client") :]
    assert not bring_in(database, without).mistakes
    assert saved(database) == [(1, "no")]
    other = text.replace("scenario: 'no'", "scenario: other")
    bring_in(database, other, keeps_others=True)
    assert saved(database) == [(1, "no"), (1, "other")]
    bring_in(database, other)
    assert saved(database) == [(1, "other")]
    bring_in(database, head + "scenario: []\n" + tail[tail.index("api_client") :])
    assert saved(database) == []


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("hears: default", "sings: default", "scenario, step 1: unknown: sings"),
        ("scenario: 'no'", "scenario: ''", "scenario must have 1 to 100 characters"),
        ("- scenario: 'no'", "- {scenario: 'no', calls: 6200, steps: []}\n- scenario: 'no'", "is the second"),
    ],
)
def test_a_scenario_that_cannot_be_kept_is_a_mistake(
    database: Database, before: str, after: str, complaint: str
) -> None:
    fill(database)
    text = export(database).replace(before, after)
    try:
        found = [mistake.text for mistake in bring_in(database, text).mistakes]
    except yaml_document.UnreadableDocument as error:
        found = [error.mistake.text]
    assert len(found) == 1
    assert complaint in found[0]
