"""Calls that we place: what an agent sends and how it takes answers, message by message."""

import asyncio

import pytest

from openivr.sip.address import Target
from openivr.sip.dialog.call_leg import Authorise
from openivr.sip.dialog.uac import OutboundLeg
from openivr.sip.message.message import NOWHERE, Request, Response
from openivr.sip.termination import FailureReason
from tests.sip.scene import Scene, play, scene
from tests.sip.wire import ANSWER, OFFER, SECONDS, Ear, Phone, settings


async def answered(s: Scene, ear: Ear, authorise: Authorise | None = None) -> tuple[OutboundLeg, Request]:
    """Place a call that the phone answers; the INVITE."""
    leg = s.agent.call(s.phone.uri, ear, body=OFFER, authorise=authorise)
    invite = await s.phone.asked("INVITE")
    s.phone.reply(invite, 200, tag="peer", body=ANSWER)
    await s.phone.asked("ACK")
    assert await ear.hears("answered") == ANSWER
    return leg, invite


@play
async def test_an_invite_says_who_calls_and_how_to_come_back() -> None:
    async with scene() as s:
        s.agent.call(
            s.phone.uri,
            Ear(),
            body=OFFER,
            caller="sip:2000@example.com",
            caller_name='Ada "B"',
            contact_user="2000",
            headers=[("Alert-Info", "<urn:x>"), ("P-Asserted-Identity", "<sip:1@x>")],
            max_forwards=17,
        )
        invite = await s.phone.asked("INVITE")
        assert (invite.from_.display, invite.from_.uri) == ('Ada "B"', "sip:2000@example.com")
        assert invite.from_.tag
        assert (invite.to.uri, invite.to.tag) == (s.phone.uri, "")
        assert invite.get("contact") == f"<sip:2000@127.0.0.1:{s.agent.listening[0].port}>"
        assert (invite.get("alert-info"), invite.get("p-asserted-identity")) == ("<urn:x>", "<sip:1@x>")
        assert (invite.get("max-forwards"), invite.get("user-agent")) == ("17", "OpenIVR")
        assert invite.tokens("supported") == {"100rel", "timer", "replaces", "norefersub"}
        assert (invite.get("session-expires"), invite.get("min-se")) == ("1800", "90")
        assert invite.media_type() == "application/sdp"
        assert invite.via is not None
        assert "rport" in invite.via.parameters


@play
async def test_early_media_then_an_answer_then_their_bye() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 100)
        s.phone.reply(invite, 183, tag="peer", body=ANSWER)
        assert await ear.hears("progressed") == (183, ANSWER)
        s.phone.reply(invite, 200, tag="peer", body=ANSWER)
        ack = await s.phone.asked("ACK")
        assert (ack.to.tag, ack.cseq, ack.body) == ("peer", 1, b"")
        await ear.hears("answered")
        s.phone.reply(invite, 200, tag="peer", body=ANSWER)
        await s.phone.asked("ACK")
        assert leg.source.port == s.phone.port
        s.phone.send(from_peer(s.phone, invite, "BYE", 1))
        await s.phone.response(200, "BYE")
        assert (await ear.ending("ended")).by_peer
        assert s.agent.leg_count == 0


def from_peer(
    phone: Phone, invite: Request, method: str, cseq: int, *headers: str, body: bytes = b""
) -> bytes:
    """A request of the side that was called."""
    phone.call_id, phone.tag = invite.call_id, "peer"
    phone.cseq = cseq
    return phone.build(method, *headers, cseq=cseq, body=body, to=invite.get("from"), uri=contact(invite))


def contact(message: Request | Response) -> str:
    return message.get("contact").strip("<>")


@play
async def test_their_offer_is_answered_in_the_ack() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear)
        invite = await s.phone.asked("INVITE")
        assert invite.body == b""
        s.phone.reply(invite, 200, tag="peer", body=OFFER)
        assert await ear.hears("offered") == OFFER
        assert (await s.phone.asked("ACK")).body == ANSWER
        assert await ear.hears("answered") == b""


@play
async def test_an_offer_in_a_200_that_nobody_can_take_ends_the_call() -> None:
    async with scene() as s:
        ear = Ear()
        ear.answer = None
        s.agent.call(s.phone.uri, ear)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 200, tag="peer", body=OFFER)
        await ear.hears("offered")
        await s.phone.asked("ACK")
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
        assert (await ear.ending("failed")).status == 488


@play
async def test_a_second_phone_that_answers_is_hung_up() -> None:
    async with scene() as s:
        ear = Ear()
        _, invite = await answered(s, ear)
        s.phone.reply(invite, 200, tag="other", body=ANSWER)
        assert (await s.phone.asked("ACK")).to.tag == "other"
        bye = await s.phone.asked("BYE")
        assert bye.to.tag == "other"
        s.phone.reply(bye, 200)
        assert ear.heard.empty()
        assert s.agent.leg_count == 1


@play
async def test_a_cancelled_call_that_is_rejected() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        leg.hangup(headers=[("Reason", "SIP;cause=200")])
        ending = await ear.ending("failed")
        assert (ending.status, ending.failure, ending.by_peer) == (487, FailureReason.CANCELLED, False)
        s.phone.reply(invite, 180, tag="peer")  # only now may it be cancelled
        cancel = await s.phone.asked("CANCEL")
        assert cancel.get("reason") == "SIP;cause=200"
        s.phone.reply(cancel, 200)
        s.phone.reply(invite, 487, tag="peer")
        await s.phone.asked("ACK")
        await s.phone.quiet(0.2)


@play
async def test_a_call_given_up_is_not_placed_again_with_credentials() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(s.phone.uri, ear, body=OFFER, authorise=lambda *_: ("Authorization", "yes"))
        invite = await s.phone.asked("INVITE")
        leg.hangup()
        await ear.ending("failed")
        s.phone.reply(invite, 401, tag="peer")
        await s.phone.asked("ACK")
        await s.phone.quiet(0.2)


@play
async def test_a_call_given_up_before_its_way_is_known_is_never_placed() -> None:
    async with scene() as s:
        ear = Ear()
        leg = s.agent.call(f"sip:a@localhost:{s.phone.port}", ear, body=OFFER)
        leg.hangup()
        await ear.ending("failed")
        await s.phone.quiet(0.2)


@play
async def test_a_reliable_provisional_is_confirmed_once() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        for _ in range(2):
            s.phone.reply(invite, 183, "Require: 100rel", "RSeq: 7", tag="peer", body=ANSWER)
        prack = await s.phone.asked("PRACK")
        assert prack.get("rack") == "7 1 INVITE"
        assert (prack.to.tag, prack.cseq) == ("peer", 2)
        s.phone.reply(prack, 200)
        await ear.hears("progressed")
        s.phone.reply(invite, 180, "Require: 100rel", "RSeq: 9", tag="peer")  # 8 is missing
        s.phone.reply(invite, 180, "Require: 100rel", "RSeq: 8", tag="peer")
        prack = await s.phone.asked("PRACK")
        assert prack.get("rack") == "8 1 INVITE"
        s.phone.reply(prack, 200)
        assert await ear.hears("progressed") == (180, b"")
        s.phone.reply(invite, 200, tag="peer", body=ANSWER)
        ack = await s.phone.asked("ACK")
        assert ack.cseq == 1
        await ear.hears("answered")


@pytest.mark.parametrize(
    ("status", "headers"),
    [(302, ("Contact: <sip:b@192.0.2.2>",)), (404, ()), (503, ("Retry-After: 9",)), (603, ())],
)
def test_rejections_are_told_with_all_they_say(status: int, headers: tuple[str, ...]) -> None:
    @play
    async def probe() -> None:
        async with scene() as s:
            ear = Ear()
            s.agent.call(s.phone.uri, ear, body=OFFER)
            invite = await s.phone.asked("INVITE")
            s.phone.reply(invite, status, 'Reason: Q.850;cause=17;text="User busy"', *headers, tag="peer")
            await s.phone.asked("ACK")
            ending = await ear.ending("failed")
            assert (ending.status, ending.cause, ending.by_peer) == (status, 17, True)
            assert ending.response is not None
            for header in headers:
                name, _, value = header.partition(": ")
                assert ending.response.get(name.lower()) == value

    probe()


@play
async def test_an_interval_that_is_too_small_is_raised() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 422, "Min-SE: 3600", tag="peer")
        await s.phone.asked("ACK")
        again = await s.phone.asked("INVITE")
        assert (again.get("session-expires"), again.get("min-se"), again.cseq) == ("3600", "3600", 2)
        s.phone.reply(again, 422, "Min-SE: 3600", tag="peer")
        await s.phone.asked("ACK")
        assert (await ear.ending("failed")).status == 422


@play
async def test_what_cannot_be_reached_fails_later() -> None:
    async with scene() as s:
        for uri, why in [
            ("sip:a@no-such-host.invalid", FailureReason.NAME),
            ("tel:+15550100", FailureReason.NAME),
            ("sip:a@127.0.0.1:9;transport=sctp", FailureReason.NAME),
            ("sip:a@127.0.0.1:1;transport=tcp", FailureReason.TRANSPORT),
            ("sip:a@[::1]:9", FailureReason.NAME),  # no socket of that family
        ]:
            ear = Ear()
            leg = s.agent.call(uri, ear, body=OFFER)
            assert ear.heard.empty()
            assert leg.source == NOWHERE or why is FailureReason.TRANSPORT
            ending = await ear.ending("failed")
            assert (ending.status, ending.failure) == (503, why), uri
        for uri in ("http://x", "sip:", "100"):
            with pytest.raises(ValueError, match="not a SIP URI"):
                s.agent.call(uri, Ear())
        assert s.agent.leg_count == 0


@play
async def test_a_call_that_rings_too_long_is_given_up() -> None:
    async with scene(None, settings(ring_limit=1)) as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 180, tag="peer")
        await ear.hears("progressed")
        cancel = await s.phone.asked("CANCEL")
        s.phone.reply(cancel, 200)
        await ear.ending("failed")


@play
async def test_a_target_of_its_own_is_where_the_call_goes_and_stays() -> None:
    """A phone behind a NAT: called at the address that it registered from, whatever its Contact says."""
    async with scene() as s:
        ear = Ear()
        home = "sip:phone@10.0.0.99:5062"
        leg = s.agent.call(home, ear, body=OFFER, target=Target("UDP", "127.0.0.1", s.phone.port))
        invite = await s.phone.asked("INVITE")
        assert invite.uri == home
        s.phone.reply(invite, 200, f"Contact: <{home}>", tag="peer", body=ANSWER)
        assert (await s.phone.asked("ACK")).uri == home
        await ear.hears("answered")
        leg.hangup()
        bye = await s.phone.asked("BYE")
        assert bye.uri == home
        s.phone.reply(bye, 200)


@play
async def test_an_offer_anew_is_agreed_or_refused() -> None:
    async with scene() as s:
        ear = Ear()
        leg, invite = await answered(s, ear)
        leg.reinvite(b"v=0 hold")
        again = await s.phone.asked("INVITE")
        assert (again.body, again.cseq, again.to.tag) == (b"v=0 hold", invite.cseq + 1, "peer")
        assert contact(again) == contact(invite)
        s.phone.reply(again, 200, body=b"v=0 held")
        assert await ear.hears("agreed") == b"v=0 held"
        assert (await s.phone.asked("ACK")).cseq == again.cseq
        leg.reinvite(b"v=0 other")
        third = await s.phone.asked("INVITE")
        leg.reinvite(b"v=0 waits")
        s.phone.reply(third, 488)
        await s.phone.asked("ACK")
        assert await ear.hears("disagreed") == 488
        fourth = await s.phone.asked("INVITE")
        assert fourth.body == b"v=0 waits"
        s.phone.reply(fourth, 481)
        await s.phone.asked("ACK")
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 481)
        assert (await ear.ending("ended")).status == 481


@play
async def test_offers_that_cross_are_made_again() -> None:
    async with scene() as s:
        ear = Ear()
        leg, invite = await answered(s, ear)
        leg.reinvite(b"v=0 ours")
        ours = await s.phone.asked("INVITE")
        s.phone.send(from_peer(s.phone, invite, "INVITE", 1, body=b"v=0 theirs"))
        await s.phone.response(491)
        s.phone.reply(ours, 491)
        await s.phone.asked("ACK")
        again = await s.phone.asked("INVITE")
        assert again.body == b"v=0 ours"
        s.phone.reply(again, 200, body=ANSWER)
        await s.phone.asked("ACK")
        assert await ear.hears("agreed") == ANSWER


@play
async def test_an_offer_that_always_crosses_is_refused_in_the_end() -> None:
    async with scene() as s:
        ear = Ear()
        leg, _ = await answered(s, ear)
        leg.reinvite(b"v=0 ours")
        for _ in range(6):
            ours = await s.phone.asked("INVITE")
            s.phone.reply(ours, 491)
            await s.phone.asked("ACK")
        assert await ear.hears("disagreed") == 491


@play
async def test_challenges_within_a_call_are_answered() -> None:
    async with scene() as s:
        ear = Ear()
        leg, _ = await answered(s, ear, authorise=lambda request, _: ("Proxy-Authorization", request.method))
        leg.hangup()
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 407, 'Proxy-Authenticate: Digest realm="x", nonce="1"')
        again = await s.phone.asked("BYE")
        assert (again.get("proxy-authorization"), again.cseq) == ("BYE", bye.cseq + 1)
        s.phone.reply(again, 200)


@play
async def test_credentials_that_are_refused_again_and_again_are_not_sent_for_ever() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER, authorise=lambda request, _: ("Authorization", "no"))
        for _ in range(5):
            invite = await s.phone.asked("INVITE")
            s.phone.reply(invite, 401, tag="peer")
            await s.phone.asked("ACK")
        assert (await ear.ending("failed")).status == 401


@play
async def test_requests_of_no_call() -> None:
    async with scene() as s:
        told: asyncio.Queue[Response | FailureReason] = asyncio.Queue()
        s.agent.request(
            "REGISTER",
            f"sip:127.0.0.1:{s.phone.port}",
            told.put_nowait,
            sender="sip:line@example.com",
            receiver="sip:line@example.com",
            headers=[
                ("Contact", f"<{s.agent.contact_uri(Target('UDP', '127.0.0.1', 5060), 'line')}>"),
                ("Expires", "60"),
            ],
            authorise=lambda request, response: ("Authorization", "yes"),
            call_id="mine",
            cseq=5,
        )
        request = await s.phone.asked("REGISTER")
        assert (request.call_id, request.cseq, request.get("expires")) == ("mine", 5, "60")
        assert contact(request) == f"sip:line@127.0.0.1:{s.agent.listening[0].port}"
        s.phone.reply(request, 401)
        again = await s.phone.asked("REGISTER")
        assert (again.get("authorization"), again.cseq, again.call_id) == ("yes", 6, "mine")
        s.phone.reply(again, 200)
        async with asyncio.timeout(SECONDS):
            answer = await told.get()
            assert isinstance(answer, Response)
            assert answer.status == 200
            s.agent.request("OPTIONS", s.phone.uri, told.put_nowait)
            assert await told.get() is FailureReason.TIMEOUT


@play
async def test_a_100_is_a_sign_of_life() -> None:
    async with scene() as s:
        leg = s.agent.call(s.phone.uri, Ear(), body=OFFER)
        invite = await s.phone.asked("INVITE")
        assert not leg.has_response
        s.phone.reply(invite, 100)
        async with asyncio.timeout(SECONDS):
            while not leg.has_response:  # noqa: ASYNC110 - a 100 is told to nobody
                await asyncio.sleep(0)


@play
async def test_t5_a_200_without_a_description_ends_the_call() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 180, tag="peer")
        await ear.hears("progressed")
        s.phone.reply(invite, 200, tag="peer")
        await s.phone.asked("ACK")
        bye = await s.phone.asked("BYE")
        assert "cause=488" in bye.get("reason")
        s.phone.reply(bye, 200)
        ending = await ear.ending("failed")
        assert (ending.status, ending.failure, ending.by_peer) == (488, FailureReason.NO_MEDIA, False)


@play
async def test_t5_a_200_without_a_description_after_early_media_has_that_of_its_own_dialog() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 183, tag="peer", body=ANSWER)
        assert await ear.hears("progressed") == (183, ANSWER)
        s.phone.reply(invite, 183, tag="other", body=OFFER)
        assert await ear.hears("progressed") == (183, OFFER)
        s.phone.reply(invite, 200, tag="peer")
        await s.phone.asked("ACK")
        assert await ear.hears("answered") == ANSWER


@play
async def test_t5_the_early_media_of_another_fork_is_no_description() -> None:
    async with scene() as s:
        ear = Ear()
        s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 183, tag="other", body=ANSWER)
        await ear.hears("progressed")
        s.phone.reply(invite, 200, tag="peer")
        await s.phone.asked("ACK")
        s.phone.reply(await s.phone.asked("BYE"), 200)
        assert (await ear.ending("failed")).failure is FailureReason.NO_MEDIA
