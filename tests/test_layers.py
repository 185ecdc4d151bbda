"""The directions of imports: the house's load-bearing walls."""

import sys
from functools import cache

import grimp
import pytest

# Who may import whom, beside themselves and what stands lower in the same list of names.
ALLOWED = {
    "menu": set(),
    "objects": {"menu"},
    "client": set(),
    "sip": set(),
    "audio": set(),
    "media": set(),
    "logs": set(),
    "observe": {"logs"},
    "accounts": {"menu"},
    "store": {"menu", "objects", "audio", "accounts"},
    "journal": {"menu"},
    "sounds": set(),
    "simulate": {"menu", "journal", "sounds"},
    "clerk": {"journal", "menu", "store"},
    "configfile": {"objects", "store", "simulate"},
    "config": {"store"},
    "openapi": {"objects", "store", "observe", "audio", ""},
    "web": {
        *["menu", "objects", "store", "observe", "audio", "simulate", "sounds", "journal", "configfile"],
        "",
    },
    "supervisor": {"config"},
    "app": {"openapi", "web", "store", "objects", "logs", "observe", "config", "supervisor"},
    "calls": {"accounts", "journal", "media", "menu", "sip"},
    "phone": {"calls", "journal", "media", "menu", "simulate", "sip"},
    "control": set(),
    "memory": {"calls", "journal", "menu", "store"},
    "tuning": set(),
    "telephony": {
        *("accounts", "calls", "config", "control", "journal", "logs", "media", "memory", "sip", "sounds"),
        *("store", "supervisor", "tuning"),
    },
    "processes": {"app", "clerk", "config", "sip", "store", "supervisor", "telephony"},
    "pull": {"client", "objects", "store", "audio"},
    "startup": {"config", "configfile", "store", "objects", "simulate"},
}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("openivr")


def part(module: str) -> str:
    """The part of the house that a module is in; the package itself is ""."""
    return module.removeprefix("openivr").lstrip(".").partition(".")[0]


def imports() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for module in graph().modules:
        targets = {part(target) for target in graph().find_modules_directly_imported_by(module)}
        found.setdefault(part(module), set()).update(targets - {part(module)})
    return found


def test_every_part_has_its_rule() -> None:
    assert set(imports()) - set(ALLOWED) == {"", "cli", "__main__"}


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_go_in_the_allowed_directions(name: str) -> None:
    assert imports().get(name, set()) <= ALLOWED[name]


def test_only_the_command_line_is_above_all() -> None:
    importers = {name for name, targets in imports().items() if "cli" in targets}
    assert importers <= {"__main__"}


@pytest.mark.parametrize(("name", "outside"), [("menu", set()), ("client", {"httpx", "msgspec"})])
def test_what_must_stay_light_uses_only(name: str, outside: set[str]) -> None:
    with_externals = grimp.build_graph("openivr", include_external_packages=True)
    used = {
        target.partition(".")[0]
        for module in with_externals.modules
        if part(module) == name and module.startswith("openivr")
        for target in with_externals.find_modules_directly_imported_by(module)
    }
    assert used - set(sys.stdlib_module_names) - {"openivr"} <= outside


def test_sql_is_in_one_place() -> None:
    with_externals = grimp.build_graph("openivr", include_external_packages=True)
    users = {part(module) for module in with_externals.find_modules_that_directly_import("sqlalchemy")}
    assert users <= {"store", "startup", "openapi", "web", "pull", "clerk", "memory"}


def test_nothing_imports_in_a_circle() -> None:
    for module in graph().modules:
        for target in graph().find_modules_directly_imported_by(module):
            chain = graph().find_shortest_chain(importer=target, imported=module)
            assert chain is None, chain
