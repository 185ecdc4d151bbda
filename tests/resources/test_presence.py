"""Settings of presence statuses: what a request changes, what is refused, and what calls do with them."""

from typing import Any

import pytest

from openivr.ivr.model import Destination, DestinationKind, Forwarding
from openivr.resources.errors import Invalid
from openivr.resources.extension import EXTENSION
from openivr.resources.fields import ResourceName
from openivr.resources.presence import RULES, STATUSES
from openivr.resources.problem_codes import ProblemCode
from openivr.store.config import ivr_snapshot
from tests.store.bodies import extension

MAILBOX = Destination(DestinationKind.VOICEMAIL, 7)


def setting(status: str = "available", **changes: Any) -> dict[str, Any]:
    return {"status": status, **changes}


def forwarded(values: dict[str, Any]) -> tuple[Forwarding, Forwarding, int, str]:
    row = ivr_snapshot.extension(7, values)
    return row.inside, row.outside, row.ring_seconds, row.mobile


def test_by_default_calls_go_to_the_own_mailbox() -> None:
    to_mailbox = Forwarding(busy=MAILBOX, no_answer=MAILBOX)
    values = EXTENSION.parse(extension())
    assert values["presence_list"] == {}
    assert forwarded(values) == (to_mailbox, to_mailbox, 30, "")


def test_without_a_mailbox_they_go_nowhere() -> None:
    values = EXTENSION.parse(extension(enb_vm=0))
    assert forwarded(values)[:2] == (Forwarding(), Forwarding())


def test_the_present_status_counts() -> None:
    away = setting(
        "away",
        ring_timeout=12,
        enb_ex_always_forward=1,
        ex_always_forward_dest="ivr",
        ex_always_forward_value="3",
        enb_in_busy_forward=0,
        enb_ring_mobile=1,
        mobile_prefix="9",
        mobile_number="+44 (20) 7946-0000",
    )
    values = EXTENSION.parse(extension(presence_list=[away], presence_status="away"))
    menu = Destination(DestinationKind.IVR, 3)
    assert forwarded(values) == (
        Forwarding(no_answer=MAILBOX),
        Forwarding(always=menu, busy=MAILBOX, no_answer=MAILBOX),
        12,
        "9442079460000",
    )
    values = EXTENSION.parse({"presence_status": "available"}, values)
    assert forwarded(values)[2:] == (30, "")


def test_the_number_of_the_person_rings_unless_the_status_has_one() -> None:
    values = EXTENSION.parse(extension(presence_list=[setting(enb_ring_mobile=1)], mobile_number="0170 1"))
    assert forwarded(values)[3] == "01701"


def test_an_update_changes_what_it_names() -> None:
    first = EXTENSION.parse(
        extension(presence_list=[setting(ring_timeout=20), setting("away", ring_timeout=9)])
    )
    after = EXTENSION.parse({"presence_list": [setting(enb_ex_busy_forward=0)]}, first)
    assert after["presence_list"]["away"] == {"ring_timeout": 9}
    assert after["presence_list"]["available"]["ring_timeout"] == 20
    assert after["presence_list"]["available"]["ex_busy"] is None
    back = EXTENSION.parse(
        {"presence_list": [setting(enb_ex_busy_forward=1, ring_timeout=0), setting("away", ring_timeout=0)]},
        after,
    )
    assert back["presence_list"] == {}


def test_all_statuses_and_rules_are_shown_as_the_vendor_names_them() -> None:
    outside = setting(
        ex_busy_forward_dest="external_num", ex_busy_forward_prefix="9", ex_busy_forward_num="555"
    )
    values = EXTENSION.parse(extension(presence_list=[outside]))
    (shown,) = (
        value for name, value in EXTENSION.serialize(1, values, no_names).items() if name == "presence_list"
    )
    assert [item["status"] for item in shown] == list(STATUSES)
    row = shown[0]
    assert [row[f"ex_busy_forward_{part}"] for part in ("dest", "prefix", "num", "value")] == [
        *("external_num", "9", "555", ""),
    ]
    assert {rule: row[f"enb_{rule}_forward"] for rule in RULES} == {
        rule: int(not rule.endswith("always")) for rule in RULES
    }
    assert EXTENSION.parse({"presence_list": shown}, values) == values


def no_names(_kind: str, id_: int) -> ResourceName:
    return ResourceName("", str(id_))


@pytest.mark.parametrize(
    ("sent", "code", "column"),
    [
        ("x", ProblemCode.NOT_ROWS, None),
        ([setting("asleep")], ProblemCode.CHOICE, "status"),
        ([setting(), setting()], ProblemCode.NAMED_TWICE, "status"),
        ([setting(ring_timeout=4)], ProblemCode.RANGE, "ring_timeout"),
        ([setting(ring_timeout=301)], ProblemCode.RANGE, "ring_timeout"),
        ([setting(enb_ex_busy_forward=2)], ProblemCode.RANGE, "enb_ex_busy_forward"),
        ([setting(ex_busy_forward_dest="queue")], ProblemCode.UNSERVED, "ex_busy_forward_dest"),
        ([setting(ex_busy_forward_dest="moon")], ProblemCode.CHOICE, "ex_busy_forward_dest"),
        (
            [setting(ex_busy_forward_dest="extension")],
            ProblemCode.REQUIRED_FOR_DESTINATION,
            "ex_busy_forward_value",
        ),
        (
            [setting(ex_busy_forward_dest="external_num", ex_busy_forward_num="1" * 16)],
            ProblemCode.NOT_NUMBER,
            "ex_busy_forward_value",
        ),
    ],
)
def test_bad_settings_are_refused_by_row_and_name(sent: Any, code: ProblemCode, column: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        EXTENSION.parse(extension(presence_list=sent))
    (problem,) = caught.value.problems
    assert (problem.field, problem.code, problem.params.get("column")) == ("presence_list", code, column)


def test_destinations_are_references() -> None:
    sent = setting(
        ex_busy_forward_dest="ivr",
        ex_busy_forward_value="3",
        ex_no_answer_forward_dest="play_greeting",
        ex_no_answer_forward_prefix="2",
        ex_no_answer_forward_value="hours.wav",
    )
    values = EXTENSION.parse(extension(presence_list=[sent]))
    assert [(row.kind, row.key) for row in EXTENSION.references(values)] == [
        ("custom_prompt", "hours.wav"),
        ("ivr", 3),
    ]
