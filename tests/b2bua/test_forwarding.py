"""Calls that an extension does not take, on real phones: the mailbox, another phone, a mobile number."""

from pathlib import Path

from openivr.ivr.commands import Topic
from openivr.media.audio.clip import Clip
from openivr.media.audio.tone import sines
from tests.b2bua.pbx import in_loop, open_pbx
from tests.b2bua.test_outbound import add_route, add_trunk
from tests.b2bua.test_voicemail import messages

MOBILE = "0170123456"


@in_loop
async def test_m12_a_call_to_who_is_not_there_ends_in_the_mailbox(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        line = ada.call("1001")  # no phone has registered
        await line.until_answered()
        await line.until(lambda: any(pbx.journal.glob("vm-*.wav")))  # after the invitation
        line.media.play((Clip.from_samples(sines((440,), 1.5, 10)),))
        sent = line.media.statistics().sent
        await line.until(lambda: line.media.statistics().sent > sent + 75)
        line.hang_up()
        await pbx.until_quiet()
        await line.until(lambda: len(messages(pbx)) > 0)
        assert [message.extension_id for message in messages(pbx)] == [2]
        record = pbx.records()[0]
        assert record.outcome == "message"


@in_loop
async def test_a_call_from_inside_is_forwarded_to_another_phone_at_once(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.forward(
            2, enb_in_always_forward=1, in_always_forward_dest="extension", in_always_forward_value="3"
        )
        ada, grace, edith = [await pbx.phone(number) for number in ("1000", "1001", "1002")]
        line = ada.call("1001")
        await line.until_answered()
        assert (len(grace.invites), len(edith.invites)) == (0, 1)
        line.hang_up()
        await pbx.until_quiet()
        topics = [note.topic for note in pbx.notes(pbx.records()[0].id)]
        assert topics.index(Topic.FORWARDED) < topics.index(Topic.CONNECTED)


@in_loop
async def test_a_mobile_number_rings_and_answers_within_the_limits_of_its_route(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        route = add_route(pbx, [trunk], max_calls=1)  # extension 1000 may use it
        pbx.forward(1, enb_ring_mobile=1, mobile_prefix="9", mobile_number=MOBILE)
        grace = await pbx.phone("1001")
        for _ in range(2):  # its place in the limit is free again afterwards
            line = grace.call("1000")  # no phone has registered
            await line.until_answered()
            assert provider.invites[-1].uri.startswith(f"sip:0{MOBILE}@")
            line.hang_up()
            await pbx.until_quiet()
        pbx.change("outbound_route", route, ext_list=[])
        pbx.stop_forwarding(1)
        await pbx.process.config_cache.current()
        assert (await grace.call("1000").until_over()).status == 480
        assert len(provider.invites) == 2
