"""Vendored files are listed with their origin, and are what the list says."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CELL = r" ([^|]+) \|"
ROW = re.compile(rf"^\| `([^`]+)` \|{CELL * 3} (https://\S+) \| `([0-9a-f]{{64}})` \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "THIRD_PARTY.md").read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_file_is_what_the_list_says(row: tuple[str, ...]) -> None:
    path, *_, checksum = row
    assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == checksum


def test_no_vendored_file_is_missing_from_the_list() -> None:
    listed = {row[0] for row in ROWS}
    vendored = {str(path.relative_to(ROOT)) for path in ROOT.glob("src/**/vendor/**/*") if path.is_file()}
    assert {path for path in vendored if not path.endswith("LICENSE.txt")} <= listed
