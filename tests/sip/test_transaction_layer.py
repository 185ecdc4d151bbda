"""Which transaction a message belongs to, what is sent when, and that nothing is left behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.address import Target
from openivr.sip.message.message import Request, Response, respond
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.layer import ClientTransaction
from openivr.sip.transaction.via import random_token
from tests.sip.virtual import Virtual, incoming


def begin(virtual: Virtual, status: int) -> None:
    """Answer every new request at once, with state."""

    def answer(request: Request) -> None:
        server = virtual.exchange.create_server(request)
        virtual.exchange.respond(server, respond(request, status, tag="ours"))

    virtual.hand.responder = answer


def outgoing(method: str = "OPTIONS") -> Request:
    headers = {
        "from": ["<sip:us@192.0.2.1>;tag=ours"],
        "to": ["<sip:a@192.0.2.7>"],
        "call-id": [random_token()],
        "cseq": [f"1 {method}"],
    }
    request = Request(method, "sip:a@192.0.2.7", headers)
    request.cseq = 1
    return request


class Told:
    """What a client's user hears."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.losses: list[FailureReason] = []

    def took(self, client: ClientTransaction, response: Response) -> None:
        self.statuses.append(response.status)

    def lost(self, client: ClientTransaction, why: FailureReason) -> None:
        self.losses.append(why)


def start(virtual: Virtual, request: Request) -> tuple[Told, Request]:
    told = Told()
    virtual.exchange.send_request(request, virtual.hop, told.took, told.lost)
    (sent,) = virtual.wire.take() or [request]
    assert isinstance(sent, Request)
    return told, sent


def reply(virtual: Virtual, request: Request, status: int) -> None:
    virtual.receive(respond(request, status, tag="peer").encode())


def test_a_request_that_comes_again_is_told_once_and_answered_again() -> None:
    v = Virtual()
    begin(v, 200)
    v.receive(incoming("OPTIONS"))
    v.receive(incoming("OPTIONS"))
    assert len(v.hand.requests) == 1
    first, second = v.wire.take()
    assert first.encode() == second.encode()
    v.advance(33)
    assert len(v.exchange) == len(v.timers) == 0


def test_a_rejected_invite_is_sent_until_its_ack() -> None:
    v = Virtual()
    begin(v, 486)
    v.receive(incoming())
    v.advance(0.6)
    assert len(v.wire.take()) == 2
    v.receive(incoming("ACK", tag="ours"))
    v.advance(30)
    assert v.wire.take() == []
    assert not v.hand.acks
    assert len(v.exchange) == len(v.timers) == 0


def test_the_ack_to_a_2xx_goes_to_the_user_whatever_its_branch() -> None:
    v = Virtual()
    begin(v, 200)
    v.receive(incoming())
    v.receive(incoming("ACK", branch="z9hG4bK2", tag="ours"))
    v.receive(incoming("ACK", branch="z9hG4bK1", tag="ours"))
    assert len(v.hand.acks) == 2


def test_a_request_by_two_ways_is_merged() -> None:
    v = Virtual()
    begin(v, 180)
    v.receive(incoming())
    v.receive(incoming(branch="z9hG4bK2"))
    assert [getattr(message, "status", 0) for message in v.wire.take()] == [180, 482]
    v.receive(incoming(branch="z9hG4bK3", cseq=2))  # with credentials, say
    assert len(v.hand.requests) == 2


def test_cancel_finds_its_invite() -> None:
    v = Virtual()
    begin(v, 180)
    v.receive(incoming())
    v.receive(incoming("CANCEL"))
    assert [server.key for server in v.hand.cancelled] == ["z9hG4bK1 192.0.2.7:5070 INVITE"]
    assert [getattr(message, "status", 0) for message in v.wire.take()] == [180, 200]
    v.receive(incoming("CANCEL"))
    assert len(v.hand.cancelled) == 1
    v.receive(incoming("CANCEL", branch="z9hG4bKother"))
    assert [getattr(message, "status", 0) for message in v.wire.take()] == [200, 481]


def test_cancel_of_an_answered_invite_changes_nothing() -> None:
    v = Virtual()
    begin(v, 200)
    v.receive(incoming())
    v.receive(incoming("CANCEL"))
    assert not v.hand.cancelled


def test_senders_of_rfc_2543_are_told_apart_by_what_they_have() -> None:
    v = Virtual()
    begin(v, 486)
    v.receive(incoming(branch=""))
    v.receive(incoming(branch=""))
    assert len(v.hand.requests) == 1
    v.wire.take()
    v.receive(incoming("ACK", branch="", tag="ours"))
    v.advance(4)
    assert v.wire.take() == []  # acknowledged
    v.receive(incoming(branch="", cseq=2))
    assert len(v.hand.requests) == 2


def test_the_same_branch_from_another_host_is_another_transaction() -> None:
    v = Virtual()
    v.receive(incoming("OPTIONS", call_id="c1"))
    v.receive(incoming("OPTIONS", call_id="c2", via="192.0.2.8:5070"))
    assert len(v.hand.requests) == 2


@pytest.mark.parametrize(
    ("via", "address", "noted"),
    [
        ("192.0.2.7:5070", ("192.0.2.7", 5070), "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1"),
        ("192.0.2.7", ("192.0.2.7", 5060), "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1"),
        (
            "10.0.0.5:5099",
            ("192.0.2.7", 5099),
            "SIP/2.0/UDP 10.0.0.5:5099;branch=z9hG4bK1;received=192.0.2.7",
        ),
        (
            "10.0.0.5:5099;rport",
            ("192.0.2.7", 5070),
            "SIP/2.0/UDP 10.0.0.5:5099;rport=5070;branch=z9hG4bK1;received=192.0.2.7",
        ),
        (
            "10.0.0.5;received=192.0.2.99;maddr=192.0.2.98",
            ("192.0.2.7", 5060),
            "SIP/2.0/UDP 10.0.0.5;maddr=192.0.2.98;branch=z9hG4bK1;received=192.0.2.7",
        ),
    ],
)
def test_where_answers_go(via: str, address: tuple[str, int], noted: str) -> None:
    """Section 18.2.2 and RFC 3581; what a sender claims about `received` is not believed."""
    v = Virtual()
    v.hand.responder = lambda request: v.exchange.respond_stateless(request, respond(request, 200))
    v.receive(incoming("OPTIONS", via=via))
    assert v.wire.sent[0][1] == address
    (answer,) = v.wire.take()
    assert answer.headers["via"] == [noted]


def test_an_answer_to_a_closed_connection_goes_over_a_new_one() -> None:
    v = Virtual("TCP")
    v.receive(incoming("OPTIONS", via="192.0.2.7:5099"))
    (request,) = v.hand.requests
    server = v.exchange.create_server(request)
    v.wire.closed = True
    v.exchange.respond(server, respond(request, 200))
    assert v.reached == [Target("TCP", "192.0.2.7", 5099)]
    assert len(v.fresh.take()) == 1


def test_an_answer_without_state_has_the_same_tag_each_time() -> None:
    v = Virtual()
    for _ in range(2):
        v.receive(incoming("OPTIONS"))
    first, second = (v.exchange.stateless_tag(request) for request in v.hand.requests)
    assert first == second
    assert len(v.exchange) == 0


@pytest.mark.parametrize(
    ("method", "times"),
    [
        ("INVITE", [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]),
        ("OPTIONS", [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]),
    ],
)
def test_a_request_without_an_answer_is_sent_again_and_given_up(method: str, times: list[float]) -> None:
    v = Virtual()
    told, _ = start(v, outgoing(method))
    v.advance(31.99)
    assert v.wire.times == times
    assert told.losses == []
    v.advance(0.02)
    assert told.losses == [FailureReason.TIMEOUT]
    assert len(v.exchange) == len(v.timers) == 0


def test_over_connections_nothing_is_sent_again() -> None:
    v = Virtual("TCP")
    told, _ = start(v, outgoing())
    v.advance(31)
    assert v.wire.take() == []
    v.advance(2)
    assert told.losses == [FailureReason.TIMEOUT]


def test_what_cannot_be_sent_is_told_later() -> None:
    v = Virtual()
    v.wire.broken = True
    told, _ = start(v, outgoing())
    assert told.losses == []
    v.advance(0)
    assert told.losses == [FailureReason.TRANSPORT]


def test_a_lost_connection_loses_what_has_no_answer() -> None:
    v = Virtual("TCP")
    told, _ = start(v, outgoing())
    other, request = start(v, outgoing("INVITE"))
    reply(v, request, 180)
    v.wire.closed = True
    v.exchange.on_channel_closed(v.wire)
    assert told.losses == [FailureReason.TRANSPORT]
    assert other.losses == []  # its answer may come over another connection


def test_answers_are_told_and_rejections_acknowledged_each_time() -> None:
    v = Virtual()
    told, invite = start(v, outgoing("INVITE"))
    reply(v, invite, 180)
    reply(v, invite, 486)
    reply(v, invite, 486)
    assert told.statuses == [180, 486]
    acks = v.wire.take()
    assert [getattr(ack, "method", "") for ack in acks] == ["ACK", "ACK"]
    ack = acks[0]
    assert isinstance(ack, Request)
    assert ack.headers["via"] == invite.headers["via"]
    assert (ack.uri, ack.cseq, ack.to.tag) == (invite.uri, invite.cseq, "peer")
    v.advance(33)
    assert len(v.exchange) == len(v.timers) == 0


def test_every_2xx_is_told() -> None:
    v = Virtual()
    told, invite = start(v, outgoing("INVITE"))
    for _ in range(3):
        reply(v, invite, 200)
    assert told.statuses == [200, 200, 200]
    v.advance(33)
    reply(v, invite, 200)
    assert told.statuses == [200, 200, 200]


def test_answers_to_nothing_of_ours_are_left() -> None:
    v = Virtual()
    told, request = start(v, outgoing())
    request.headers["via"] = [request.headers["via"][0] + "x"]
    reply(v, request, 200)
    assert told.statuses == []


def test_a_cancel_has_the_branch_of_its_invite() -> None:
    v = Virtual()
    told = Told()
    client = v.exchange.send_request(outgoing("INVITE"), v.hop, told.took, told.lost)
    v.exchange.cancel(client)
    invite, cancel = v.wire.take()
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    assert cancel.headers["via"] == invite.headers["via"]
    assert cancel.cseq == 1


def happen(
    v: Virtual, clients: list[tuple[Told, ClientTransaction]], happening: bytes | int | float | str
) -> None:
    """A message comes, time passes, everybody answers, or we send, cancel or lose the connection."""
    if isinstance(happening, bytes):
        v.receive(happening)
    elif isinstance(happening, float):
        v.advance(happening)
    elif isinstance(happening, int):
        for request in v.hand.requests[-2:]:
            v.exchange.respond(v.exchange.create_server(request), respond(request, happening, tag="ours"))
        for _, client in clients[-2:]:
            reply(v, client.request, happening)
    elif happening == "lose":
        v.exchange.on_channel_closed(v.wire)
    elif happening == "cancel":
        for _, client in clients[-1:]:
            if client.request.method == "INVITE":
                v.exchange.cancel(client)
    else:
        told = Told()
        clients.append((told, v.exchange.send_request(outgoing(happening), v.hop, told.took, told.lost)))


METHODS = ("INVITE", "OPTIONS", "BYE", "ACK", "CANCEL")


@given(
    st.booleans(),
    st.lists(
        st.one_of(
            st.builds(
                incoming,
                method=st.sampled_from(METHODS),
                branch=st.sampled_from(["", "z9hG4bK1", "z9hG4bK2"]),
                cseq=st.integers(1, 2),
                tag=st.sampled_from(["", "ours"]),
            ),
            st.sampled_from([100, 180, 200, 404]),
            st.floats(0, 40),
            st.sampled_from(["INVITE", "OPTIONS", "cancel", "lose"]),
        ),
        max_size=25,
    ),
)
def test_whatever_happens_nothing_is_left_behind(
    reliable: bool, happenings: list[bytes | int | float | str]
) -> None:
    """Any messages, answers and times: no exception, one final answer a client, and in the end no state."""
    v = Virtual("TCP" if reliable else "UDP")
    clients: list[tuple[Told, ClientTransaction]] = []
    for happening in happenings:
        happen(v, clients, happening)
    for _, client in clients:
        if client.request.method == "INVITE":
            v.exchange.abandon(client)  # rings without end otherwise
    v.advance(200)
    assert len(v.timers) == 0
    servers = len(v.exchange)
    assert (
        servers
        <= len({request.call_id + request.method + str(request.cseq) for request in v.hand.requests}) * 3
    )
    for told, client in clients:
        finals = [status for status in told.statuses if status >= 200]
        assert len(finals) + len(told.losses) <= 1 or (
            client.request.method == "INVITE" and set(finals) == {200}
        )
