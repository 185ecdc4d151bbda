"""Custom prompts: upload of real sound in three formats, download, and what is refused."""

import io
from itertools import count

import numpy as np
import pytest
import soundfile

from tests.api.families import IVR
from tests.live_server import AGENT, Answer, Api

NAMES = count(1)
BOUNDARY = "----part"
FORMATS = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "mp3": {"format": "MP3"},
    "gsm": {"format": "RAW", "subtype": "GSM610"},
}


def tone(kind: str, seconds: float = 1.5, rate: int = 44_100, channels: int = 2) -> bytes:
    """A tone of 440 Hz in a file of this kind."""
    rate, channels = (8000, 1) if kind == "gsm" else (rate, channels)
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    target = io.BytesIO()
    soundfile.write(target, np.column_stack([wave] * channels), rate, **FORMATS[kind])
    return target.getvalue()


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A multipart body of (name, file name, content)."""
    lines = []
    for name, filename, content in parts:
        file = "" if filename is None else f'; filename="{filename}"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        lines.append(head.encode() + content + b"\r\n")
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def post(api: Api, body: bytes, content_type: str = f"multipart/form-data; boundary={BOUNDARY}") -> dict:
    headers = AGENT | {"Content-Type": content_type}
    return api.checked(api.send("POST", api.target("custom_prompt/upload", {}), body, headers))


def upload(api: Api, name: str, content: bytes, is_check: str = "force") -> dict:
    return post(api, form(("is_check", None, is_check.encode()), ("file", name, content)))


def download(api: Api, id_: int, **parameters: str) -> Answer:
    return api.send("GET", api.target("custom_prompt/download", {"id": id_, **parameters}))


def fresh(kind: str) -> str:
    return f"Grüße {next(NAMES)}.{kind}"


@pytest.mark.parametrize(
    ("kind", "media"), [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("gsm", "audio/gsm")]
)
def test_a_prompt_is_kept_as_it_came_and_as_it_is_played(api: Api, kind: str, media: str) -> None:
    name, content = fresh(kind), tone(kind)
    answer = upload(api, name, content)
    assert answer == {"errcode": 0, "errmsg": "SUCCESS", "id": answer["id"], "exist_type": ""}
    prompt = api.get("custom_prompt/get", id=answer["id"])["data"]
    described = {"name": name, "type": "record", "format": kind, "size": len(content), "duration": 2}
    described |= {"loudness": -19, "keep_level": 0}
    assert prompt == {"id": answer["id"], **described}
    assert prompt in api.get("custom_prompt/list")["data"]
    assert api.get("custom_prompt/search", search_value=name)["data"] == [prompt]
    original = download(api, answer["id"])
    assert (original.headers["content-type"], original.content) == (media, content)
    assert original.headers["content-disposition"].startswith("attachment")
    telephone = download(api, answer["id"], format="telephone")
    assert telephone.headers["content-type"] == "audio/wav"
    samples, rate = soundfile.read(io.BytesIO(telephone.content))
    info = soundfile.info(io.BytesIO(telephone.content))
    assert (rate, samples.ndim, info.subtype) == (8000, 1, "PCM_16")
    assert 1.4 < len(samples) / rate < 1.7
    spectrum = np.abs(np.fft.rfft(samples[:rate]))
    assert abs(int(np.argmax(spectrum)) - 440) <= 1


def test_m18_the_level_of_a_file_can_be_kept(api: Api) -> None:
    name, content = fresh("wav"), tone("wav")
    parts = (("is_check", None, b"force"), ("file", name, content))
    id_ = post(api, form(*parts, ("keep_level", None, b"1")))["id"]
    prompt = api.get("custom_prompt/get", id=id_)["data"]
    assert (prompt["loudness"], prompt["keep_level"]) == (-10, 1)
    post(api, form(*parts))
    prompt = api.get("custom_prompt/get", id=id_)["data"]
    assert (prompt["loudness"], prompt["keep_level"]) == (-19, 0)
    answer = post(api, form(*parts, ("keep_level", None, b"yes")))
    assert answer["invalid_param_list"] == [{"field": "keep_level", "value": "yes"}]


def test_m18_a_silent_prompt_is_taken_and_known_as_such(api: Api) -> None:
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(8000), 8000, format="WAV")
    id_ = upload(api, fresh("wav"), silence.getvalue())["id"]
    assert api.get("custom_prompt/get", id=id_)["data"]["loudness"] == -70


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("m.wav", tone("mp3"), "file is a file of type mp3, but its name ends in .wav"),
        (
            "m.wav",
            b"\0\0\0 ftypM4A " + bytes(99),
            "file is a file of type m4a, which is not read here; save it as wav or mp3",
        ),
        ("a,b.wav", tone("wav", 0.1), "file must not have any of these characters: / \\ ,"),
        ("a.m4a", b"", "file must be a name ending in .wav, .mp3, .gsm, .flac, .ogg or .opus"),
    ],
)
def test_m20_a_refused_file_says_what_is_wrong_with_it(
    api: Api, name: str, content: bytes, text: str
) -> None:
    assert upload(api, name, content)["submsg"] == text


def test_ask_tells_and_force_overwrites(api: Api) -> None:
    name, first, second = fresh("wav"), tone("wav", 1), tone("wav", 3)
    total = api.get("custom_prompt/list")["total_number"]
    assert upload(api, name, first, "ask") == {"errcode": 0, "errmsg": "SUCCESS", "exist_type": ""}
    assert api.get("custom_prompt/list")["total_number"] == total
    id_ = upload(api, name, first)["id"]
    assert upload(api, name, second, "ask")["exist_type"] == "record"
    assert download(api, id_).content == first
    assert upload(api, name, second) == {
        "errcode": 0,
        "errmsg": "SUCCESS",
        "id": id_,
        "exist_type": "record",
    }
    assert download(api, id_).content == second
    assert api.get("custom_prompt/get", id=id_)["data"]["duration"] == 3
    assert api.get("custom_prompt/list")["total_number"] == total + 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.wav", b"This is no sound at all, whatever its name says." * 100),
        ("empty.wav", b""),
        ("empty.mp3", b""),
        ("empty.gsm", b""),
        ("zeros.mp3", bytes(10_000)),
        ("zeros.gsm", bytes(33 * 100)),
        ("program.wav", b"\x7fELF" + bytes(5000)),
        ("cut.wav", tone("wav")[:30]),
        ("silent.wav", tone("wav", 0)),
        ("mp3.wav", tone("mp3")),
        ("wav.mp3", tone("wav")),
        ("wav.gsm", tone("wav")[:-1] + b"\0"),
    ],
)
def test_what_is_no_sound_of_its_kind_is_refused(api: Api, name: str, content: bytes) -> None:
    if name == "wav.gsm":
        content = b"x" + content
    answer = upload(api, name, content)
    assert answer["errcode"] == 40002, answer
    assert [problem["field"] for problem in answer["invalid_param_list"]] == ["file"]
    assert api.get("custom_prompt/search", search_value=name)["total_number"] == 0


@pytest.mark.parametrize(
    "name", ["tone", "tone.m4a", ".wav", "a/b.wav", "..\\\\x.wav", "a,b.wav", "a\x01.wav", "x" * 130 + ".wav"]
)
def test_names_that_no_prompt_can_have(api: Api, name: str) -> None:
    answer = upload(api, name, tone("wav", 0.1))
    assert answer["errcode"] == 40002, answer
    assert [problem["field"] for problem in answer["invalid_param_list"]] == ["file"]


WAV = tone("wav", 0.1)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([("is_check", None, b"force")], "file"),
        ([("is_check", None, b"force"), ("file", None, WAV[:500])], "file"),
        ([("file", "a.wav", WAV)], "is_check"),
        ([("is_check", None, b"maybe"), ("file", "a.wav", WAV)], "is_check"),
        ([("is_check", None, b""), ("file", "a.wav", WAV)], "is_check"),
    ],
)
def test_both_parts_are_needed(api: Api, parts: list, field: str) -> None:
    answer = post(api, form(*parts))
    assert answer["errcode"] == 40002
    assert [problem["field"] for problem in answer["invalid_param_list"]] == [field]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"", f"multipart/form-data; boundary={BOUNDARY}"),
        (b"garbage", f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("file", "a.wav", WAV)), "multipart/form-data"),
        (form(("file", "a.wav", WAV))[:-60], f"multipart/form-data; boundary={BOUNDARY}"),
        (form(*[("file", "a.wav", WAV)] * 3), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(*[(f"x{n}", None, b"1") for n in range(20)]), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("is_check", None, b"x" * 2_000_000)), f"multipart/form-data; boundary={BOUNDARY}"),
    ],
)
def test_bodies_that_are_no_form(api: Api, body: bytes, content_type: str) -> None:
    assert post(api, body, content_type)["errcode"] in {40001, 40002}
    assert api.get("custom_prompt/search", search_value="a.wav")["total_number"] == 0


def test_a_file_of_eight_megabytes_and_no_more(api: Api) -> None:
    largest = tone("wav", 8 * 1024 * 1024 / 16_000 - 1, rate=8000, channels=1)
    largest += bytes(8 * 1024 * 1024 - len(largest))  # players skip what follows the sound
    assert upload(api, fresh("wav"), largest)["errcode"] == 0
    name = fresh("wav")
    refused = {"errcode": 40004, "errmsg": "FILE SIZE EXCEEDED"}
    assert upload(api, name, largest + b"\0") == refused
    assert api.get("custom_prompt/search", search_value=name)["total_number"] == 0


def test_a_used_prompt_cannot_be_deleted(api: Api) -> None:
    name = fresh("wav")
    prompt = upload(api, name, tone("wav", 0.2))["id"]
    plays = {"press1_dest": "play_prompt", "press1_dest_prefix": "2", "press1_dest_value": name}
    ring = {
        "number": "6399",
        "name": "R",
        "ring_strategy": "ring_all",
        "ring_timeout": 9,
        "join_prompt": name,
    }
    users = {
        "ivr": [
            api.post("ivr/create", IVR.body(prompt=f"default,{name}"))["id"],
            api.post("ivr/create", IVR.body(**plays))["id"],
        ],
        "ringgroup": [api.post("ringgroup/create", ring)["id"]],
    }
    for path, ids in users.items():
        for id_ in ids:
            answer = api.get("custom_prompt/delete", id=prompt)
            assert answer["errcode"] == 70091
            assert path.replace("gg", "g_g") in answer["submsg"]
            assert api.get(f"{path}/delete", id=id_)["errcode"] == 0
    assert api.get("custom_prompt/delete", id=prompt)["errcode"] == 0
    assert download(api, prompt).json()["errcode"] == 60001
    assert api.post("ivr/create", IVR.body(prompt=name))["errcode"] == 40002


def test_downloads_that_cannot_be(api: Api) -> None:
    assert download(api, 999_999).json() == {"errcode": 60001, "errmsg": "DATA NOT FOUND"}
    id_ = upload(api, fresh("wav"), tone("wav", 0.1))["id"]
    assert download(api, id_, format="ogg").json()["errcode"] == 40002
    assert api.get("custom_prompt/download")["errcode"] == 40002


def test_there_is_no_create_or_update(api: Api) -> None:
    for name in ("create", "update"):
        assert api.post(f"custom_prompt/{name}", {"name": "a.wav"})["errcode"] == 10001


def test_an_ending_in_capitals_is_an_ending(api: Api) -> None:
    name = fresh("WAV")
    id_ = upload(api, name, tone("wav"))["id"]
    assert api.get("custom_prompt/get", id=id_)["data"]["format"] == "wav"
    assert download(api, id_).headers["content-type"] == "audio/wav"
