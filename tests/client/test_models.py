"""The client's typed objects follow from the descriptions of the resources."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from docs import client_models
from openivr.client import answers, models
from openivr.client.model_types import Destination
from openivr.resources import KINDS
from openivr.resources.fields import ResourceName
from openivr.resources.ivr import IVR


def test_the_module_is_what_the_descriptions_make() -> None:
    """`make docs` writes it again."""
    assert client_models.TARGET.read_text(encoding="utf-8") == client_models.render()


def test_make_docs_looks_at_the_module() -> None:
    program = Path(client_models.__file__).parent / "generate.py"
    checked = subprocess.run(
        [sys.executable, program, "--check"], capture_output=True, text=True, check=False
    )
    assert "models.py" not in checked.stdout


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
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
