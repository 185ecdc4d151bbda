"""Prompts: what is sent is heard again, and what is no sound changes nothing."""

import io
import json
import re
from html import unescape
from urllib.parse import quote

import pytest
import soundfile

from openivr.ivr.builtin_sounds import SOUNDS
from openivr.store.config.prompts import MAX_FILE
from tests.api.test_prompts import BOUNDARY, form, fresh, tone
from tests.live_server import Answer, Api
from tests.store.bodies import ivr
from tests.web.site import Admin, where

KIND = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def send(admin: Admin, filename: str, content: bytes, **fields: str) -> Answer:
    texts = [(name, None, text.encode()) for name, text in ({"csrf": admin.csrf} | fields).items()]
    return admin.send("POST", "/prompts/upload", form(*texts, ("file", filename, content)), KIND)


def page(answer: Answer) -> str:
    return unescape(answer.content.decode())


def find(api: Api, name: str) -> dict[str, object]:
    rows = [row for row in api.get("custom_prompt/list")["data"] if row["name"] == name]
    return rows[0] if rows else {}


def add(admin: Admin, api: Api, name: str = "") -> tuple[int, str]:
    """A new prompt of 1.5 s: its id and name."""
    name = name or fresh("wav")
    assert where(send(admin, name, tone("wav"))) == "/prompts"
    return int(str(find(api, name)["id"])), name


@pytest.mark.parametrize("kind", ["wav", "mp3", "gsm"])
def test_a_file_becomes_a_prompt(admin: Admin, api: Api, kind: str) -> None:
    name, content = fresh(kind), tone(kind)
    assert where(send(admin, name, content)) == "/prompts"
    row = find(api, name)
    assert (row["format"], row["size"], row["duration"]) == (kind, len(content), 2)
    assert f"{name} is saved." in page(admin.get("/prompts"))
    path = f"/prompts/{row['id']}"
    original = admin.get(f"{path}/file")
    assert original.content == content
    assert original.headers["content-disposition"].startswith('attachment; filename="Gr__e')
    heard, rate = soundfile.read(io.BytesIO(admin.get(f"/sounds/{quote(name)}").content))
    assert (rate, heard.ndim) == (8000, 1)
    peaks = json.loads(admin.get(f"/outlines/{quote(name)}").content)
    assert len(peaks) == 96
    assert max(peaks) == 100


def test_a_name_of_its_own(admin: Admin, api: Api) -> None:
    for given, kept in (("Opening hours", "Opening hours.wav"), ("loud.WAV", "loud.WAV")):
        assert where(send(admin, "recording.wav", tone("wav"), name=given)) == "/prompts"
        assert find(api, kept)


def test_a_name_that_is_taken_is_replaced_only_on_wish(admin: Admin, api: Api) -> None:
    ident, name = add(admin, api)
    longer = tone("wav", 3.5)
    answer = send(admin, name, longer)
    assert answer.status == 422
    assert f"A prompt named {name} exists." in page(answer)
    assert 'name="replace"' in page(answer)
    assert find(api, name)["duration"] == 2
    assert where(send(admin, name, longer, replace="1")) == "/prompts"
    assert (find(api, name)["id"], find(api, name)["duration"]) == (ident, 4)


def test_m18_a_silent_file_is_said_to_be_silent(admin: Admin) -> None:
    silence = io.BytesIO()
    soundfile.write(silence, [0.0] * 8000, 8000, format="WAV")
    assert where(send(admin, "silence.wav", silence.getvalue())) == "/prompts"
    assert "silence.wav is saved, but it is silent" in page(admin.get("/prompts"))


@pytest.mark.parametrize(
    ("filename", "content", "words"),
    [
        ("words.wav", b"these are words", "is not a sound file of this type"),
        ("nothing.wav", b"", "is not a sound file of this type"),
        ("wave.mp3", tone("wav"), "is a file of type wav, but its name ends in .mp3"),
        ("picture.png", tone("wav"), "must end in .wav, .mp3, .gsm, .flac, .ogg or .opus"),
        ("<script>alert(1)<_script>.exe", b"MZ", "the name must end"),
        ("a,b.wav", tone("wav"), "must not have any of these characters"),
        ("x" * 130 + ".wav", tone("wav"), "The name must have 5 to 127 characters"),
        ("", b"", "Choose a file first."),
        ("large.wav", b"RIFF" + bytes(MAX_FILE), "larger than 8 MB"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_no_sound_changes_nothing(
    admin: Admin, api: Api, filename: str, content: bytes, words: str
) -> None:
    before = api.get("custom_prompt/list")
    answer = send(admin, filename, content)
    assert answer.status == 422
    assert words in page(answer)
    assert "Nothing was saved" in page(answer)
    assert b"<script>alert" not in answer.content
    assert api.get("custom_prompt/list") == before


def test_far_too_much_is_not_even_read(admin: Admin) -> None:
    assert send(admin, "huge.wav", bytes(MAX_FILE + 100_000)).status == 413


def test_parts_of_a_sound(admin: Admin, api: Api) -> None:
    _, name = add(admin, api)
    path = f"/sounds/{quote(name)}"
    whole = admin.get(path)
    assert (whole.status, whole.headers["accept-ranges"]) == (200, "bytes")
    part = admin.get(path, Range="bytes=100-199")
    assert (part.status, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert admin.get(path, Range="bytes=99999999-").status == 416


def test_who_uses_a_prompt(admin: Admin, api: Api) -> None:
    ident, name = add(admin, api)
    assert "Nothing uses it." in page(admin.get(f"/prompts/{ident}"))
    menu = api.post("ivr/create", ivr("6299", prompt=name))["id"]
    assert "in 1 place" in page(admin.get("/prompts"))
    assert f'<a href="/menus/{menu}">Menu 6299</a>' in page(admin.get(f"/prompts/{ident}"))
    answer = admin.post(f"/prompts/{ident}/delete")
    assert answer.status == 409
    assert "Can't delete" in page(answer)
    api.get("ivr/delete", id=menu)
    assert "can't be undone" in page(admin.get(f"/prompts/{ident}/delete"))
    assert where(admin.post(f"/prompts/{ident}/delete")) == "/prompts"
    for path in ("", "/file", "/delete"):
        assert admin.get(f"/prompts/{ident}{path}").status == 404
    for path in ("/sounds", "/outlines"):
        assert admin.get(f"{path}/{quote(name)}").status == 404


def test_names_from_elsewhere_are_text(admin: Admin, api: Api) -> None:
    name = "<script>alert(1)<\"'&>.wav"
    answer = send(admin, "x.wav", tone("wav"), name=name)
    assert where(answer) == "/prompts"
    ident = find(api, name)["id"]
    for path in ("/prompts", f"/prompts/{ident}", f"/prompts/{ident}/delete"):
        content = admin.get(path).content.decode()
        assert "<script>alert" not in content
        assert "&lt;script&gt;alert" in content
    assert "\n" not in admin.get(f"/prompts/{ident}/file").headers["content-disposition"]
    admin.post(f"/prompts/{ident}/delete")


def test_the_built_in_sounds_can_be_read_and_heard(admin: Admin) -> None:
    text = page(admin.get("/prompts/built-in"))
    for words in SOUNDS.values():
        assert words in text
    for name in ("goodbye", "digits/7"):
        assert f'data-peaks="/outlines/{name}"' in text
        heard = admin.get(f"/sounds/{name}")
        assert soundfile.info(io.BytesIO(heard.content)).samplerate == 8000
        assert max(json.loads(admin.get(f"/outlines/{name}").content)) == 100
    for name in ("nothing", "../goodbye", "%2e%2e/%2e%2e/demo", "%00"):
        assert admin.get(f"/sounds/{name}").status == 404
        assert admin.get(f"/outlines/{name}").status == 404


def test_lists_are_searched_and_sorted(admin: Admin, api: Api) -> None:
    _, name = add(admin, api, "zzz needle.wav")
    assert re.findall(
        r'<th scope="row"><a[^>]*>([^<]*)</a>', page(admin.get("/prompts?search_value=NEEDLE"))
    ) == [name]
    assert name in page(admin.get("/prompts?order_by=desc&sort_by=name"))
    assert "No match for “haystack”" in page(admin.get("/prompts?search_value=haystack"))
