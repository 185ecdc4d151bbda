"""Recordings and messages over the API: lists, addresses for downloads, and what those give."""

import io
import re
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import soundfile

from openivr.api import signed_address
from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.system import find_download_key
from tests.api.past_calls import START, inbound_call, internal_call, outbound_call, store, write_recording
from tests.live_server import AGENT, Answer, Api, Running, start

SECOND = START // 1000
FILE = f"20260630213717-{SECOND}.43981-0599123456-1001-Inbound.wav"
ADDRESS = re.compile(r"/api/download/Recording-4-\d+-[0-9a-f]{32}\.(wav|mp3)")


@dataclass(frozen=True)
class Recorded:
    """A server with three calls, two of which were recorded; the file of the second one is gone."""

    server: Running
    api: Api
    content: bytes

    def fetch(self, address: str, headers: dict[str, str] | None = None, *, token: bool = True) -> Answer:
        query = f"?access_token={self.api.token}" if token else ""
        return self.api.send("GET", address + query, headers=AGENT | (headers or {}))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    server = start(tmp_path_factory.mktemp("recordings"))
    first = inbound_call()
    store(server, first, outbound_call(), internal_call(answered=START + 7_201_000, recording="gone.wav"))
    api = server.log_in()
    yield Recorded(server, api, write_recording(server, first[0]))
    api.close()
    server.stop()


def test_recordings_are_listed_as_the_page_shows_them(recorded: Recorded) -> None:
    answer = recorded.api.get("recording/list")
    assert answer["total_number"] == 2
    assert answer["data"][1]["duration"] == 8  # of the talk, as its file is gone
    assert answer["data"][0] == {
        "id": 4,
        "time": "2026/06/30 21:37:17",
        "uid": "202606302137170FA0000ABCD",
        "call_from": "0599123456",
        "call_to": "Grace Hopper<1001>",
        "duration": 2,  # of the file, which leaves out pauses
        "size": len(recorded.content),
        "call_type": "Inbound",
        "file": FILE,
        "call_from_number": "0599123456",
        "call_from_name": "",
        "call_to_number": "1001",
        "call_to_name": "Grace Hopper",
    }
    named = [row.get("record_file") for row in recorded.api.get("cdr/list")["data"]]
    assert named.count(FILE) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"start_time": str(SECOND + 100)}, "6"),
        ({"end_time": str(SECOND + 100)}, "4"),
        ({"caller": "1000"}, "6"),
        ({"callee": "1001"}, "4 6"),
        ({"caller": "100"}, ""),
        ({"ids": "4,9"}, "4"),
        ({"uid": "202606302137170FA0000ABCD"}, "4"),
        ({"sort_by": "time", "order_by": "desc", "page": 1, "page_size": 1}, "6"),
        ({"sort_by": "id", "order_by": "asc", "page": 2, "page_size": 1}, "6"),
        ({"caller": "", "page": ""}, "4 6"),
    ],
    ids=str,
)
def test_filters_of_recordings(recorded: Recorded, query: dict[str, Any], expected: str) -> None:
    for path in ("recording/search", "recording/list"):
        rows = recorded.api.get(path, **query)["data"]
        assert " ".join(str(row["id"]) for row in rows) == expected


def test_a_recording_is_downloaded_by_its_address(recorded: Recorded) -> None:
    by_id = recorded.api.get("recording/download", id=4)
    assert list(by_id) == ["errcode", "errmsg", "file", "download_resource_url"]
    assert by_id["file"] == FILE
    assert ADDRESS.fullmatch(by_id["download_resource_url"])
    by_name = recorded.api.get("recording/download", file=FILE)
    for answer in (by_id, by_name):
        got = recorded.fetch(answer["download_resource_url"])
        assert (got.status, got.headers["content-type"]) == (200, "audio/wav")
        assert got.content == recorded.content


def test_ranges_of_a_recording(recorded: Recorded) -> None:
    address = recorded.api.get("recording/download", id=4)["download_resource_url"]
    part = recorded.fetch(address, {"Range": "bytes=10-19"})
    assert (part.status, part.content) == (206, recorded.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(recorded.content)}"
    assert recorded.fetch(address, {"Range": "bytes=-5"}).content == recorded.content[-5:]
    assert recorded.fetch(address, {"Range": "bytes=99999999-"}).status == 416


def test_a_recording_as_mp3(recorded: Recorded) -> None:
    asked = recorded.api.get("recording/download", id=4, format="mp3")
    named = recorded.api.get("recording/download", file=FILE.replace(".wav", ".mp3"))
    assert asked["file"] == named["file"] == FILE.replace(".wav", ".mp3")
    got = recorded.fetch(asked["download_resource_url"])
    assert got.headers["content-type"] == "audio/mpeg"
    sound, rate = soundfile.read(io.BytesIO(got.content))
    assert (rate, sound.shape[1]) == (8000, 2)
    assert abs(len(sound) / rate - 2) < 0.3
    assert len(got.content) < len(recorded.content) / 2
    assert recorded.fetch(named["download_resource_url"]).content == got.content


def test_an_address_cannot_be_guessed_and_needs_a_token(recorded: Recorded) -> None:
    address = recorded.api.get("recording/download", id=4)["download_resource_url"]
    assert recorded.fetch(address, token=False).json()["errcode"] == 10004
    head, _, mac = address.removesuffix(".wav").rpartition("-")
    later = re.sub(r"-(\d{9,})-", lambda match: f"-{int(match[1]) + 1}-", address)
    for other in (
        f"{head}-{'0' * 32}.wav",
        address.replace("Recording-4-", "Recording-6-"),
        address.replace(".wav", ".mp3"),
        address.replace("Recording", "Voicemail"),
        later,
        f"/api/download/{mac}.wav",
        "/api/download/../../etc/passwd",
        "/api/download/",
    ):
        assert recorded.fetch(other).json() == {"errcode": 60001, "errmsg": "DATA NOT FOUND"}, other


def test_an_address_ends_after_half_an_hour(recorded: Recorded) -> None:
    with recorded.server.database() as database, database.reading() as connection:
        key = find_download_key(connection)
    for left, code in ((60, None), (-1, 60001)):
        expires = int(time.time()) + left
        mac = signed_address.make_mac(key, "Recording", "4", "wav", expires)
        got = recorded.fetch(f"/api/download/Recording-4-{expires}-{mac}.wav")
        assert (got.json()["errcode"] if code else None) == code
    until = int(recorded.api.get("recording/download", id=4)["download_resource_url"].split("-")[2])
    assert 1700 < until - time.time() <= 1801


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("", 40002, "id"),
        ("id=4&file=x.wav", 40002, "id"),
        ("id=x", 40002, "id"),
        ("id=4&format=ogg", 40002, "format"),
        ("id=1", 60001, ""),
        ("id=999", 60001, ""),
        ("id=6", 60001, ""),
        ("file=x.wav", 60001, ""),
        ("file=../openivr.db", 60001, ""),
        (f"file={FILE.replace('43981', '43982')}", 60001, ""),
        (f"file={FILE.replace('1001', '1002')}", 60001, ""),
    ],
)
def test_bad_downloads(recorded: Recorded, query: str, code: int, field: str) -> None:
    answer = recorded.api.query("recording/download", query)
    assert answer["errcode"] == code
    assert [one["field"] for one in answer.get("invalid_param_list", [])] == ([field] if field else [])


@pytest.mark.parametrize("query", ["ids=x", "sort_by=size", "start_time=today", "page=0"])
def test_bad_lists(recorded: Recorded, query: str) -> None:
    answer = recorded.api.query("recording/search", query)
    assert (answer["errcode"], answer["invalid_param_list"][0]["field"]) == (
        40002,
        query.split("=", maxsplit=1)[0],
    )


def message(number: int) -> VoicemailMessage:
    created = START + number * 1000
    return VoicemailMessage(f"vm-{START:x}-{number:08x}-2", 2, "call", "0599123456", created, 2_400)


def make_sound() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\2" * 8000)
    return target.getvalue()


def test_messages_of_a_mailbox(recorded: Recorded) -> None:
    api, sound = recorded.api, make_sound()
    with recorded.server.database() as database, database.writing() as connection:
        for number in (1, 2):
            voicemail.save(connection, message(number), sound)
    answer = api.get("vm/query", ext_id=2)
    assert answer["total_number"] == 2
    newest = answer["data"][0]
    assert newest == {
        "msg_id": message(2).id,
        "ext_id": 2,
        "ext_num": "1001",
        "ext_name": "Grace Hopper",
        "caller": "0599123456",
        "time": "2026/06/30 21:37:19",
        "timestamp": SECOND + 2,
        "duration": 2,
        "status": "unread",
    }
    assert api.get("vm/query")["data"] == answer["data"]
    assert api.get("vm/query", ext_id=2, page=2, page_size=1)["data"] == answer["data"][1:]
    assert api.get("vm/query", ext_id=1)["data"] == []
    id_ = newest["msg_id"]
    assert api.get("vm/get", msg_id=id_)["data"] == newest
    file = api.get("vm/download", msg_id=id_)
    assert recorded.fetch(file["download_resource_url"]).content == sound
    for status in ("read", "unread", "read"):
        assert api.post("vm/update", {"msg_id": id_, "status": status})["errcode"] == 0
        assert api.get("vm/get", msg_id=id_)["data"]["status"] == status
    assert api.get("vm/delete", msg_id=id_) == {"errcode": 0, "errmsg": "SUCCESS"}
    assert api.get("vm/get", msg_id=id_)["errcode"] == 60001
    assert recorded.fetch(file["download_resource_url"]).json()["errcode"] == 60001
    assert api.get("vm/query", ext_id=2)["total_number"] == 1


def test_bad_requests_for_messages(recorded: Recorded) -> None:
    api = recorded.api
    assert api.get("vm/query", ext_id=99)["errcode"] == 60001
    assert api.query("vm/query", "ext_id=x")["invalid_param_list"][0]["field"] == "ext_id"
    for action in ("get", "download", "delete"):
        missing = api.get(f"vm/{action}")
        assert missing["invalid_param_list"] == [{"field": "msg_id", "validation_type": "required"}]
        assert api.get(f"vm/{action}", msg_id="none")["errcode"] == 60001
    assert api.post("vm/update", {"msg_id": "none", "status": "read"})["errcode"] == 60001
    store_id = message(1).id
    bad = api.post("vm/update", {"msg_id": store_id, "status": "old"})
    assert bad["invalid_param_list"] == [{"field": "status", "value": "old"}]
    assert api.get("vm/query")["data"][-1]["status"] == "unread"
