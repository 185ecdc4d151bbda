"""Extension groups and ring groups (P-Series: add-a-ring-group)."""

from collections.abc import Iterator

from openivr.resources.destination import DestinationField
from openivr.resources.errors import Problem
from openivr.resources.fields import Body, ChoiceField, IntegerField, TextField, flag, number
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinksField, PromptsField
from openivr.resources.resource_type import ResourceType, Row, Values


def group_row(values: Values) -> Row:
    return {"id": values["id"], "name": values["name"]}


EXTENSION_GROUP = ResourceType(
    name="ext_group",
    paths=("extension_group",),
    title="Extension group",
    fields=(
        TextField(name="name", required=True, low=1),
        LinksField(name="member_list", kinds=("extension",)),
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
        yield Problem("ring_timeout", ProblemCode.REQUIRED_FOR_STRATEGY)


RING_GROUP = ResourceType(
    name="ring_group",
    paths=("ringgroup", "ring_group"),
    title="Ring group",
    fields=(
        number(),
        TextField(name="name", required=True, low=1),
        ChoiceField(
            name="ring_strategy",
            required=True,
            values=("ring_all", "sequentially", "memory_hunt"),
            unserved=("custom",),
        ),
        IntegerField(name="ring_timeout", low=5, high=300, default=0),
        PromptsField(name="join_prompt"),
        flag("play_full_join_prompt"),
        LinksField(name="member_list", kinds=("extension", "ext_group")),
        DestinationField(name="fail_dest", stems=("fail_dest",)),
    ),
    listed=RING_LISTED,
    row=ring_row,
    check=check_ring,
)
