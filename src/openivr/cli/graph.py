"""`openivr graph`: draws menus."""

from pathlib import Path

import click

from openivr.cli.options import store_options
from openivr.cli.snapshot import load
from openivr.ivr.analysis.diagram import draw, to_mermaid
from openivr.ivr.model import DestinationKind


@click.command()
@click.argument("number", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "json"]),
    default="mermaid",
    show_default=True,
    help="Output format.",
)
@store_options
def graph(number: str | None, form: str, data: Path, database: str) -> None:
    """Draw the menu NUMBER and everything that it leads to. Without NUMBER, draw all menus."""
    snapshot = load(data, database)
    ivr = snapshot.ivr_by_number(number) if number else None
    if number and not ivr:
        raise click.BadParameter(f"there is no menu {number}", param_hint="NUMBER")
    starts = [(DestinationKind.IVR, ident) for ident in ([ivr.id] if ivr else snapshot.ivrs)]
    picture = draw(snapshot, starts)
    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(picture), indent=2).decode())
    else:
        click.echo(to_mermaid(picture))
