"""One event to a real HTTP server: the bytes, the signature, and each way in which it is not accepted."""

import asyncio
import base64
import hashlib
import hmac
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from openivr.server.webhooks.sender import WebhookSender, sign
from openivr.store.events.webhook_queue import TEST_MESSAGE, TEST_TYPE, Delivery, Webhook
from tests.webhook_receiver import Received, Receiver

EVENT = Delivery(7, 30011, "a", '{"call_id":"1.2","members":[],"name":"Zoë & Co"}', 0)
OBJECT = Delivery(8, 30034, "", '{"event_name":"x"}', 0)
LOOPBACK = ("127.0.0.0/8",)
SECRET = "kZ8sW2qA7tY4uB1n"


def webhook(url: str, **fields: object) -> Webhook:
    return replace(Webhook(1, "CRM", url, SECRET, "POST", frozenset(), 5, 3), **fields)  # type: ignore[arg-type]


def send(
    to: Webhook,
    *deliveries: Delivery,
    networks: tuple[str, ...] = LOOPBACK,
    certificates: ssl.SSLContext | None = None,
) -> list[str]:
    async def run() -> list[str]:
        sender = WebhookSender("3631A2124000", networks, certificates)
        failures = [await sender.send(to, delivery) for delivery in deliveries]
        await sender.close()
        return failures

    return asyncio.run(run())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def expected_signature(body: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


def test_a_post_has_the_event_as_a_subscriber_gets_it_and_its_signature(receiver: Receiver) -> None:
    assert send(webhook(receiver.url()), EVENT, OBJECT) == ["", ""]
    text, object_ = receiver.take(2)
    message = r"{\"call_id\":\"1.2\",\"members\":[],\"name\":\"Zoë & Co\"}"
    assert text.body.decode() == f'{{"type":30011,"sn":"3631A2124000","msg":"{message}"}}'
    assert object_.body == b'{"type":30034,"sn":"3631A2124000","msg":{"event_name":"x"}}'
    for received in (text, object_):
        assert received.headers["x-signature"] == expected_signature(received.body)
        assert received.headers["content-type"] == "application/json"
    assert (text.method, text.path, text.event, object_.event) == ("POST", "/hook", 7, 8)
    assert SECRET not in str(text.headers)


def test_a_get_has_the_event_in_its_query_and_signs_it_decoded(receiver: Receiver) -> None:
    plain, with_query = (webhook(receiver.url(path), request_method="GET") for path in ("/h", "/h?key=1"))
    assert send(plain, EVENT) == send(with_query, EVENT) == [""]
    for received, key in zip(receiver.take(2), ([], ["1"]), strict=True):
        query = parse_qs(urlsplit(received.path).query)
        [body] = query["event"]
        assert (received.method, query.get("key", [])) == ("GET", key)
        assert received.headers["x-signature"] == expected_signature(body.encode())
        assert body.startswith('{"type":30011,')


def test_a_test_is_the_body_that_the_vendor_sends(receiver: Receiver) -> None:
    assert send(webhook(receiver.url()), Delivery(0, TEST_TYPE, "test", TEST_MESSAGE, 0)) == [""]
    assert receiver.next().body == b'{"event":"test"}'


def test_a_known_signature() -> None:
    """RFC 4231, test case 2."""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert base64.b64decode(sign(b"what do ya want for nothing?", "Jefe")).hex() == digest


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_accepts(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: status
    assert send(webhook(receiver.url()), EVENT) == [""]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_status_does_not_and_no_redirection_is_followed(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: status
    assert send(webhook(receiver.url()), EVENT) == [f"answer {status}"]
    assert receiver.next().path == "/hook"
    assert receiver.requests.empty()


def test_a_receiver_that_does_not_answer_in_time(receiver: Receiver) -> None:
    def hang(_received: Received) -> int:
        receiver.closed.wait()
        return 200

    receiver.answer = hang
    assert send(webhook(receiver.url(), timeout=0.2), EVENT) == ["timeout"]
    receiver.closed.set()


def test_a_receiver_that_closes_the_connection(receiver: Receiver) -> None:
    receiver.answer = lambda _: 0
    assert send(webhook(receiver.url()), EVENT) == ["not_http"]


def test_a_port_where_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert send(webhook(url), EVENT) == ["unreachable"]


def test_private_addresses_are_refused_without_a_connection(receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"):
        failure = send(webhook(receiver.url(host=host)), EVENT, networks=())
        assert failure == ["forbidden_address"], host
    assert receiver.requests.empty()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=crm -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *request.split(), "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem"


def test_tls_is_checked_for_authority_and_name(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    receiver = Receiver(certificates=context)
    trusted = ssl.create_default_context(cafile=str(certificate))
    assert send(webhook(receiver.url()), EVENT) == ["certificate"]
    assert send(webhook(receiver.url(host="localhost")), EVENT, certificates=trusted) == ["certificate"]
    assert send(webhook(receiver.url()), EVENT, certificates=trusted) == [""]
    assert receiver.next().event == EVENT.event_id
    receiver.close()
