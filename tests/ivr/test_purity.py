"""The core and the simulator import only what they may."""

import ast
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/openivr"
MAY = {
    "hours": {"openivr.hours"},
    "ivr": {"openivr.ivr", "openivr.hours"},
    "simulate": {
        "openivr.hours",
        "openivr.ivr",
        "openivr.cdr",
        "openivr.sounds",
        "openivr.simulate",
        "openivr.yaml_reader",
    }
    | {"msgspec", "rich", "yaml"},
}
NEVER = {"asyncio", "datetime", "io", "logging", "os", "random", "socket", "subprocess", "threading", "time"}
PURE = sorted((SOURCE / "ivr").rglob("*.py"))


def imports(path: Path) -> set[str]:
    """List the modules that a file imports, those of ours with their package."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {".".join(name.split(".")[: 2 if name.startswith("openivr") else 1]) for name in names}


@pytest.mark.parametrize("package", MAY)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    for path in (SOURCE / package).rglob("*.py"):
        assert imports(path) - set(sys.stdlib_module_names) <= MAY[package], path


@pytest.mark.parametrize("path", PURE, ids=[path.stem for path in PURE])
def test_the_core_has_no_clock_no_disk_and_no_chance(path: Path) -> None:
    assert not imports(path) & NEVER
