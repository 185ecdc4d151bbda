"""`openivr mail`, and the mail server in configuration files."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openivr.cli import main
from openivr.store.database import Database
from openivr.store.mail.mail_server import find_mail_server
from openivr.store.schema import migrate
from tests.mail.smtp_server import mail_host

SECRET = "a secret of the mail server"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    store = Database(f"sqlite:///{tmp_path}/openivr.db")
    migrate(store)
    store.close()
    return tmp_path


def run(data: Path, *words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(data)], env=environment)


def set_server(data: Path, *words: str) -> Result:
    options = ("--server", "smtp.example.com", "--user", "pbx", "--sender", "pbx@example.com")
    return run(data, "mail", "set", *options, *words, OPENIVR_MAIL_PASSWORD=SECRET)


def test_the_mail_server_is_set_and_shown_without_its_password(data: Path) -> None:
    assert run(data, "mail").output == "no mail server: no mail is sent\n"
    assert set_server(data, "--security", "tls").output == "mail is sent by smtp.example.com port 465\n"
    assert run(data, "mail", "set", "--url", "https://pbx.example.com").exit_code == 0
    shown = run(data, "mail").output
    assert shown == "smtp.example.com port 465, tls, as pbx, from pbx@example.com\n"
    refused = set_server(data, "--security", "none")
    assert (refused.exit_code, "must be encrypted" in refused.output) == (1, True)
    assert run(data, "mail").output == shown
    assert run(data, "mail", "off").exit_code == 0
    assert run(data, "mail").output == "no mail server: no mail is sent\n"


def test_a_test_prints_the_answer_of_the_mail_server(data: Path) -> None:
    assert "there is no mail server" in run(data, "mail", "test", "sam@example.com").output
    with mail_host() as host:
        options = ("--server", "127.0.0.1", "--port", str(host.port), "--security", "none")
        assert run(data, "mail", "set", *options, "--sender", "pbx@example.com").exit_code == 0
        tested = run(data, "mail", "test", "sam@example.com")
        assert tested.output == "sent: 250 2.0.0 queued as 4711\n"
        host.answers = lambda command, _argument: "550 no" if command == "RCPT" else ""
        tested = run(data, "mail", "test", "sam@example.com")
        assert (tested.exit_code, tested.output) == (1, "Error: not sent: 550 no\n")
    assert run(data, "mail", "list").output == ""
    assert run(data, "mail", "resend", "other").exit_code == 1


def test_a_file_brings_the_mail_server_and_leaves_it_if_it_has_none(data: Path) -> None:
    set_server(data)
    file = data / "office.yaml"
    assert run(data, "export", str(file)).exit_code == 0
    text = file.read_text()
    assert f"password: {SECRET}" in text
    assert run(data, "mail", "off").exit_code == 0
    assert run(data, "import", str(file)).exit_code == 0
    store = Database(f"sqlite:///{data}/openivr.db")
    with store.reading() as connection:
        server = find_mail_server(connection)
    assert server is not None
    assert (server.server, server.password, server.port) == ("smtp.example.com", SECRET, 587)
    (data / "none.yaml").write_text("openivr: 1\n")
    assert run(data, "import", str(data / "none.yaml"), "--keep").exit_code == 0
    for wrong, words in (("port: 587", "port: 0"), ("sender: pbx@example.com", "sender: x")):
        file.write_text(text.replace(wrong, words))
        refused = run(data, "import", str(file))
        assert (refused.exit_code, words.partition(":")[0] in refused.output) == (1, True)
    with store.reading() as connection:
        assert find_mail_server(connection) == server
    store.close()
