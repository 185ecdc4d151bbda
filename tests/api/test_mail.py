"""`system/sendemail`: mail of clients, which goes into the queue."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from openivr.store.database import Database
from openivr.store.mail.mail_server import save_mail_server
from tests.live_server import Api, Running
from tests.mail.conftest import SERVER
from tests.mail.smtp_server import MailHost, mail_host

BODY: dict[str, Any] = {
    "email_server": "ys",
    "recipient": ["a@example.com"],
    "subject": "Hi",
    "body": "Hello",
}


@pytest.fixture
def host(server: Running) -> Iterator[MailHost]:
    """A mail server that this server sends by."""
    store = Database(f"sqlite:///{server.data}/openivr.db")
    with mail_host() as host:
        with store.writing() as connection:
            save_mail_server(connection, replace(SERVER, port=host.port))
        yield host
        with store.writing() as connection:
            save_mail_server(connection, None)
    store.close()


def test_a_mail_goes_to_each_recipient_once(api: Api, host: MailHost) -> None:
    lists = {
        "recipient": ["a@example.com"],
        "cc": ["b@example.com"],
        "bcc": ["c@example.com", "a@example.com"],
    }
    assert api.post("system/sendemail", BODY | lists) == {"errcode": 0, "errmsg": "SUCCESS"}
    host.wait_for(3)
    assert sorted(recipient for recipient, _ in host.taken) == [f"{name}@example.com" for name in "abc"]
    for _, message in host.taken:
        assert (message["To"], message["Cc"], message["Bcc"]) == ("a@example.com", "b@example.com", None)
        assert (message["Subject"], message.get_content().strip()) == ("Hi", "Hello")
    assert len({message["Message-ID"] for _, message in host.taken}) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email_server": "other"}, "email_server"),
        ({"recipient": []}, "recipient"),
        ({"recipient": "x"}, "recipient"),
        ({"recipient": {"a": 1}}, "recipient"),
        ({"recipient": ["a@example.com\r\nBcc: b@example.com"]}, "recipient"),
        ({"cc": ["<a@example.com>"]}, "cc"),
        ({"bcc": [7]}, "bcc"),
        ({"recipient": [f"a{number}@example.com" for number in range(51)]}, "recipient"),
        ({"subject": "Hi\r\nBcc: b@example.com"}, "subject"),
        ({"subject": "x" * 256}, "subject"),
        ({"subject": 7}, "subject"),
        ({"body": "x" * 100_001}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"attachments": ["/etc/passwd"]}, "attachments"),
        ({"force_attach": 1}, "force_attach"),
        ({"force_attach": "x"}, "force_attach"),
    ],
)
def test_what_is_wrong_is_named(api: Api, host: MailHost, wrong: dict[str, Any], field: str) -> None:
    answer = api.post("system/sendemail", BODY | wrong)
    assert (answer["errcode"], answer["invalid_param_list"][0]["field"]) == (40002, field)
    assert host.taken == []


def test_without_a_mail_server_nothing_is_taken(api: Api) -> None:
    assert api.post("system/sendemail", BODY)["errcode"] == 60001
