"""Settings of presence statuses that come from another PBX."""

from openivr.client.model_types import Destination
from openivr.resources.destination import DestinationField
from openivr.yeastar_import.presence import adapt_presence
from openivr.yeastar_import.remarks import Remark


def adapt(field: DestinationField, to: Destination, _input: str) -> str:
    return f"{to.dest} {to.prefix} {to.value}" if to.dest in field.types else ""


def test_rules_that_are_known_come_over_and_others_leave_the_default() -> None:
    remarks: list[Remark] = []
    item = {
        "status": "away",
        "ring_timeout": 400,
        "mobile_prefix": "9",
        "enb_in_always_forward": 0,
        "in_always_forward_dest": "ext_vm",
        "enb_in_busy_forward": 1,
        "in_busy_forward_dest": "ext_vm",
        "in_busy_forward_value": "",
        "enb_ex_busy_forward": 1,
        "ex_busy_forward_dest": "external_num",
        "ex_busy_forward_prefix": "9",
        "ex_busy_forward_num": "555",
        "enb_ex_no_answer_forward": 1,
        "ex_no_answer_forward_dest": "queue",
        "ex_no_answer_forward_value": "4",
        "enb_ring1_endpoints": 1,
    }
    entry = adapt_presence(
        [item, {"status": "own", "ring_timeout": 9}, "x"], "extension 1000", adapt, remarks
    )
    assert entry == {
        "away": {
            "ring_timeout": 300,
            "mobile_prefix": "9",
            "in_always": "none",
            "in_busy": "ext_vm",
            "ex_busy": "external_num 9 555",
        }
    }
    assert len(remarks) == 1
