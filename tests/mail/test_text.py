"""What a mail says. Whatever a stranger's phone sends, it adds no header and no line."""

import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openivr.mail.text import write_text, write_voicemail
from openivr.resources.mail_server import MailServer
from openivr.store.mail.mail_queue import Mail
from openivr.store.mail.voicemail_mail import MailedVoicemail
from tests.effort import scale

SERVER = MailServer(
    server="mail.example.com",
    port=587,
    security="starttls",
    user="",
    password="",
    sender="pbx@example.com",
    url="https://pbx.example.com",
    audio_format="mp3",
)
MAIL = Mail(
    id="voicemail-1",
    message_id="<1.voicemail@example.com>",
    recipient="sam@example.com",
    to_list=("sam@example.com",),
    created=1_796_000_000_000,
    voicemail_id="1",
    has_audio=1,
)
VOICEMAIL = MailedVoicemail(
    "1", "call-1", "Sam Sales 1001", "0301234567", "Ada Byron", 1_796_000_000_000, 65_200
)


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def parse(text: bytes) -> EmailMessage:
    return message_from_bytes(text, policy=policy.default)


def body_of(message: EmailMessage) -> str:
    part = message.get_body()
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_message_is_described_in_plain_words() -> None:
    message = parse(write_voicemail(MAIL, SERVER, VOICEMAIL, b"sound", code="*02"))
    assert message["Subject"] == "New voicemail from Ada Byron (0301234567), 1:05"
    assert (message["From"], message["To"]) == ("OpenIVR <pbx@example.com>", "sam@example.com")
    assert message["Message-ID"] == "<1.voicemail@example.com>"
    assert message["Date"] == "Mon, 30 Nov 2026 01:53:20 +0100"
    assert message["Auto-Submitted"] == "auto-generated"
    assert body_of(message).splitlines() == [
        "There is a new voicemail message for Sam Sales 1001.",
        "",
        "From:    Ada Byron (0301234567)",
        "When:    Monday, 30 November 2026, 01:53 (CET)",
        "Length:  1:05",
        "",
        "The message is attached.",
        "To listen by phone, dial *02.",
        "To listen in the browser, open https://pbx.example.com/calls/call-1",
    ]
    [audio] = message.iter_attachments()
    assert (audio.get_content_type(), audio.get_filename()) == ("audio/mpeg", "voicemail-2026-11-30-0153.mp3")
    assert audio.get_content() == b"sound"


def test_a_mail_says_what_happened_to_the_message() -> None:
    deleted = replace(MAIL, after="delete")
    text = body_of(parse(write_voicemail(deleted, SERVER, VOICEMAIL, b"sound", code="*02")))
    assert text.endswith("The message is attached.\nThe message was deleted from the mailbox.\n")
    linked = replace(MAIL, after="mark_as_read", has_audio=0)
    message = parse(write_voicemail(linked, replace(SERVER, url=""), VOICEMAIL, None, code="*02"))
    assert body_of(message).endswith(
        "1:05\n\nTo listen by phone, dial *02.\nThe message was marked as heard.\n"
    )
    assert not list(message.iter_attachments())


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        ("", "1001", "1001"),
        ("1001", "1001", "1001"),
        ("Ada", "", "Ada"),
        ("", "", "a withheld number"),
        ("Zoë \u202eKlein\r\nBcc: all@example.com", "030", "Zoë Klein Bcc: all@example.com (030)"),
    ],
)
def test_callers_have_names(name: str, number: str, shown: str) -> None:
    voicemail = replace(VOICEMAIL, caller_name=name, caller=number)
    message = parse(write_voicemail(MAIL, SERVER, voicemail, None, code="*02"))
    assert message["Subject"] == f"New voicemail from {shown}, 1:05"
    assert message["Bcc"] is None
    assert f"\nFrom:    {shown}\n" in body_of(message)


@settings(max_examples=scale(15))
@given(st.text(max_size=100), st.text(max_size=100), st.text(max_size=100))
def test_no_name_adds_a_header_or_a_line(name: str, number: str, owner: str) -> None:
    voicemail = replace(VOICEMAIL, caller_name=name, caller=number, owner=owner)
    message = parse(write_voicemail(MAIL, SERVER, voicemail, None, code="*02"))
    usual = parse(write_voicemail(MAIL, SERVER, VOICEMAIL, None, code="*02"))
    assert message.keys() == usual.keys()
    assert len(body_of(message).splitlines()) == len(body_of(usual).splitlines())
    assert message["Subject"].startswith("New voicemail from ")


def test_a_text_of_the_api_is_sent_as_it_is() -> None:
    mail = replace(
        MAIL,
        voicemail_id="",
        to_list=("a@example.com", "b@example.com"),
        cc_list=("c@example.com",),
        subject="Grüße",
        body="Über allen Gipfeln\n.\nist Ruh",
    )
    message = parse(write_text(mail, SERVER))
    assert (message["To"], message["Cc"]) == ("a@example.com, b@example.com", "c@example.com")
    assert (message["Subject"], message["Bcc"]) == ("Grüße", None)
    assert body_of(message) == "Über allen Gipfeln\n.\nist Ruh\n"
