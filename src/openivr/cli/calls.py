"""`openivr calls`: runs calls, and shows live and past ones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openivr.cli.options import data_option, opened, store_options
from openivr.cli.serve import call_options, common_options, start

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import Connection

    from openivr.ivr.model import IvrSnapshot
    from openivr.server.control_socket import BanInfo
    from openivr.simulate.simulation import Simulation
    from openivr.store.cdr.call_records import CallNote, CallRecord

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
STAMP = "%Y-%m-%d %H:%M:%S"


class RunOrCommand(click.Group):
    """A group whose default command is `run`: `calls --sip ...` is `calls run --sip ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunOrCommand)
def calls() -> None:
    """Run calls without the API, list and show calls, and manage bans. Without a command: `run`."""


@calls.command()
@common_options
@call_options
def run(**options: Any) -> None:
    """Run calls and write call records, without the API. `openivr api` can run beside it on the same data."""
    start(options, has_http=False, has_calls=True)


def read_time(_ctx: click.Context, _param: click.Parameter, text: str | None) -> int | None:
    """Return Unix milliseconds of `2026-05-01`, `2026-05-01T14:30` (local time) or of an age such as `2h`."""
    if text is None:
        return None
    try:
        if text[-1:] in UNITS and text[:-1].isdigit():
            time = datetime.now(UTC) - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        else:
            time = datetime.fromisoformat(text).astimezone()
        return int(time.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{text!r} is neither a time (2026-05-01T14:30) nor an age (2h, 7d)"
        ) from error


@calls.command("list")
@store_options
@click.option(
    "--since",
    callback=read_time,
    metavar="TIME",
    help="Started at or after: 2026-05-01, 2026-05-01T14:30, or an age such as 30m, 2h, 7d.",
)
@click.option("--until", callback=read_time, metavar="TIME", help="Started before; as --since.")
@click.option("--number", default="", metavar="DIGITS", help="Part of the caller's or the called number.")
@click.option("--caller", default="", metavar="NUMBER", help="The caller's whole number.")
@click.option("--called", default="", metavar="NUMBER", help="The whole number that was called.")
@click.option("--menu", default="", metavar="NUMBER", help="Number of a menu that the call went through.")
@click.option(
    "--did", default="", metavar="NUMBER", help="Number called over a trunk; NUMBER:TRUNK names the trunk."
)
@click.option("--extension-group", default="", metavar="NAME", help="A member called or was rung.")
@click.option("--outcome", default="", help="connected, message, menu, missed, refused or interrupted.")
@click.option("--reason", default="", metavar="CODE", help="Code of the reason for the end: menu_timeout.")
@click.option(
    "--period",
    type=click.Choice(["open", "break", "closed", "holiday", "none"]),
    default=None,
    help="Period of the office that the call depended on; none: it depended on none.",
)
@click.option("--live", is_flag=True, help="Live calls only.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Page to print.")
@click.option(
    "--page-size", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Calls per page."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_calls(  # noqa: PLR0913 - one argument per option
    *,
    data: Path,
    database: str,
    since: int | None,
    until: int | None,
    number: str,
    caller: str,
    called: str,
    menu: str,
    did: str,
    extension_group: str,
    outcome: str,
    reason: str,
    period: str | None,
    live: bool,
    page: int,
    page_size: int,
    as_json: bool,
) -> None:
    """List calls, newest first.

    \b
    openivr calls list --since 2h --outcome missed
    """
    from openivr.store.cdr import call_records as store
    from openivr.store.config.ivr_snapshot import load_snapshot

    with opened(data, database) as opened_store, opened_store.reading() as connection:
        ivr = load_snapshot(connection).ivr_by_number(menu) if menu else None
        if menu and ivr is None:
            raise click.BadParameter(f"no menu has the number {menu}", param_hint="--menu")
        number_called, _, trunk = did.partition(":")
        wanted = store.CallFilter(
            did=number_called,
            trunk=trunk,
            extensions=find_members(connection, extension_group) if extension_group else None,
            since=since,
            until=until,
            number=number,
            caller=caller,
            called=called,
            menu=ivr.id if ivr else None,
            outcome=outcome,
            reason=reason,
            period=period or "",
            is_live=True if live else None,
        )
        total, found = store.list_calls(connection, wanted, (page - 1) * page_size, page_size)
    if as_json:
        shown = [{name: getattr(record, name) for name in store.LISTED} for record in found]
        echo_json({"total_number": total, "data": shown})
        return
    print_table(table_of(found))
    click.echo(f"{len(found)} of {total} calls")


def find_members(connection: "Connection", name: str) -> tuple[str, ...]:
    """Return the numbers of the extensions of a group, by its name. Raises BadParameter."""
    from openivr.resources import KINDS
    from openivr.store.config import resources

    id_ = resources.find_named(connection, KINDS["ext_group"], name)
    if id_ is None:
        raise click.BadParameter(f"no extension group has the name {name}", param_hint="--extension-group")
    return resources.list_members(connection, id_)


@calls.command()
@click.argument("ident", metavar="ID")
@store_options
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with the events for `openivr simulate replay`."
)
def show(ident: str, *, data: Path, database: str, as_json: bool) -> None:
    """Show the call with this ID: header, legs, media and transcript. The beginning of an id is enough."""
    from openivr.cdr.journal.event_codec import read_events
    from openivr.simulate.replay import replay_call
    from openivr.simulate.world import World
    from openivr.store.cdr import call_records as store
    from openivr.store.config.ivr_snapshot import load_snapshot

    with opened(data, database) as opened_store, opened_store.reading() as connection:
        record = store.find_call(connection, ident)
        if record is None:
            raise click.ClickException(f"no call, or more than one, has an id that begins with {ident}")
        notes = store.notes_of(connection, record.id)
        snapshot = load_snapshot(connection)
    told = replay_call(snapshot, World(), read_events(record.events))
    if as_json:
        shown = {name: getattr(record, name) for name in store.NAMES}
        echo_json(shown | {"notes": notes, "lines": told.lines})
        return
    for line in describe(record, notes, told, snapshot):
        click.echo(line)


@calls.command()
@click.option("--lift", metavar="ADDRESS", default="", help="End the bans of this address, as listed.")
@click.option("--lift-all", is_flag=True, help="End all bans.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_option
def bans(*, lift: str, lift_all: bool, as_json: bool, data: Path) -> None:
    """List banned SIP sources with reason and remaining time, or lift bans.

    The server must be running on this data.
    """
    from openivr.server.control_socket import (
        SECONDS,
        ControlRequest,
        ControlTimeout,
        NotRunning,
        send_request,
    )

    try:
        rows = send_request(data, ControlRequest(lift, lift_all))
    except NotRunning as error:
        raise click.ClickException(f"no server is running calls on the data in {data}") from error
    except ControlTimeout as error:
        raise click.ClickException(f"the server did not respond within {SECONDS:.0f} s") from error
    if lift and not rows:
        raise click.ClickException(f"{lift} is not banned")
    if as_json:
        echo_json(rows)
        return
    print_table(table_of_bans(rows))
    click.echo(f"{len(rows)} {'lifted' if lift or lift_all else 'bans'}")


def describe(
    record: "CallRecord", notes: "list[CallNote]", told: "Simulation", snapshot: "IvrSnapshot"
) -> Iterator[str]:
    """Yield the lines of one call: header, legs, media and transcript."""
    from openivr.simulate.transcript import show as lay_out
    from openivr.simulate.words import REASONS, say_verb

    facts = {
        "call": record.id,
        "from": f"{record.caller_name} {record.caller}".strip() or "withheld",
        "to": record.called,
        "diverted": record.diverted_by,
        "period": record.period,
        "came by": f"{record.source_kind} {record.source}".strip(),
        "began": local(record.started),
        "answered": local(record.answered) if record.answered else "no",
        "lasted": lasting(record),
        "outcome": record.outcome or f"live: {say_verb(record.stage)}",
        "reason": REASONS.get(record.reason, record.reason),
        "menus": record.path.replace(" ", " > "),
        "keys": record.keys,
        "input": in_words(record.input),
        "recording": record.recording,
    }
    yield from (f"{name:10}  {text}" for name, text in facts.items() if text)
    for leg in filter(None, record.legs):  # one whose first line was lost is not known
        yield f"{'rang':10}  {show_leg(leg)}"
    for name, numbers in record.media.items():
        yield f"{'sound':10}  {name}: {in_words(numbers)}"
    yield ""
    yield lay_out(told.lines)
    hidden = [one.note for one in notes]
    if not same_story(hidden, told):
        yield f"\nThe configuration has changed since (revision {record.revision}, now {snapshot.revision})."
        yield "The transcript shows the same events with today's configuration. Notes of the call itself:"
        yield from (f"{(one.at - record.started) / 1000:8.1f}  {in_words(as_facts(one))}" for one in notes)


def same_story(notes: list[Any], told: "Simulation") -> bool:
    """Return True if the replayed call gives the notes that were stored."""
    from openivr.ivr.commands import mask

    plain = [(note.topic, note.ivr, note.input, note.kind, note.target, note.detail) for note in notes]
    again = [mask(note) for note in told.notes]
    return plain == [(n.topic, n.ivr, n.input, n.kind, n.target, n.detail) for n in again]


def as_facts(one: "CallNote") -> dict[str, Any]:
    note = one.note
    names = ("topic", "ivr", "input", "kind", "target", "number", "detail", "limit")
    return {name: getattr(note, name) for name in names if getattr(note, name)}


def show_leg(leg: dict[str, Any]) -> str:
    """Return the line of one leg."""
    from openivr.simulate.words import LEG_RESULTS

    via = f" over {leg['via']}" if leg.get("via") else ""
    status = f" ({leg['status']})" if leg.get("status") else ""
    end, start = leg.get("ended", 0), leg.get("answered", 0)
    talked = f", {(end - start) / 1000:.0f} s" if start and end else ""
    result = LEG_RESULTS.get(leg.get("result", ""), "rings")
    return f"{leg['kind']} {leg['number']}{via}: {result}{status}{talked}"


def in_words(facts: dict[str, Any]) -> str:
    """Format facts as `name value, name value`, nested ones in brackets."""
    parts = []
    for name, value in facts.items():
        if isinstance(value, dict):
            parts.append(f"{name} ({in_words(value)})" if value else f"{name} none")
        elif isinstance(value, list):
            parts.append(f"{name} {' '.join(map(str, value)) or 'none'}")
        else:
            parts.append(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}")
    return ", ".join(parts)


def local(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime(STAMP)


def lasting(record: "CallRecord") -> str:
    """Return the duration of a call so far, such as 1:05."""
    minutes, seconds = divmod(round(record.duration / 1000), 60)
    return f"{minutes}:{seconds:02d}"


def table_of(records: "list[CallRecord]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from openivr.simulate.words import REASONS, say_verb

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("began", "id", "from", "to", "menus", "lasted", "outcome", "reason"):
        table.add_column(name, justify="right" if name == "lasted" else "left", overflow="fold")
    for one in records:
        table.add_row(
            local(one.started),
            one.id,
            one.caller or "withheld",
            one.called,
            one.path.replace(" ", " > "),
            lasting(one),
            one.outcome or f"now {say_verb(one.stage)}",
            REASONS.get(one.reason, one.reason),
        )
    return table


def table_of_bans(found: "list[BanInfo]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("source", "as user", "reason"):
        table.add_column(name, overflow="fold")
    table.add_column("ends in", justify="right", overflow="fold")
    for one in found:
        user = "".join(key if key.isprintable() else "?" for key in one.user)  # chosen by the remote side
        table.add_row(one.source, user or "any", one.reason.replace("_", " "), f"{one.seconds:.0f} s")
    return table


def print_table(table: "Table") -> None:
    """Print a table as wide as the terminal, or in full width to a file or a pipe."""
    import sys

    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False).print(table)


def echo_json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
