"""The language of the source as numbers: how docstrings begin, and how names and codes are chosen.

The limits leave room for the case where the rule makes a sentence worse. CONTRIBUTING.md has the rules.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "openivr"
HEADLESS = re.compile(r"(What|Whether|How|Where|Who|Whom|Whose)\b")
ACTORS = re.compile(r"\b(somebody|nobody|whoever|told)\b", re.IGNORECASE)
ENUMS = {"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"}


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed modules of the source, by path; without migrations, which are never edited."""
    files = (file for file in SOURCE.rglob("*.py") if "migrations" not in file.parts)
    return {
        file.relative_to(SOURCE).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files
    }


def docstrings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text


def opens_headless(text: str) -> bool:
    return bool(HEADLESS.match(text))


def has_vague_actor(text: str) -> bool:
    return bool(ACTORS.search(text))


def has_semicolon(text: str) -> bool:
    return ";" in text


RULES: dict[Callable[[str], bool], float] = {opens_headless: 0.03, has_vague_actor: 0.03, has_semicolon: 0.08}


@pytest.mark.parametrize("breaks", RULES, ids=lambda rule: rule.__name__)
def test_docstrings_are_plain(breaks: Callable[[str], bool]) -> None:
    texts = [(path, text) for path, tree in trees().items() for text in docstrings(tree)]
    found = [(path, text.splitlines()[0]) for path, text in texts if breaks(text)]
    assert len(texts) > 1500
    assert len(found) < RULES[breaks] * len(texts), found


def values_with_blanks(tree: ast.AST) -> Iterator[str]:
    """Values of enumerations that are sentences rather than codes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) in ENUMS for base in node.bases):
            for child in node.body:
                if isinstance(child, ast.Assign) and isinstance(child.value, ast.Constant):
                    value = child.value.value
                    if isinstance(value, str) and " " in value:
                        yield f"{node.name}: {value}"


def test_enumerations_are_codes() -> None:
    found = [(path, value) for path, tree in trees().items() for value in values_with_blanks(tree)]
    assert len(found) <= 12, found


def class_names(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def test_a_class_name_is_defined_once() -> None:
    """The client is left out: it mirrors names of the API that the server has as well."""
    modules = {path: tree for path, tree in trees().items() if not path.startswith("client/")}
    counts = Counter(name for tree in modules.values() for name in class_names(tree))
    found = {
        name: [path for path, tree in modules.items() if name in class_names(tree)]
        for name, count in counts.items()
        if count > 1
    }
    assert len(found) <= 15, found


def test_packages_have_few_modules() -> None:
    folders = Counter(str(Path(path).parent) for path in trees() if not path.endswith("__init__.py"))
    assert max(folders.values()) <= 30, folders.most_common(3)


def test_the_rules_find_what_they_are_for() -> None:
    """Each rule on a module that breaks it once."""
    tree = ast.parse(
        '"""What is told."""\n'
        "class A(StrEnum):\n"
        '    """Reasons; in words."""\n'
        '    X = "on a line"\n'
        '    Y = "code"\n'
        "def f():\n"
        '    """Return True if nobody waits."""\n'
    )
    texts = list(docstrings(tree))
    assert [sum(map(breaks, texts)) for breaks in RULES] == [1, 2, 1]
    assert list(values_with_blanks(tree)) == ["A: on a line"]
    assert class_names(tree) == {"A"}
