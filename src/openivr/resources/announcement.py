"""Announcement: a prompt that is played before menus and inbound routes until a stated time. Ours.

The P-Series has none. The times are those of a calendar's zone. An announcement whose end has passed changes
nothing any more.
"""

from collections.abc import Iterator

from openivr.hours import reading
from openivr.resources.errors import Problem
from openivr.resources.fields import Body, TextField
from openivr.resources.hours import HoursField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, LinksField, PromptsField
from openivr.resources.resource_type import ResourceType, Row, Values


def moment(name: str, *, required: bool = False) -> HoursField:
    """A field with a local time such as "2026/12/24 18:00"."""
    return HoursField(
        name=name,
        required=required,
        low=int(required),
        high=20,
        read_text=reading.read_local,
        write_value=reading.write_local,
    )


def check(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    """Check that it has a prompt, a place, and an end after its begin."""
    for name in ("prompt", "before_list"):
        if not values[name]:
            yield Problem(name, ProblemCode.REQUIRED)
    begin, end = values["begin_time"], values["end_time"]
    if begin and end <= begin:  # both are written alike, so texts compare as times do
        yield Problem("end_time", ProblemCode.DATE_ORDER, {"part": end}, end)


LISTED = ("name", "prompt", "begin_time", "end_time", "timezone_id")


def announcement_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in LISTED}}


ANNOUNCEMENT = ResourceType(
    name="announcement",
    paths=("announcement",),
    title="Announcement",
    fields=(
        TextField(name="name", required=True, low=1, high=63),
        PromptsField(name="prompt", required=True, builtin=("default",)),
        LinksField(name="before_list", kinds=("ivr", "inbound_route"), required=True),
        moment("begin_time"),
        moment("end_time", required=True),
        LinkField(name="timezone_id", kind="timezone"),
    ),
    listed=LISTED,
    row=announcement_row,
    sorts=("name",),
    unique=("name",),
    check=check,
)
