"""The client against our own server, over real HTTP."""

import asyncio
import io
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import packages_distributions
from typing import Any

import pytest

from openivr.client import ApiError, Client, DataNotFound, DuplicateKeyValue, ParameterError
from openivr.client.calls import Calls
from openivr.client.endpoints import Api, BusinessHours, Family, Prompts, Readable, System
from openivr.client.errors import ConnectionRelationExisted, Failure
from openivr.client.model_types import Destination
from openivr.client.records import (
    CallNotes,
    CallRecords,
    Mailboxes,
    PresenceStatuses,
    Queues,
    Recordings,
    Reports,
    WholeCalls,
)
from openivr.client.sync_async import Call
from openivr.server.http_process import all_endpoints
from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.mail.mail_server import save_mail_server
from tests.api.past_calls import inbound_call, outbound_call, store, write_recording
from tests.mail.conftest import SERVER
from tests.mail.smtp_server import mail_host

from .conftest import QUICK, Connect, Driven, Pbx

SILENT = {"get_token", "refresh_token", "del_token"}  # done by the client itself
NO_REQUESTS = {"openapi.json", "subscribe"}  # a document, and a WebSocket, which the client does not open
VERSIONS = {"v1.0": "", "v2.0": "_v2"}
BOTH_VERSIONS = {"call_report"}
OTHER_ACTIONS = {"import": "import_file"}  # a word of Python
OTHER_NAMES = {"ring_group": "ringgroup"}  # a second spelling of the same family


def sound(seconds: int = 1) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 8000 * seconds)
    return target.getvalue()


@pytest.fixture
def driven(own_pbx: Pbx, connect: Connect) -> Driven:
    return connect(own_pbx.url, account=own_pbx.account)


def test_every_endpoint_has_a_method(pbx: Pbx) -> None:
    with pbx.client() as client:
        for endpoint in all_endpoints():
            family, _, action = endpoint.path.rpartition("/")
            if endpoint.path in SILENT | NO_REQUESTS:
                continue
            version = "" if family in BOTH_VERSIONS else VERSIONS[endpoint.version]
            owner = getattr(client, OTHER_NAMES.get(family, family) + version)
            assert callable(getattr(owner, OTHER_ACTIONS.get(action, action))), endpoint.path


def test_a_calendar_is_switched_by_hand(driven: Driven) -> None:
    closed = driven.do(lambda client: client.businesshour.switch("closed", note="Storm"))
    assert (closed["period"], closed["switch"]["note"]) == ("closed", "Storm")
    assert driven.do(lambda client: client.businesshour.status())["reason"] == "switch"
    assert "switch" not in driven.do(lambda client: client.businesshour.switch("auto"))


def test_every_method_says_what_it_does() -> None:
    records = (
        BusinessHours,
        CallNotes,
        Calls,
        CallRecords,
        Mailboxes,
        PresenceStatuses,
        Queues,
        Recordings,
        Reports,
        WholeCalls,
    )
    for family in (Api, Family, Prompts, Readable, System, *records):
        for name, method in vars(family).items():
            assert not isinstance(method, Call) or method.__doc__, name


def test_the_example_of_the_page(driven: Driven) -> None:
    page = driven.do(lambda client: client.ivr.list(1, 20, sort_by="id", order_by="asc"))
    assert page.total_number == 4
    assert [(row.id, row.number, row.dial_ext_option, row.enb_dial_outb_routes) for row in page.data] == [
        (1, "6202", "disable", 0),
        (2, "6203", "disable", 0),
        (3, "6200", "allow", 1),
        (4, "6201", "all", 1),
    ]


@pytest.mark.parametrize("size", [1, 3, 4, 5, 500])
def test_all_pages(driven: Driven, size: int) -> None:
    numbers = [row.number for row in driven.rows(page_size=size, sort_by="number", order_by="desc")]
    assert numbers == ["6203", "6202", "6201", "6200"]
    assert [row.number for row in driven.rows(search_value="navigator")] == ["6203", "6200"]


def test_a_whole_life(driven: Driven) -> None:
    body = driven.do(lambda client: client.ivr.get(3)).body() | {"number": "6299", "name": "Copy"}
    id_ = driven.do(lambda client: client.ivr.create(**body))
    copy = driven.do(lambda client: client.ivr.get(id_))
    assert copy.body() == body
    assert copy.extra == {}
    driven.do(lambda client: client.ivr.update(id_, press9_dest="ivr", press9_dest_value=str(id_)))
    first, second = driven.do(lambda client: client.ivr.query([id_, 3, 999]))
    assert (first.keys["9"].dest, first.keys["9"].value) == ("ivr", str(id_))
    assert second.dial_ext_list[0].text == "Sales"
    assert driven.do(lambda client: client.ivr.search("629")).total_number == 1
    driven.do(lambda client: client.ivr.delete(id_))
    with pytest.raises(DataNotFound):
        driven.do(lambda client: client.ivr.get(id_))


@pytest.mark.parametrize(
    "family", ["extension", "extension_group", "ringgroup", "trunk", "inbound_route", "outbound_route"]
)
def test_other_families(driven: Driven, family: str) -> None:
    rows = driven.do(lambda client: getattr(client, family).all(page_size=2))
    details = driven.do(lambda client: getattr(client, family).query([row.id for row in rows]))
    assert [one.name if hasattr(one, "name") else one.number for one in details] == [
        row.name if hasattr(row, "name") else row.number for row in rows
    ]
    for one in details:
        assert one.extra == {}
        check_same(driven, family, one)


def check_same(driven: Driven, family: str, one: Any) -> None:
    """What was read, written back, changes nothing."""
    driven.do(lambda client: getattr(client, family).update(one.id, **one.body()))
    assert driven.do(lambda client: getattr(client, family).get(one.id)) == one


def test_prompts(driven: Driven) -> None:
    asked = driven.do(lambda client: client.custom_prompt.upload("new.wav", sound(), is_check="ask"))
    assert asked.exist_type == ""
    done = driven.do(lambda client: client.custom_prompt.upload("new.wav", sound()))
    row = driven.do(lambda client: client.custom_prompt.list()).data[0]
    assert (row.id, row.name, row.size, row.duration) == (done.id, "new.wav", len(sound()), 1)
    assert driven.do(lambda client: client.custom_prompt.download(done.id)) == sound()
    assert (
        driven.do(lambda client: client.custom_prompt.download(done.id, version="telephone"))[:4] == b"RIFF"
    )
    driven.do(lambda client: client.custom_prompt.delete(done.id))
    with pytest.raises(DataNotFound):
        driven.do(lambda client: client.custom_prompt.download(done.id))


def test_the_system(driven: Driven) -> None:
    assert driven.do(lambda client: client.system.information()).model_name == "OpenIVR"
    assert driven.do(lambda client: client.system.capacity())["used_extension"] == 4
    options = driven.do(lambda client: client.system.get_menuoptions("ring_group"))
    assert [(one.value, one.text) for one in options] == [("1", "Support")]


def test_a_mail_is_sent(driven: Driven, own_pbx: Pbx) -> None:
    def send(**more: Any) -> Any:
        return driven.do(lambda client: client.system.sendemail(["a@example.com"], "Hi", "Hello", **more))

    with pytest.raises(DataNotFound):  # there is no mail server
        send()
    with own_pbx.running.database() as database, mail_host() as host:
        with database.writing() as connection:
            save_mail_server(connection, replace(SERVER, port=host.port))
        assert send(cc=["b@example.com"], bcc=("c@example.com",)) is None
        host.wait_for(3)
        assert {message["Subject"] for _, message in host.taken} == {"Hi"}
        with pytest.raises(ParameterError):
            send(email_server="none")
        with database.writing() as connection:
            save_mail_server(connection, None)


def test_errors_carry_what_the_server_said(driven: Driven) -> None:
    body = driven.do(lambda client: client.ivr.get(1)).body()
    with pytest.raises(DuplicateKeyValue, match="number 6202 is used by ivr 6202") as taken:
        driven.do(lambda client: client.ivr.create(**body))
    assert taken.value.duplicate_fields[0]["external_source"] == "ivr"
    with pytest.raises(ParameterError) as bad:
        driven.do(lambda client: client.ivr.update(1, prompt_repeat=9))
    assert bad.value.invalid_fields == [{"field": "prompt_repeat", "value": "9"}]
    with pytest.raises(ConnectionRelationExisted):
        driven.do(lambda client: client.extension.delete(1))


def test_raw(driven: Driven) -> None:
    answer = driven.do(lambda client: client.raw("get", "/ivr/list", query={"page_size": 1}))
    assert len(answer["data"]) == 1
    assert "paths" in driven.do(lambda client: client.openapi())
    with pytest.raises(ApiError, match="10001"):
        driven.do(lambda client: client.raw("GET", "paging/list"))


def test_wrong_credentials(fresh_pbx: Pbx, connect: Connect) -> None:
    """Seven uses of a wrong secret are one login, so nobody is locked out."""
    driven = connect(fresh_pbx.url, account=(fresh_pbx.account[0], "wrong"))
    for _ in range(7):
        with pytest.raises(Failure):
            driven.do(lambda client: client.ivr.list())
    with fresh_pbx.client() as client:
        client.log_in()


def test_twenty_clients_in_a_row_stay_under_the_cap(pbx: Pbx) -> None:
    for _ in range(20):
        with pbx.client() as client:
            client.ivr.list()


def test_tasks_share_one_login(pbx: Pbx) -> None:
    async def many() -> int:
        async with Client(pbx.url, *pbx.account, QUICK) as client:
            pages = await asyncio.gather(*(client.ivr.list() for _ in range(30)))
            return sum(len(page.data) for page in pages)

    assert asyncio.run(many()) == 120


def test_threads_share_one_login(pbx: Pbx) -> None:
    with pbx.client() as client, ThreadPoolExecutor(10) as pool:
        assert [len(page.data) for page in pool.map(lambda _: client.ivr.list(), range(30))] == [4] * 30


def test_nothing_but_httpx_and_msgspec_is_needed() -> None:
    """httpx takes click and the like where it finds them; here nobody finds anything else."""
    program = (
        "import sys\n"
        "for name in sys.argv[1:]: sys.modules[name] = None\n"
        "import openivr.client, openivr.client.tokenfile\n"
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('openivr.')}\n"
        "sys.exit(ours != {'client'})"
    )
    needed = {
        "openivr",
        "msgspec",
        "httpx",
        "httpcore",
        "h11",
        "anyio",
        "certifi",
        "idna",
        "typing_extensions",
    }
    others = {name for name in packages_distributions() if name.isidentifier()} - needed
    assert {"click", "sqlalchemy", "starlette", "yaml"} <= others
    subprocess.run([sys.executable, "-c", program, *sorted(others)], check=True)


def test_call_records(driven: Driven, own_pbx: Pbx) -> None:
    store(own_pbx.running, inbound_call(), outbound_call())
    page = driven.do(lambda client: client.cdr.list(1, 3, sort_by="id"))
    assert (page.total_number, [row.call_to_number for row in page.data]) == (5, ["6200", "6201", "6300"])
    assert page.data[0].ring_duration == 0
    found = driven.do(lambda client: client.cdr.search(call_from="1000", status="BUSY", from_="new"))
    assert [row.call_to for row in found.data] == ["902079460000"]
    whole = driven.do(lambda client: client.cdr_v2.list(sort_by="call_duration", order_by="desc"))
    assert [one.last_status for one in whole.data] == ["ANSWERED", "BUSY"]
    assert driven.do(lambda client: client.cdr_v2.search(last_status="BUSY")).total_number == 1
    detail = driven.do(lambda client: client.cdr_v2.detail(whole.data[0].uid))
    assert len(detail["timeline"]) == 4
    with pytest.raises(ParameterError):
        driven.do(lambda client: client.cdr.search(start_time="noon"))


def test_recordings_and_messages(driven: Driven, own_pbx: Pbx) -> None:
    one = inbound_call()
    store(own_pbx.running, one)
    write_recording(own_pbx.running, one[0])
    (row,) = driven.do(lambda client: client.recording.list()).data
    assert driven.do(lambda client: client.recording.search(caller="0599123456")).data == (row,)
    address = driven.do(lambda client: client.recording.download(row.id))
    assert address.file == row.file
    assert driven.do(lambda client: client.recording.download(file=row.file)).file == row.file
    mp3 = driven.do(lambda client: client.recording.download(row.id, version="mp3"))
    assert mp3.download_resource_url.endswith(".mp3")
    message = VoicemailMessage("vm-1-2", 2, "call", "0599123456", 1_000, 2_400)
    with own_pbx.running.database() as database, database.writing() as connection:
        voicemail.save(connection, message, sound())
    (listed,) = driven.do(lambda client: client.vm.query(2)).data
    assert driven.do(lambda client: client.vm.get(listed.msg_id)) == listed
    assert driven.do(lambda client: client.vm.download(listed.msg_id)).file == "vm-1-2.wav"
    driven.do(lambda client: client.vm.update(listed.msg_id, "read"))
    assert driven.do(lambda client: client.vm.get(listed.msg_id)).status == "read"
    driven.do(lambda client: client.vm.delete(listed.msg_id))
    with pytest.raises(DataNotFound):
        driven.do(lambda client: client.vm.get(listed.msg_id))


def test_notes_of_calls(driven: Driven, own_pbx: Pbx) -> None:
    store(own_pbx.running, inbound_call())
    uid = driven.do(lambda client: client.cdr.list()).data[0].uid
    before = driven.do(lambda client: client.callnotes.get(uid))
    driven.do(lambda client: client.callnotes.update(uid, "Wants a quote"))
    driven.do(lambda client: client.callnotes.update(uid, "Has a quote"))
    notes = driven.do(lambda client: client.callnotes.get(uid))
    assert [(note.id, note.remark, note.update_entry) for note in notes[:2]] == [
        (uid, "Has a quote", "cdr"),
        (uid, "Wants a quote", "cdr"),
    ]
    assert notes[2:] == before
    with pytest.raises(DataNotFound):
        driven.do(lambda client: client.callnotes.update("20260101000000000ABCDEF01", "x"))


def test_queues_and_presence(driven: Driven) -> None:
    assert driven.do(lambda client: client.queue.list()) == []
    page = driven.do(lambda client: client.presence_status.list(page_size=2))
    assert (page.total_number, [status.name for status in page.data]) == (6, ["available", "away"])


def test_reports(driven: Driven, own_pbx: Pbx) -> None:
    store(own_pbx.running, inbound_call())
    span = ("2026/06/30 12:00:00 AM", "2026/06/30 11:59:59 PM")
    report = driven.do(lambda client: client.call_report.list("ivr", *span, ivr_id_list=3))
    assert report["ivr_list"][0]["press_count"]["press_1"] == 1
    assert driven.do(lambda client: client.call_report.list("ivr", *span, v2=True, ivr_id_list=3)) == report
    rows = driven.do(lambda client: client.call_report.detail("ivr", *span, v2=True, ivr_num="6200"))
    assert rows["total_number"] == 1
    file = driven.do(lambda client: client.call_report.download("ivr", *span, ivr_id_list=3))
    assert file.file == "CallReport-ivr-20260630-20260630.csv"


def test_a9_unknown_fields_are_refused_with_the_nearest_name(own_pbx: Pbx, connect: Connect) -> None:
    driven = connect(own_pbx.url, account=own_pbx.account)
    with pytest.raises(TypeError, match="Ivr has no field promt_repeat; did you mean prompt_repeat"):
        driven.do(lambda client: client.ivr.update(1, promt_repeat=3))
    with pytest.raises(TypeError, match="did you mean ring_timeout"):
        driven.do(lambda client: client.ringgroup.create(ring_timout=3))
    with pytest.raises(TypeError, match="keys has no field hsh; did you mean hash"):
        driven.do(lambda client: client.ivr.update(1, keys={"hsh": Destination()}))
    with pytest.raises(TypeError, match="Trunk has no field keys"):
        driven.do(lambda client: client.trunk.update(1, keys={}))
    driven.do(lambda client: client.ivr.update(1, more={"of_another_server": 3}))
    driven.do(lambda client: client.extension.update(1, vm_pin="8241"))


def test_a9_keys_are_changed_by_name(own_pbx: Pbx, connect: Connect) -> None:
    driven = connect(own_pbx.url, account=own_pbx.account)
    body = {"number": "6277", "name": "K", "prompt": "default", "prompt_repeat": 1, "resp_timeout": 5}
    body |= {"digit_timeout": 3, "dial_ext_option": "disable"}
    end = Destination(dest="end_call", allow_out_record=1)
    id_ = driven.do(lambda client: client.ivr.create(**body, keys={"1": end, "invalid": end}))
    driven.do(lambda client: client.ivr.update(id_, keys={"2": {"dest": "ivr", "value": "1"}, "invalid": {}}))
    keys = driven.do(lambda client: client.ivr.get(id_)).keys
    assert keys == {"1": end, "2": Destination(dest="ivr", value="1")}
    driven.do(lambda client: client.ivr.delete(id_))


def test_a9_other_destinations_and_links_are_spread_too(own_pbx: Pbx, connect: Connect) -> None:
    driven = connect(own_pbx.url, account=own_pbx.account)
    group = driven.do(lambda client: client.ringgroup.get(1))
    fields = {"fail_dest": group.fail_dest, "member_list": group.member_list}
    driven.do(lambda client: client.ringgroup.update(1, **fields))
    assert driven.do(lambda client: client.ringgroup.get(1)) == group


def test_a10_a_closed_client_logs_in_no_more(own_pbx: Pbx, connect: Connect) -> None:
    driven = connect(own_pbx.url, account=own_pbx.account)
    driven.rows()
    driven.do(lambda client: client.close())
    for ask in (
        lambda client: client.ivr.get(1),
        lambda client: client.log_in(),
        lambda client: client.log_out(),
        lambda client: client.openapi(),
    ):
        with pytest.raises(RuntimeError, match="this client is closed"):
            driven.do(ask)
    with pytest.raises(RuntimeError):
        driven.rows()
    driven.do(lambda client: client.close())  # again
