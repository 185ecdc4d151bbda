"""`openivr announce`: prompts that are played before menus and inbound routes until a stated time."""

import time
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from openivr.cli.hours import find_calendar, read_moment, show_time
from openivr.cli.options import opened, store_options
from openivr.hours.calendar import Calendar
from openivr.hours.reading import write_local
from openivr.ivr.model import Announcement, IvrSnapshot
from openivr.resources.fields import Body


@click.group(invoke_without_command=True, short_help="Play an announcement until a stated time.")
@store_options
@click.pass_context
def announce(context: click.Context, data: Path, database: str) -> None:
    """List the announcements that are played before menus and inbound routes for a time.

    \b
    openivr announce play storm.wav --before 6200 --until "2026-12-24 18:00"
    openivr announce stop storm.wav
    """
    if context.invoked_subcommand:
        return
    from openivr.store.config.ivr_snapshot import load_snapshot

    with opened(data, database) as store, store.reading() as connection:
        snapshot = load_snapshot(connection)
    now = int(time.time())
    lines = [describe(row, snapshot, now) for row in snapshot.announcements.values()]
    click.echo("\n".join(lines) if lines else "no announcements")


@announce.command()
@click.argument("prompt")
@click.option(
    "--before",
    "places",
    multiple=True,
    required=True,
    metavar="NUMBER|NAME",
    help="The number of a menu or the name of an inbound route. Repeatable.",
)
@click.option("--until", required=True, metavar="TIME", help='Such as "2026-12-24 18:00".')
@click.option("--from", "begin", default="", metavar="TIME", help="Default: at once.")
@click.option("--name", default="", help="A name for it. Default: the name of the prompt.")
@store_options
def play(  # noqa: PLR0913 - one argument per option
    prompt: str, *, places: tuple[str, ...], until: str, begin: str, name: str, data: Path, database: str
) -> None:
    """Play a custom prompt before menus and inbound routes. Times are those of the default calendar."""
    from openivr.resources.announcement import ANNOUNCEMENT
    from openivr.store.config import resources

    now = int(time.time())
    with opened(data, database) as store, store.changing() as change:
        _, calendar = find_calendar(change.connection, "")
        end = read_moment(until, calendar)
        if end <= now:
            raise click.BadParameter(f"{until} is over", param_hint="--until")
        body: Body = {
            "name": name or prompt,
            "prompt": prompt,
            "before_list": [find_place(change.connection, place) for place in places],
            "begin_time": write(read_moment(begin, calendar), calendar) if begin else "",
            "end_time": write(end, calendar),
        }
        resources.create(change, ANNOUNCEMENT, body)
    click.echo(f"{prompt} is played until {show_time(end, calendar)}")


@announce.command()
@click.argument("name")
@store_options
def stop(name: str, data: Path, database: str) -> None:
    """Delete an announcement, by its name."""
    from openivr.resources.announcement import ANNOUNCEMENT
    from openivr.store.config import resources

    with opened(data, database) as store, store.changing() as change:
        id_ = resources.find_named(change.connection, ANNOUNCEMENT, name)
        if id_ is None:
            raise click.BadParameter(f"there is no announcement {name}")
        resources.delete(change, ANNOUNCEMENT, id_)
    click.echo(f"{name} is not played any more")


def find_place(connection: Connection, text: str) -> Body:
    """Return a menu by number or an inbound route by name, as a link."""
    from openivr.resources import KINDS
    from openivr.store.config import resources

    for kind in ("ivr", "inbound_route"):
        id_ = resources.find_named(connection, KINDS[kind], text)
        if id_ is not None:
            return {"type": kind, "value": id_}
    raise click.BadParameter(f"there is no menu or inbound route {text}", param_hint="--before")


def write(moment: int, calendar: Calendar) -> str:
    """Return a moment as the API writes local times."""
    return write_local(datetime.fromtimestamp(moment, calendar.clock))


def describe(row: Announcement, snapshot: IvrSnapshot, now: int) -> str:
    """Return an announcement, its state and its places as a line."""
    calendar = snapshot.calendars[0]
    state = "playing" if row.holds(now) else "over" if now >= row.end else "planned"
    span = f"until {show_time(row.end, calendar)}"
    if row.begin:
        span = f"from {show_time(row.begin, calendar)} {span}"
    places = [*(snapshot.ivrs[id_].number for id_ in row.ivr_ids)]
    places += (snapshot.inbound_routes[id_].name for id_ in row.inbound_route_ids)
    return f"{row.name}  {row.prompt}  {state}, {span}, before {', '.join(places)}"
