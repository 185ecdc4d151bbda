"""`openivr hours`: the present period, the reason for it, the next changes, and the switch by hand."""

import getpass
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from openivr.cli.options import opened, store_options
from openivr.hours.calendar import Calendar, ManualSwitch, PeriodKind
from openivr.hours.period import PeriodChange, PeriodDecision, next_changes, period
from openivr.resources.fields import Body
from openivr.simulate.words import say_period

SHOWN = 7  # changes
UNTIL_CHANGE = "change"
calendar_option = click.option(
    "--calendar", "name", default="", metavar="NAME", help="The calendar. Default: the default one."
)


def read_moment(text: str, calendar: Calendar) -> int:
    """Read a moment in ISO 8601, in the zone of a calendar unless it has one. "" is now."""
    if not text:
        return int(time.time())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f'{text} is no time such as "2026-12-24 17:59"') from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=calendar.clock)).timestamp())


@click.group(invoke_without_command=True, short_help="Show and switch business hours.")
@calendar_option
@click.option("--at", "moment", default="", metavar="TIME", help='Such as "2026-12-24 17:59". Default: now.')
@store_options
@click.pass_context
def hours(context: click.Context, name: str, moment: str, data: Path, database: str) -> None:
    """Show the period of a calendar, the reason, and the next seven changes.

    \b
    openivr hours                                  now
    openivr hours --at "2026-12-24 17:59"          then
    openivr hours switch closed --until change     close until the calendar itself would change
    openivr hours switch auto                      follow the calendar again
    openivr hours import school.ics                holidays of a file
    openivr hours holidays --country DE --region BY   national holidays
    """
    if context.invoked_subcommand:
        return
    with opened(data, database) as store, store.reading() as connection:
        _, calendar = find_calendar(connection, name)
    lines = describe(calendar, read_moment(moment, calendar))
    if not calendar.hours and not calendar.holidays and not calendar.switch:
        lines.append("no business hours are set: the office counts as closed at all times")
    click.echo("\n".join(lines))


@hours.command()
@click.argument("wanted", metavar="open|closed|holiday|auto")
@click.option(
    "--until", default="", metavar="TIME|change", help="Until a time, or until the calendar itself changes."
)
@click.option("--note", default="", help="The reason, for those who see it.")
@calendar_option
@store_options
def switch(  # noqa: PLR0913 - one argument per option
    wanted: str, *, until: str, note: str, name: str, data: Path, database: str
) -> None:
    """Open or close by hand, whatever the calendar says. "auto" takes that back."""
    from openivr.store.config import hours_switch

    if wanted not in (*hours_switch.PERIODS, "auto"):
        raise click.BadParameter(f"{wanted} is none of open, closed, holiday and auto")
    now, by = int(time.time()), f"{getpass.getuser()} (command line)"
    with opened(data, database) as store, store.changing() as change:
        id_, calendar = find_calendar(change.connection, name)
        if wanted == "auto":
            hours_switch.take_back(change, id_, by)
        else:
            is_until_change = until == UNTIL_CHANGE
            end = read_moment(until, calendar) if until and not is_until_change else None
            if end is not None and end <= now:
                raise click.BadParameter(f"{until} is over", param_hint="--until")
            asked = ManualSwitch(PeriodKind(wanted), end, note[:127], by, now)
            hours_switch.set_switch(change, calendar, id_, asked, is_until_change=is_until_change)
        _, calendar = find_calendar(change.connection, name)
    click.echo("\n".join(describe(calendar, now)[:1]))


dry_run_option = click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Only show what would be new, the same or changed."
)


@hours.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@dry_run_option
@calendar_option
@store_options
def import_(file: Path, *, is_dry_run: bool, name: str, data: Path, database: str) -> None:
    """Import holidays from an iCalendar file (.ics) or a CSV file.

    Of an iCalendar file these are the events of this year and the next. What is stored already is not
    doubled.
    """
    from openivr.data_import.holiday_files import read_file

    content = file.read_bytes()
    import_holidays(
        lambda calendar, years: read_file(content, years, calendar.clock),
        is_dry_run=is_dry_run,
        name=name,
        place=(data, database),
    )


@hours.command()
@click.option("--country", required=True, metavar="CODE", help="Two letters (ISO 3166-1), such as DE.")
@click.option("--region", default="", metavar="CODE", help="Such as BY. Default: those of the whole country.")
@click.option("--language", default="", metavar="CODE", help="Of the names. Default: that of the country.")
@dry_run_option
@calendar_option
@store_options
def holidays(  # noqa: PLR0913 - one argument per option
    *, country: str, region: str, language: str, is_dry_run: bool, name: str, data: Path, database: str
) -> None:
    """Import the national holidays of this year and the next. Needs no network."""
    from openivr.data_import.national import read_national

    import_holidays(
        lambda _, years: read_national(country, region, years, language),
        is_dry_run=is_dry_run,
        name=name,
        place=(data, database),
    )


def import_holidays(
    read: Callable[[Calendar, tuple[int, int]], list[Body]],
    *,
    is_dry_run: bool,
    name: str,
    place: tuple[Path, str],
) -> None:
    """Read holidays of this year and the next, merge them into a calendar, and show what was done."""
    from openivr.data_import.errors import ImportFailed
    from openivr.data_import.holiday_merging import carry_out, preview
    from openivr.data_import.merge_action import MergeAction

    with opened(*place) as store:
        with store.reading() as connection:
            id_, calendar = find_calendar(connection, name)
            year = datetime.now(calendar.clock).year
            try:
                bodies = read(calendar, (year, year + 1))
            except ImportFailed as error:
                raise click.ClickException(f"this {error}") from error
            merged = preview(connection, bodies, id_)
        if not is_dry_run:
            with store.changing() as change:
                merged = carry_out(change, bodies, id_)
    for row in merged:
        old = f" (was {row.old['date']})" if row.action is MergeAction.CHANGED and row.old else ""
        why = f": {row.problem}" if row.problem else ""
        click.echo(f"{row.action:8} {row.fields.get('date', '')}  {row.fields.get('name', '')}{old}{why}")
    counts = [(action, sum(row.action is action for row in merged)) for action in MergeAction]
    click.echo(", ".join(f"{count} {action}" for action, count in counts if count) or "no holidays")


def find_calendar(connection: Connection, name: str) -> tuple[int, Calendar]:
    """Return a calendar by name, "" for the default one, with the id by which it is switched."""
    from openivr.store.config.ivr_snapshot import load_calendars

    calendars = load_calendars(connection)
    found = [(id_, calendar) for id_, calendar in calendars.items() if id_ and calendar.name == name]
    if name and not found:
        raise click.BadParameter(f"there is no calendar {name}", param_hint="--calendar")
    id_, calendar = found[0] if name else (0, calendars[0])
    return (0 if calendar is calendars[0] else id_), calendar


def describe(calendar: Calendar, moment: int) -> list[str]:
    """Return the present period and the next changes, a line for each."""
    decision, changes = period(moment, calendar), next_changes(moment, calendar, SHOWN)
    until = f" until {show_time(changes[0].at, calendar)}" if changes else ""
    return [
        f"{show_time(moment, calendar)}  {decision.period}{until}, {say_reason(decision)}",
        *(show_change(change, calendar) for change in changes),
    ]


def show_change(change: PeriodChange, calendar: Calendar) -> str:
    """Return a change as a line."""
    return f"{show_time(change.at, calendar)}  {change.decision.period}, {say_reason(change.decision)}"


def say_reason(decision: PeriodDecision) -> str:
    """Return the reason of a period, with note and author of a switch by hand."""
    words = say_period(f"{decision.reason} {decision.name}".strip())
    if decision.switch:
        words += f" by {decision.switch.by}" if decision.switch.by else ""
        words += f": {decision.switch.note}" if decision.switch.note else ""
    return words


def show_time(moment: int, calendar: Calendar) -> str:
    """Return a moment as clocks of the calendar's zone show it."""
    return f"{datetime.fromtimestamp(moment, calendar.clock):%a %Y-%m-%d %H:%M}"
