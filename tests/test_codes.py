"""What is stored, compared or sent is a code: a search that finds no English in its place."""

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from string import Formatter

import pytest

import openivr
from openivr.b2bua.dialplan import NoMatch
from openivr.cdr.journal.entries import CallEndReason, CallOutcome, LegResult
from openivr.ivr import former_words
from openivr.ivr.analysis.words import TEXTS
from openivr.ivr.commands import HangupReason, Topic
from openivr.ivr.events import Cause
from openivr.ivr.import_remark import PARAMS, ImportRemarkCode
from openivr.ivr.policy import Refusal
from openivr.ivr.state import IvrState
from openivr.simulate import words
from openivr.simulate.words import Why
from openivr.sip.termination import FailureReason
from openivr.sip.trunk.trunk_state import TrunkReason

SOURCE = Path(openivr.__file__).parent
CODE = re.compile(r"[A-Za-z0-9*#+._/-]*")

# The names of RFC 3261, section 17, for the four transactions.
FOREIGN = {"INVITE client", "non-INVITE client", "INVITE server", "non-INVITE server"}
# Values that are data and not codes: words, and names that people give.
WORDS = {"openivr.ivr.builtin_sounds"}
# Values of the Warning header field as RFC 3261 section 20.43 writes them on the wire.
WIRE = {"Warn"}

FORMER = (
    *(former_words.REASONS, former_words.TOPICS, former_words.REFUSALS, former_words.CAUSES),
    *(former_words.LEG_RESULTS, former_words.STAGES, former_words.TRUNK_REASONS, former_words.VERBS),
)
# Where an old text may stand: the tables of what was, and the words of a face.
FACES = ("ivr/former_words.py", "ivr/analysis/words.py", "simulate/words.py", "softphone/result.py")


def enums() -> Iterator[type[Enum]]:
    for module in pkgutil.walk_packages(openivr.__path__, "openivr."):
        if module.name.endswith("__main__") or ".migrations." in module.name:
            continue
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, type) and issubclass(found, Enum) and found.__module__ == module.name:
                yield found


def test_no_value_of_an_enum_is_a_sentence() -> None:
    values = {
        (kind.__name__, member.value)
        for kind in enums()
        for member in kind
        if isinstance(member.value, str) and kind.__module__ not in WORDS and kind.__name__ not in WIRE
    }
    assert len(values) > 200
    assert {value for _, value in values if not CODE.fullmatch(value)} == FOREIGN


def strings(path: Path) -> Iterator[str]:
    """Every string of a module but its docstrings, and parts of f-strings."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_no_module_has_a_text_that_was_a_value() -> None:
    texts = {text for table in FORMER for text in table if " " in text}
    found = {
        (str(path.relative_to(SOURCE)), text)
        for path in SOURCE.rglob("*.py")
        if str(path.relative_to(SOURCE)) not in FACES and "migrations" not in path.parts
        for text in texts & set(strings(path))
    }
    assert found == set()


def test_no_script_or_template_compares_a_text_that_was_a_value() -> None:
    texts = {text for table in FORMER for text in table if " " in text}
    for path in [*SOURCE.rglob("web/static/**/*.js"), *SOURCE.rglob("web/templates/**/*.html")]:
        content = path.read_text()
        assert [text for text in texts if f'"{text}"' in content or f"'{text}'" in content] == [], path


def test_former_texts_become_codes_that_there_are() -> None:
    reasons = {*HangupReason, *CallEndReason}
    known: list[tuple[former_words.Words, set[str]]] = [
        (former_words.REASONS, {str(reason) for reason in reasons}),
        (former_words.SLUGS, {str(reason) for reason in reasons}),
        (former_words.TOPICS, {topic.value for topic in Topic}),
        (former_words.REFUSALS, {refusal.value for refusal in Refusal}),
        (former_words.CAUSES, {cause.value for cause in Cause}),
        (former_words.LEG_RESULTS, {result.value for result in LegResult}),
        (former_words.STAGES, {state.value for state in IvrState}),
        (former_words.TRUNK_REASONS, {*(reason.value for reason in (*TrunkReason, *FailureReason))}),
    ]
    for table, codes in known:
        assert set(table.values()) <= codes
    assert {match.reason for match in NoMatch} <= set(CallEndReason)
    assert {cause.value for cause in Cause} <= {result.value for result in LegResult}


def test_codes_of_one_column_are_distinct() -> None:
    assert not {str(one) for one in HangupReason} & {str(one) for one in CallEndReason}
    assert not {one.value for one in TrunkReason} & {one.value for one in FailureReason}


def test_the_terminal_has_words_for_every_code() -> None:
    assert set(words.REASONS) == {*HangupReason, *CallEndReason}
    assert set(words.CAUSES) == set(Cause)
    assert set(words.REFUSALS) == set(Refusal)
    assert set(words.LEG_RESULTS) == set(LegResult)
    assert set(words.WHY) == set(Why)
    assert set(words.OUTCOMES) == set(CallOutcome)


def test_every_remark_of_an_import_has_words() -> None:
    texts = {key.partition(".")[2]: text for key, text in TEXTS.items() if key.startswith("IVR408.")}
    assert texts.keys() == PARAMS.keys() == set(ImportRemarkCode)
    for code, params in PARAMS.items():
        text = texts[code]
        assert isinstance(text, str)
        assert {name for _, name, _, _ in Formatter().parse(text) if name} == set(params)


@pytest.mark.parametrize(
    ("line", "code", "params"),
    [
        (
            "key 4 led to play_greeting 9 a, which is not here.wav, "
            "which is played from 1 to 5 times: set the prefix to that number",
            "plays_invalid",
            {"input": "4", "type": "play_greeting", "name": "9 a, which is not here.wav", "high": "5"},
        ),
        (
            "a wrong key led to end_call  5, which must be empty for end_call",
            "destination_invalid",
            {"input": "invalid", "type": "end_call", "name": "5"},
        ),
        (
            "no key in time led to queue, which is not served here",
            "destination_unserved",
            {"input": "timeout", "type": "queue", "name": ""},
        ),
        ("key 12 led to queue 1, which is not served here", "other", None),
        ("Ask Grace", "other", None),
    ],
)
def test_former_remarks_become_codes(line: str, code: str, params: dict[str, str] | None) -> None:
    assert former_words.remark_code(line) == {"code": code, **(params or {"text": line})}
    assert PARAMS[ImportRemarkCode(code)] == tuple(params or ("text",))


def test_words_are_told_by_their_code() -> None:
    assert words.say_why(Why.REFUSED, Refusal.TOO_LONG) == "more than 15 digits"
    assert words.say_why(Why.FAILED, Cause.NO_ANSWER) == "because of: no answer"
    assert words.say_text("ends", HangupReason.HOP_LIMIT) == "more than 20 moves without a key"
    assert words.say_text("rings", "ring_group 6300") == "ring group 6300"
    assert words.say_text("rings", "outside 1 over ring_group a, b") == "outside 1 over ring_group a, b"
    assert words.say_text("ends", "something new") == "something new"


def test_former_texts_in_a_free_place_stay() -> None:
    assert former_words.detail_code("missing_prompt", "no answer") == "no answer"
    assert former_words.trunk_code("480 no answer") == ("rejected", "480 no answer")
    assert former_words.step_code("hears", "no answer") == ("hears", "no answer")
    outside = "outside 1 over limit reached, no answer"
    assert former_words.step_code("rings", outside) == ("rings", outside)
    row = json.loads('{"at": 1, "event": "PromptEnded", "failed": ["no answer"]}')
    assert former_words.event_codes(row) == row
