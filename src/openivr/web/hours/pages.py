"""The page Hours and the switch by hand."""

import re
import time
from dataclasses import dataclass, field
from datetime import datetime

from starlette.responses import Response

from openivr.hours.calendar import Calendar, ManualSwitch, PeriodKind
from openivr.hours.period import period
from openivr.resources.fields import CONTROL
from openivr.store.config import hours_switch
from openivr.store.config.ivr_snapshot import load_calendars
from openivr.store.database import ConfigTransaction
from openivr.web.core.notices import find_notices
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.hours.calendars import find, others, read_id
from openivr.web.hours.overview import make_overview, say_then
from openivr.web.hours.probe import look_at
from openivr.web.messages import t

PATH = "/hours"
FOLLOW = "auto"  # takes a switch back
REFUSED = 422  # HTTP status
MAX_NOTE = 127
RETURN = re.compile(r"/(?!/)[A-Za-z0-9_./-]*(\?[A-Za-z0-9_.=&%+:,*#-]*)?")  # paths of this server alone
UNTIL_CHANGE, UNTIL_TIME, NO_END = UNTILS = ("change", "time", "none")


@dataclass(slots=True)
class SwitchForm:
    """The form of the switch as it was filled in, and what is wrong with it by field."""

    period: str = PeriodKind.CLOSED.value
    until: str = UNTIL_CHANGE
    end: str = ""  # local time, such as 2026-12-24T17:59
    note: str = ""
    problems: dict[str, str] = field(default_factory=dict)


async def hours_page(request: PageRequest) -> Response:
    """What holds now and next, and with `at` in the query what holds then."""
    return await render(request, read_id(request.query("calendar")), SwitchForm())


async def render(request: PageRequest, id_: int, form: SwitchForm) -> Response:
    calendars = await request.database.read(load_calendars)
    calendar, now = find(calendars, id_), int(time.time())
    at = request.query("at")[:40]
    answer, problem, then = "", "", None
    if at:
        moment = read_moment(at, calendar)
        problem = t("hours.bad_time") if moment is None else ""
        if moment is not None:
            answer = say_then(period(moment, calendar))
            snapshot = await request.app.menus.current()
            then = await request.database.run_in_thread(look_at, snapshot, moment)
    office = await request.app.office.current()
    overview = await request.database.run_in_thread(make_overview, calendar, now)
    return request.render(
        "hours/page.html",
        status=REFUSED if form.problems or problem else 200,
        where=PATH,
        calendar_id=id_,
        calendar=calendar,
        calendars=others(calendars),
        overview=overview,
        form=form,
        at=at,
        answer=answer,
        then=then,
        notices=list(find_notices(calendar, office.announcements.values(), now)),
        problem=problem,
        periods=hours_switch.PERIODS,
        untils=UNTILS,
    )


def read_moment(text: str, calendar: Calendar) -> int | None:
    """Read a time of the calendar's zone. None: it is no time, or too far away."""
    try:
        moment = read_local(text, calendar)
        period(moment, calendar)
    except (ValueError, OverflowError, OSError):
        return None
    return moment


def read_local(text: str, calendar: Calendar) -> int:
    """Read a time of the calendar's zone in ISO 8601. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip().replace("/", "-"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=calendar.clock)).timestamp())


async def switch(request: PageRequest) -> Response:
    """Switch the calendar by hand, or let it follow its hours again."""
    id_, now = read_id(request.form_text("calendar")), int(time.time())
    kind, until, end, note = (request.form_text(name).strip() for name in ("period", "until", "end", "note"))
    form = SwitchForm(kind, until, end, note)
    by = request.session.admin if request.session else ""
    await request.database.change_config(change_switch, id_, form, by, now)
    if form.problems:
        return await render(request, id_, form)
    calendar = find(await request.database.read(load_calendars), id_)
    words = make_overview(calendar, now).sentence
    back = request.form_text("back")
    own = f"{PATH}?calendar={id_}" if id_ else PATH
    return request.redirect(back if RETURN.fullmatch(back) else own, [words])


def change_switch(change: ConfigTransaction, id_: int, form: SwitchForm, by: str, now: int) -> None:
    """Switch as a form says. A form with problems gets them noted and changes nothing."""
    calendar = find(load_calendars(change.connection), id_)
    if form.period == FOLLOW:
        hours_switch.take_back(change, id_, by)
        return
    if form.period not in hours_switch.PERIODS:
        form.problems["period"] = t("hours.bad_period")
    if form.until not in UNTILS:
        form.problems["until"] = t("hours.bad_until")
    if len(form.note) > MAX_NOTE or CONTROL.search(form.note):
        form.problems["note"] = t("hours.bad_note", high=MAX_NOTE)
    end = read_end(form, calendar, now) if form.until == UNTIL_TIME else None
    if form.problems:
        return
    asked = ManualSwitch(PeriodKind(form.period), end, form.note, by, now)
    hours_switch.set_switch(change, calendar, id_, asked, is_until_change=form.until == UNTIL_CHANGE)


def read_end(form: SwitchForm, calendar: Calendar, now: int) -> int | None:
    """Read the end of a switch. None: it is no time to come, which is noted in the form."""
    try:
        end = read_local(form.end, calendar)
    except (ValueError, OverflowError):
        form.problems["end"] = t("hours.bad_time")
        return None
    if end <= now:
        form.problems["end"] = t("hours.past")
    return end


ROUTES = (
    PageRoute(path=PATH, handle=hours_page),
    PageRoute(path=f"{PATH}/switch", handle=switch, method="POST"),
)
