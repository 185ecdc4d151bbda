"""`openivr check`: find mistakes in the menus before callers do."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from openivr import __version__
from openivr.cli.options import store_options
from openivr.cli.snapshot import load
from openivr.ivr.analysis.check import check as find_mistakes
from openivr.ivr.analysis.rules import RULES, Finding, Severity

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}
LEVELS = [*(severity.value for severity in Severity), "never"]
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default="error",
    show_default=True,
    help="Exit with 1 if there is a finding of this severity or a worse one.",
)
@store_options
def check(form: str, fail_on: str, data: Path, database: str) -> None:
    """Find mistakes in the menus, and who can call outside through them.

    docs/check.md lists all codes.
    """
    findings = find_mistakes(load(data, database))
    if form == "text":
        show(findings)
    else:
        import msgspec

        whole = to_sarif(findings) if form == "sarif" else [to_row(finding) for finding in findings]
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    failing = LEVELS[: LEVELS.index(fail_on) + 1] if fail_on != "never" else []
    sys.exit(any(finding.rule.severity in failing for finding in findings))


def show(findings: list[Finding]) -> None:
    """Print findings for people, with a count at the end."""
    for finding in findings:
        rule = finding.rule
        click.echo(
            click.style(f"{rule.severity:7} {rule.code}", COLOURS[rule.severity]) + f"  {finding.place}"
        )
        click.echo(f"    {rule.title}. {finding.text}\n    {rule.remedy}")
    counts = Counter(finding.rule.severity for finding in findings)
    told = [f"{counts[severity]} {severity}{'s' * (counts[severity] != 1)}" for severity in Severity]
    click.echo(", ".join(told))


def to_row(finding: Finding) -> dict[str, Any]:
    """Give a finding as a JSON object."""
    rule = finding.rule
    return {
        "code": rule.code,
        "severity": rule.severity.value,
        "place": finding.place,
        "title": rule.title,
        "text": finding.text,
        "remedy": rule.remedy,
    }


def to_sarif(findings: list[Finding]) -> dict[str, Any]:
    """Give findings as a SARIF 2.1.0 log; a configuration has no lines, so places are logical locations."""
    rules = [
        {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "help": {"text": rule.remedy},
            "defaultConfiguration": {"level": rule.severity.value},
        }
        for rule in RULES.values()
    ]
    results = [
        {
            "ruleId": finding.rule.code,
            "ruleIndex": list(RULES).index(finding.rule.code),
            "level": finding.rule.severity.value,
            "message": {"text": f"{finding.text} {finding.rule.remedy}"},
            "locations": [{"logicalLocations": [{"fullyQualifiedName": finding.place}]}],
        }
        for finding in findings
    ]
    driver = {"name": "OpenIVR check", "version": __version__, "rules": rules}
    return {"version": "2.1.0", "$schema": SARIF, "runs": [{"tool": {"driver": driver}, "results": results}]}
