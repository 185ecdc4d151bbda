"""Phones that we did not write register, call and leave."""

import asyncio
from pathlib import Path

from openivr.sip.access.rate_limit import Ban
from openivr.sip.accounts import CallerIdentity, TrunkConfig, TrunkType
from openivr.sip.trunk.trunk_state import TrunkHealth
from tests.sip.front import ADA, PASSWORD, free_port, front
from tests.sip.phones import answer, baresip, linphone, play_in, registration, response, send, sipp
from tests.sip.wire import SECONDS, Ear, answer_at_once

HERE = "<sip:ada@[local_ip]:[local_port]>"
HEADERS = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:ada@[remote_ip]>;tag=1
To: <sip:ada@[remote_ip]>
Call-ID: [call_id]
Max-Forwards: 70"""


def register(cseq: int, *more: str, contact: str = HERE, expires: int = 600) -> str:
    start = "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0"
    return send(start, HEADERS, f"CSeq: {cseq} REGISTER", f"Contact: {contact}", f"Expires: {expires}", *more)


def signed(password: str = PASSWORD) -> str:
    return f"[authentication username=ada password={password}]"


# SIPp knows MD5 only, and looks at the first challenge only: it is heard from its second try.
KNOCK = register(1) + response(401) + register(2) + response(401, auth=True)


@play_in
async def test_sipp_registers_again_with_two_contacts_and_leaves(folder: Path) -> None:
    two = "<sip:ada@[local_ip]:[local_port]>;q=0.5, <sip:ada@192.0.2.9:5060>;expires=120"
    steps = [
        KNOCK + register(3, signed()) + response(200),
        register(4) + response(401) + register(5) + response(401, auth=True),
        register(6, signed(), contact=two) + response(200, ("Contact", "192.0.2.9:5060>;expires=1[12]")),
        register(7, signed(), contact="*", expires=0) + response(200),
    ]
    async with front() as house:
        assert await sipp(folder, "".join(steps), house.target) == (0, "")
        counts = [len(bindings) for _, bindings in (house.bindings.get_nowait() for _ in range(3))]
        assert counts == [1, 2, 0]


@play_in
async def test_sipp_with_a_wrong_password_or_too_short_a_time(folder: Path) -> None:
    steps = [
        KNOCK + register(3, signed("wrong")) + response(401, auth=True),
        register(4, signed(), expires=10) + response(423, ("Min-Expires", "60")),
    ]
    async with front() as house:
        assert await sipp(folder, "".join(steps), house.target) == (0, "")
        assert house.registrar.lookup("ada") == ()
        assert house.access.counts["wrong"] == 1


@play_in
async def test_baresip_registers_calls_and_leaves(folder: Path) -> None:
    async with front(on_call=answer_at_once) as house:
        dial = f"/dial sip:6200@127.0.0.1:{house.target.port}"
        async with baresip(folder, house.target, "ada", PASSWORD, dial):
            (binding,) = await house.bound("ada", 1)
            assert binding.user_agent.startswith("baresip")
            caller, leg, _ = await house.call()
            assert caller == CallerIdentity(account=ADA)
            assert leg.request.body
        await house.bound("ada", 0)
        assert house.access.counts["wrong"] == 0


@play_in
async def test_baresip_is_called_where_it_registered(folder: Path) -> None:
    async with (
        front() as house,
        baresip(folder, house.target, "ada", PASSWORD, more=";answermode=manual"),
    ):
        (binding,) = await house.bound("ada", 1)
        ear = Ear()
        leg = house.agent.call(binding.contact, ear, body=OFFER, target=binding.target)
        while (await ear.hears("progressed"))[0] != 180:  # type: ignore[index]  # a status and a body
            pass
        leg.hangup()
        await ear.hears("failed")


OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
)


@play_in
async def test_two_phones_of_one_extension_and_one_too_many(folder: Path) -> None:
    async with (
        front() as house,
        baresip(folder, house.target, "ada", PASSWORD),
        baresip(folder, house.target, "ada", PASSWORD),
    ):
        first = await house.bound("ada", 2)
        async with baresip(folder, house.target, "ada", PASSWORD):
            second = await house.bound("ada", 2)
            while len({binding.contact for binding in (*first, *second)}) < 3:
                second = await house.bound("ada", 2)


@play_in
async def test_baresip_with_a_wrong_password(folder: Path) -> None:
    """It tries again and again, as fast as it can, until it is banned as this user."""
    banned: asyncio.Queue[Ban] = asyncio.Queue()
    async with front() as house:
        house.access.rate_limiter.on_ban = banned.put_nowait
        async with baresip(folder, house.target, "ada", "a-wrong-password"), asyncio.timeout(SECONDS):
            assert (await banned.get()).user == "ada"
        assert house.registrar.lookup("ada") == ()


@play_in
async def test_linphone_registers_with_sha_256_and_leaves(folder: Path) -> None:
    async with front() as house:
        async with linphone(folder) as phone:
            phone.say(f"register sip:ada@127.0.0.1 sip:127.0.0.1:{house.target.port} {PASSWORD}")
            (binding,) = await house.bound("ada", 1)
            assert binding.user_agent.startswith("Linphone")
            assert binding.instance.startswith("<urn:uuid:")
        await house.bound("ada", 0)
        assert house.access.counts["wrong"] == 0


@play_in
async def test_a_trunk_registers_with_sipp_whose_nonce_goes_stale(folder: Path) -> None:
    asked = 'Digest realm="provider", qop="auth", algorithm=MD5, nonce'
    steps = [
        registration(1) + answer(401, f'WWW-Authenticate: {asked}="one"'),
        registration(2, "secret") + answer(401, f'WWW-Authenticate: {asked}="two", stale=true'),
        registration(3, "secret") + answer(200, "Contact: [$contact];expires=1"),
        registration(4, "secret") + answer(403),
    ]
    port = free_port()
    playing = asyncio.create_task(sipp(folder, "".join(steps), port=port))
    trunk = TrunkConfig(
        1, "provider", TrunkType.REGISTER, "127.0.0.1", port, user="account", password="secret"
    )
    async with front(trunk) as house:
        await house.line(1, TrunkHealth.UP)
        assert (await house.line(1, TrunkHealth.DOWN)).answer == "403 Reason"
    assert await playing == (0, "")
