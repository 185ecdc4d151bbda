"""`openivr route`: shows which inbound route takes a call, and why the others do not."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from openivr.cli.options import store_options
from openivr.cli.snapshot import load
from openivr.ivr.inbound_route import RoutingStep, RuleEffect
from openivr.ivr.model import Destination, IvrSnapshot, Trunk
from openivr.simulate.arrival import (
    RoutedCall,
    UnusableMoment,
    UnusableNumber,
    find_trunk,
    read_caller,
    read_moment,
    read_number,
    route_over,
    show_moment,
    usual_trunks,
)
from openivr.simulate.transcript import show_destination
from openivr.simulate.words import say_effect, say_routing

MARKS = {RuleEffect.PASSES: " ", RuleEffect.TAKES: ">", RuleEffect.REJECTS: "x"}
COLOURS = {RuleEffect.TAKES: "green", RuleEffect.REJECTS: "red"}


def read_typed(_ctx: click.Context, param: click.Parameter, text: str) -> str:
    """Read the called number or the caller's."""
    try:
        return read_caller(text) if param.name == "caller" else read_number(text)
    except UnusableNumber as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("number", callback=read_typed)
@click.option(
    "--from",
    "caller",
    default="withheld",
    show_default=True,
    metavar="NUMBER",
    callback=read_typed,
    help="The caller's number.",
)
@click.option("--trunk", default="", metavar="NAME", help="The trunk. Default: each that is enabled.")
@click.option(
    "--at",
    "at",
    default="",
    metavar="TIME",
    help='Moment of the call, such as "2026-12-24 17:59", in the time of the default calendar. Default: now.',
)
@store_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def route(  # noqa: PLR0913 - one argument per option
    number: str, *, caller: str, trunk: str, at: str, data: Path, database: str, as_json: bool
) -> None:
    """Show which inbound route takes a call to NUMBER, and why the others do not.

    \b
    openivr route 441632960000
    openivr route "+44 1632 960000" --from 447700900123 --trunk Provider

    NUMBER is the called number as the trunk delivers it. Nothing is called. Exit status: 0 a route takes the
    call, 1 it is rejected, 2 NUMBER or an option is wrong. With several trunks it is 0 if one of them leads
    to a destination.
    """
    snapshot = load(data, database)
    try:
        moment = read_moment(snapshot, at) if at else time.time()
    except UnusableMoment as error:
        raise click.BadParameter(str(error), param_hint="--at") from error
    routed = route_over(snapshot, choose_trunks(snapshot, trunk), number, caller, moment)
    if as_json:
        import msgspec

        rows = [to_row(snapshot, call) for call in routed]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
    else:
        show(snapshot, routed)
    sys.exit(not any(call.routing.destination for call in routed))


def choose_trunks(snapshot: IvrSnapshot, name: str) -> list[Trunk]:
    """Return the trunk of this name, or those that calls come over. Raises click.ClickException."""
    if name:
        trunk = find_trunk(snapshot, name)
        if trunk is None:
            raise unknown_trunk(snapshot, name)
        return [trunk]
    trunks = usual_trunks(snapshot)
    if not trunks:
        raise click.ClickException("there is no trunk, so no calls come in")
    return trunks


def unknown_trunk(snapshot: IvrSnapshot, name: str) -> click.BadParameter:
    """Return the error for a trunk that does not exist."""
    names = ", ".join(trunk.name for trunk in snapshot.trunks.values()) or "none"
    return click.BadParameter(f"there is no trunk {name}; trunks: {names}", param_hint="--trunk")


def show(snapshot: IvrSnapshot, routed: list[RoutedCall]) -> None:
    """Print each routing: where the call goes, then a line for each rule."""
    for place, call in enumerate(routed):
        caller = call.call.caller or "a withheld number"
        trunks = " or ".join(trunk.name for trunk in call.trunks)
        if place:
            click.echo()
        moment = f", at {show_moment(snapshot, call.call.moment)}" if snapshot.is_timed else ""
        click.echo(f"{call.routing.called} over {trunks}, from {caller}{moment}")
        click.secho(f"  {show_result(snapshot, call)}", bold=True)
        for step in call.routing.steps:
            colour = COLOURS.get(step.effect)
            click.secho(f"  {MARKS[step.effect]} {show_step(step)}", fg=colour)


def show_result(snapshot: IvrSnapshot, routed: RoutedCall) -> str:
    """Return where a call goes in words."""
    destination, decisive = routed.routing.destination, routed.routing.decisive
    if destination and decisive:
        return f"goes to {show_destination(snapshot, destination)} by {decisive.name}"
    return "is rejected" if decisive else "is rejected: no inbound route takes it"


def show_step(step: RoutingStep) -> str:
    """Return a rule with what it does and why."""
    kind = step.rule.replace("_", " ")
    return f"{kind} {step.name}: {say_effect(step)}, because {say_routing(step)}"


def to_row(snapshot: IvrSnapshot, routed: RoutedCall) -> dict[str, Any]:
    """Return a routing as a JSON object: codes and values for programs, sentences for people."""
    routing = routed.routing
    decisive = routing.decisive
    return {
        "trunks": [{"id": trunk.id, "name": trunk.name} for trunk in routed.trunks],
        "called": routing.called,
        "caller": routed.call.caller,
        "moment": int(routed.call.moment),
        "destination": describe(snapshot, routing.destination) if routing.destination else None,
        "route": {"id": decisive.id, "name": decisive.name} if decisive and routing.destination else None,
        "steps": [
            {
                "rule": step.rule.value,
                "id": step.id,
                "name": step.name,
                "effect": step.effect.value,
                "reason": step.reason.value,
                "params": step.params,
                "text": say_routing(step),
            }
            for step in routing.steps
        ],
    }


def describe(snapshot: IvrSnapshot, to: Destination) -> dict[str, Any]:
    """Return a destination as a JSON object."""
    row = snapshot.find(to.kind, to.target)
    number = row.number if row else to.prefix + to.number
    return {
        "type": to.kind.value,
        "id": to.target,
        "number": number,
        "prompt": to.prompt,
        "text": show_destination(snapshot, to),
    }
