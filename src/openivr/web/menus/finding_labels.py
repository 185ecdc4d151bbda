"""Findings of the check and nodes of the diagram in the words of the web admin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from openivr.ivr.analysis.diagram import Arrow, Node
from openivr.ivr.analysis.rules import Finding, Param
from openivr.ivr.analysis.words import COUNTED, LOOPS, MAX_LISTED, SAME_TEXT
from openivr.ivr.model import DestinationKind
from openivr.web.messages import has_text, t, t_code

EDGE_CODES = ("no_key", "wrong_key", "no_answer", "busy", "always", "by_number")


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the page shows it. `severity` is a code, the rest are words."""

    code: str
    severity: str
    title: str
    text: str
    remedy: str


def show_finding(finding: Finding) -> FindingView:
    """Put a finding into words."""
    rule = finding.rule
    title, remedy = t(f"finding_title.{rule.code}"), t(f"finding_remedy.{rule.code}")
    return FindingView(rule.code, rule.severity.value, title, show_text(finding), remedy)


def show_text(finding: Finding) -> str:
    """Return the sentence of a finding."""
    code = SAME_TEXT.get(finding.rule.code, finding.rule.code)
    key = f"finding.{code}" + (f"_{finding.reason}" if finding.reason else "")
    params = finding.params
    values = {name: show_param(name, value, is_loop=code in LOOPS) for name, value in params.items()}
    if code in COUNTED:
        values["count"] = len(as_items(params[COUNTED[code]])) if COUNTED[code] in params else 0
    if "trunks" in params:
        values["limits"] = show_limits(finding)
    return t(key, **values)


def show_param(name: str, value: Param, *, is_loop: bool) -> str | int:
    """Return a parameter as people read it."""
    if name == "path":
        return join("finding.then", [show_step(step) for step in as_items(value)])
    if name == "numbers" and is_loop:
        return join("finding.hop", as_items(value))
    if name == "type":
        return t_code("node", str(value))
    if name == "input":
        return show_input(str(value))
    if name == "field":
        return t(f"finding.{value}")
    return show_list(value) if isinstance(value, tuple) else value


def show_input(input_: str) -> str:
    """Return what led somewhere, at the start of a sentence: a key, silence or a wrong key."""
    return t("finding.input_key", key=input_) if len(input_) == 1 else t(f"finding.input_{input_}")


def show_limits(finding: Finding) -> str:
    """Return the trunks of a route and its limits."""
    names, disabled = (as_items(finding.params[name]) for name in ("trunks", "disabled_trunks"))
    shown = [t("finding.trunk_disabled", name=name) if name in disabled else name for name in names]
    limits = {name: finding.params[name] for name in ("simultaneous", "per_hour", "per_caller")}
    return t("finding.limits", trunks=show_list(shown), count=len(names), **limits)


def show_step(step: str) -> str:
    """Return a step of the path of a caller, "inbound_route:NAME" or "LABEL:NUMBER"."""
    label, _, where = step.partition(":")
    if label == "inbound_route":
        return t("finding.from_inbound_route", name=where)
    return t("finding.from_number", label=show_edge(label), number=where)


def show_edge(label: str) -> str:
    """Return the name of what leads on: a key, a number, or a code of the graph."""
    if label in EDGE_CODES:
        return t(f"edge.{label}")
    return t("edge.key", key=label) if len(label) == 1 else t("edge.number", number=label)


def show_arrow(arrow: Arrow) -> str:
    """Return the label of an arrow of the diagram: keys and numbers as they are, and which ask for a PIN."""
    names = [t(f"edge.{it}") if it in EDGE_CODES else it for it in arrow.labels]
    marked = [
        t("edge.with_pin", key=name) if label in arrow.pin_keys else name
        for label, name in zip(arrow.labels, names, strict=True)
    ]
    return join("finding.comma", marked)


def show_node(node: Node) -> str:
    """Return the label of a node of the diagram."""
    if node.scope == "routes":
        return t("node.routes", routes=show_list(node.routes), count=len(node.routes))
    if node.scope:
        return t(f"node.{node.scope}")
    type_ = t(f"node.{node.kind}") if has_text(f"node.{node.kind}") else node.kind.value
    if node.is_missing:
        return t("node.missing", type=type_, id=node.number)
    is_menu = node.kind is DestinationKind.IVR
    return " ".join(filter(None, ("" if is_menu else type_, node.number, node.name)))


def show_list(items: Sequence[str]) -> str:
    """List a few items in full, and many by the first, the last and the count."""
    if len(items) > MAX_LISTED:
        return t("finding.range", first=items[0], last=items[-1], count=len(items))
    head = join("finding.comma", items[:-1])
    return t("finding.pair", before=head, after=items[-1]) if head else "".join(items)


def join(key: str, items: Sequence[str]) -> str:
    """Join items by the words of a key."""
    link: Callable[[str, str], str] = lambda before, after: t(key, before=before, after=after)  # noqa: E731 - given to reduce once
    return reduce(link, items) if items else ""


def as_items(value: Param) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)
