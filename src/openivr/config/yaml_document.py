"""Configuration files in YAML, read with the line of every entry.

Scalars are kept as they are written, so 6200, 007 and no are texts. The field that a scalar is for gives it a
type.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from openivr.resources import KINDS
from openivr.resources.destination import as_key
from openivr.resources.errors import Invalid
from openivr.resources.mail_server import NAMES, MailServer, read_mail_server
from openivr.simulate.scenario import ScenarioError, read_scenario, write_scenario
from openivr.simulate.yaml_reader import YamlError, compose, line_of, plain
from openivr.store.config.import_export import FORMAT, MAIL_SERVER, DocumentEntry, DocumentError

HEADER = "# OpenIVR configuration. Objects are named by number or name; ids are those of the API.\n"
ACCESS = ("api_client", "allowed_address")
SCENARIOS = "scenario"


class UnreadableDocument(Exception):
    """The text is no configuration file. `mistake` has the line and the reason."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.mistake = DocumentError(line, text)


@dataclass(frozen=True, slots=True)
class Document:
    """Entries of a file by resource type. Sections that the file does not have are None."""

    entries: dict[str, list[DocumentEntry]]
    scenarios: list[DocumentEntry] | None
    clients: list[dict[str, Any]] | None
    addresses: list[str] | None
    mail_server: MailServer | None = None


def dump(document: Mapping[str, Any]) -> str:
    """Return the text of a document. Equal documents have equal texts."""
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100)
    return HEADER + text


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable by its owner only."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(text)
    part.replace(path)


def load(text: str) -> Document:
    """Parse the text of a file. Raises UnreadableDocument."""
    try:
        root = compose(text)
    except YamlError as error:
        raise UnreadableDocument(error.line, error.text) from error
    sections = {key.value: node for key, node in pairs(root)}
    if sections.get("openivr") is None or sections["openivr"].value != str(FORMAT):
        raise UnreadableDocument(1, f"the file must begin with openivr: {FORMAT}")
    for key, _ in pairs(root):
        if key.value not in {"openivr", SCENARIOS, MAIL_SERVER, *KINDS, *ACCESS}:
            raise UnreadableDocument(line_of(key), f"there is no kind of object called {key.value}")
    tests, clients, addresses = (sections.get(name) for name in (SCENARIOS, *ACCESS))
    return Document(
        {name: [read_entry(item) for item in items(sections.get(name))] for name in KINDS},
        None if tests is None else [read_test(item) for item in items(tests)],
        None if clients is None else [read_client(item) for item in items(clients)],
        None if addresses is None else [str(plain(item)) for item in items(addresses)],
        read_mail_section(sections.get(MAIL_SERVER)),
    )


def read_entry(node: yaml.Node) -> DocumentEntry:
    fields, lines = {}, {}
    for key, value in pairs(node):
        name = key.value
        fields[name], lines[name] = plain(value), line_of(key)
        if isinstance(value, yaml.MappingNode):
            lines |= {f"{name}.{as_key(part.value)}": line_of(part) for part, _ in value.value}
        elif isinstance(value, yaml.SequenceNode):
            lines |= {f"{name}.{place}": line_of(item) for place, item in enumerate(value.value, 1)}
    return DocumentEntry(fields, line_of(node), lines)


def read_test(node: yaml.Node) -> DocumentEntry:
    """A scenario, written as it is always written, so that what was exported is exported again."""
    entry = read_entry(node)
    try:
        scenario = read_scenario({"scenario": "", **entry.fields}, "scenario")
    except ScenarioError as error:
        raise UnreadableDocument(entry.line, str(error)) from error
    return DocumentEntry(write_scenario(scenario), entry.line, entry.lines)


def read_mail_section(node: yaml.Node | None) -> MailServer | None:
    """Return the mail server of a file. None without one."""
    if node is None:
        return None
    entry = read_entry(node)
    for name in entry.fields.keys() - set(NAMES):
        raise UnreadableDocument(entry.lines[name], f"{name} is not a field of {MAIL_SERVER}")
    try:
        return read_mail_server(entry.fields)
    except Invalid as error:
        problem = error.problems[0]
        line = entry.lines.get(problem.field, entry.line)
        raise UnreadableDocument(line, f"{problem.field} {problem.text}") from error


def read_client(node: yaml.Node) -> dict[str, Any]:
    client = {key.value: plain(value) for key, value in pairs(node)}
    if set(client) != {"id", "name", "secret_hash", "created"} or not client["created"].isdigit():
        raise UnreadableDocument(line_of(node), "an api_client has id, name, secret_hash and created")
    return {**client, "created": int(client["created"])}


def pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise UnreadableDocument(line_of(node), "there should be names with values here")
    return list(node.value)


def items(node: yaml.Node | None) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise UnreadableDocument(line_of(node), "there should be a list here")
    return list(node.value)
