"""The client's typed objects follow from the descriptions of the resources."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from docs import client_models
from openivr.client import answers, models
from openivr.client.model_types import Destination
from openivr.resources import KINDS
from openivr.resources.fields import ResourceName
from openivr.resources.ivr import IVR, KEYS


def test_the_module_is_what_the_descriptions_make() -> None:
    """`make docs` writes it again."""
    assert client_models.TARGET.read_text(encoding="utf-8") == client_models.render()


def test_make_docs_looks_at_the_module() -> None:
    program = Path(client_models.__file__).parent / "generate.py"
    checked = subprocess.run(
        [sys.executable, program, "--check"], capture_output=True, text=True, check=False
    )
    assert "models.py" not in checked.stdout


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.paths], ids=lambda kind: kind.name)
def test_every_kind_has_a_class_for_rows_and_one_for_whole_objects(kind: object) -> None:
    name = client_models.class_name(kind)  # type: ignore[arg-type]
    assert issubclass(getattr(models, f"{name}Row"), msgspec.Struct)
    assert issubclass(getattr(models, name), msgspec.Struct)


def test_a_menu_is_read_and_written_in_every_spelling_of_the_api() -> None:
    body = {"number": "6200", "name": "Day", "prompt": "default", "prompt_repeat": 1, "resp_timeout": 2}
    body |= {"digit_timeout": 3, "dial_ext_option": "disable", "invaild_dest": "end_call"}
    row = IVR.serialize(7, IVR.parse(body), lambda _kind, id_: ResourceName("", str(id_)))
    menu = answers.convert(row, models.Ivr)
    assert menu.keys == {"invalid": Destination(dest="end_call")}
    written = menu.body()
    assert {name: written[name] for name in written} == {name: row[name] for name in written}
    assert {"invaild_dest", "invalid_dest", "allow_out_record0"} <= written.keys()


def test_a_key_keeps_its_pin_list_unless_it_is_named() -> None:
    body = {"number": "6200", "name": "Day", "prompt": "default", "prompt_repeat": 1, "resp_timeout": 2}
    body |= {"digit_timeout": 3, "dial_ext_option": "disable", "press1_dest": "end_call"}
    values = IVR.parse({**body, "press1_pin_list_id": 5})
    menu = answers.convert(
        IVR.serialize(7, values, lambda _kind, id_: ResourceName("", str(id_))), models.Ivr
    )
    assert menu.keys == {"1": Destination(dest="end_call", pin_list_id=5)}
    assert menu.body()["press1_pin_list_id"] == 5
    names = {
        id_: models.Ivr.to_body({"keys": {"1": Destination(dest="end_call", pin_list_id=id_)}})
        for id_ in (None, 0, 5)
    }
    assert [sent.get("press1_pin_list_id") for sent in names.values()] == [None, 0, 5]
    with pytest.raises(TypeError):
        models.Ivr.to_body({"press1_pin_list": 5})


TIMED = {
    "number": "6200",
    "name": "Day",
    "prompt": "default",
    "prompt_repeat": 1,
    "resp_timeout": 2,
    "digit_timeout": 3,
    "dial_ext_option": "disable",
    "enb_time_condition": 1,
    "time_condition_scope": "each_key",
}
CLOSED = Destination(dest="ivr", value="7")
HOLIDAY = Destination(dest="external_num", prefix="9", value="5551234")
NOWHERE = Destination()


def answer_of(body: dict[str, object]) -> dict[str, object]:
    return IVR.serialize(7, IVR.parse({**TIMED, **body}), lambda _kind, id_: ResourceName("", str(id_)))


def test_the_names_of_a_key_are_those_of_the_api() -> None:
    names = {name for key in models.Ivr.key_names.values() for name in key.all_names()}
    assert names == KEYS.schema().keys()


def test_a_key_has_its_destinations_of_other_periods() -> None:
    row = answer_of(
        {
            "press1_dest": "end_call",
            "press1_outoffice_time_dest": "ivr",
            "press1_outoffice_time_dest_value": "7",
            "press1_holiday_dest": "external_num",
            "press1_holiday_dest_prefix": "9",
            "press1_holiday_dest_value": "5551234",
            "press1_enb_time_condition": 1,
            "press1_timezone_id": 3,
            "press_hash_holiday_dest": "end_call",
            "timeout_outoffice_time_dest": "end_call",
            "invalid_holiday_dest": "end_call",
            "press2_dest": "end_call",
        }
    )
    menu = answers.convert(row, models.Ivr)
    assert menu.extra == {}
    condition: dict[str, Any] = {"enb_time_condition": 0, "timezone_id": 0}
    ends = Destination(dest="end_call")
    assert menu.keys == {
        "1": Destination(
            dest="end_call",
            outoffice_time_dest=CLOSED,
            holiday_dest=HOLIDAY,
            enb_time_condition=1,
            timezone_id=3,
        ),
        "2": ends,
        "hash": Destination(outoffice_time_dest=NOWHERE, holiday_dest=ends, **condition),
        "timeout": Destination(outoffice_time_dest=ends, holiday_dest=NOWHERE, **condition),
        "invalid": Destination(outoffice_time_dest=NOWHERE, holiday_dest=ends, **condition),
    }
    assert menu.body() == {name: row[name] for name in menu.body()}
    assert row.keys() - menu.body().keys() == {"id"}
    spellings = {f"{key}_holiday_dest" for key in ("invalid", "invaild", "press_hash")}
    assert spellings <= menu.body().keys()


def test_fields_of_a_period_may_be_texts_or_missing() -> None:
    """As of a PBX that answers numbers as texts, and has no value or condition for some of them."""
    row = {"id": "7", "press1_holiday_dest": "ivr", "press1_holiday_dest_value": 6200}
    row |= {"press1_timezone_id": "3", "press1_enb_time_condition": "", "press2_holiday_dest": ""}
    row |= {"press2_timezone_id": 0, "press3_dest": "end_call", "press3_holiday_dest": None}
    menu = answers.convert(row, models.Ivr)
    assert menu.keys == {
        "1": Destination(holiday_dest=Destination(dest="ivr", value="6200"), timezone_id=3),
        "3": Destination(dest="end_call"),
    }


def test_a_key_sends_the_periods_that_it_names() -> None:
    def sent(key: Destination | dict[str, object]) -> dict[str, object]:
        body = models.Ivr.to_body({"keys": {"1": key}})
        ours = ("press1_outoffice", "press1_holiday", "press1_enb", "press1_timezone")
        return {name: body[name] for name in body if name.startswith(ours)}

    assert sent(Destination(dest="end_call")) == {}
    holiday = {
        "press1_holiday_dest": "ivr",
        "press1_holiday_dest_prefix": "",
        "press1_holiday_dest_value": "7",
    }
    assert sent(Destination(holiday_dest=CLOSED, timezone_id=0)) == {**holiday, "press1_timezone_id": 0}
    assert sent({"holiday_dest": {"dest": "ivr", "value": "7"}}) == holiday
    assert sent(Destination(holiday_dest=NOWHERE))["press1_holiday_dest"] == ""
    assert models.Ivr.to_body({"press1_holiday_dest": "ivr"}) == {"press1_holiday_dest": "ivr"}
    with pytest.raises(TypeError):
        models.Ivr.to_body({"press1_holidays_dest": "ivr"})
