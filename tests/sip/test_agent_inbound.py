"""Calls that peers place: what an agent answers, message by message."""

from dataclasses import replace

import pytest

from openivr.sip.handler import DROP, LocalResponse
from openivr.sip.message.message import Request, Response
from openivr.sip.termination import FailureReason
from tests.sip.scene import play, scene
from tests.sip.wire import ANSWER, OFFER, QUICK, answer_at_once, settings, to_tag


@play
async def test_a_call_rings_is_answered_and_hung_up_by_us() -> None:
    async with scene() as s:
        s.phone.request("INVITE", body=OFFER)
        leg, ear = await s.house.call()
        assert leg.body == OFFER
        leg.progress(headers=[("Alert-Info", "<urn:alert:tone>")])
        ringing = await s.phone.response(180)
        assert ringing.get("alert-info") == "<urn:alert:tone>"
        leg.answer(ANSWER)
        answer = await s.phone.response(200)
        assert to_tag(answer) == to_tag(ringing) != ""
        assert answer.body == ANSWER
        assert "UPDATE" in answer.values("allow")
        assert answer.get("contact") == f"<sip:127.0.0.1:{s.agent.listening[0].port}>"
        s.phone.to_tag = to_tag(answer)
        s.phone.request("ACK", cseq=1)
        await ear.hears("acknowledged")
        leg.hangup(headers=[("Reason", 'Q.850;cause=16;text="bye"')])
        bye = await s.phone.asked("BYE")
        assert bye.uri == s.phone.uri
        assert bye.get("reason").startswith("Q.850")
        assert (bye.from_.tag, bye.to.tag) == (s.phone.to_tag, s.phone.tag)
        s.phone.reply(bye, 200)
        assert not (await ear.ending("ended")).by_peer
        assert s.agent.leg_count == 0


@play
async def test_100_is_said_when_nothing_else_is() -> None:
    async with scene() as s:
        invite = s.phone.request("INVITE", "Timestamp: 54", body=OFFER)
        trying = await s.phone.response(100)
        assert trying.get("timestamp") == "54"
        assert not to_tag(trying)
        s.phone.send(invite)
        await s.phone.response(100, again=True)
        leg, _ = await s.house.call()
        leg.reject(486)
        busy = await s.phone.response(486)
        s.phone.request("ACK", cseq=1, to=busy.get("to"))


@play
async def test_a_rejected_call_is_over_once_acknowledged() -> None:
    async with scene(lambda leg: leg.reject(302, headers=[("Contact", "<sip:b@192.0.2.2>")])) as s:
        invite = s.phone.request("INVITE", body=OFFER)
        moved = await s.phone.response(302)
        assert moved.get("contact") == "<sip:b@192.0.2.2>"
        again = await s.phone.response(302, again=True)
        assert again.headers == moved.headers
        branch = invite.partition(b"branch=")[2].partition(b"\r\n")[0].decode()
        s.phone.request("ACK", cseq=1, branch=branch, to=moved.get("to"))
        await s.phone.quiet(0.2)
        _, ear = await s.house.call()
        assert (await ear.ending("failed")).status == 302


@play
async def test_cancel_before_an_answer() -> None:
    async with scene(lambda leg: leg.progress()) as s:
        s.phone.request("INVITE", body=OFFER, branch="z9hG4bKc")
        await s.phone.response(180)
        s.phone.request("CANCEL", 'Reason: Q.850;cause=26;text="elsewhere"', cseq=1, branch="z9hG4bKc")
        await s.phone.response(200, "CANCEL")
        await s.phone.response(487, "INVITE")
        leg, ear = await s.house.call()
        ending = await ear.ending("failed")
        assert (ending.status, ending.reason, ending.cause, ending.by_peer) == (487, "elsewhere", 26, True)
        leg.answer(ANSWER)
        leg.progress()
        leg.hangup()
        assert s.agent.leg_count == 0


@play
async def test_bye_before_an_answer() -> None:
    async with scene(lambda leg: leg.progress()) as s:
        s.phone.request("INVITE", body=OFFER)
        s.phone.to_tag = to_tag(await s.phone.response(180))
        s.phone.request("BYE")
        await s.phone.response(200, "BYE")
        await s.phone.response(487, "INVITE")
        _, ear = await s.house.call()
        await ear.ending("failed")


@play
async def test_a_bye_of_ours_waits_for_the_ack() -> None:
    async with scene() as s:
        s.phone.request("INVITE", body=OFFER)
        leg, ear = await s.house.call()
        leg.answer(ANSWER)
        leg.hangup()
        await ear.ending("ended")
        answer = await s.phone.response(200)
        await s.phone.response(200, again=True)
        s.phone.to_tag = to_tag(answer)
        s.phone.request("ACK", cseq=1)
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
        assert s.agent.leg_count == 0


@play
async def test_a_bye_that_waits_for_no_ack_is_sent_in_the_end() -> None:
    async with scene() as s:
        s.phone.request("INVITE", body=OFFER)
        leg, ear = await s.house.call()
        leg.answer(ANSWER)
        leg.hangup()
        await ear.ending("ended")
        await s.phone.response(200)
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
        assert s.agent.leg_count == 0


@play
async def test_a_reason_tells_why() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        s.phone.request("BYE", 'Reason: SIP;cause=200, Q.850;cause=31;text="Normal, unspecified"')
        await s.phone.response(200, "BYE")
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        ending = await ear.ending("ended")
        assert (ending.cause, ending.reason, ending.by_peer) == (31, "Normal, unspecified", True)


@play
async def test_early_media_is_sent_reliably_where_the_peer_can() -> None:
    async with scene(lambda leg: leg.progress(183, ANSWER)) as s:
        s.phone.request("INVITE", "Supported: 100rel", body=OFFER)
        first = await s.phone.response(183)
        assert first.values("require") == ["100rel"]
        assert first.body == ANSWER
        again = await s.phone.response(183, again=True)
        assert again.get("rseq") == first.get("rseq")
        leg, _ = await s.house.call()
        leg.answer(ANSWER)
        s.phone.to_tag = to_tag(first)
        s.phone.request("PRACK", f"RAck: {int(first.get('rseq')) + 1} 1 INVITE")
        await s.phone.response(481, "PRACK")
        s.phone.request("PRACK", f"RAck: {first.get('rseq')} 1 INVITE")
        await s.phone.response(200, "PRACK")
        answer = await s.phone.response(200, "INVITE")
        assert answer.body == b""  # it was in the 183


@play
async def test_what_is_required_to_be_reliable_is_one_after_the_other() -> None:
    async with scene(lambda leg: leg.progress(180)) as s:
        s.phone.request("INVITE", "Require: 100rel", body=OFFER)
        ringing = await s.phone.response(180)
        leg, _ = await s.house.call()
        leg.progress(182)
        s.phone.to_tag = to_tag(ringing)
        s.phone.request("PRACK", f"RAck: {ringing.get('rseq')} 1 INVITE")
        await s.phone.response(200, "PRACK")
        queued = await s.phone.response(182)
        assert int(queued.get("rseq")) == int(ringing.get("rseq")) + 1
        leg.answer(ANSWER)  # nothing of it is in the 182, so it need not wait
        await s.phone.response(200, "INVITE")


@play
async def test_a_provisional_that_nobody_confirms_ends_the_call() -> None:
    async with scene(lambda leg: leg.progress(180)) as s:
        s.phone.request("INVITE", "Require: 100rel", body=OFFER)
        message: Request | Response = await s.phone.response(180)
        while isinstance(message, Response) and message.status == 180:
            message = await s.phone.receive()
        assert isinstance(message, Response)
        assert message.status == 504
        _, ear = await s.house.call()
        await ear.ending("failed")


@play
async def test_a_second_invite_before_the_answer_has_to_wait() -> None:
    async with scene(lambda leg: leg.progress()) as s:
        s.phone.request("INVITE", body=OFFER)
        s.phone.to_tag = to_tag(await s.phone.response(180))
        s.phone.request("INVITE", body=OFFER)
        response = await s.phone.response(500)
        assert response.get("retry-after")


@play
async def test_numbers_of_requests_only_rise() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        s.phone.request("OPTIONS", cseq=9)
        await s.phone.response(200)
        s.phone.request("INFO", cseq=5)
        await s.phone.response(500)


@play
async def test_the_session_timer_is_negotiated() -> None:
    async with scene(answer_at_once) as s:
        s.phone.request("INVITE", "Supported: timer", "Session-Expires: 60", body=OFFER)
        small = await s.phone.response(422)
        assert small.get("min-se") == "90"
        for asked, agreed in [
            (("Session-Expires: 120",), "120;refresher=uac"),
            (("Session-Expires: 120;refresher=uas",), "120;refresher=uas"),
            ((), "1800;refresher=uac"),
            (("Min-SE: 3600",), "3600;refresher=uac"),
        ]:
            s.phone.call_id += "x"
            s.phone.request("INVITE", "Supported: timer", *asked, body=OFFER)
            answer = await s.phone.response(200)
            assert answer.get("session-expires") == agreed
            assert answer.values("require") == (["timer"] if agreed.endswith("uac") else [])
            s.phone.request("ACK", cseq=s.phone.cseq, to=answer.get("to"))
        s.phone.call_id += "x"
        s.phone.request("INVITE", "Session-Expires: 120;refresher=uac", body=OFFER)
        assert (await s.phone.response(200)).get("session-expires") == "120;refresher=uas"


@play
async def test_a_peer_that_does_not_refresh_is_gone() -> None:
    async with scene(answer_at_once, settings(min_session=1)) as s:
        await s.phone.establish("Supported: timer", "Session-Expires: 1;refresher=uac")
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        assert (await ear.ending("ended")).failure is FailureReason.EXPIRED


@play
async def test_we_refresh_by_update_or_with_the_same_description() -> None:
    async with scene(answer_at_once, settings(min_session=1)) as s:
        await s.phone.establish(
            "Supported: timer", "Session-Expires: 1;refresher=uas", "Allow: INVITE, UPDATE, BYE"
        )
        update = await s.phone.asked("UPDATE")
        assert update.get("session-expires") == "1;refresher=uac"
        assert update.body == b""
        s.phone.reply(update, 200, "Session-Expires: 1;refresher=uac")
        update = await s.phone.asked("UPDATE")
        s.phone.reply(update, 481)
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
    async with scene(answer_at_once, settings(min_session=1)) as s:
        await s.phone.establish("Supported: timer", "Session-Expires: 1;refresher=uas")
        invite = await s.phone.asked("INVITE")
        assert invite.body == ANSWER
        s.phone.reply(invite, 200, "Session-Expires: 1;refresher=uac", body=OFFER)
        await s.phone.asked("ACK")


@pytest.mark.parametrize(
    ("headers", "status", "name", "value"),
    [
        (("Accept: text/plain",), 406, "accept", "application/sdp"),
        (("Content-Type: text/plain",), 415, "accept", "application/sdp"),
        (("Content-Encoding: gzip",), 415, "accept-encoding", "identity"),
        (("Replaces: nobody;to-tag=1;from-tag=2",), 481, "", ""),
        (("Replaces: nobody",), 400, "", ""),
    ],
)
def test_invites_that_are_refused(headers: tuple[str, ...], status: int, name: str, value: str) -> None:
    @play
    async def probe() -> None:
        async with scene() as s:
            s.phone.request("INVITE", *headers, body=OFFER)
            response = await s.phone.response(status)
            assert response.get(name) == value
            assert s.house.calls.empty()

    probe()


@play
async def test_a_call_that_has_come_too_far_is_refused() -> None:
    async with scene() as s:
        s.phone.send(s.phone.build("INVITE", body=OFFER).replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
        await s.phone.response(483)


@play
async def test_bodies_that_may_be_left_are_left() -> None:
    async with scene(lambda leg: leg.answer(OFFER)) as s:
        s.phone.request(
            "INVITE",
            "Content-Type: text/plain",
            "Content-Disposition: render; handling=optional",
            body=b"hello",
        )
        assert (await s.phone.response(200)).body == OFFER


@play
async def test_methods() -> None:
    async with scene() as s:
        s.phone.request("OPTIONS")
        options = await s.phone.response(200)
        assert options.get("accept") == "application/sdp"
        assert "INVITE" in options.values("allow")
        s.phone.request("PUBLISH")
        assert "INVITE" in (await s.phone.response(405)).values("allow")
        s.phone.request("MESSAGE")
        await s.phone.response(200)
        s.phone.request("REGISTER")
        assert (await s.phone.response(200)).get("contact") == f"<{s.phone.uri}>"
        s.phone.to_tag = "nobody"
        for method in ("BYE", "INVITE", "INFO", "OPTIONS"):
            s.phone.request(method)
            await s.phone.response(481)


@play
async def test_methods_within_a_call() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        s.phone.request("OPTIONS")
        await s.phone.response(200)
        s.phone.request("PUBLISH")
        await s.phone.response(405)
        s.phone.request("PRACK", "RAck: 1 1 INVITE")
        await s.phone.response(481)
        s.phone.request("INFO", "Content-Type: text/plain", body=b"5")
        assert "application/dtmf-relay" in (await s.phone.response(415)).values("accept")
        s.phone.request("INFO")
        await s.phone.response(200)
        s.phone.request("NOTIFY", "Event: presence", "Subscription-State: active")
        await s.phone.response(489)
        s.phone.request("INVITE", "Require: foo", body=OFFER)
        assert (await s.phone.response(420)).values("unsupported") == ["foo"]
        s.phone.request("UPDATE", "Content-Type: text/plain", body=b"x")
        await s.phone.response(415)
        assert ear.heard.empty()


@play
async def test_an_update_offers_anew() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        s.phone.request("UPDATE", body=OFFER)
        assert (await s.phone.response(200)).body == ANSWER
        assert await ear.hears("offered") == OFFER
        s.phone.request("UPDATE")
        assert (await s.phone.response(200)).body == b""
        ear.answer = None
        s.phone.request("UPDATE", body=OFFER)
        await s.phone.response(488)


@play
async def test_a_reinvite_that_is_refused_changes_nothing() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        leg, ear = await s.house.call()
        await ear.hears("acknowledged")
        ear.answer = None
        s.phone.request("INVITE", "Contact: <sip:elsewhere@192.0.2.77>", body=OFFER)
        await s.phone.response(488)
        assert leg.dialog is not None
        assert leg.dialog.remote_target == s.phone.uri


@play
async def test_a_reinvite_may_ask_for_our_offer() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        s.phone.request("INVITE")
        assert (await s.phone.response(200)).body == OFFER
        await ear.hears("wanted")
        s.phone.request("UPDATE", body=OFFER)
        await s.phone.response(491)  # it crosses the offer in our 200
        s.phone.request("ACK", cseq=s.phone.cseq - 1, body=b"v=0 theirs")
        assert await ear.hears("agreed") == b"v=0 theirs"


@play
async def test_a_reinvite_moves_the_target() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        leg, _ = await s.house.call()
        moved = f"sip:moved@127.0.0.1:{s.phone.port}"
        data = s.phone.build("INVITE", body=OFFER).replace(
            f"Contact: <{s.phone.uri}>".encode(), f"Contact: <{moved}>".encode()
        )
        s.phone.send(data)
        await s.phone.response(200)
        s.phone.request("ACK", cseq=s.phone.cseq)
        leg.send_dtmf_info("#", 100)
        info = await s.phone.asked("INFO")
        assert info.uri == moved
        assert info.body == b"Signal=#\r\nDuration=100\r\n"
        s.phone.reply(info, 200)


@play
async def test_strangers_are_decided_on_before_anything_is_kept() -> None:
    async with scene() as s:
        s.house.verdict = LocalResponse(401, headers=(("WWW-Authenticate", 'Digest realm="x"'),))
        invite = s.phone.request("INVITE", body=OFFER)
        first = await s.phone.response(401)
        s.phone.send(invite)
        assert (await s.phone.response(401, again=True)).encode() == first.encode()
        assert len(s.agent._context.transactions) == 0  # the transaction that is not there
        s.phone.request("ACK", cseq=1, to=first.get("to"))
        s.house.verdict = DROP
        s.phone.request("REGISTER")
        await s.phone.quiet()
        s.house.verdict = None
        s.house.deaf = True
        s.phone.request("REGISTER")
        await s.phone.quiet()
        s.house.deaf = False
        s.phone.send(b"GET / HTTP/1.0\r\n\r\n")
        s.phone.request("OPTIONS", "Content-Length: 5")
        await s.phone.response(400)
        assert s.house.complaints == 2


@play
async def test_full_and_draining_agents_say_503() -> None:
    async with scene(None, settings(max_transactions=0)) as s:
        s.phone.request("INVITE", body=OFFER)
        assert (await s.phone.response(503)).get("retry-after")
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        leg, ear = await s.house.call()
        await s.agent.drain(0.01)
        s.phone.to_tag = ""
        s.phone.call_id = "other"
        s.phone.request("INVITE", body=OFFER)
        assert (await s.phone.response(503)).get("retry-after")
        await ear.hears("acknowledged")
        leg.hangup()
        await s.agent.drain(5)
        assert s.agent.leg_count == 0


@play
async def test_a_nat_is_answered_through() -> None:
    """A private address in Via and Contact that the phone did not send from: its real one is used."""
    async with scene(answer_at_once) as s:
        private = b"10.0.0.99:5062"
        real = f"127.0.0.1:{s.phone.port}".encode()
        data = s.phone.build("INVITE", body=OFFER).replace(
            b"Via: SIP/2.0/UDP " + real, b"Via: SIP/2.0/UDP " + private + b";rport"
        )
        s.phone.send(data.replace(b"Contact: <sip:phone@" + real, b"Contact: <sip:phone@" + private))
        answer = await s.phone.response(200)
        assert f"rport={s.phone.port}" in answer.get("via")
        assert "received=127.0.0.1" in answer.get("via")
        s.phone.to_tag = to_tag(answer)
        s.phone.request("ACK", cseq=1)
        leg, ear = await s.house.call()
        await ear.hears("acknowledged")
        leg.hangup()
        bye = await s.phone.asked("BYE")
        assert bye.uri == "sip:phone@10.0.0.99:5062"
        s.phone.reply(bye, 200)


@play
async def test_an_owner_that_fails_loses_one_call() -> None:
    def fail(leg: object) -> None:
        raise RuntimeError("trouble")

    async with scene(fail, replace(settings(), timing=QUICK)) as s:
        s.phone.request("INVITE", body=OFFER)
        await s.phone.response(500)
        assert s.agent.leg_count == 0
