"""Writes the generated parts of the documentation: `make docs`. A test checks that they are current.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import ast
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import click
import grimp
from click.testing import CliRunner

from openivr import sounds
from openivr.cli import main as main_command
from openivr.cli.snapshot import load
from openivr.config.settings import Settings
from openivr.ivr.analysis.diagram import draw, to_mermaid
from openivr.ivr.analysis.rules import RULES
from openivr.ivr.analysis.words import remedy_of, title_of
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.ivr.events import (
    CallArrived,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    HoursRefused,
    HoursSwitched,
    MailboxOpened,
    MailboxRefused,
    PinAccepted,
    PinRefused,
    PromptEnded,
    RecordEnded,
    TimerFired,
)
from openivr.ivr.model import DestinationKind, IvrSnapshot
from openivr.ivr.state import PASSING, IvrState
from openivr.ivr.transitions import MOVES
from openivr.observability.logs import configure_logs
from openivr.server.bootstrap import prepare
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import show
from openivr.simulate.world import World

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for the module beside this one, also where tests import it

from docs import client_models  # noqa: E402 - after the path

PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
EVENTS: dict[type | None, str] = {
    None: "",
    CallArrived: "call arrives",
    Digit: "key",
    PromptEnded: "prompt ends",
    HoursSwitched: "switched",
    HoursRefused: "refused",
    TimerFired: "time is up",
    DialAnswered: "answered",
    DialFailed: "failed",
    DialEnded: "other side hangs up",
    RecordEnded: "silence",
    MailboxOpened: "opened",
    MailboxRefused: "refused",
    PinAccepted: "right PIN",
    PinRefused: "wrong PIN",
}
# number, keys, and the outcome of dials that are not answered
CALLS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("6200", "w4 1", {}),
    ("6200", "1001", {"1001": "busy"}),
    ("6200", "95551234567", {}),
    ("6200", "", {"1003": "no_answer"}),
    ("6201", "w2 # w8 887 w4 1", {}),
    ("6202", "5", {}),
    ("6202", "* 3 0", {"6300": "busy"}),
    ("6203", "6300", {}),
)


def load_demo() -> IvrSnapshot:
    """Load the configuration of a new demo."""
    configure_logs("error")
    with tempfile.TemporaryDirectory() as folder:
        prepare(Settings(data=Path(folder)), is_demo=True)
        return load(Path(folder), "")


def write_states() -> str:
    """Draw the table of the state machine."""
    rows = ["```mermaid", "stateDiagram-v2"]
    rows += [f"    {state.name}: {state.value}" for state in IvrState]
    rows.append(f"    [*] --> {IvrState.NEW.name}")
    for move in MOVES:
        label = f": {EVENTS[move.event]}" if move.event else ""
        rows += [f"    {move.source.name} --> {state.name}{label}" for state in IvrState if state in move.to]
    rows.append(f"    {IvrState.ENDED.name} --> [*]")
    rows.append("    classDef passing stroke-dasharray: 4")
    rows.append(f"    class {','.join(state.name for state in IvrState if state in PASSING)} passing")
    return "\n".join([*rows, "```"])


def write_rules() -> str:
    """List the findings of `check`."""
    rows = [f"| {r.code} | {r.severity} | {title_of(r)} | {remedy_of(r)} |" for r in RULES.values()]
    return "\n".join(["| code | severity | finding | remedy |", "|---|---|---|---|", *rows])


def write_sounds() -> str:
    """List the built-in prompts, except those of a single character."""
    rows = [f"| `{name}` | {words} |" for name, words in SOUNDS.items() if "/" not in name]
    return "\n".join(["| name | words |", "|---|---|", *rows])


def write_sound_files() -> str:
    """List the checksums of the built-in prompts for `sha256sum --check`."""
    files = sorted(sounds.FOLDER.rglob("*.wav"))
    sums = [f"{sha256(file.read_bytes()).hexdigest()}  {file.relative_to(ROOT)}" for file in files]
    return "\n".join(["```", *sums, "```"])


def write_transcripts() -> str:
    """Simulate the demo's calls and write their transcripts."""
    snapshot = load_demo()
    return "\n\n".join(write_call(snapshot, *call) for call in CALLS)


def write_call(snapshot: IvrSnapshot, number: str, keys: str, outcomes: dict[str, str]) -> str:
    """Simulate one call and write its transcript below the command that makes it."""
    simulation = Simulation(snapshot, World(outcomes))
    simulation.call(snapshot.numbers[number], "2000")
    act_out(simulation, read_keys(keys))
    simulation.finish()
    options = "".join(f' --outcome "{whom}={what}"' for whom, what in outcomes.items())
    command = f'openivr simulate {number} --from 2000 --keys "{keys}"{options}'
    return f"```\n$ {command}\n{show(simulation.lines)}\n```"


def write_flow() -> str:
    """Draw the demo's main menu and everything that it leads to."""
    snapshot = load_demo()
    ivr = snapshot.ivr_by_number("6200")
    return f"```mermaid\n{to_mermaid(draw(snapshot, [(DestinationKind.IVR, ivr.id if ivr else 0)]))}\n```"


def write_first_call() -> str:
    """Write the transcript of the README's call."""
    return write_call(load_demo(), "6200", "w4 1", {})


def write_real_call() -> str:
    """Write the terminal output of the call in docs/demo-call.md."""
    page = (ROOT / "docs" / "demo-call.md").read_text(encoding="utf-8")
    command, output = re.findall(r"\(`(openivr call .*?)`\):\n\n```\n(.*?)```", page, re.DOTALL)[0]
    return f"```\n$ {command}\n{output}```"


def write_commands() -> str:
    """Write the help of every command."""
    return "\n\n".join(write_help(path) for path in list_commands(main_command, ()))


def list_commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of a command and of all its subcommands."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if below := command.get_command(context, name):
                yield from list_commands(below, (*path, name))


def write_help(path: tuple[str, ...]) -> str:
    """Write one command's help below its name."""
    result = CliRunner().invoke(main_command, [*path, "--help"], prog_name="openivr", terminal_width=100)
    return f"## {' '.join(('openivr', *path))}\n\n```\n{result.output.rstrip()}\n```"


# Parts of packages that the map shows apart, because they are imported without the rest.
APART = ("cdr.journal", "config.call_config", "config.settings", "config.yaml_document")


@cache
def package_imports() -> Mapping[str, frozenset[str]]:
    """Return, for each package of openivr and each part in APART, what it imports directly."""
    graph = grimp.build_graph("openivr")
    imported: dict[str, set[str]] = {}
    for module in graph.modules:
        targets = {package_of(target) for target in graph.find_modules_directly_imported_by(module)}
        imported.setdefault(package_of(module), set()).update(targets - {package_of(module), ""})
    return {name: frozenset(targets) for name, targets in imported.items() if name not in ("", "__main__")}


def package_of(module: str) -> str:
    """Return the row of a module in the map; "" for the root."""
    path = module.removeprefix("openivr").lstrip(".")
    return next((name for name in APART if f"{path}.".startswith(f"{name}.")), path.partition(".")[0])


def write_package_graph() -> str:
    """Draw the imports between packages, without those that follow from others."""
    imported = package_imports()

    @cache
    def reach(name: str) -> frozenset[str]:
        return imported[name].union(*(reach(target) for target in imported[name]))

    rows = ["```mermaid", "flowchart TD"]
    for name in sorted(name for name in imported if name != "config"):
        rows += [f'    {name.replace(".", "_")}["{name}"]'] if "." in name else []
        implied = frozenset[str]().union(*(reach(target) for target in imported[name]))
        rows += [
            f"    {name.replace('.', '_')} --> {target.replace('.', '_')}"
            for target in sorted(imported[name] - implied)
        ]
    return "\n".join([*rows, "```"])


def write_packages() -> str:
    """List every package and sub-package with its purpose, its modules and what it imports."""
    source = ROOT / "src" / "openivr"
    rows = ["| package | purpose | modules | imports |", "|---|---|---|---|"]
    for file in sorted(source.rglob("__init__.py")):
        path = file.parent.relative_to(source)
        if path == Path():
            continue
        name = ".".join(path.parts)
        purpose = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
        modules = " ".join(f"`{module.stem}`" for module in sorted(file.parent.glob("[a-z]*.py")))
        parts = [part for part in (name, *APART) if part == name or part.startswith(f"{name}.")]
        targets = {target for part in parts for target in package_imports().get(part, ())}
        others = " ".join(
            f"`{target}`" for target in sorted(targets) if not f"{target}.".startswith(f"{name}.")
        )
        rows.append(f"| `{name}` | {' '.join(purpose.split())} | {modules} | {others} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {
    "states": write_states,
    "rules": write_rules,
    "sounds": write_sounds,
    "sound-files": write_sound_files,
    "transcripts": write_transcripts,
    "flow": write_flow,
    "first-call": write_first_call,
    "real-call": write_real_call,
    "commands": write_commands,
    "package-graph": write_package_graph,
    "packages": write_packages,
}


def renew(text: str) -> str:
    """Return a page with its generated parts written again. Raises KeyError for an unknown part."""
    return PART.sub(lambda found: found[1] + PARTS[found[2]]() + "\n" + found[3], text)


def main() -> None:
    """Write all pages again. With --check only list those that are out of date, and fail."""
    stale = []
    for page in [ROOT / "README.md", ROOT / "THIRD_PARTY.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        if (new := renew(text)) != text:
            stale.append(page)
            if "--check" not in sys.argv:
                page.write_text(new, encoding="utf-8")
    if client_models.renew(check="--check" in sys.argv):
        stale.append(client_models.TARGET)
    for page in stale:
        print(page.relative_to(ROOT))
    sys.exit(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    main()
