"""The core and the simulator import only what they may."""

import ast
import pkgutil
import sys
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

import openivr.ivr
from openivr.ivr.call_state import CallState

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
        "openivr.simulate.yaml_reader",
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
    values = {"datetime"} if path.parent.name == "analysis" else set()  # dates of calendars, not the present
    assert not imports(path) & (NEVER - values)
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not {getattr(call, "attr", "") for call in calls} & {"now", "today", "utcnow"}


def test_no_value_can_be_changed() -> None:
    """All but the memory of a call."""
    names = [found.name for found in pkgutil.walk_packages(openivr.ivr.__path__, "openivr.ivr.")]
    members = [member for name in names for member in vars(import_module(name)).values()]
    values = {member for member in members if isinstance(member, type) and is_dataclass(member)}
    assert len(values) > 40
    for kind in values - {CallState}:
        assert getattr(kind, "__dataclass_params__").frozen, kind  # noqa: B009 - unknown to type checkers
        assert hasattr(kind, "__slots__"), kind
