"""Extension groups and ring groups (P-Series: add-a-ring-group)."""

from collections.abc import Iterator

from openivr.objects.destination import Destination
from openivr.objects.errors import Problem
from openivr.objects.fields import Body, Choice, Integer, Links, Prompts, Text, flag, number
from openivr.objects.kind import Kind, Row, Values


def group_row(values: Values) -> Row:
    return {"id": values["id"], "name": values["name"]}


EXTENSION_GROUP = Kind(
    name="ext_group",
    paths=("extension_group",),
    title="Extension group",
    fields=(
        Text(name="name", required=True, low=1),
        Links(name="member_list", kinds=("extension",)),
    ),
    listed=("name",),
    row=group_row,
    sorts=("name",),
    unique=("name",),
)

RING_LISTED = ("number", "name", "ring_strategy", "ring_timeout")


def ring_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in RING_LISTED}}


def check_ring(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    """Each served strategy moves on after a time (P-Series: required for these three)."""
    if not values["ring_timeout"]:
        yield Problem("ring_timeout", "required", "is required for this strategy")


RING_GROUP = Kind(
    name="ring_group",
    paths=("ringgroup", "ring_group"),
    title="Ring group",
    fields=(
        number(),
        Text(name="name", required=True, low=1),
        Choice(
            name="ring_strategy",
            required=True,
            values=("ring_all", "sequentially", "memory_hunt"),
            unserved=("custom",),
        ),
        Integer(name="ring_timeout", low=5, high=300, default=0),
        Prompts(name="join_prompt"),
        flag("play_full_join_prompt"),
        Links(name="member_list", kinds=("extension", "ext_group")),
        Destination(name="fail_dest", stems=("fail_dest",)),
    ),
    listed=RING_LISTED,
    row=ring_row,
    check=check_ring,
)
