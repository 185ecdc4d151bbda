"""A day without a mail server, in fast motion: no mail is lost, and none comes twice."""

import random
from collections import Counter

import pytest

from openivr.mail.retry import MAX_AGE_MS
from tests.mail.conftest import START, MakeOffice, Office
from tests.mail.smtp_server import mail_host

HOUR = 3_600_000
FAULTS = {  # none of them takes the mail
    "EHLO": ("", "", "421 4.3.2 closing"),
    "MAIL": ("", "", "451 4.3.0 no disk"),
    "RCPT": ("", "", "450 4.2.0 busy"),
    "DATA": ("452 4.3.1 later", "drop"),
}


def wait_for_next(office: Office) -> None:
    """Move the time to when the next mail is due."""
    waiting = [mail.next_attempt for mail in office.mails().values() if mail.state == "waiting"]
    office.now = max(office.now + 1, min(waiting, default=office.now))


@pytest.mark.parametrize("open_database", ["sqlite"], indirect=True)
def test_a_day_without_a_mail_server_loses_nothing(make_office: MakeOffice) -> None:
    """The server is away, then refuses in every way while messages are left, and comes back at night."""
    office = make_office(after="mark_as_read")
    dice = random.Random(7)
    ids = [f"m{number}" for number in range(8)]
    with mail_host() as host:
        port = host.port
    office.set_server(port)
    for id_ in ids[:4]:
        office.leave(id_)
    while office.now < START + 12 * HOUR:  # nothing listens
        office.send()
        wait_for_next(office)
    with mail_host(port=port) as host:
        host.answers = lambda command, _argument: dice.choice(FAULTS[command])
        for id_ in ids[4:]:
            office.leave(id_)
        while office.now < START + 23 * HOUR:
            office.courier().take_up()  # as after a kill
            office.send()
            wait_for_next(office)
        assert host.taken == []
        assert not any(office.messages().values())
        assert {mail.state for mail in office.mails().values()} == {"waiting"}
        host.answers = lambda *_: ""
        while any(mail.state == "waiting" for mail in office.mails().values()):
            office.send()
            wait_for_next(office)
        assert office.now < START + 24 * HOUR
    arrived = Counter(message["Message-ID"] for _, message in host.taken)
    assert arrived == {f"<{id_}.voicemail@example.com>": 1 for id_ in ids}
    assert all(office.messages().values())


@pytest.mark.parametrize("open_database", ["sqlite"], indirect=True)
def test_what_cannot_be_sent_in_a_day_is_given_up_and_kept(make_office: MakeOffice) -> None:
    office = make_office(after="delete")
    with mail_host() as host:
        pass
    office.set_server(host.port)
    office.leave("m1")
    while office.mails()["m1"].state == "waiting":
        office.send()
        if office.mails()["m1"].state == "waiting":
            wait_for_next(office)
    mail = office.mails()["m1"]
    assert (mail.state, mail.ended) == ("failed", START + MAX_AGE_MS)
    assert "port" in mail.answer
    assert office.messages() == {"m1": False}
