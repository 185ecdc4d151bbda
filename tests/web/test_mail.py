"""The mail server on its page: saved, tested with its own answer shown, turned off; and the newest mail."""

from html import unescape

import pytest

from openivr.store.database import Database
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_queue import Mail, MailState
from openivr.store.mail.mail_server import find_mail_server
from tests.live_server import Answer, Running
from tests.mail.smtp_server import mail_host
from tests.web.site import Admin, where

FORM = {
    "server": "127.0.0.1",
    "port": "2525",
    "security": "none",
    "user": "",
    "password": "",
    "sender": "pbx@example.com",
    "url": "https://pbx.example.com",
    "audio_format": "mp3",
}


def page(answer: Answer) -> str:
    return unescape(answer.content.decode())


@pytest.fixture
def store(server: Running) -> Database:
    return Database(f"sqlite:///{server.data}/openivr.db")


def test_the_password_is_kept_and_never_shown(admin: Admin, store: Database) -> None:
    form = FORM | {"security": "tls", "user": "pbx", "password": "a secret of the mail server"}
    assert where(admin.post("/settings/mail", form)) == "/settings/mail"
    shown = page(admin.get("/settings/mail"))
    assert "The mail server is saved." in shown
    assert "Leave blank to keep the current password." in shown
    assert "a secret of the mail server" not in shown
    admin.post("/settings/mail", form | {"password": "", "port": "466"})
    with store.reading() as connection:
        server = find_mail_server(connection)
    assert server is not None
    assert (server.port, server.password) == (466, "a secret of the mail server")
    assert "a secret" not in repr(server)
    admin.post("/settings/mail", FORM)
    with store.reading() as connection:
        server = find_mail_server(connection)
    assert server is not None
    assert server.password == ""
    admin.post("/settings/mail/remove")
    assert "No more email is sent." in page(admin.get("/settings/mail"))
    with store.reading() as connection:
        assert find_mail_server(connection) is None
    store.close()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("server", "", "Server is required."),
        ("server", "mail.example.com\r\nx", "Server contains control or invisible characters."),
        ("port", "0", "Port must be between 1 and 65535."),
        ("user", "pbx", "Encryption is needed, because a password is sent."),
        ("sender", "pbx@example.com>", "Sender contains characters that are not allowed."),
        ("url", "javascript:alert(1)", "Address of this website contains characters that are not allowed."),
        ("security", "ssl", "Encryption: choose one of starttls, tls, none."),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    admin: Admin, store: Database, name: str, value: str, words: str
) -> None:
    answer = admin.post("/settings/mail", FORM | {name: value})
    assert answer.status == 422
    assert words in page(answer)
    with store.reading() as connection:
        assert find_mail_server(connection) is None
    store.close()


def test_a_test_shows_the_answer_of_the_mail_server(admin: Admin) -> None:
    with mail_host() as host:
        admin.post("/settings/mail", FORM | {"port": str(host.port)})
        shown = page(admin.post("/settings/mail/test", {"recipient": "sam@example.com"}))
        assert "The mail server has accepted the test." in shown
        assert "250 2.0.0 queued as 4711" in shown
        host.answers = lambda command, _argument: "550 5.1.1 <nobody> unknown" if command == "RCPT" else ""
        shown = page(admin.post("/settings/mail/test", {"recipient": "sam@example.com"}))
        assert "The test could not be sent." in shown
        assert "550 5.1.1 <nobody> unknown" in shown
    answer = admin.post("/settings/mail/test", {"recipient": "no address"})
    assert (answer.status, "Enter an email address." in page(answer)) == (422, True)
    admin.post("/settings/mail/remove")
    assert host.taken[0][1]["Subject"] == "Test mail from OpenIVR"


def test_mail_that_was_not_sent_has_a_reason_and_can_be_sent_again(admin: Admin, store: Database) -> None:
    with mail_host() as host:
        admin.post("/settings/mail", FORM | {"port": str(host.port)})
        failed = Mail(
            id="api-1",
            message_id="<1.api@example.com>",
            recipient="sam@example.com",
            created=1_796_000_000_000,
            subject="Hello",
            state=MailState.FAILED,
            ended=1_796_000_000_000,
            answer="550 5.1.1 <sam> unknown",
        )
        with store.writing() as connection:
            mail_queue.add(connection, [failed])
        shown = page(admin.get("/settings/mail"))
        assert "550 5.1.1 <sam> unknown" in shown
        assert "Send again to sam@example.com" in shown
        assert where(admin.post("/settings/mail/again", {"mail": "api-1"})) == "/settings/mail"
        host.wait_for(1)  # the server's courier has sent it
        assert admin.post("/settings/mail/again", {"mail": "other"}).status == 404
    admin.post("/settings/mail/remove")
    store.close()
    assert [recipient for recipient, _ in host.taken] == ["sam@example.com"]
