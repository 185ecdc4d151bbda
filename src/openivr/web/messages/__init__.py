"""The words of the web admin: one TOML file per family of pages, in one folder per language.

A phrase is looked up by its section and name, "menus.title". A phrase that counts something is a table of
`one` and `many`. Translating the admin means translating a folder.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Phrase = str | Mapping[str, str]
FOLDER = Path(__file__).parent


@cache
def load(language: str = "en") -> Mapping[str, Phrase]:
    """Every phrase of a language by its key."""
    phrases: dict[str, Phrase] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        for section, entries in tomllib.loads(path.read_text()).items():
            for name, phrase in entries.items():
                key = f"{section}.{name}"
                if key in phrases:
                    raise ValueError(f"{path.name} has {key}, which another file has already")
                phrases[key] = phrase
    return phrases


def say(key: str, /, **values: Any) -> str:
    """The phrase of a key with its values filled in; `count` chooses between one and many."""
    phrase = load()[key]
    if not isinstance(phrase, str):
        phrase = phrase["one" if values.get("count") == 1 else "many"]
    return phrase.format(**values)


def has(key: str) -> bool:
    """Whether there is a phrase of this key, for words about values that need none."""
    return key in load()
