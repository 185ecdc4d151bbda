"""The probes again, with SIPp as the phone; it cannot be made to send a BYE again."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from openivr.sip.auth.client import DigestClient, Login
from openivr.sip.auth.retry import AuthRetry
from openivr.sip.dialog.uas import InboundLeg
from tests.sip.front import free_port
from tests.sip.scene import Scene, play, scene
from tests.sip.sipp import SDP, answer, hear, pause, send, sipp, take, take_signed
from tests.sip.wire import ANSWER, OFFER, Ear, answer_at_once

ACK = send("ACK", cseq=1)
BYE = [send("BYE", cseq=9), hear(200)]
INVITE = send("INVITE", cseq=1, body=SDP)

INBOUND = {
    "a call": [INVITE, hear(200, check="m=audio|v=0"), ACK, *BYE],
    "INVITE sent again": [
        send("INVITE", cseq=1, body=SDP, branch="z9hG4bK-same-[call_number]"),
        hear(200),
        send("INVITE", cseq=1, body=SDP, branch="z9hG4bK-same-[call_number]"),
        pause(100),
        ACK,
        *BYE,
    ],
    "INFO": [
        INVITE,
        hear(200),
        ACK,
        send("INFO", cseq=2, body="Signal=5\nDuration=160", kind="application/dtmf-relay"),
        hear(200),
        send("INFO", cseq=3, body="6", kind="application/dtmf"),
        hear(200),
        *BYE,
    ],
    "re-INVITE": [
        INVITE,
        hear(200),
        ACK,
        send("INVITE", cseq=2, body=SDP + "\na=sendonly"),
        hear(200, check="application/sdp", header="Content-Type:"),
        send("ACK", cseq=2),
        *BYE,
    ],
    "Record-Route": [
        send("INVITE", "Record-Route: <sip:127.0.0.1:[local_port];lr>", cseq=1, body=SDP),
        hear(200, check="127.0.0.1:[0-9]+;lr", header="Record-Route:"),
        ACK,
        *BYE,
    ],
    "Require": [
        send("INVITE", "Require: foo", cseq=1, body=SDP),
        hear(420, check="foo", header="Unsupported:"),
        ACK,
    ],
    "INVITE without SDP": [
        send("INVITE", cseq=1),
        hear(200, check="application/sdp", header="Content-Type:"),
        send("ACK", cseq=1, body=SDP),
        *BYE,
    ],
    "CANCEL": [
        send("INVITE", "X-Ring: only", cseq=1, body=SDP, branch="z9hG4bK-gone-[call_number]"),
        hear(180),
        send("CANCEL", cseq=1, branch="z9hG4bK-gone-[call_number]"),
        hear(200),
        hear(487),
        send("ACK", cseq=1, branch="z9hG4bK-gone-[call_number]"),
    ],
    "UPDATE": [INVITE, hear(200), ACK, send("UPDATE", cseq=2, body=SDP), hear(200, check="sdp"), *BYE],
    "PRACK": [
        send("INVITE", "X-Ring: only", "Require: 100rel", cseq=1, body=SDP),
        hear(180, check="100rel", header="Require:"),
        send("PRACK", "RAck: 1 1 INVITE", cseq=2),
        hear(481),  # it has another number; the right one is tested elsewhere
        send("BYE", cseq=3),
        hear(200),
        hear(487),
        send("ACK", cseq=1),
    ],
}


def ring_or_answer(leg: InboundLeg) -> None:
    if leg.request.get("x-ring"):
        leg.progress()
    else:
        leg.answer(ANSWER if leg.body else OFFER)


@pytest.mark.parametrize("name", INBOUND)
def test_sipp_calls(name: str, tmp_path: Path) -> None:
    @play
    async def run() -> None:
        async with scene(ring_or_answer) as s:
            async with sipp(INBOUND[name], tmp_path, to=s.agent.listening[0].port):
                pass
            assert s.house.calls.qsize() == (0 if name == "Require" else 1)
            assert s.agent.leg_count == 0
            if name == "INFO":
                _, ear = await s.house.call()
                await ear.hears("acknowledged")
                assert [await ear.hears("digit") for _ in range(2)] == [("5", 160), ("6", 160)]

    run()


TAKEN = [take("INVITE"), answer(180), answer(200, body=SDP), take("ACK")]
HUNG_UP = [take("BYE"), answer(200, tag="")]


async def hang_up(s: Scene, uri: str) -> None:
    ear = Ear()
    leg = s.agent.call(uri, ear, body=OFFER)
    await ear.hears("progressed")
    await ear.hears("answered")
    leg.hangup()
    await ear.ending("ended")


async def fail(s: Scene, uri: str) -> None:
    ear = Ear()
    s.agent.call(uri, ear, body=OFFER)
    assert (await ear.ending("failed")).status in (408, 486)


async def sign(s: Scene, uri: str) -> None:
    ear = Ear()
    login = AuthRetry(DigestClient(Login("line", "secret")))
    leg = s.agent.call(uri, ear, body=OFFER, authorise=login)
    await ear.hears("answered")
    leg.hangup()


async def give_up(s: Scene, uri: str) -> None:
    ear = Ear()
    leg = s.agent.call(uri, ear, body=OFFER)
    await ear.hears("progressed")
    leg.hangup()
    await ear.ending("failed")


CHALLENGE = 'WWW-Authenticate: Digest realm="sipp", nonce="{}", algorithm=MD5, qop="auth"{}'
AWAY = "sip:away@127.0.0.2:9"
OUTBOUND: dict[str, tuple[list[str], Callable[[Scene, str], Awaitable[None]]]] = {
    "a call": ([*TAKEN, *HUNG_UP], hang_up),
    "our INVITE unanswered": ([take("INVITE"), pause(1500)], fail),
    "486": ([take("INVITE"), answer(486), take("ACK")], fail),
    "401, then a nonce gone stale": (
        [
            take("INVITE"),
            answer(401, CHALLENGE.format("first", "")),
            take("ACK"),
            take_signed("INVITE", "line", "secret"),
            answer(401, CHALLENGE.format("second", ", stale=true")),
            take("ACK"),
            take("INVITE"),
            answer(200, body=SDP),
            take("ACK"),
            *HUNG_UP,
        ],
        sign,
    ),
    "200 from another Contact": (
        [
            take("INVITE"),
            answer(180),
            answer(200, "Record-Route: <sip:127.0.0.1:[local_port];lr>", f"Contact: <{AWAY}>", body=SDP),
            take("ACK", check=f"ACK {AWAY}"),
            take("BYE", check=f"BYE {AWAY}"),
            answer(200, tag=""),
        ],
        hang_up,
    ),
    "our BYE unanswered": ([*TAKEN, take("BYE"), pause(200), answer(200, tag="")], hang_up),
    "our CANCEL crosses a 200": (
        [
            take("INVITE"),
            answer(180),
            take("CANCEL"),
            answer(200, cseq="CSeq: 1 INVITE", body=SDP),
            take("ACK"),
            *HUNG_UP,
        ],
        give_up,
    ),
}


@pytest.mark.parametrize("name", OUTBOUND)
def test_sipp_is_called(name: str, tmp_path: Path) -> None:
    steps, do = OUTBOUND[name]

    @play
    async def run() -> None:
        port = free_port()
        async with scene(answer_at_once) as s:
            async with sipp(steps, tmp_path, port=port):
                await do(s, f"sip:100@127.0.0.1:{port}")
            assert s.agent.leg_count == 0

    run()
