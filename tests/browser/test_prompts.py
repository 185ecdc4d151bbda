"""Prompts in a real browser: sent with progress, recorded with a microphone, heard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.test_prompts import tone
from tests.browser.conftest import Open, check_axe, check_width, wait_until
from tests.live_server import Api

HOSTILE = "<img src=x onerror=alert(1)>.wav"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "Office closed.wav"
    path.write_bytes(tone("wav", 2.5))
    return path


def open_adder(page: Page) -> None:
    page.goto("/prompts")
    if not page.locator("details.adder").evaluate("one => one.open"):
        page.locator("details.adder > summary").click()


def send(page: Page, path: Path, name: str = "") -> None:
    open_adder(page)
    page.set_input_files("#file", path)
    page.fill("#upload-name", name)
    page.get_by_role("button", name="Upload").click()


def test_an_upload_shows_its_progress(page: Page, sound: Path) -> None:
    open_adder(page)
    check_axe(page)
    page.evaluate("""() => {
        window.seen = [];
        const bar = document.querySelector("progress");
        new MutationObserver(() => window.seen.push([bar.hidden, bar.value]))
            .observe(bar, { attributes: true });
    }""")
    page.set_input_files("#file", sound)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status").filter(has_text="Office closed.wav is saved.")).to_be_visible()
    assert page.evaluate("window.seen.some(([hidden, value]) => !hidden && value === 1)")
    expect(page.get_by_role("link", name="Office closed.wav", exact=True)).to_be_visible()
    check_axe(page)


def test_an_upload_without_script(open_page: Open, sound: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/prompts")
    page.locator("details.adder > summary").click()
    expect(page.get_by_text("Recording needs JavaScript")).to_be_visible()
    page.set_input_files("#file", sound)
    page.fill("#upload-name", "plain")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status").filter(has_text="plain.wav is saved.")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="plain.wav")
    expect(row.locator("audio")).to_be_visible()


def test_what_is_no_sound_is_refused_in_words(page: Page, phone: Page, tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("not a sound at all")
    for one in (page, phone):
        send(one, path)
        expect(one.get_by_role("alert").first).to_contain_text("is not a sound file of this type")
        expect(one.get_by_role("alert").first).to_be_focused()
        check_axe(one)
        check_width(one)
        expect(one.get_by_role("link", name="notes.wav", exact=True)).to_have_count(0)


def test_a_file_that_is_too_large_is_not_sent(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    open_adder(page)
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#file", path)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert").first).to_contain_text("larger than 8 MB")
    assert "POST" not in sent


def test_a_dropped_file_is_taken(page: Page) -> None:
    open_adder(page)
    data = page.evaluate_handle("""() => {
        const data = new DataTransfer();
        data.items.add(new File(["RIFF"], "dropped.wav", { type: "audio/wav" }));
        return data;
    }""")
    page.dispatch_event("#upload", "drop", {"dataTransfer": data})
    assert page.evaluate("document.querySelector('#file').files[0].name") == "dropped.wav"


def record(page: Page) -> None:
    page.get_by_role("button", name="Start recording", exact=True).click()
    meter = page.locator("#recorder meter")
    wait_until(page, "document.querySelector('#recorder meter').value > 0.05")
    expect(page.get_by_role("timer")).to_have_text(re.compile("0:0[1-9]"))
    expect(meter).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#recorder .player .wave path").first).to_be_attached()


def test_a_recording_is_heard_first_and_then_kept(page: Page, phone: Page, api: Api) -> None:
    for one, name in ((page, "Spoken"), (phone, "Spoken on the phone")):
        open_adder(one)
        record(one)
        check_axe(one)
        check_width(one)
        one.get_by_role("button", name="Play the recording").click()
        wait_until(one, "document.querySelector('#recorder audio').currentTime > 0.1")
        one.fill("#record-name", name)
        one.get_by_role("button", name="Save recording").click()
        expect(one.get_by_role("status").filter(has_text=f"{name}.wav is saved.")).to_be_visible()
        rows = [row for row in api.get("custom_prompt/list")["data"] if row["name"] == f"{name}.wav"]
        assert rows[0]["duration"] >= 1


def test_a_recording_is_thrown_away(page: Page) -> None:
    open_adder(page)
    record(page)
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#recorder .player")).to_be_hidden()
    expect(page.get_by_role("button", name="Start recording", exact=True)).to_be_focused()


def test_a_prompt_plays_with_its_picture(page: Page, phone: Page, sound: Path) -> None:
    send(page, sound, "played.wav")
    expect(page.get_by_role("link", name="played.wav", exact=True)).to_be_visible()
    for one in (page, phone):
        one.goto("/prompts?search_value=played")
        expect(one.locator(".player .wave path").first).to_be_attached()
        one.get_by_role("button", name="Play played.wav").press("Enter")
        wait_until(one, "document.querySelector('.player audio').currentTime > 0.2")
        assert (
            one.evaluate("parseFloat(document.querySelector('.wave clipPath rect').getAttribute('width'))")
            > 0
        )
        one.get_by_role("button", name="Pause played.wav").press("Enter")
        slider = one.get_by_role("slider", name="Position in played.wav")
        slider.focus()
        one.keyboard.press("End")
        wait_until(one, "document.querySelector('.player audio').currentTime > 2")
        check_axe(one)
        check_width(one)


def test_one_prompt(page: Page, phone: Page, sound: Path) -> None:
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    send(page, sound, HOSTILE)
    page.get_by_role("link", name=HOSTILE, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator(".player .wave path").first).to_be_attached()
    check_axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == sound.read_bytes()
    phone.goto(page.url)
    check_axe(phone)
    check_width(phone)
    sound.write_bytes(tone("wav", 4.5))
    page.set_input_files("#file", sound)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name=HOSTILE, exact=True).click()
    expect(page.get_by_text("0:05 · wav")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    check_axe(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name=HOSTILE)).to_have_count(0)


def test_the_built_in_sounds(page: Page, phone: Page) -> None:
    for one in (page, phone):
        one.goto("/prompts/built-in")
        one.get_by_role("button", name="Play goodbye").click()
        wait_until(one, "[...document.querySelectorAll('audio')].some((one) => one.currentTime > 0.1)")
        check_axe(one)
        check_width(one)
