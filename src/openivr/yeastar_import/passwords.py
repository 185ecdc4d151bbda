"""Registration passwords of extensions that came over: those of another PBX cannot be read."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openivr.resources.secret import nobody, random_text

Fields = dict[str, Any]
LENGTH = 20
HEAD = ("number", "reg_name", "reg_password")


def renew(entries: Mapping[str, Fields], here: Mapping[str, Fields]) -> list[tuple[str, str, str]]:
    """Give random passwords to new extensions, and to those with a new registration name.

    Returns number, registration name and password of each. The user password of a new extension is random and
    not returned, so it opens nothing until an administrator sets one.
    """
    given = []
    for label, entry in entries.items():
        old = here.get(label)
        if old is not None and old.get("reg_name") == entry["reg_name"]:
            continue
        entry["reg_password"] = random_text(LENGTH)
        if old is None:
            entry["user_password"] = nobody()
        given.append((label, str(entry["reg_name"]), str(entry["reg_password"])))
    return given


def write(path: Path, given: list[tuple[str, str, str]]) -> None:
    """Write passwords to a new file that only its owner can read. Raises FileExistsError."""
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *given])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text.getvalue())
        file.flush()
        os.fsync(descriptor)
