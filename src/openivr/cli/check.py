"""`openivr check`: finds mistakes in menus."""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from openivr import __version__
from openivr.cli.options import store_options
from openivr.cli.snapshot import load
from openivr.ivr.analysis.check import check as find_mistakes
from openivr.ivr.analysis.rules import RULES, Finding, FindingTarget, Severity
from openivr.ivr.analysis.words import remedy_of, show_target, text_of, title_of
from openivr.ivr.model import IvrSnapshot

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}
LEVELS = [*(severity.value for severity in Severity), "never"]
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default="error",
    show_default=True,
    help="Exit with status 1 if there is a finding of this severity or worse.",
)
@store_options
def check(form: str, fail_on: str, data: Path, database: str) -> None:
    """Find mistakes in menus, ring groups and routes, and report who can call outside.

    docs/check.md lists all findings.
    """
    snapshot = load(data, database)
    findings = find_mistakes(snapshot, int(time.time()))
    if form == "text":
        show(findings, snapshot)
    else:
        import msgspec

        whole = (
            to_sarif(findings, snapshot) if form == "sarif" else [to_row(row, snapshot) for row in findings]
        )
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    failing = LEVELS[: LEVELS.index(fail_on) + 1] if fail_on != "never" else []
    sys.exit(any(finding.rule.severity in failing for finding in findings))


def show(findings: list[Finding], snapshot: IvrSnapshot) -> None:
    """Print findings as text, with a count at the end."""
    for finding in findings:
        rule = finding.rule
        head = click.style(f"{rule.severity:7} {rule.code}", COLOURS[rule.severity])
        click.echo(f"{head}  {show_target(finding.target, snapshot)}")
        click.echo(f"    {title_of(rule)}. {text_of(finding)}\n    {remedy_of(rule)}")
    counts = Counter(finding.rule.severity for finding in findings)
    told = [f"{counts[severity]} {severity}{'s' * (counts[severity] != 1)}" for severity in Severity]
    click.echo(", ".join(told))


def to_row(finding: Finding, snapshot: IvrSnapshot) -> dict[str, Any]:
    """Return a finding as a JSON object: codes and values for programs, sentences for people."""
    rule, target = finding.rule, finding.target
    return {
        "code": rule.code,
        "rule": rule.name,
        "severity": rule.severity.value,
        "target": {"type": target.type, "id": target.id, "part": target.part, "key": target.key},
        "reason": finding.reason,
        "params": finding.params,
        "place": show_target(target, snapshot),
        "title": title_of(rule),
        "text": text_of(finding),
        "remedy": remedy_of(rule),
    }


def locate(target: FindingTarget, snapshot: IvrSnapshot) -> dict[str, str]:
    """Return the place of a finding for SARIF: a path of codes, and a name for people."""
    path = "/".join(filter(None, (target.type, str(target.id), target.part, target.key)))
    return {"fullyQualifiedName": path, "name": show_target(target, snapshot)}


def to_sarif(findings: list[Finding], snapshot: IvrSnapshot) -> dict[str, Any]:
    """Return findings as a SARIF 2.1.0 log. A configuration has no lines, so places are logical locations."""
    rules = [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": title_of(rule)},
            "help": {"text": remedy_of(rule)},
            "defaultConfiguration": {"level": rule.severity.value},
        }
        for rule in RULES.values()
    ]
    results = [
        {
            "ruleId": finding.rule.code,
            "ruleIndex": list(RULES).index(finding.rule.code),
            "level": finding.rule.severity.value,
            "message": {"text": f"{text_of(finding)} {remedy_of(finding.rule)}"},
            "locations": [{"logicalLocations": [locate(finding.target, snapshot)]}],
        }
        for finding in findings
    ]
    driver = {"name": "OpenIVR check", "version": __version__, "rules": rules}
    return {"version": "2.1.0", "$schema": SARIF, "runs": [{"tool": {"driver": driver}, "results": results}]}
