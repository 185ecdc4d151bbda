"""Reads YAML that people wrote: bounded, without names given twice, and each problem with its line."""

from typing import Any

import yaml
from yaml.composer import Composer

MAX_DEPTH = 30  # of lists and mappings in one another; the deepest file of ours has 6
MAX_REPEATED = 100_000  # nodes that aliases repeat
BINARY = "tag:yaml.org,2002:binary"


class YamlError(Exception):
    """The text cannot be read. `line` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line, self.text = line, text


class Loader(Composer, yaml.CSafeLoader):
    """The parser of libyaml, with nodes made in Python: libyaml's own way has no bound, and crashes."""

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)
        self.depth = self.count = self.repeated = 0
        self.sizes: dict[int, int] = {}  # nodes below each node that an alias may repeat

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        line = event.start_mark.line + 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise YamlError(line, "nested too deeply")
        before = self.count
        self.count += 1
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent):
            size = self.sizes.get(id(node), 0)
            self.count += size
            self.repeated += size
            if self.repeated > MAX_REPEATED:
                raise YamlError(line, "aliases repeat too much")
        elif event.anchor is not None:
            self.sizes[id(node)] = self.count - before
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError(line_of(key), "a name must be plain text")
            if key.value in lines:
                text = f"{key.value} is here for the second time; the first is in line {lines[key.value]}"
                raise YamlError(line_of(key), text)
            lines[key.value] = line_of(key)
        return node


def compose(text: str) -> yaml.Node | None:
    """Return the one document of a text, None if there is none. Raises YamlError."""
    try:
        node: yaml.Node | None = Loader(text).get_single_node()
    except yaml.composer.ComposerError as error:
        if error.context == "expected a single document in the stream":
            advice = "a second document begins here; a file has one: remove the --- above"
            raise YamlError(mark_line(error), advice) from error
        raise YamlError(mark_line(error), error.problem or str(error)) from error
    except yaml.YAMLError as error:
        raise YamlError(mark_line(error), getattr(error, "problem", None) or str(error)) from error
    return node


def mark_line(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def line_of(node: yaml.Node | None) -> int:
    """Return the line on which a node begins."""
    return node.start_mark.line + 1 if node else 1


def plain(node: yaml.Node) -> Any:
    """Convert a node to plain values, scalars as they are written."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    if isinstance(node, yaml.ScalarNode) and node.tag == BINARY:
        return yaml.constructor.SafeConstructor().construct_yaml_binary(node)
    return node.value
