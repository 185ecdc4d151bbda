"""Mail leaves by a real mail server; what it refuses, postpones or leaves open is kept and tried again."""

import ssl
import threading
from pathlib import Path

import pytest

from openivr.mail.courier import Courier
from openivr.store.cdr import voicemail
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_queue import LEASE_MS, Mail
from tests.mail.conftest import START, MakeOffice, Office
from tests.mail.smtp_server import PASSWORD, USER, mail_host

DAY = 86_400_000


def refuse_at(command: str, answer: str) -> "Refusal":
    return Refusal(command, answer)


class Refusal:
    """Refuses a command for so many times."""

    def __init__(self, command: str, answer: str, times: int = 10**6) -> None:
        self.command, self.answer, self.times = command, answer, times

    def __call__(self, command: str, _argument: str) -> str:
        if command != self.command or self.times <= 0:
            return ""
        self.times -= 1
        return self.answer


def test_a_message_is_mailed_with_its_sound(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port)
        office.leave("m1")
        office.send()
        office.send()
    [(recipient, message)] = host.taken
    assert (recipient, message["To"]) == ("sam@example.com", "sam@example.com")
    assert message["Subject"] == "New voicemail from 0301234567, 0:02"
    [audio] = message.iter_attachments()
    assert (audio.get_content_type(), audio.get_content()) == ("audio/wav", office.sound)
    mail = office.mails()["m1"]
    assert (mail.state, mail.answer, mail.ended) == ("sent", "250 2.0.0 queued as 4711", START)
    assert (mail.lease, mail.lease_until, mail.is_sending) == ("", 0, 0)
    assert office.messages() == {"m1": False}


def test_the_sound_is_mp3_by_choice(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port, audio_format="mp3")
        office.leave("m1")
        office.send()
    [audio] = host.taken[0][1].iter_attachments()
    assert audio.get_content_type() == "audio/mpeg"
    assert 1000 < len(audio.get_content()) < len(office.sound) / 2


@pytest.mark.parametrize(
    ("notify", "after", "attachments", "messages"),
    [
        ("with_attachment", "mark_as_read", 1, {"m1": True}),
        ("with_attachment", "delete", 1, {}),
        ("without_attachment", "mark_as_read", 0, {"m1": True}),
        ("without_attachment", "no", 0, {"m1": False}),
    ],
)
def test_the_owner_decides_what_becomes_of_it(
    make_office: MakeOffice, notify: str, after: str, attachments: int, messages: dict[str, bool]
) -> None:
    office = make_office(notify, after)
    with mail_host() as host:
        host.answers = Refusal("RCPT", "450 later", times=1)
        office.set_server(host.port)
        office.leave("m1")
        office.send()
        assert office.messages() == {"m1": False}  # nothing before it was sent
        office.now += 20_000
        office.send()
    assert len(list(host.taken[0][1].iter_attachments())) == attachments
    assert office.messages() == messages


def test_who_wants_no_mail_gets_none(make_office: MakeOffice) -> None:
    office = make_office("no")
    office.set_server()
    office.leave("m1")
    office.leave("m2", owner=77)
    assert office.mails() == {}


def test_without_a_mail_server_nothing_waits(make_office: MakeOffice) -> None:
    office = make_office()
    office.leave("m1")
    assert office.mails() == {}
    office.send()


@pytest.mark.parametrize(
    ("command", "answer", "state"),
    [
        ("MAIL", "550 5.7.1 not from here", "failed"),
        ("RCPT", "550 5.1.1 no such user", "failed"),
        ("DATA", "554 5.7.0 looks like spam", "failed"),
        ("MAIL", "451 4.7.1 greylisted", "waiting"),
        ("RCPT", "452 4.2.2 mailbox full", "waiting"),
        ("DATA", "421 4.3.0 shutting down", "waiting"),
    ],
)
def test_a_refusal_for_good_ends_it_and_another_does_not(
    make_office: MakeOffice, command: str, answer: str, state: str
) -> None:
    office = make_office(after="delete")
    with mail_host() as host:
        host.answers = refuse_at(command, answer)
        office.set_server(host.port)
        office.leave("m1")
        office.send()
        mail = office.mails()["m1"]
        assert (mail.state, mail.answer, mail.failures) == (state, answer, 1)
        host.answers = lambda *_: ""
        office.now += 20_000
        office.send()
    assert len(host.taken) == (state == "waiting")
    assert office.messages() == ({} if state == "waiting" else {"m1": False})  # a failed one is not deleted


def test_one_refusal_does_not_hold_up_the_others(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        host.answers = Refusal("RCPT", "550 no", times=1)
        office.set_server(host.port)
        for id_ in ("m1", "m2", "m3"):
            office.leave(id_)
            office.now += 1
        office.send()
    assert [office.mails()[id_].state for id_ in ("m1", "m2", "m3")] == ["failed", "sent", "sent"]
    assert host.connections == 1


def test_what_is_unclear_is_sent_again_as_the_same_mail(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        host.answers = Refusal("DATA", "drop after", times=1)
        office.set_server(host.port)
        office.leave("m1")
        office.leave("m2")
        office.send()
        mails = office.mails()
        assert sorted(mail.state for mail in mails.values()) == ["sent", "waiting"]
        office.now += 20_000
        office.send()
    ids = [message["Message-ID"] for _, message in host.taken]
    assert sorted(ids) == sorted(["<m1.voicemail@example.com>"] * 2 + ["<m2.voicemail@example.com>"])
    assert {mail.state for mail in office.mails().values()} == {"sent"}


def test_a_message_that_cannot_be_read_holds_up_no_other(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port, audio_format="mp3")
        sound, office.sound = office.sound, b"no sound"
        office.leave("m1")
        office.sound = sound
        office.leave("m2")
        office.send()
    mails = office.mails()
    assert (mails["m1"].state, mails["m2"].state) == ("failed", "sent")
    assert "cannot be written" in mails["m1"].answer
    assert office.messages().keys() == {"m1", "m2"}


def test_a_deleted_message_is_not_mailed(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port)
        office.leave("m1")
        with office.database.writing() as connection:
            assert voicemail.delete_message(connection, "m1")
        office.send()
    assert host.taken == []
    assert office.mails()["m1"].state == "obsolete"


def test_a_server_that_is_away_postpones_everything_with_one_attempt(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        pass
    office.set_server(host.port)
    for id_ in ("m1", "m2"):
        office.leave(id_)
    office.send()
    assert {(mail.state, mail.failures) for mail in office.mails().values()} == {("waiting", 1)}
    assert f"127.0.0.1 port {host.port}: " in office.mails()["m1"].answer


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # of aiosmtpd: TLS is outside it
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_and_login(
    make_office: MakeOffice,
    certificate: tuple[Path, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    security: str,
) -> None:
    path, context = certificate
    office = make_office()
    office.leave("m0")
    with mail_host(context, is_tls=security == "tls", has_login=True) as host:
        secrets = {"security": security, "server": "localhost", "user": USER}
        office.set_server(host.port, password=PASSWORD, **secrets)
        office.leave("m1")
        office.send()
        assert "certificate" in office.mails()["m1"].answer
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        office.set_server(host.port, password="wrong", **secrets)
        office.now += 20_000
        office.send()
        assert office.mails()["m1"].answer == f"login as {USER}: 535 5.7.8 No such user"
        office.set_server(host.port, password=PASSWORD, **secrets)
        office.now += 60_000
        office.send()
    assert len(host.taken) == 1
    assert office.mails()["m1"].state == "sent"


def test_a_server_without_starttls_gets_nothing(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port, security="starttls")
        office.leave("m1")
        office.send()
    assert host.taken == []
    assert office.mails()["m1"].state == "waiting"


def test_an_address_that_smtp_has_no_words_for_is_refused(make_office: MakeOffice) -> None:
    office = make_office(email="zoë<x>@example.com")
    with mail_host() as host:
        office.set_server(host.port)
        office.leave("m1")
        office.send()
    assert office.mails()["m1"].state == "failed"
    assert "address" in office.mails()["m1"].answer


def queue(office: Office, *, now: int, owner: str) -> list[Mail]:
    with office.database.writing() as connection:
        return mail_queue.take(connection, owner, now)


def test_two_couriers_never_have_the_same_mail(make_office: MakeOffice) -> None:
    office = make_office()
    office.set_server()
    for number in range(30):
        office.leave(f"m{number}")
    first, second = queue(office, now=START, owner="a:1"), queue(office, now=START, owner="b:1")
    assert (len(first), len(second)) == (20, 10)
    assert not {mail.id for mail in first} & {mail.id for mail in second}
    assert queue(office, now=START + LEASE_MS - 1, owner="c:1") == []
    late = queue(office, now=START + LEASE_MS, owner="c:1")
    assert len(late) == 20
    stolen = next(mail for mail in first + second if mail.id == late[0].id)
    with office.database.writing() as connection:
        assert not mail_queue.begin_sending(connection, stolen, START + LEASE_MS)
        assert mail_queue.begin_sending(connection, late[0], START + LEASE_MS)
        assert not mail_queue.save_outcome(connection, stolen)


def test_two_couriers_at_once_send_each_mail_once(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port)
        for number in range(25):
            office.leave(f"m{number}")
        threads = [threading.Thread(target=drain, args=(office.courier(name),)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(host.taken) == len({message["Message-ID"] for _, message in host.taken}) == 25


def drain(courier: Courier) -> None:
    while courier.send_due():
        pass


def test_what_a_killed_courier_had_is_sent_after_its_next_start(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        office.set_server(host.port)
        office.leave("m1")
        office.leave("m2")
        first, _ = queue(office, now=office.now, owner="node:dead")
        with office.database.writing() as connection:
            assert mail_queue.begin_sending(connection, first, office.now)
        assert not office.courier().send_due()
        office.courier("node2").take_up()  # another node's mail stays with it
        assert not office.courier().send_due()
        office.courier().take_up()
        office.send()
    assert sorted(message["Message-ID"] for _, message in host.taken) == [
        "<m1.voicemail@example.com>",
        "<m2.voicemail@example.com>",
    ]


def test_a_stop_ends_what_waits_for_the_mail_server(make_office: MakeOffice) -> None:
    office = make_office()
    asked, release = threading.Event(), threading.Event()

    def hang(command: str, _argument: str) -> str:
        if command == "RCPT":
            asked.set()
            release.wait()
        return ""

    with mail_host() as host:
        host.answers = hang
        office.set_server(host.port)
        office.leave("m1")
        office.courier().run(lambda _seconds: asked.is_set())
        release.set()
    mail = office.mails()["m1"]
    assert (mail.state, mail.failures, mail.lease, mail.is_sending) == ("waiting", 0, "", 0)


def test_mail_that_was_given_up_is_sent_again_by_hand(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        host.answers = Refusal("RCPT", "550 no", times=1)
        office.set_server(host.port)
        office.leave("m1")
        office.send()
        office.now += 3 * DAY
        with office.database.writing() as connection:
            assert not mail_queue.send_again(connection, "voicemail-other", office.now)
            assert mail_queue.send_again(connection, "voicemail-m1", office.now)
        office.send()
        with office.database.writing() as connection:
            assert not mail_queue.send_again(connection, "voicemail-m1", office.now)
    assert len(host.taken) == 1


def test_old_mail_is_forgotten(make_office: MakeOffice) -> None:
    office = make_office()
    with mail_host() as host:
        host.answers = Refusal("RCPT", "550 no", times=1)
        office.set_server(host.port)
        for id_ in ("m1", "m2"):
            office.leave(id_)
            office.now += 1
        office.send()
    for days, left in ((6, {"m1", "m2"}), (8, {"m1"}), (31, set())):
        office.now = START + days * DAY
        office.courier().tidy()
        assert office.mails().keys() == left
