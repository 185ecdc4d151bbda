"""system/information, capacity and get_menuoptions."""

import re
import time
from pathlib import Path

import pytest

import openivr
from tests.api.families import EXTENSION
from tests.live_server import Api, Running, start

MENUS = ("extension", "ext_group", "trunk", "ivr", "ring_group", "outbound_route", "inbound_route")
NOTHING = ("queue", "conference", "call_flow", "group_vm", "fxs", "role", "pinset", "message_queue")


def test_information(reader: Api) -> None:
    data = reader.get("system/information")["data"]
    assert list(data) == [
        "device_name",
        "model_name",
        "sn",
        "firmware_version",
        "system_time",
        "up_time",
        "system_date_format",
        "system_time_format",
        "timestamp",
    ]
    assert (data["model_name"], data["firmware_version"]) == ("OpenIVR", openivr.__version__)
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", data["system_time"])
    assert abs(data["timestamp"] - time.time()) < 60
    assert 0 <= data["up_time"] < 600
    assert reader.get("system/information")["data"]["sn"] == data["sn"] != ""


def test_every_installation_has_its_own_serial_number(reader: Api, tmp_path: Path) -> None:
    other = start(tmp_path, is_new=True)
    api = other.log_in()
    numbers = {one.get("system/information")["data"]["sn"] for one in (reader, api)}
    api.close()
    other.stop()
    assert len(numbers) == 2


def test_capacity_counts_extensions(api: Api) -> None:
    before = api.get("system/capacity")["data"]
    assert before == {"max_extension": 9_999_999, "used_extension": 4}
    id_ = api.post("extension/create", EXTENSION.body())["id"]
    assert api.get("system/capacity")["data"]["used_extension"] == 5
    api.get("extension/delete", id=id_)
    assert api.get("system/capacity")["data"]["used_extension"] == 4


@pytest.mark.parametrize("menu", MENUS)
def test_menu_options_are_what_a_form_may_choose_from(reader: Api, menu: str) -> None:
    path = {"ext_group": "extension_group"}.get(menu, menu)
    options = reader.get("system/get_menuoptions", menu=menu)["data"]
    assert [option["value"] for option in options] == [
        str(row["id"]) for row in reader.get(f"{path}/list")["data"]
    ]
    assert all(list(option) == ["text", "text2", "value", "type"] for option in options)


def test_options_of_extensions_and_trunks(reader: Api) -> None:
    ada = {"text": "Ada Byron", "text2": "1000", "value": "1", "type": "SIP"}
    assert reader.get("system/get_menuoptions", menu="extension")["data"][0] == ada
    trunk = {"text": "Provider", "text2": "Provider", "value": "1", "type": "register"}
    assert reader.get("system/get_menuoptions", menu="trunk")["data"] == [trunk]


@pytest.mark.parametrize("menu", NOTHING)
def test_menus_of_what_this_server_lacks_are_empty(reader: Api, menu: str) -> None:
    assert reader.get("system/get_menuoptions", menu=menu)["data"] == []


def test_menus_that_cannot_be(reader: Api, demo: Running) -> None:
    for query in ("", "menu=", "menu=sofa", "menu=ivr&menu=ivr"):
        answer = reader.query("system/get_menuoptions", query)
        assert answer["errcode"] == 40002
        assert answer["invalid_param_list"][0]["field"] == "menu"
    answer = reader.get("system/get_menuoptions", menu="queue_agent")
    assert answer["invalid_param_list"] == [{"field": "id", "validation_type": "required"}]
    assert reader.get("system/get_menuoptions", menu="queue_agent", id=1)["errcode"] == 60001
