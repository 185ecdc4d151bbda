"""Webhooks through the client, and requests as its receiver reads them."""

import pytest

from openivr.client import BadAnswer, BlockingClient, Webhook, WebhookForged, read_webhook
from openivr.server.webhooks.sender import sign, write_body
from openivr.store.events.webhook_queue import TEST_MESSAGE, TEST_TYPE, Delivery

from .conftest import Pbx

SECRET = "kZ8sW2qA7tY4uB1n"


def signed(body: bytes) -> dict[str, str]:
    return {"X-Signature": sign(body, SECRET), "X-OpenIVR-Event": "7"}


@pytest.mark.parametrize("type_", [30011, 30034])
def test_an_event_is_read_whether_its_message_is_text_or_an_object(type_: int) -> None:
    body = write_body(Delivery(7, type_, "a", '{"call_id":"1.2"}', 0), "3631A2124000")
    event = read_webhook(body, signed(body), SECRET)
    assert (event.type, event.message, event.serial, event.number) == (
        type_,
        {"call_id": "1.2"},
        "3631A2124000",
        7,
    )


def test_a_test_has_type_0() -> None:
    body = write_body(Delivery(0, TEST_TYPE, "test", TEST_MESSAGE, 0), "x")
    event = read_webhook(body, signed(body), SECRET)
    assert (event.type, event.message) == (0, {"event": "test"})


@pytest.mark.parametrize("signature", ["", "x", "Zm9yZ2Vk", sign(b"{}", "another"), sign(b"[]", SECRET)])
def test_what_is_not_signed_with_the_secret_is_refused(signature: str) -> None:
    with pytest.raises(WebhookForged):
        read_webhook(b"{}", {"x-signature": signature}, SECRET)
    with pytest.raises(WebhookForged):
        read_webhook(b"{}", {}, SECRET)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"type":30011,"msg":"{"}', b'{"type":"x"}'])
def test_what_is_signed_and_no_event_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_webhook(body, signed(body), SECRET)


def test_settings_through_the_client(own_pbx: Pbx) -> None:
    crm = Webhook(url="https://crm.example.com/", secret=SECRET, event_ids=(30011,))
    with BlockingClient(own_pbx.url, *own_pbx.account) as client:
        client.webhook.update([crm], timeout=7)
        read = client.webhook.query()
        assert (read.timeout, read.retry_count) == (7, 3)
        assert read.webhooks == (
            Webhook(url=crm.url, secret="****", event_ids=(30011,), name="crm.example.com", enable=1),
        )
        client.webhook.update(read.webhooks, retry_count=1)
        assert client.webhook.query().webhooks == read.webhooks
        client.webhook.update([])
        assert client.webhook.query().webhooks == ()
