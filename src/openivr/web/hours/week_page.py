"""The page Week: painted with the mouse, edited with the keyboard, or by text fields without script."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.hours.calendar import Calendar
from openivr.hours.reading import WEEKDAYS
from openivr.resources.errors import Invalid
from openivr.resources.resource_type import Values
from openivr.store.config.ivr_snapshot import load_calendars
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.conflicts import EditConflict
from openivr.web.hours.calendars import DEFAULT, find, others, read_id
from openivr.web.hours.week import (
    WeekForm,
    fingerprint,
    load_week,
    paint,
    read_texts,
    save_week,
    weekly,
    write_texts,
)
from openivr.web.messages import t

PATH = "/hours/week"
REFUSED, CONFLICT = 422, 409  # HTTP statuses
MAX_TEXT = 400
NAMES = tuple(f"{kind}-{day}" for day in WEEKDAYS for kind in ("open", "break"))


@dataclass(frozen=True, slots=True)
class StoredWeek:
    """All calendars, and of one the business hours as they are stored and as texts."""

    calendars: Mapping[int, Calendar]
    hours: Mapping[int, Values]
    texts: dict[str, str]


def load(connection: Connection, id_: int) -> StoredWeek:
    """Load the week of a calendar. Raises NotFound."""
    calendars = load_calendars(connection)
    hours = load_week(connection, find(calendars, id_), id_)
    return StoredWeek(calendars, hours, write_texts(paint(hours)))


async def week_page(request: PageRequest) -> Response:
    """The stored week of the calendar in the query."""
    return await render(request, read_id(request.query("calendar")), None)


async def render(
    request: PageRequest, id_: int, form: WeekForm | None, *, is_stale: bool = False
) -> Response:
    stored = await request.database.read(load, id_)
    shown = form or WeekForm(stored.texts)
    return request.render(
        "hours/week.html",
        status=REFUSED if shown.problems else CONFLICT if is_stale else 200,
        where="/hours",
        calendar_id=id_,
        calendar=stored.calendars[id_],
        calendars=others(stored.calendars),
        form=shown,
        before=fingerprint(stored.hours),
        is_stale=is_stale,
        dated=len(stored.hours) - len(weekly(stored.hours)),
        weekdays=WEEKDAYS,
    )


async def save(request: PageRequest) -> Response:
    """Save the week of a form. With problems, or after another administrator's change, show it again."""
    id_ = read_id(request.form_text("calendar"))
    form = WeekForm({name: request.form_text(name)[:MAX_TEXT] for name in NAMES})
    week = read_texts(form)
    if form.problems:
        return await render(request, id_, form)
    calendar = find(await request.database.read(load_calendars), id_)
    before = request.form_text("before")
    try:
        await request.database.change_config(save_week, calendar, id_, week, before)
    except EditConflict:
        return await render(request, id_, form, is_stale=True)
    except Invalid:  # more spans than business hours may have, with those that go past midnight
        form.problems["open-mon"] = t("week.too_many_days")
        return await render(request, id_, form)
    return request.redirect(f"{PATH}?calendar={id_}" if id_ != DEFAULT else PATH, [t("week.saved")])


ROUTES = (
    PageRoute(path=PATH, handle=week_page),
    PageRoute(path=PATH, handle=save, method="POST"),
)
