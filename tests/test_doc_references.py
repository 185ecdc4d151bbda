"""Every link of the documentation leads somewhere, and every module, class and file that it names exists."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from openivr.resources import KINDS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "openivr"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "bench").glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    key=lambda page: page.relative_to(ROOT),
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# What the data folder holds, and what the reader makes: no files of the source.
MADE = re.compile(r"(data|journal|recordings|build|/(etc|opt|var|tmp|srv)|~)/|\.venv/")
FILE = re.compile(
    r"[\w./-]+/[\w.-]+\.(py|toml|md|html|js|c|css|service|yaml|conf)|(src|tests|docs|deploy|bench)/[\w./-]*"
)
MODULE = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")
PACKAGES = {"openivr", *(folder.name for folder in SOURCE.iterdir() if folder.is_dir())} - {"client"}
SUFFIXES = {"toml", "html", "md", "py", "txt", "db", "sock", "yaml", "wav", "service"}
MEMBER = re.compile(r"([A-Z][a-z]+(?:[A-Z][a-z]+)*)(?:\.([a-z_]+))?(?:\(\))?")
# Headers, exceptions and words of others that look like classes.
NOT_OURS = {"Contact", "From", "Host", "Secure", "Via", "To", "Expires", "TypeError", "ValueError"}
# Pages that explain the code. Elsewhere a capitalised word in code quotes may be a header or a user's value.
ABOUT_CODE = [
    page for page in PAGES if page.parent.name == "decisions" or page.stem in ("architecture", "glossary")
]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def codes(page: Path) -> list[str]:
    """What a page has in code quotes within its text."""
    return CODE.findall(FENCED.sub("", text_of(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(text_of(page)) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(text_of(target)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_and_module_that_is_named_exists(page: Path) -> None:
    assert [code for code in codes(page) if is_file_name(code) and not is_file(page, code)] == []
    assert [code for code in codes(page) if is_module_name(page, code) and not is_module(code)] == []


def is_file_name(code: str) -> bool:
    return bool(FILE.fullmatch(code)) and not MADE.match(code)


def is_file(page: Path, code: str) -> bool:
    return any((folder / code).exists() for folder in (ROOT, SOURCE, page.parent))


def is_module_name(page: Path, code: str) -> bool:
    """Pages about the code name modules with or without the package's own name in front."""
    first, _, rest = code.partition(".")
    known = sys.stdlib_module_names if page in ABOUT_CODE else {first} - PACKAGES
    return bool(MODULE.fullmatch(code)) and first not in known and rest not in SUFFIXES | fields_of(first)


def fields_of(kind: str) -> set[str]:
    """The fields of a resource type, none if there is no such type."""
    return {field.name for field in KINDS[kind].fields} if kind in KINDS else set()


def is_module(code: str) -> bool:
    path = SOURCE.joinpath(*code.removeprefix("openivr.").split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@cache
def members() -> dict[str, set[str]]:
    """The classes of the source, each with its methods and attributes."""
    found: dict[str, set[str]] = {}
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(members_of(node))
    return found


def members_of(node: ast.ClassDef) -> Iterator[str]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child.name
        elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            yield child.target.id


@pytest.mark.parametrize("page", ABOUT_CODE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_class_that_is_named_exists(page: Path) -> None:
    names = [match for code in codes(page) if code not in NOT_OURS and (match := MEMBER.fullmatch(code))]
    assert [match[0] for match in names if match[1] not in members()] == []
    assert [match[0] for match in names if match[2] and match[2] not in members()[match[1]]] == []
