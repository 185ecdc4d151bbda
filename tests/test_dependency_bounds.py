"""The ranges of pyproject.toml: none admits a release with a known advisory, and all have an upper end."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
# The first release without any advisory that was known when it was written here.
SAFE = {
    "starlette": "1.3.1",  # CVE-2026-48710 (a Host that moves the path), and those after it
    "python-multipart": "0.0.30",  # CVE-2026-24486, -40347, -42561, -53539
    "Jinja2": "3.1.6",  # CVE-2025-27516
    "requests": "2.32.4",  # CVE-2024-47081
    "pillow": "11.3",  # CVE-2025-48379
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RANGES = [
    Requirement(text)
    for text in (
        *PROJECT["dependencies"],
        *(line for lines in PROJECT["optional-dependencies"].values() for line in lines),
    )
]
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


def bound(requirement: Requirement, operator: str) -> Version:
    return next(Version(one.version) for one in requirement.specifier if one.operator == operator)


@pytest.mark.parametrize("name", SAFE)
def test_no_range_admits_a_release_with_an_advisory(name: str) -> None:
    requirement = next(one for one in RANGES if one.name == name)
    assert bound(requirement, ">=") >= Version(SAFE[name])


def test_every_range_has_both_ends_and_admits_the_locked_release() -> None:
    for requirement in RANGES:
        assert bound(requirement, ">=") < bound(requirement, "<")
        assert requirement.specifier.contains(LOCKED[requirement.name.lower()]), requirement
