"""Moving in: from another OpenIVR, and from an appliance with what this server does not have."""

import csv
import io
import stat
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openivr.cli import main, pull
from openivr.client.model_types import Destination, Link
from openivr.ivr.analysis.check import check
from openivr.ivr.analysis.words import text_of, text_of_remark
from openivr.resources import KINDS
from openivr.resources.import_remarks import restore_remark
from openivr.store.config import prompts, resources
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.yeastar_import.type_rules import FALLBACKS

from .conftest import Asked, OddServer, Pbx

Run = Callable[..., Result]
MENUS = 40


def sound(seconds: int = 1) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\0" * 8000 * seconds)
    return target.getvalue()


class Here:
    """This server's data, and its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, url: str, account: tuple[str, str], *more: str) -> Result:
        options = ["--client-id", account[0], "--secret", account[1], "--data", str(self.folder), *more]
        return CliRunner().invoke(main, [command, url, *options])

    def read(self, kind: str) -> dict[str, dict[str, Any]]:
        """Objects by label, as they are stored."""
        with self.database() as store, store.reading() as connection:
            return {
                KINDS[kind].label(v): {"id": i, **v} for i, v in resources.fetch_all(connection, KINDS[kind])
            }

    def findings(self) -> list[str]:
        with self.database() as store, store.reading() as connection:
            found = check(load_snapshot(connection))
            return [text_of(row) for row in found if row.rule.code == "IVR408"]

    def database(self) -> Any:
        from contextlib import closing

        return closing(Database(f"sqlite:///{self.folder / 'openivr.db'}"))

    def load(self, text: str) -> None:
        """Make the configuration what a file says."""
        self.folder.mkdir(exist_ok=True)
        text = "openivr: 1\n" + text
        ok(CliRunner().invoke(main, ["import", "-", "--data", str(self.folder)], input=text))

    def passwords(self) -> list[Path]:
        return sorted(self.folder.glob("extension-passwords-*.csv"))


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path / "here")


@pytest.fixture
def there(fresh_pbx: Pbx) -> Iterator[Pbx]:
    """Another OpenIVR, with more than the demo."""
    with fresh_pbx.client() as client:
        client.custom_prompt.upload("hours.wav", sound())
        body = client.ivr.get(3).body()
        for at in range(MENUS):
            more = {"number": str(7000 + at), "name": f"Menu {at}", "prompt": "default,hours.wav"}
            keys = {"press7_dest": "play_prompt", "press7_dest_prefix": 2, "press7_dest_value": "hours.wav"}
            client.ivr.create(**{**body, **more, **keys, "allow_out_record7": 1})
        yield fresh_pbx


def ok(result: Result, status: int = 0) -> str:
    assert result.exit_code == status, result.output
    return result.output


def test_moving_in_from_another_openivr(there: Pbx, here: Here) -> None:
    with there.client() as client:
        places = [Link(value="3", type="ivr"), Link(value="1", type="inbound_route")]
        storm: dict[str, Any] = {"name": "Storm", "prompt": "hours.wav", "end_time": "2026/12/24 18:00"}
        client.announcement.create(before_list=places, **storm)
    told = ok(here.run("pull", there.url, there.account))
    for line in (
        "\ncame over:\n",
        "menus: 44 new",
        "extensions: 4 new",
        "custom prompts: 1 new",
        "came over switched off",
    ):
        assert line in told
    with there.client() as client:
        menus = here.read("ivr")
        assert menus.keys() == {row.number for row in client.ivr.each()}
    assert menus["7001"]["keys"]["7"] == {
        "dest": "play_prompt",
        "prefix": "2",
        "value": "hours.wav",
        "allow_out_record": 1,
    }
    assert menus["7001"]["import_remarks"] == []
    links = here.read("announcement")["Storm"]["before_list"]
    assert [link["type"] for link in links] == ["ivr", "inbound_route"]
    with here.database() as store, store.reading() as connection:
        assert prompts.audio(connection, here.read("custom_prompt")["hours.wav"]["id"])[1] == sound()
    assert here.read("trunk")["Provider"]["enable"] == 0
    assert ok(here.run("diff", there.url, there.account)) == ""


def test_ids_are_mapped(there: Pbx, here: Here) -> None:
    """Here the same menus have other ids, and keys still lead where they led."""
    here.load(
        "ivr:\n- {id: 500, number: '6999', name: Mine, prompt: default, prompt_repeat: 1, "
        "resp_timeout: 3, digit_timeout: 3, dial_ext_option: disable}\n"
    )
    ok(here.run("pull", there.url, there.account))
    with there.client() as client:
        client.ivr.delete(client.ivr.search("7000").data[0].id)
        again = client.ivr.get(client.ivr.search("7020").data[0].id)
        new = client.ivr.create(**{**again.body(), "number": "7999", "name": "Late"})
        client.ivr.update(again.id, press8_dest="ivr", press8_dest_value=str(new))
    ok(here.run("pull", there.url, there.account))
    menus = here.read("ivr")
    assert menus["7999"]["id"] != new
    assert menus["7020"]["id"] > 500
    assert menus["7020"]["keys"]["8"]["value"] == str(menus["7999"]["id"])
    assert "7000" in menus  # nothing is deleted
    differences = ok(here.run("diff", there.url, there.account), 1)
    assert differences.splitlines() == ["only here  ivr 6999", "only here  ivr 7000"]


def test_again_brings_in_changes_only(there: Pbx, here: Here) -> None:
    ok(here.run("pull", there.url, there.account))
    first = here.passwords()
    told = ok(here.run("pull", there.url, there.account))
    assert "menus: 44 as they were" in told
    assert "nothing was changed" in told
    assert here.passwords() == first
    before = here.read("extension")
    with there.client() as client:
        client.ivr.update(3, name="Renamed")
        client.custom_prompt.upload("hours.wav", sound(2))
    told = ok(here.run("diff", there.url, there.account), 1)
    assert "ivr 6200  (name: VoiceMenu Navigator → Renamed)" in told
    assert "custom_prompt hours.wav" in told
    assert "menus: 1 changed, 43 as they were" in ok(here.run("pull", there.url, there.account))
    assert here.read("ivr")["6200"]["name"] == "Renamed"
    assert here.read("extension") == before  # passwords too
    assert here.passwords() == first


def test_a_dry_run_changes_nothing(there: Pbx, here: Here) -> None:
    assert "there is no data in" in ok(here.run("diff", there.url, there.account), 2)
    told = ok(here.run("pull", there.url, there.account, "--dry-run"))
    assert "menus: 44 new" in told
    assert "would come over:\n" in told  # A14
    assert "\ncame over:" not in told
    assert "dry run: nothing was changed" in told
    assert not here.folder.exists()  # F19
    here.load("")
    told = ok(here.run("pull", there.url, there.account, "--dry-run"))
    assert "menus: 44 new" in told
    assert here.read("ivr") == {}
    assert here.passwords() == []


def test_new_passwords_are_written_once(there: Pbx, here: Here, tmp_path: Path) -> None:
    path = tmp_path / "secrets.csv"
    told = ok(here.run("pull", there.url, there.account, "--passwords", str(path)))
    assert str(path) in told
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["number"] for row in rows] == ["1000", "1001", "1002", "1003"]
    from openivr.resources.extension import bind_digest

    stored = here.read("extension")
    for row in rows:
        kept = bind_digest(row["reg_name"], row["reg_password"])
        assert stored[row["number"]]["reg_password"] == kept
        assert row["reg_password"] not in told
    assert "exists already" in ok(here.run("pull", there.url, there.account, "--passwords", str(path)), 1)


def test_two_files_of_passwords_in_one_second_have_names_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda _format: "now")
    names = []
    for _ in range(3):
        path = pull.default_path(tmp_path)
        path.touch()
        names.append(path.name)
    assert names == ["now.csv", "now-2.csv", "now-3.csv"]


def test_all_or_nothing(there: Pbx, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that belongs to something else here stops everything; so does a failure half way."""
    here.load(
        "ext_group:\n- {name: Sales}\nring_group:\n"
        "- {number: '6200', name: Clash, ring_strategy: ring_all, ring_timeout: 20}\n"
    )
    told = ok(here.run("pull", there.url, there.account), 1)
    assert "number 6200 is used by ring_group 6200" in told
    assert (here.read("ivr"), here.passwords()) == ({}, [])
    here.load("")

    def fail(*_args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("openivr.store.config.import_export.raise_counters", fail)
    assert here.run("pull", there.url, there.account).exit_code == 1
    assert (here.read("ivr"), here.read("extension"), here.passwords()) == ({}, {}, [])


def test_what_cannot_be_reached(here: Here, there: Pbx) -> None:
    assert "cannot read from the PBX" in ok(here.run("pull", "http://127.0.0.1:9", ("a", "b")), 1)
    assert "cannot read from the PBX" in ok(here.run("pull", "nonsense", ("a", "b")), 1)
    assert not here.folder.exists()  # F19
    told = ok(here.run("diff", there.url, ("a", "the-wrong-secret")), 2)
    assert "get_token" in told
    assert "the-wrong-secret" not in told


def test_keys_come_with_their_periods(there: Pbx, here: Here, tmp_path: Path) -> None:
    """Here calendars and menus have other ids. A key of each kind: on a calendar, and on the default one."""
    here.load("timezone:\n- {id: 40, name: Mine, timezone: Europe/Paris}\n")
    with there.client() as client:
        client.timezone.create(name="Other", timezone="Asia/Tokyo")
        calendar = client.timezone.create(name="Office", timezone="Europe/Berlin")
        client.businesshour.create(
            timezone_id=calendar, days_of_week="mon", office_times=[{"value": "09:00-17:00"}]
        )
        night = Destination(dest="ivr", value=str(client.ivr.search("7001").data[0].id))
        holiday = Destination(dest="play_prompt", prefix="2", value="hours.wav")
        own: dict[str, Any] = {"enb_time_condition": 1, "timezone_id": calendar}
        keys = {
            "1": Destination(
                dest="extension", value="1", outoffice_time_dest=night, holiday_dest=holiday, **own
            ),
            "hash": Destination(holiday_dest=Destination(dest="end_call"), enb_time_condition=1),
            "invalid": Destination(dest="end_call", outoffice_time_dest=night, **own),
        }
        client.ivr.update(3, enb_time_condition=1, time_condition_scope="each_key", keys=keys)
        sent = client.ivr.get(3)
        assert (sent.keys["1"], sent.extra) == (keys["1"], {})
    told = ok(here.run("pull", there.url, there.account))
    assert "not known here" not in told
    menus, calendars = here.read("ivr"), here.read("timezone")
    stored = menus["6200"]["keys"]
    at_night = {"dest": "ivr", "prefix": "", "value": str(menus["7001"]["id"])}
    assert calendars["Office"]["id"] != calendar
    assert {name: stored["1"][name] for name in ("closed", "holiday", "timed", "timezone_id")} == {
        "closed": at_night,
        "holiday": {"dest": "play_prompt", "prefix": "2", "value": "hours.wav"},
        "timed": 1,
        "timezone_id": calendars["Office"]["id"],
    }
    assert stored["hash"]["holiday"]["dest"] == "end_call"
    assert (stored["hash"]["dest"], stored["hash"]["timed"], "timezone_id" in stored["hash"]) == (
        "",
        1,
        False,
    )
    assert stored["invalid"]["closed"] == at_night
    assert "nothing was changed" in ok(here.run("pull", there.url, there.account))
    exported = ok(CliRunner().invoke(main, ["export", "-", "--data", str(here.folder)]))
    assert "keys_holiday:" in exported
    with there.client() as client:
        client.ivr.update(3, keys={"1": Destination(dest="extension", value="1", holiday_dest=Destination())})
    assert "ivr 6200" in ok(here.run("diff", there.url, there.account), 1)
    ok(here.run("pull", there.url, there.account))
    assert "holiday" not in here.read("ivr")["6200"]["keys"]["1"]


APPLIANCE: dict[str, list[dict[str, Any]]] = {
    "custom_prompt": [{"id": 5, "name": "welcome.wav"}],
    "extension": [
        {"id": "12", "number": 2000, "first_name": "Ann", "presence_status": "available", "type": "SIP"},
        {"id": 13, "number": "2001", "first_name": "Bob", "type": "FXS", "email_addr": "no address"},
        {"id": 14, "number": "20x", "first_name": "Odd"},
    ],
    "extension_group": [{"id": 2, "name": "All", "member_list": [{"value": "12", "type": "extension"}, 14]}],
    "ringgroup": [
        {
            "id": 3,
            "number": "6300",
            "name": "Hunt",
            "ring_strategy": "custom",
            "member_list": [{"text": "Ann", "text2": "2000", "value": "12", "type": "extension"}],
            "fail_dest": "queue",
            "fail_dest_value": "9",
        }
    ],
    "trunk": [{"id": 1, "name": "Line"}],
    "outbound_route": [
        {
            "id": 4,
            "name": "Out",
            "dial_pattern_list": [{"pattern": "9X."}, {"pattern": "?"}],
            "trunk_list": [{"id": 1}],
            "ext_list": [{"id": 14}],
        }
    ],
    "inbound_route": [
        {
            "id": 1,
            "name": "In",
            "did_pattern_list": [{"did_pattern": "555"}],
            "def_dest": "ivr",
            "def_dest_value": "70",
        },
        {"id": 2, "name": "Range", "did_option": "range_to_ext", "def_dest": "ivr", "def_dest_value": "70"},
    ],
    "ivr": [
        {
            "id": 70,
            "number": "6200",
            "name": "Main",
            "prompt": "default,welcome.wav",
            "prompt_repeat": "9",
            "resp_timeout": "3",
            "digit_timeout": 3,
            "dial_ext_option": "allow",
            "dial_ext_list": [{"value": "14", "type": "extension", "text": "Odd"}],
            "enb_dial_outb_routes": 1,
            "dial_outb_route_list": [],
            "press1_dest": "queue",
            "press1_dest_value": "9",
            "press2_dest": "extension",
            "press2_dest_value": "12",
            "press3_dest": "call_flow",
            "press3_dest_value": "1",
            "press4_dest": "ring_group",
            "press4_dest_value": "3",
            "press5_dest": "extension",
            "press5_dest_value": "14",
            "press6_dest": "play_greeting",
            "press6_dest_prefix": "1",
            "press6_dest_value": "welcome.wav",
            "invaild_dest": "end_call",
            "allow_out_record2": 1,
            "office_hours": "always",
        },
        {"id": 71, "number": "6201"},
    ],
}


@pytest.fixture
def appliance(odd: OddServer) -> OddServer:
    """A P-Series without `query`, without recordings to download, and with queues."""

    def behave(asked: Asked) -> Any:
        family, _, action = asked.path.rpartition("/")
        if asked.path == "system/get_menuoptions" and asked.query["menu"] == "queue":
            return {"errcode": 0, "data": [{"text": "Support", "value": "9"}]}
        if asked.path == "system/information":
            return {"errcode": 0, "data": {"model_name": "P550", "firmware_version": "37.16.0.30"}}
        if action not in {"list", "get"} or family not in APPLIANCE:
            return None if asked.path in {"get_token", "del_token"} else {"errcode": 10001, "errmsg": "NO"}
        rows = APPLIANCE[family]
        if action == "list":
            return {"errcode": 0, "total_number": len(rows), "data": rows}
        return {"errcode": 0, "data": next(row for row in rows if str(row["id"]) == asked.query["id"])}

    odd.behave = behave
    return odd


ACCOUNT = ("the-client-id", "the-secret")


def test_moving_in_from_an_appliance(appliance: OddServer, here: Here) -> None:
    told = ok(here.run("pull", appliance.url, ACCOUNT))
    for line in (
        "read from P550 37.16.0.30: 1 custom prompt, 3 extensions",
        "menus: 2 new",
        "extension 2001: type FXS became SIP",
        "extension 2001: email_addr no address",
        "extension 20x: did not come over: number must be digits",
        "ring group 6300: ring_strategy custom became ring_all",
        "ring group 6300: fail_dest led to queue Support, which is not served here",
        "trunk Line: did not come over",
        "inbound route Range: is switched off",
        "outbound route Out: takes no number",
        "custom prompt welcome.wav: its sound cannot be read over the API",
        "menu 6200: prompt_repeat 9 became 5",
        "menu 6200: dialling extensions is switched off",
        "menu 6200: dialling outside is switched off",
        "menu 6200: key 1 led to queue Support, which is not served here (kept as a remark)",
        "menu 6200: office_hours is not known here",
    ):
        assert line.lower() in told.lower(), told
    main_menu = here.read("ivr")["6200"]
    assert main_menu["prompt"] == "default"
    assert (main_menu["dial_ext_option"], main_menu["enb_dial_outb_routes"]) == ("disable", 0)
    assert main_menu["keys"].keys() == {"2", "4", "invalid"}
    assert main_menu["keys"]["2"]["allow_out_record"] == 1
    remarks = main_menu["import_remarks"]
    assert {"code": "destination_unserved", "input": "3", "type": "call_flow", "name": "1"} in remarks
    assert {"code": "destination_missing", "input": "5", "type": "extension", "name": "14"} in remarks
    assert {"code": "key_prompt_missing", "input": "6", "prompt": "welcome.wav"} in remarks
    found = here.findings()
    assert "Key 3 led to call flow 1, which is not served here." in found
    assert {text_of_remark(restore_remark(remark)) for remark in remarks} <= set(found)
    assert here.read("ivr")["6201"]["name"] == "6201"
    assert here.read("inbound_route")["Range"]["def_dest"]["dest"] == "disabled"
    assert here.read("inbound_route")["In"]["def_dest"]["value"] == str(main_menu["id"])
    assert here.read("outbound_route")["Out"]["dial_pattern_list"] == []
    assert ok(here.run("diff", appliance.url, ACCOUNT)) == ""
    assert "nothing was changed" in ok(here.run("pull", appliance.url, ACCOUNT))


def test_what_was_mended_here_stays(appliance: OddServer, here: Here) -> None:
    """A key set here in place of a queue, a prompt uploaded here: the next pull keeps both and ends notes."""
    ok(here.run("pull", appliance.url, ACCOUNT))
    with here.database() as store, store.changing() as change:
        id_ = here.read("ivr")["6200"]["id"]
        resources.update(change, KINDS["ivr"], id_, {"press1_dest": "ring_group", "press1_dest_value": "1"})
        from openivr.sounds.convert import convert

        prompts.save(change, "welcome.wav", sound(), convert(sound(), "wav"))
    ok(here.run("pull", appliance.url, ACCOUNT))
    menu = here.read("ivr")["6200"]
    assert menu["keys"]["1"]["dest"] == "ring_group"
    assert menu["keys"]["6"]["value"] == "welcome.wav"
    assert menu["prompt"] == "default,welcome.wav"
    left = menu["import_remarks"]
    assert left
    assert not any(one.get("input") == "1" or one.get("prompt") == "welcome.wav" for one in left)
    assert ok(here.run("diff", appliance.url, ACCOUNT)) == ""


def test_the_api_neither_shows_nor_takes_remarks(appliance: OddServer, here: Here) -> None:
    ok(here.run("pull", appliance.url, ACCOUNT))
    with here.database() as store, store.changing() as change:
        id_ = here.read("ivr")["6200"]["id"]
        resources.update(change, KINDS["ivr"], id_, {"import_remarks": [], "name": "Other"})
        assert "import_remarks" not in resources.fetch_row(change.connection, KINDS["ivr"], id_)
    assert "Support" in {remark.get("name") for remark in here.read("ivr")["6200"]["import_remarks"]}
    assert "import_remarks" not in KINDS["ivr"].schema()


def test_remarks_survive_a_file(appliance: OddServer, here: Here, tmp_path: Path) -> None:
    ok(here.run("pull", appliance.url, ACCOUNT))
    remarks = here.read("ivr")["6200"]["import_remarks"]
    file = str(tmp_path / "all.yaml")
    ok(CliRunner().invoke(main, ["export", file, "--data", str(here.folder)]))
    told = ok(CliRunner().invoke(main, ["import", file, "--data", str(here.folder)]))
    assert "0 to create, 0 to update, 0 to delete" in told
    assert here.read("ivr")["6200"]["import_remarks"] == remarks


def test_every_required_field_of_a_menu_has_a_fallback() -> None:
    needed = {one.name for one in KINDS["ivr"].fields if one.required}
    assert needed - {"number", "name"} == FALLBACKS["ivr"].keys()


def test_keys_with_a_pin_come_with_their_list_or_not_at_all(there: Pbx, here: Here) -> None:
    """Another OpenIVR does not answer its PINs, so a list comes over only where it is known already."""
    with there.client() as client:
        pins = client.pin_list.create(name="Warehouse", pin_list="4711,918273")
        client.ivr.update(3, press1_pin_list_id=pins)
    told = ok(here.run("pull", there.url, there.account))
    assert "pin list Warehouse: did not come over" in told
    menu = here.read("ivr")["6200"]
    assert "1" not in menu["keys"], "without its list, the key would be open to every caller"
    here.load("pin_list:\n- {name: Warehouse, pin_list: ['4711', '918273']}\n")
    before = here.read("pin_list")["Warehouse"]["pin_list"]
    told = ok(here.run("pull", there.url, there.account))
    assert "4711" not in told
    kept = here.read("pin_list")["Warehouse"]
    assert kept["pin_list"] == before
    assert here.read("ivr")["6200"]["keys"]["1"]["pin_list_id"] == kept["id"]


@pytest.fixture
def timed(appliance: OddServer, monkeypatch: pytest.MonkeyPatch) -> OddServer:
    """An appliance with calendars, one of which cannot come over, and menus that depend on them."""
    menu: dict[str, Any] = {"prompt": "default", "enb_time_condition": "1", "press3_dest": "end_call"}
    each = {**menu, "time_condition_scope": "each_key"}
    for key, calendar in (("1", "1"), ("2", "2")):
        each |= {f"press{key}_dest": "extension", f"press{key}_dest_value": "12"}
        each |= {f"press{key}_outoffice_time_dest": "ring_group", f"press{key}_outoffice_time_dest_value": 3}
        each |= {f"press{key}_enb_time_condition": "1", f"press{key}_timezone_id": calendar}
    each |= {"press1_holiday_dest": "queue", "press1_holiday_dest_value": "9"}
    more: dict[str, list[dict[str, Any]]] = {
        "timezone": [
            {"id": 1, "name": "Office", "timezone": "Europe/Berlin"},
            {"id": 2, "name": "Odd", "timezone": "Europe/Atlantis"},
        ],
        "holidays": [{"id": 5, "timezone_id": 2, "name": "Flood", "type": "date", "date": "2026/12/24"}],
        "inbound_route": [
            {
                "id": 8,
                "name": "Night",
                "def_dest": "extension",
                "def_dest_value": "12",
                "enb_time_condition": 1,
                "timezone_id": 2,
                "outoffice_time_dest": "end_call",
            }
        ],
        "ivr": [
            {**each, "id": 80, "number": "6400", "name": "Each"},
            {**menu, "id": 81, "number": "6401", "name": "All", "timezone_id": 2},
        ],
    }
    for family, rows in more.items():
        monkeypatch.setitem(APPLIANCE, family, [*APPLIANCE.get(family, ()), *rows])
    return appliance


def test_keys_without_their_calendar_are_left_out(timed: OddServer, here: Here) -> None:
    """By the hours of another calendar they would lead to a wrong place."""
    told = ok(here.run("pull", timed.url, ACCOUNT))
    for line in (
        "calendar Odd: did not come over",
        "holiday Flood in time zone 2: did not come over: its calendar is not here",
        "inbound route Night: is switched off",
        "menu 6400: inputs are left out without their calendar: 2",
        "menu 6400: press2_timezone_id named calendar 2, which is not here",
        "menu 6401: inputs are left out without their calendar: 3",
        "menu 6401: timezone_id named calendar 2, which is not here",
        "menu 6400: press1_holiday_dest led to queue Support, which is not served here",
    ):
        assert line.lower() in told.lower(), told
    menus, office = here.read("ivr"), here.read("timezone")["Office"]["id"]
    keys = menus["6400"]["keys"]
    assert keys.keys() == {"1", "3"}
    assert (keys["1"]["closed"]["dest"], "holiday" in keys["1"]) == ("ring_group", False)
    assert (keys["1"]["timed"], keys["1"]["timezone_id"]) == (1, office)
    assert menus["6401"]["keys"] == {}
    assert here.read("inbound_route")["Night"]["def_dest"]["dest"] == "disabled"
    assert here.read("holiday") == {}
    assert ok(here.run("diff", timed.url, ACCOUNT)) == ""


def test_conditions_that_were_mended_here_stay(timed: OddServer, here: Here) -> None:
    """A key set here in place of one without its calendar, and a key of a PBX that knows no conditions."""
    ok(here.run("pull", timed.url, ACCOUNT))
    menus, office = here.read("ivr"), here.read("timezone")["Office"]["id"]
    mended = {"press2_dest": "end_call", "press2_enb_time_condition": 1, "press2_timezone_id": office}
    conditions = {"enb_time_condition": 1, "timezone_id": office, "press2_outoffice_time_dest": "end_call"}
    with here.database() as store, store.changing() as change:
        resources.update(change, KINDS["ivr"], menus["6400"]["id"], mended)
        resources.update(change, KINDS["ivr"], menus["6200"]["id"], conditions)
    before = here.read("ivr")
    ok(here.run("pull", timed.url, ACCOUNT))
    after = here.read("ivr")
    assert after["6400"]["keys"] == before["6400"]["keys"]
    assert not any("press2" in str(remark) for remark in after["6400"]["import_remarks"])
    assert after["6200"] == before["6200"]
    assert ok(here.run("diff", timed.url, ACCOUNT)) == ""
