"""English stands in the words and nowhere else."""

import re
from pathlib import Path

import pytest

from openivr import web
from openivr.web import messages
from openivr.web.simulator.handset import FAMILIES

FOLDER = Path(web.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
CODE = "".join(path.read_text() for path in [*FOLDER.rglob("*.py"), *TEMPLATES])
MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)
SCRIPTS = sorted(path for path in (FOLDER / "static").rglob("*.js") if "vendor" not in path.parts)
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w])//[^\n]*", re.DOTALL)
LITERAL = re.compile(r"""\"([^"\n]*)\"|'([^'\n]*)'|`([^`]*)`""")
SENTENCE = re.compile(r"[A-Z][a-z]+ [a-z]{2,}|\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b|[a-z]{2,}[.!?]$")
UNSEEN = re.compile(r"new Error\([^)]*\)")  # nobody is shown what a script throws
SHOWN = re.compile(r'\b(?:title|placeholder|aria-label|alt)="([^"]*)"')


def test_every_key_that_is_named_has_words() -> None:
    named = re.findall(r"""\bt\(\s*["']([a-z_]+\.[a-z_0-9]*[a-z0-9])["']""", CODE)
    assert len(named) > 50
    assert [key for key in named if not messages.has_text(key)] == []


def test_no_words_are_left_over() -> None:
    prefixes = (
        set(re.findall(r"""["'](\w+\.\w*)["']\s*[~+%]""", CODE))
        | set(re.findall(r"""["'](\w+\.\w*)%[sd]["']""", CODE))
        | set(re.findall(r"""f["'](\w+\.\w*)\{""", CODE))
        | {f"{section}." for section in re.findall(r"""\bt_code\(["'](\w+)["']""", CODE)}
        | {f"{section}." for section in FAMILIES.values()}
    )
    unused = [
        key
        for key in messages.load()
        if f'"{key}"' not in CODE and f"'{key}'" not in CODE and not key.startswith(tuple(prefixes))
    ]
    assert unused == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_words_of_their_own(path: Path) -> None:
    text = path.read_text()
    bare = re.sub(r"&\w+;", " ", MARKUP.sub(" ", text))
    assert re.findall(r"[A-Za-z]{2,}", bare) == []
    for shown in SHOWN.findall(re.sub(r"\{[{%].*?[%}]\}", "", text)):
        assert re.findall(r"[A-Za-z]{2,}", shown) == []


def sentences(script: str) -> list[str]:
    """The texts of a script that look like English."""
    bare = UNSEEN.sub("", COMMENT.sub("", script))
    texts = ["".join(found) for found in LITERAL.findall(bare)]
    return [text for text in texts if SENTENCE.search(re.sub(r"\$\{[^}]*\}", "", text))]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_have_no_words_of_their_own(path: Path) -> None:
    assert sentences(path.read_text()) == []


def test_words_in_a_script_would_be_found() -> None:
    assert sentences('x = "Please wait"; // "Not this"') == ["Please wait"]
    assert sentences("`${count} calls under way`; new Error('out of reach again')") == [
        "${count} calls under way"
    ]
    assert sentences('"htmx:afterSwap"; "[data-node] li"; "2 * 3"') == []


def test_counting() -> None:
    assert messages.t("sign_in.blocked", count=1).endswith("in a minute.")
    assert messages.t("sign_in.blocked", count=2).endswith("in 2 minutes.")


def test_unknown_words_are_an_error() -> None:
    with pytest.raises(KeyError):
        messages.t("frame.nothing_of_the_kind")
