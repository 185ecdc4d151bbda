"""Announcements that are played before menus and routes for a time, as marks on pages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openivr.hours.calendar import Calendar
from openivr.ivr.model import Announcement
from openivr.web.core.office_now import say_moment
from openivr.web.core.urls import resource_url
from openivr.web.messages import t


@dataclass(frozen=True, slots=True)
class NoticeView:
    """An announcement that is played now or later."""

    text: str
    url: str
    is_now: bool


def find_notices(calendar: Calendar, rows: Iterable[Announcement], now: int) -> Iterator[NoticeView]:
    """The announcements that are not over, those that end first before others."""
    for row in sorted(rows, key=lambda row: (row.end, row.id)):
        if now < row.end:
            until, begin = (say_moment(at, now, calendar) for at in (row.end, row.begin))
            key = "notice.now" if row.holds(now) else "notice.later"
            text = t(key, name=row.name, prompt=row.prompt, begin=begin, until=until)
            yield NoticeView(text, resource_url("announcement", row.id), row.holds(now))
