"""The probes that ready-made stacks fail, over real sockets, message by message."""

from openivr.sip.message.message import Request, Response
from openivr.sip.termination import FailureReason
from tests.sip.scene import play, scene
from tests.sip.wire import ANSWER, OFFER, Ear, answer_at_once, to_tag


@play
async def test_an_invite_sent_again_gets_the_same_200_and_makes_no_second_call() -> None:
    async with scene(answer_at_once) as s:
        invite = s.phone.request("INVITE", body=OFFER)
        first = await s.phone.response(200)
        s.phone.send(invite)
        again = await s.phone.response(200, again=True)
        assert again.encode() == first.encode()
        assert s.house.calls.qsize() == 1


@play
async def test_a_200_is_sent_until_it_is_acknowledged() -> None:
    async with scene(answer_at_once) as s:
        s.phone.request("INVITE", body=OFFER)
        for _ in range(3):
            response = await s.phone.response(200, again=True)
        s.phone.to_tag = to_tag(response)
        s.phone.request("ACK", cseq=1)
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        await s.phone.quiet()


@play
async def test_a_200_that_nobody_acknowledges_ends_in_bye() -> None:
    async with scene(answer_at_once) as s:
        s.phone.request("INVITE", body=OFFER)
        message: Request | Response = await s.phone.response(200)
        while isinstance(message, Response):
            message = await s.phone.receive()
        assert message.method == "BYE"
        _, ear = await s.house.call()
        assert (await ear.ending("ended")).failure is FailureReason.NO_ACK


@play
async def test_a_bye_sent_again_is_answered_again() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        bye = s.phone.request("BYE")
        await s.phone.response(200, "BYE")
        s.phone.send(bye)
        await s.phone.response(200, "BYE", again=True)
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        assert (await ear.ending("ended")).by_peer


@play
async def test_info_brings_digits() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        relay = ("Content-Type: application/dtmf-relay",)
        s.phone.request("INFO", *relay, body=b"Signal=5\r\nDuration=250\r\n")
        await s.phone.response(200, "INFO")
        assert await ear.hears("digit") == ("5", 250)
        s.phone.request("INFO", "Content-Type: application/dtmf", body=b"11")
        await s.phone.response(200, "INFO")
        assert await ear.hears("digit") == ("#", 160)


@play
async def test_a_reinvite_is_answered_afresh() -> None:
    async with scene(answer_at_once) as s:
        await s.phone.establish()
        _, ear = await s.house.call()
        await ear.hears("acknowledged")
        ear.answer = b"v=0 held"
        s.phone.request("INVITE", body=b"v=0 hold")
        response = await s.phone.response(200)
        assert response.body == b"v=0 held"
        assert await ear.hears("offered") == b"v=0 hold"
        s.phone.request("ACK", cseq=s.phone.cseq)
        await s.phone.quiet()


@play
async def test_record_route_is_copied_and_followed() -> None:
    async with scene(answer_at_once) as s:
        route = f"<sip:127.0.0.1:{s.phone.port};lr>"
        s.phone.request("INVITE", f"Record-Route: {route}, <sip:192.0.2.1;lr>", body=OFFER)
        response = await s.phone.response(200)
        assert response.headers["record-route"] == [f"{route}, <sip:192.0.2.1;lr>"]
        s.phone.to_tag = to_tag(response)
        s.phone.request("ACK", cseq=1)
        leg, ear = await s.house.call()
        await ear.hears("acknowledged")
        leg.hangup()
        bye = await s.phone.asked("BYE")
        assert bye.values("route") == [route, "<sip:192.0.2.1;lr>"]
        s.phone.reply(bye, 200)


@play
async def test_what_is_required_and_unknown_is_refused() -> None:
    async with scene() as s:
        s.phone.request("INVITE", "Require: foo, 100rel, bar", body=OFFER)
        response = await s.phone.response(420)
        assert response.values("unsupported") == ["foo", "bar"]
        assert s.house.calls.empty()


@play
async def test_an_invite_without_an_offer_gets_ours_and_its_ack_brings_the_answer() -> None:
    async with scene(lambda leg: leg.answer(OFFER)) as s:
        s.phone.request("INVITE")
        response = await s.phone.response(200)
        assert response.body == OFFER
        s.phone.to_tag = to_tag(response)
        s.phone.request("ACK", cseq=1, body=ANSWER)
        leg, ear = await s.house.call()
        assert leg.body == b""
        assert await ear.hears("acknowledged") == ANSWER


@play
async def test_our_invite_is_sent_again_and_given_up() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        times = 0
        while ear.heard.empty():
            await s.phone.asked("INVITE", again=True)
            times += 1
            if times == 6:  # timer A: 0, 1, 3, 7, 15, 31 times T1; at 63 times a busy machine may be past B
                break
        ending = await ear.ending("failed")
        assert (ending.status, ending.failure) == (408, FailureReason.TIMEOUT)


@play
async def test_a_486_is_acknowledged() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 486, tag="busy")
        ack = await s.phone.asked("ACK")
        assert ack.headers["via"][0] == invite.headers["via"][0]
        assert ack.to.tag == "busy"
        assert (await ear.ending("failed")).status == 486


@play
async def test_a_401_is_acknowledged_and_answered_with_credentials() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(
            s.phone.uri,
            ear,
            body=OFFER,
            authorise=lambda request, response: ("Authorization", f"for {response.status}"),
        )
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 401, 'WWW-Authenticate: Digest realm="x", nonce="1"', tag="a")
        await s.phone.asked("ACK")
        second = await s.phone.asked("INVITE")
        assert second.get("authorization") == "for 401"
        assert second.cseq == invite.cseq + 1
        assert (second.call_id, second.from_.tag) == (invite.call_id, invite.from_.tag)
        assert not second.to.tag
        s.phone.reply(second, 401, 'WWW-Authenticate: Digest realm="x", nonce="2", stale=true', tag="b")
        await s.phone.asked("ACK")
        third = await s.phone.asked("INVITE")
        s.phone.reply(third, 200, tag="c", body=ANSWER)
        ack = await s.phone.asked("ACK")
        assert ack.cseq == third.cseq
        assert await ear.hears("answered") == ANSWER


@play
async def test_a_200_from_another_contact_is_followed_along_its_routes() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        away = "sip:desk@192.0.2.9:5999"
        routes = f"Record-Route: <sip:192.0.2.1;lr>, <sip:127.0.0.1:{s.phone.port};lr>"
        s.phone.reply(invite, 200, f"Contact: <{away}>", routes, tag="c", body=ANSWER)
        ack = await s.phone.asked("ACK")
        assert ack.uri == away
        assert ack.values("route") == [f"<sip:127.0.0.1:{s.phone.port};lr>", "<sip:192.0.2.1;lr>"]
        await ear.hears("answered")
        leg.hangup()
        bye = await s.phone.asked("BYE")
        assert (bye.uri, bye.values("route")) == (away, ack.values("route"))
        s.phone.reply(bye, 200)


@play
async def test_our_bye_is_sent_again() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 200, tag="c", body=ANSWER)
        await s.phone.asked("ACK")
        leg.hangup()
        first = await s.phone.asked("BYE")
        again = await s.phone.asked("BYE", again=True)
        assert first.headers == again.headers
        s.phone.reply(again, 200)
        await s.phone.quiet(0.2)


@play
async def test_a_cancel_that_crosses_a_200_leaves_no_ghost() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 180, tag="c")
        await ear.hears("progressed")
        leg.hangup()
        assert (await ear.ending("failed")).failure is FailureReason.CANCELLED
        cancel = await s.phone.asked("CANCEL")
        assert cancel.headers["via"] == invite.headers["via"]
        s.phone.reply(invite, 200, tag="c", body=ANSWER)
        await s.phone.asked("ACK")
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
        s.phone.reply(cancel, 481)
