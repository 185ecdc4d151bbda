"""Transfers, asked for and asked of us: REFER, its news, and calls that take the place of others."""

import pytest

from openivr.sip.dialog.refer import Replaces, read_refer_to, read_replaces, write_refer_to, write_replaces
from openivr.sip.dialog.uas import InboundLeg
from tests.sip.scene import Scene, play, scene
from tests.sip.wire import OFFER, Ear, Phone, answer_at_once, to_tag


async def established(s: Scene) -> tuple[InboundLeg, Ear]:
    await s.phone.establish()
    leg, ear = await s.house.call()
    await ear.hears("acknowledged")
    return leg, ear


@play
async def test_a_peer_has_itself_transferred() -> None:
    async with scene(answer_at_once) as s:
        _, ear = await established(s)
        s.phone.request("REFER", "Refer-To: <sip:200@example.com>", "Referred-By: <sip:boss@example.com>")
        await ear.hears("referred")
        referral = ear.referral
        assert referral is not None
        assert (referral.uri, referral.replaces) == ("sip:200@example.com", None)
        assert referral.referred_by == "<sip:boss@example.com>"
        referral.report(180)  # not before it is accepted
        referral.accept()
        referral.accept()
        await s.phone.response(202)
        active, over = "active;expires=60", "terminated;reason=noresource"
        for status, state in [(100, active), (180, active), (200, over)]:
            if status > 100:
                referral.report(status)
            notice = await s.phone.asked("NOTIFY")
            assert notice.body.startswith(b"SIP/2.0 %d " % status)
            assert notice.media_type() == "message/sipfrag"
            assert (notice.get("event"), notice.get("subscription-state")) == ("refer", state)
            s.phone.reply(notice, 200)
        referral.report(486)
        await s.phone.quiet()


@play
async def test_a_second_transfer_is_told_apart() -> None:
    async with scene(answer_at_once) as s:
        _, ear = await established(s)
        for _ in range(2):
            s.phone.request("REFER", "Refer-To: <sip:200@example.com>")
            await ear.hears("referred")
            assert ear.referral is not None
            ear.referral.accept()
            await s.phone.response(202)
            notice = await s.phone.asked("NOTIFY")
            s.phone.reply(notice, 200)
            ear.referral.report(486)
            last = await s.phone.asked("NOTIFY")
            s.phone.reply(last, 200)
        assert last.get("event") == f"refer;id={s.phone.cseq}"


@play
async def test_transfers_that_are_refused_or_want_no_news() -> None:
    async with scene(answer_at_once) as s:
        _, ear = await established(s)
        for wrong in ("<http://x>", "<sip:a@b;method=BYE>", "", "<sip:a@b>, <sip:c@d>"):
            s.phone.request("REFER", f"Refer-To: {wrong}")
            await s.phone.response(400)
        s.phone.request("REFER", "Refer-To: <sip:200@example.com>")
        await ear.hears("referred")
        assert ear.referral is not None
        ear.referral.reject(603)
        await s.phone.response(603)
        s.phone.request("REFER", "Refer-To: <sip:200@example.com>", "Refer-Sub: false")
        await ear.hears("referred")
        ear.referral.accept()
        assert (await s.phone.response(202)).get("refer-sub") == "false"
        ear.referral.report(200)
        await s.phone.quiet()


@play
async def test_we_have_a_peer_transferred() -> None:
    async with scene(answer_at_once) as s:
        leg, ear = await established(s)
        leg.refer("sip:300@example.com")
        refer = await s.phone.asked("REFER")
        assert refer.get("refer-to") == "<sip:300@example.com>"
        assert refer.get("referred-by") == "<sip:100@127.0.0.1>"
        assert refer.get("contact")
        s.phone.reply(refer, 202)
        for status, state in [(100, "active"), (200, "terminated;reason=noresource")]:
            fragment = f"SIP/2.0 {status} X\r\n".encode()
            kind = "Content-Type: message/sipfrag"
            s.phone.request("NOTIFY", "Event: refer", f"Subscription-State: {state}", kind, body=fragment)
            await s.phone.response(200)
            assert await ear.hears("transferring") == status
        leg.refer("sip:300@example.com")
        refer = await s.phone.asked("REFER")
        s.phone.reply(refer, 405)
        assert await ear.hears("transferring") == 405
        leg.refer("sip:300@example.com")
        refer = await s.phone.asked("REFER")
        s.phone.reply(refer, 202)
        s.phone.request("NOTIFY", "Event: refer", "Subscription-State: terminated;reason=noresource")
        await s.phone.response(200)
        assert await ear.hears("transferring") == 500  # it ended without saying how


@play
async def test_an_attended_transfer_names_the_other_call() -> None:
    async with scene(answer_at_once) as s:
        leg, _ = await established(s)
        other_phone = Phone(s.phone.agent)
        answer = await other_phone.establish()
        other, _ = await s.house.call()
        leg.refer(other_phone.uri, replaces=other)
        refer = await s.phone.asked("REFER")
        wish = read_refer_to(refer.get("refer-to"))
        assert wish == (other_phone.uri, Replaces(other_phone.call_id, other_phone.tag, to_tag(answer)))
        assert refer.values("require") == ["replaces"]
        s.phone.reply(refer, 202)
        other_phone.close()


@play
async def test_a_call_takes_the_place_of_another() -> None:
    async with scene(answer_at_once) as s:
        first = await s.phone.establish()
        leg, ear = await s.house.call()
        await ear.hears("acknowledged")
        third = Phone(s.phone.agent)
        for named, status in [
            (f"{s.phone.call_id};to-tag={to_tag(first)};from-tag=wrong", 481),
            (f"{s.phone.call_id}x;to-tag={to_tag(first)};from-tag={s.phone.tag}", 481),
            (f"{s.phone.call_id};to-tag={to_tag(first)};from-tag={s.phone.tag};early-only", 486),
        ]:
            third.call_id += "x"
            third.request("INVITE", f"Replaces: {named}", body=OFFER)
            refused = await third.response(status)
            third.request("ACK", cseq=third.cseq, to=refused.get("to"))
        third.call_id += "x"
        named = f"{s.phone.call_id};to-tag={to_tag(first)};from-tag={s.phone.tag}"
        third.request("INVITE", "Require: replaces", f"Replaces: {named}", body=OFFER)
        await third.response(200)
        taker, _ = await s.house.call()
        assert taker.replaces is leg
        taker.replaces.hangup()
        bye = await s.phone.asked("BYE")
        s.phone.reply(bye, 200)
        third.close()


@play
async def test_a_ringing_call_of_ours_is_picked_up() -> None:
    async with scene(answer_at_once) as s:
        ear = Ear()
        ringing = s.agent.call(s.phone.uri, ear, body=OFFER)
        invite = await s.phone.asked("INVITE")
        s.phone.reply(invite, 180, tag="desk")
        await ear.hears("progressed")
        third = Phone(s.phone.agent)
        named = f"{invite.call_id};to-tag={invite.from_.tag};from-tag=desk;early-only"
        third.request("INVITE", f"Replaces: {named}", body=OFFER)
        await third.response(200)
        taker, _ = await s.house.call()
        assert taker.replaces is ringing
        third.close()


@pytest.mark.parametrize("text", ["", ";to-tag=1;from-tag=2", "x;to-tag=1", "x", "x;to-tag=1;from-tag=2;;"])
def test_what_names_no_call(text: str) -> None:
    assert read_replaces(text) is None


def test_names_of_calls_come_back_as_they_were() -> None:
    assert read_replaces(write_replaces(Replaces("a@c", "1", "2", True))) == Replaces("a@c", "1", "2")
    named = Replaces("a%b@c", "1", "2")
    assert read_refer_to(write_refer_to("sip:a@b", named)) == ("sip:a@b", named)
    assert read_refer_to("<sip:a@b?Replaces=nonsense>") is None
    assert read_refer_to("<sip:a@b?Subject=x>") == ("sip:a@b", None)
