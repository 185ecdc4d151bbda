"""Texts of the web admin: one TOML file per family of pages, one folder per language.

A text is found by its section and name: "menus.title". A text that depends on a count is a table of `one` and
`many`. A translation is a copy of the folder.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Text = str | Mapping[str, str]
FOLDER = Path(__file__).parent


@cache
def load(language: str = "en") -> Mapping[str, Text]:
    """All texts of a language by their keys. Raises ValueError if two files have the same key."""
    texts: dict[str, Text] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        for section, entries in tomllib.loads(path.read_text()).items():
            for name, text in entries.items():
                key = f"{section}.{name}"
                if key in texts:
                    raise ValueError(f"{path.name} has {key}, which another file has already")
                texts[key] = text
    return texts


def t(key: str, /, **values: Any) -> str:
    """Translate: the text of a key with its values filled in. `count` chooses between one and many."""
    text = load()[key]
    if not isinstance(text, str):
        text = text["one" if values.get("count") == 1 else "many"]
    return text.format(**values)


def t_code(section: str, code: str) -> str:
    """Translate a code of a record; one of a newer release, which has no text here, is returned as it is."""
    return t(f"{section}.{code}") if has_text(f"{section}.{code}") else code


def has_text(key: str) -> bool:
    """Return True if the key has a text."""
    return key in load()
