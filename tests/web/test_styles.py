"""Classes of style sheets: a page's sheet has classes of its own, beside those that all pages share."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from openivr import web

FOLDER = Path(web.__file__).parent / "static"
SHEETS = {str(path.relative_to(FOLDER)): path.read_text() for path in sorted(FOLDER.rglob("*.css"))}
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
QUERY = re.compile(r"@(?:media|keyframes)[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
CLASS = re.compile(r"\.[a-z]")
NAME = re.compile(r"\.([a-z][a-z0-9-]*)(?=[^{}]*\{)")
QUERIES = re.compile(r"@[a-z-]+[^{;]*(?=\{)")

Names = Mapping[str, frozenset[str]]


def read_sheet(text: str) -> Names:
    """The declarations of each selector with a class; what holds for some screens alone is left out."""
    found: dict[str, set[str]] = {}
    for selectors, body in RULE.findall(QUERY.sub("", COMMENT.sub("", text))):
        declarations = {" ".join(one.split()) for one in body.split(";") if one.strip()}
        for selector in map(str.strip, selectors.split(",")):
            if CLASS.search(selector):
                found.setdefault(selector, set()).update(declarations)
    return {name: frozenset(declarations) for name, declarations in found.items()}


def find_clashes(sheets: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each selector that two sheets have, and say something else of."""
    read = {path: read_sheet(text) for path, text in sheets.items()}
    for (first, one), (second, other) in combinations(read.items(), 2):
        for name in sorted(one.keys() & other.keys()):
            if one[name] != other[name]:
                yield name, first, second


def test_light_and_dark_differ_in_colours_alone() -> None:
    """light-dark() gives colours; a media query could hide or move something in one scheme."""
    assert [path for path, text in SHEETS.items() if "prefers-color-scheme" in text] == []
    assert any("light-dark(" in text for text in SHEETS.values())


SHARED = ("frame.css", "player.css")  # classes that the sheets of pages may refine


def find_owners(sheets: Mapping[str, str]) -> Mapping[str, set[str]]:
    """The sheets of pages that have a class which is not shared."""
    classes = {
        path: set(NAME.findall(QUERIES.sub("", COMMENT.sub("", text)))) for path, text in sheets.items()
    }
    shared = set().union(*(classes.get(path, set()) for path in SHARED))
    owners: dict[str, set[str]] = {}
    for path, names in classes.items():
        for name in names - shared if path not in SHARED else ():
            owners.setdefault(name, set()).add(path)
    return owners


def test_a_class_belongs_to_the_sheet_of_one_page() -> None:
    assert {name: paths for name, paths in find_owners(SHEETS).items() if len(paths) > 1} == {}


def test_a_class_of_two_pages_would_be_found() -> None:
    sheets = {
        "frame.css": ".card { gap: 0 }",
        "a": ".pad .card { gap: 1px }",
        "b": "@media print { .pad { gap: 0 } }",
    }
    assert find_owners(sheets) == {"pad": {"a", "b"}}


def test_no_two_style_sheets_mean_something_else_by_a_class() -> None:
    assert len(SHEETS) > 5
    assert list(find_clashes(SHEETS)) == []


def test_a_clash_would_be_found() -> None:
    one = ".pad, .key { color: red; gap: 8px } @media print { .bar { color: red } } .bar .key { gap: 4px }"
    other = ".key { gap: 8px; color: red } .pad { color: blue } .bar { color: blue } /* .key { gap: 0 } */"
    assert list(find_clashes({"a": one, "b": other})) == [(".pad", "a", "b")]
