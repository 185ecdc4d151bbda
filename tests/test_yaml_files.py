"""Configuration files that people wrote wrong: what is refused, and with which line."""

import subprocess
import sys
from pathlib import Path

import pytest

from openivr.config import yaml_document
from openivr.config.yaml_document import UnreadableDocument
from openivr.simulate.scenario import ScenarioError, read_scenarios
from openivr.simulate.yaml_reader import MAX_DEPTH, YamlError, compose, plain
from openivr.store.config import import_export
from openivr.store.database import Database
from openivr.store.schema import migrate

MENU = """openivr: 1
ivr:
- number: '6200'
  name: Main
  prompt: default
  prompt_repeat: 3
  resp_timeout: 5
  digit_timeout: 3
  dial_ext_option: disable
"""
SECOND = "is here for the second time; the first is in line"


def refused(text: str) -> tuple[int, str]:
    with pytest.raises(UnreadableDocument) as error:
        yaml_document.load(text)
    return error.value.mistake.line, error.value.mistake.text


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    migrate(database)
    return database


def mistakes(database: Database, text: str) -> list[tuple[int, str]]:
    """Return the problems of importing a file."""
    document = yaml_document.load(text)
    with database.reading() as connection:
        plan = import_export.make_plan(connection, document.entries, document.scenarios)
    database.close()
    return [(mistake.line, mistake.text) for mistake in plan.mistakes]


def test_m13_two_sections_of_a_kind_are_refused_with_both_lines() -> None:
    text = MENU + "extension_group:\n- name: All\n" + MENU.split("\n", 1)[1]
    text = text.replace("extension_group", "ext_group")
    assert refused(text) == (12, f"ivr {SECOND} 2")


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ("  name: Other\n", 10, f"name {SECOND} 4"),
        (
            "  keys:\n    '1': end_call\n    1: ivr 6200\n",
            12,
            "1 is here for the second time; the first is in line 11",
        ),
        (
            "  keys: {1: end_call, '1': end_call}\n",
            10,
            "1 is here for the second time; the first is in line 10",
        ),
    ],
)
def test_m13_a_name_given_twice_is_refused_with_both_lines(lines: str, line: int, words: str) -> None:
    assert refused(MENU + lines) == (line, words)


def test_m13_in_a_file_of_scenarios_too(tmp_path: Path) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text("- scenario: a\n  menu: 6200\n  menu: 6201\n  steps: []\n")
    with pytest.raises(ScenarioError, match=f"line 3: menu {SECOND} 2"):
        read_scenarios(path)


DEEP = [
    "[" * 200_000 + "]" * 200_000,
    "openivr: 1\nivr: " + "[" * 200_000,
    "{a: " * 100_000,
    "- " * 100_000,
    "\n".join(" " * depth + "a:" for depth in range(3000)),
    "? " * 50_000,
]


@pytest.mark.parametrize("text", DEEP, ids=lambda text: repr(text[:10]))
def test_m15_deep_nesting_is_refused(text: str, tmp_path: Path) -> None:
    """In a process of its own: a fault of the parser would end this one."""
    path = tmp_path / "deep.yaml"
    path.write_text(text)
    code = (
        "import sys; from pathlib import Path; from openivr.config import yaml_document\n"
        "try: yaml_document.load(Path(sys.argv[1]).read_text())\n"
        "except yaml_document.UnreadableDocument as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.endswith("nested too deeply\n")
    assert result.stderr == ""
    with pytest.raises(ScenarioError, match="nested too deeply"):
        read_scenarios(path)


def test_m15_nesting_within_the_bound_is_read() -> None:
    node = compose("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert node is not None
    assert str(plain(node)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


def test_m15_aliases_do_not_multiply() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for name, below in zip("bcdefghi", "abcdefgh", strict=True):
        text += f"{name}: &{name} [" + ", ".join([f"*{below}"] * 10) + "]\n"
    with pytest.raises(YamlError, match="aliases repeat too much"):
        compose(text)
    few = compose("a: &a [x, y]\nb: *a\n")
    assert few is not None
    assert plain(few) == {"a": ["x", "y"], "b": ["x", "y"]}


def test_m16_a_wrong_key_has_its_own_line(database: Database) -> None:
    keys = "  keys:\n    '1': end_call\n    '2': extension 1999\n    10: end_call\n"
    assert mistakes(database, MENU + keys) == [
        (12, "keys.2 names extension 1999, which does not exist"),
    ]


def test_m16_a_key_that_is_none_is_told_from_those_that_are(database: Database) -> None:
    ((line, text),) = mistakes(database, MENU + "  keys:\n    '1': end_call\n    10: end_call\n")
    assert line == 12
    assert text.startswith("keys.10 is not a key; keys are 0, 1, 2,")
    assert "hash (or '#'), star (or '*')" in text


def test_m16_a_wrong_kind_of_destination_has_the_line_of_its_key(database: Database) -> None:
    keys = "  keys:\n    '1': end_call\n    '#': queue 6400\n    timeout: play_prompt 9 x.wav\n"
    assert [line for line, _ in mistakes(database, MENU + keys)] == [12, 13]


def test_m16_a_wrong_item_of_a_list_has_its_own_line(database: Database) -> None:
    text = MENU + "  dial_ext_list:\n  - ext_group Sales\n  - extension 1999\next_group:\n- name: Sales\n"
    assert mistakes(database, text) == [(12, "dial_ext_list names extension 1999, which does not exist")]


def test_m16_the_signs_of_keys_are_taken(database: Database) -> None:
    document = yaml_document.load(MENU + "  keys:\n    '#': end_call\n    '*': ivr 6200\n")
    with database.reading() as connection:
        plan = import_export.make_plan(connection, document.entries)
    database.close()
    (item,) = plan.items
    assert item.new is not None
    assert {key: value["dest"] for key, value in item.new["keys"].items()} == {
        "hash": "end_call",
        "star": "ivr",
    }


def test_m16_a_key_under_both_names_is_refused(database: Database) -> None:
    keys = "  keys:\n    hash: end_call\n    '#': ivr 6200\n"
    ((line, text),) = mistakes(database, MENU + keys)
    assert (line, text.split()[0]) == (12, "keys.hash")


def test_m17_more_documents_in_a_file_are_said() -> None:
    line, words = refused(MENU + "---\n" + MENU)
    assert line == 10
    assert words == "a second document begins here; a file has one: remove the --- above"
