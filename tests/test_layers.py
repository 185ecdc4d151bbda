"""The directions of imports: between packages, and between the sub-packages of the larger ones."""

import ast
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

SOURCE = Path(__file__).parents[1] / "src/openivr"

# The packages a package may import, besides itself. A sub-package with a row of its own is a package here.
ALLOWED: dict[str, set[str]] = {
    "hours": set(),
    "ivr": {"hours"},
    "resources": {"hours", "ivr"},
    "data_import": {"download", "hours", "ivr", "resources", "store"},
    "client": set(),
    "sip": {"connections"},
    "connections": set(),
    "media": set(),
    "sounds": set(),
    "observability": set(),
    "clock": set(),
    "download": set(),
    "mail": {"clock", "ivr", "mail.retry", "resources", "sounds", "store"},
    "mail.retry": set(),
    "config.call_config": {"ivr"},
    "config.settings": {"store"},
    "config.yaml_document": {"resources", "store", "simulate"},
    "store": {"clock", "hours", "connections", "ivr", "resources", "sounds", "config.call_config"},
    "cdr.journal": {"clock", "ivr"},
    "cdr": {"cdr.journal", "clock", "ivr", "media", "store"},
    "simulate": {"hours", "ivr", "cdr.journal", "sounds"},
    "api": {
        "b2bua.call_commands",
        "clock",
        "hours",
        "connections",
        "resources",
        "store",
        "observability",
        "sounds",
        "download",
        "data_import",
        "mail",
        "",
    },
    "web": {
        *("ivr", "resources", "store", "observability", "sounds", "simulate", "cdr.journal"),
        *("clock", "config.yaml_document", "download", "hours"),
        *("data_import", "mail", ""),
    },
    "b2bua": {
        "b2bua.call_commands",
        "clock",
        "config.call_config",
        "cdr.journal",
        "hours",
        "media",
        "ivr",
        "sip",
    },
    "b2bua.call_commands": set(),
    "softphone": {"b2bua", "cdr.journal", "media", "ivr", "simulate", "sip"},
    "yeastar_import": {"client", "ivr", "resources", "store", "sounds"},
    "server.control_socket": {"b2bua.call_commands"},
    "server.os_limits": set(),
    "server.supervisor": {"config.settings"},
    "server": {
        *(
            "api",
            "b2bua",
            "b2bua.call_commands",
            "cdr",
            "cdr.journal",
            "clock",
            "connections",
            "config.call_config",
            "config.settings",
        ),
        *(
            "config.yaml_document",
            "ivr",
            "mail",
            "media",
            "observability",
            "resources",
            "server.control_socket",
        ),
        *(
            "hours",
            "mail",
            "server.os_limits",
            "server.supervisor",
            "simulate",
            "sip",
            "sounds",
            "store",
            "web",
        ),
    },
}

# The imports between the parts of one package. A part is a sub-package or a module.
INSIDE: dict[str, dict[str, set[str]]] = {
    "ivr": {
        "import_remark": set(),
        "number_format": set(),
        "model": {"import_remark", "number_format"},
        "digits": set(),
        "periods": {"commands", "events", "model"},
        "number_rule": {"digits", "model", "number_format"},
        "policy": {"digits", "model", "number_rule"},
        "states": {
            "builtin_sounds",
            "call_state",
            "commands",
            "digits",
            "events",
            "hours_code",
            "model",
            "policy",
            "state",
        },
        "transitions": {"events", "state", "states"},
        "analysis": {
            "builtin_sounds",
            "call_state",
            "digits",
            "import_remark",
            "model",
            "periods",
            "policy",
            "states",
        },
    },
    "media": {
        "audio": set(),
        "rtp": {"audio"},
        "dtmf": {"audio", "rtp"},
        "mixing": {"audio", "rtp"},
        "recording": {"audio", "rtp"},
        "stream": {"audio", "dtmf", "poller", "rtp"},
        "poller": set(),
        "schedule": set(),
        "ticker": {"schedule"},
        "pump": {"dtmf", "poller", "recording", "schedule", "stream", "ticker"},
    },
    "sip": {
        "message": {"address"},
        "transport": {"address", "message"},
        "sdp": {"message"},
        "transaction": {"address", "message", "termination"},
        "dialog": {
            "address",
            "client_request",
            "context",
            "message",
            "termination",
            "transaction",
            "validation",
        },
        "auth": {"message"},
        "accounts": {"auth"},
        "handler": {"accounts", "address", "dialog", "message"},
        "access": {"accounts", "address", "auth", "handler", "message"},
        "registrar": {"accounts", "address", "agent", "handler", "message", "termination"},
        "trunk": {
            *("accounts", "address", "agent", "auth", "dialog", "message", "registrar", "termination"),
            *("transaction", "transport"),
        },
    },
    "store": {
        "events": {"tables"},
        "database": {"availability", "events", "tables"},
        "auth": {"database", "tables"},
        "config": {"database", "events", "mail", "tables"},
        "caches": {"auth", "availability", "config", "database", "schema", "tables"},
        "cdr": {"config", "sql_functions", "tables"},
        "runtime": {"cdr", "database", "tables"},
        "mail": {"cdr", "tables"},
    },
    "web": {
        "core": {"messages"},
        "forms": {"core", "messages", "resources"},
        "hours": {"core", "forms", "menus", "messages"},
        "menus": {"core", "forms", "messages"},
        "reports": {"calls", "core", "messages"},
    },
}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("openivr")


@cache
def graph_with_externals() -> grimp.ImportGraph:
    return grimp.build_graph("openivr", include_external_packages=True)


def part(module: str) -> str:
    """The row of a module: the longest name in ALLOWED, or its first package; "" for the root."""
    path = module.removeprefix("openivr").lstrip(".").split(".")
    names = [".".join(path[:length]) for length in range(len(path), 0, -1)]
    return next((name for name in names if name in ALLOWED), path[0])


def imports() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for module in graph().modules:
        targets = {part(target) for target in graph().find_modules_directly_imported_by(module)}
        found.setdefault(part(module), set()).update(targets - {part(module)})
    return found


def imports_inside(package: str) -> dict[str, set[str]]:
    """List which parts of one package each part imports."""
    found: dict[str, set[str]] = {}
    prefix = f"openivr.{package}."
    for module in graph().modules:
        for target in graph().find_modules_directly_imported_by(module):
            if module.startswith(prefix) and target.startswith(prefix):
                source, aim = (name.removeprefix(prefix).split(".")[0] for name in (module, target))
                if source != aim:
                    found.setdefault(source, set()).add(aim)
    return found


def test_every_package_has_its_rule() -> None:
    assert set(imports()) - set(ALLOWED) == {"", "cli", "__main__", "config"}


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_go_in_the_allowed_directions(name: str) -> None:
    assert imports().get(name, set()) <= ALLOWED[name]


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in INSIDE for name in INSIDE[package]]
)
def test_imports_inside_a_package_go_in_the_allowed_directions(package: str, name: str) -> None:
    assert imports_inside(package).get(name, set()) <= INSIDE[package][name]


def test_only_the_command_line_is_above_all() -> None:
    importers = {name for name, targets in imports().items() if "cli" in targets}
    assert importers <= {"__main__"}


@pytest.mark.parametrize(
    ("name", "outside"), [("hours", set()), ("ivr", set()), ("client", {"httpx", "msgspec"})]
)
def test_light_packages_use_only(name: str, outside: set[str]) -> None:
    used = {
        target.partition(".")[0]
        for module in graph_with_externals().modules
        if part(module) == name and module.startswith("openivr")
        for target in graph_with_externals().find_modules_directly_imported_by(module)
    }
    assert used - set(sys.stdlib_module_names) - {"openivr"} <= outside


def test_no_flat_package_has_more_modules_than_a_reader_can_hold() -> None:
    children: dict[str, int] = {}
    for module in graph().modules:
        parent = module.rpartition(".")[0]
        children[parent] = children.get(parent, 0) + 1
    assert max(children.values()) <= 25, children


# Tables, engines and statements live in `store`. The rest passes a Connection on to the store's functions,
# reads the URL of a database and tells errors apart.
NAMES_ELSEWHERE = {
    *("Connection", "make_url"),
    *("DBAPIError", "IntegrityError", "InterfaceError", "OperationalError", "SQLAlchemyError"),
}


def test_only_the_store_builds_statements_of_sql() -> None:
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] != "store":
            used = names_from("sqlalchemy", ast.parse(path.read_text()))
            assert used <= NAMES_ELSEWHERE, path


def names_from(package: str, tree: ast.Module) -> set[str]:
    """List what a module imports from a package, or the package itself."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package:
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.partition(".")[0] == package}
    return names


def test_a_class_name_means_one_thing() -> None:
    """Names of classes are not used twice, but for the client's mirrors of the server's resources."""
    modules: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        if not name.startswith(("client/", "store/migrations/")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    modules.setdefault(node.name, []).append(name)
    assert not {name: found for name, found in modules.items() if len(found) > 1}


def test_nothing_imports_in_a_circle() -> None:
    for module in graph().modules:
        for target in graph().find_modules_directly_imported_by(module):
            chain = graph().find_shortest_chain(importer=target, imported=module)
            assert chain is None, chain
