"""Trunk lines over real sockets: with a registrar that the test plays itself, and between two of us."""

import asyncio
from time import time

import pytest

from openivr.sip.accounts import CallerIdentity, TrunkConfig, TrunkType
from openivr.sip.address import Target
from openivr.sip.auth.client import DigestClient, Login
from openivr.sip.auth.digest import HASHES, DigestExchange, first_hash, read_parameters, respond
from openivr.sip.auth.retry import AuthRetry
from openivr.sip.message.message import Request, Response
from openivr.sip.registrar.registrar import Binding, to_plain
from openivr.sip.termination import FailureReason
from openivr.sip.transport.resolver import Resolver
from openivr.sip.trunk.trunk_manager import read_answer
from openivr.sip.trunk.trunk_state import FAILURES_UNTIL_DOWN, TrunkHealth
from tests.sip.front import Front, free_port, front
from tests.sip.scene import play
from tests.sip.wire import ANSWER, OFFER, SECONDS, Ear, Phone, answer_at_once, settings

SECRET = "the-trunk's-password"


def provider() -> Phone:
    """A far side: the test says what it answers."""
    return Phone(Target("UDP", "127.0.0.1", 5060))


def to_provider(far: Phone, kind: TrunkType = TrunkType.REGISTER, **changes: object) -> TrunkConfig:
    values = {"user": "account", "password": SECRET, "auth_user": "login"} | changes
    return TrunkConfig(1, "provider", kind, "127.0.0.1", far.port, **values)  # type: ignore[arg-type]  # names of fields


async def asked(far: Phone, house: Front, method: str = "REGISTER") -> Request:
    far.agent = house.target
    return await far.asked(method)


def challenge(nonce: str = "n1", more: str = "") -> str:
    asked = 'realm="provider, Inc.", qop="auth,auth-int", algorithm=MD5'
    return f'WWW-Authenticate: Digest {asked}, nonce="{nonce}"{more}'


def is_signed(request: Request, nonce: str) -> bool:
    given = read_parameters(request.get("authorization")) or {}
    first = first_hash(HASHES["MD5"], "login", "provider, Inc.", SECRET)
    exchange = DigestExchange(
        request.method, request.uri, nonce, "auth", given.get("nc", ""), given.get("cnonce", "")
    )
    return given.get("nonce") == nonce and given.get("response") == respond(HASHES["MD5"], first, exchange)


@play
async def test_registering_with_a_password_again_when_stale_and_leaving() -> None:
    far = provider()
    async with front(to_provider(far)) as house:
        first = await asked(far, house)
        assert first.uri == f"sip:127.0.0.1:{far.port}"
        assert first.get("from").startswith("<sip:account@127.0.0.1>;tag=")
        assert first.get("to") == "<sip:account@127.0.0.1>"
        assert first.get("contact") == f"<sip:account@127.0.0.1:{house.target.port}>"
        assert first.get("expires") == "600"
        far.reply(first, 401, challenge())
        second = await asked(far, house)
        assert is_signed(second, "n1")
        assert (second.call_id, second.cseq) == (first.call_id, first.cseq + 1)
        far.reply(second, 200, f"Contact: {first.get('contact')};expires=1")
        state = await house.line(1, TrunkHealth.UP)
        assert state.reason == "registered"

        refreshed = await asked(far, house)
        assert refreshed.call_id == first.call_id
        assert refreshed.cseq > second.cseq
        assert is_signed(refreshed, "n1"), "sent ahead, without being asked"
        assert (read_parameters(refreshed.get("authorization")) or {})["nc"] == "00000002"
        far.reply(refreshed, 401, challenge("n2", ", stale=true"))
        renewed = await asked(far, house)
        assert is_signed(renewed, "n2")
        far.reply(renewed, 200, f"Contact: {first.get('contact')};expires=600")

        closing = asyncio.create_task(house.trunks.close(SECONDS))
        leaving = await asked(far, house)
        assert leaving.get("expires") == "0"
        assert is_signed(leaving, "n2")
        far.reply(leaving, 200)
        await closing
    far.close()


@play
async def test_a_refused_login_is_reported_and_not_repeated_at_once() -> None:
    far = provider()
    async with front(to_provider(far)) as house:
        far.reply(await asked(far, house), 401, challenge())
        far.reply(await asked(far, house), 401, challenge("n2"))
        state = await house.line(1, TrunkHealth.DOWN)
        assert (state.reason, state.answer) == ("rejected", "401 Reason")
        await far.quiet()
    far.close()


@play
async def test_a_longer_interval_is_asked_for() -> None:
    far = provider()
    async with front(to_provider(far)) as house:
        far.reply(await asked(far, house), 423, "Min-Expires: 1800")
        longer = await asked(far, house)
        assert longer.get("expires") == "1800"
        far.reply(longer, 200, "Expires: 1800", f"Contact: {longer.get('contact')}")
        await house.line(1, TrunkHealth.UP)
    far.close()


@play
async def test_nobody_there() -> None:
    trunk = TrunkConfig(1, "nobody", TrunkType.REGISTER, "127.0.0.1", free_port(), user="x", password="y")
    async with front(trunk) as house:
        assert (await house.line(1, TrunkHealth.DOWN)).reason in (
            FailureReason.TIMEOUT,
            FailureReason.TRANSPORT,
        )


@play
async def test_a_name_that_does_not_exist() -> None:
    async with front(
        TrunkConfig(1, "nowhere", TrunkType.REGISTER, "nowhere.invalid", user="x", password="y")
    ) as house:
        assert (await house.line(1, TrunkHealth.DOWN)).reason == "name_not_found"
        assert house.trunks.dial_targets(1, "100") == []


@play
async def test_names_are_looked_up() -> None:
    far = provider()
    trunk = TrunkConfig(1, "by name", TrunkType.PEER, "localhost", far.port, domain="provider.example")
    async with front(trunk) as house:
        request = await asked(far, house, "OPTIONS")
        assert request.uri == "sip:provider.example"
        far.reply(request, 200)
        await house.line(1, TrunkHealth.UP)
        (way, *_) = [
            way for way in house.trunks.dial_targets(1, "0049*30#") if way.target.host == "127.0.0.1"
        ]
        assert way.uri == "sip:0049*30%23@provider.example"
    far.close()


@play
async def test_of_a_name_only_addresses_of_families_that_we_listen_on_are_called() -> None:
    far = provider()
    patch = pytest.MonkeyPatch()
    patch.setattr(Resolver, "resolve", lambda _self, _name, found: found(("::1", "127.0.0.1")))
    async with front(TrunkConfig(1, "two", TrunkType.PEER, "two.example", far.port)) as house:
        far.reply(await asked(far, house, "OPTIONS"), 200)
        await house.line(1, TrunkHealth.UP)
        assert [way.target.host for way in house.trunks.dial_targets(1, "100")] == ["127.0.0.1"]
    patch.undo()
    far.close()


@play
async def test_a_trunk_of_a_family_that_we_do_not_listen_on_is_down() -> None:
    async with front(TrunkConfig(1, "six", TrunkType.REGISTER, "::1", user="x", password="y")) as house:
        assert (await house.line(1, TrunkHealth.DOWN)).reason == "no_local_address"
        assert house.trunks.dial_targets(1, "100") == []


@play
async def test_a_peer_is_asked_whether_it_is_there() -> None:
    far = provider()
    async with front(to_provider(far, TrunkType.PEER)) as house:
        far.reply(await asked(far, house, "OPTIONS"), 404)
        assert (await house.line(1, TrunkHealth.UP)).reason == "answers"
        for _ in range(FAILURES_UNTIL_DOWN):
            house.trunks.on_no_response(1)
        await house.line(1, TrunkHealth.DOWN)
        house.trunks.on_incoming_call(1)
        assert (await house.line(1, TrunkHealth.UP)).reason == "call_received"
    far.close()


@play
async def test_only_the_answer_to_the_last_question_counts() -> None:
    far = provider()
    async with front(to_provider(far, TrunkType.PEER)) as house:
        first = await asked(far, house, "OPTIONS")
        house.trunks.on_no_response(1)
        while (second := await asked(far, house, "OPTIONS")).call_id == first.call_id:
            pass
        far.reply(first, 200)
        far.request("OPTIONS")
        await far.response(200)  # so the one before has been read
        assert house.trunks.states[1].health is TrunkHealth.UNKNOWN
        far.reply(second, 200)
        await house.line(1, TrunkHealth.UP)
    far.close()


@play
async def test_a_line_that_is_down_offers_no_way() -> None:
    """So that a route goes on to its next trunk at once, and not after the 32 s that an INVITE waits."""
    far = provider()
    async with front(
        to_provider(far, TrunkType.PEER), TrunkConfig(2, "down", TrunkType.ACCOUNT, user="c", password="d")
    ) as house:
        assert len(house.trunks.dial_targets(1, "100")) == 1, "it is not known yet"
        far.reply(await asked(far, house, "OPTIONS"), 200)
        await house.line(1, TrunkHealth.UP)
        assert len(house.trunks.dial_targets(1, "100")) == 1
        for _ in range(FAILURES_UNTIL_DOWN):
            house.trunks.on_no_response(1)
        assert house.trunks.dial_targets(1, "100") == []
        assert house.trunks.dial_targets(2, "100") == []
        assert house.trunks.dial_targets(3, "100") == []
    far.close()


@play
async def test_a_peer_that_never_answers_options_is_called_all_the_same() -> None:
    far = provider()
    async with front(to_provider(far, TrunkType.PEER)) as house:
        for _ in range(FAILURES_UNTIL_DOWN):
            house.trunks.on_no_response(1)
        await house.line(1, TrunkHealth.DOWN)
        assert len(house.trunks.dial_targets(1, "100")) == 1
    far.close()


@play
async def test_an_account_whose_registration_was_kept_over_a_restart_is_up() -> None:
    account = TrunkConfig(7, "branch", TrunkType.ACCOUNT, user="branch", password=SECRET)
    binding = Binding("branch", "sip:a@h", Target("UDP", "127.0.0.1", 5062), time() + 60, 0, 0, "call", 1)
    async with front(account) as house:
        assert house.trunks.states[7].health is TrunkHealth.DOWN
        house.registrar.restore([to_plain(binding)])
        await house.line(7, TrunkHealth.UP)
        (way,) = house.trunks.dial_targets(7, "100")
        assert (way.uri, way.target) == ("sip:100@127.0.0.1:5062", binding.target)


@play
async def test_a_changed_configuration_ends_and_begins_lines() -> None:
    far, other = provider(), provider()
    async with front(to_provider(far)) as house:
        first = await asked(far, house)
        far.reply(first, 200, f"Contact: {first.get('contact')};expires=600")
        await house.line(1, TrunkHealth.UP)
        house.configure(to_provider(far))
        await far.quiet()
        house.configure(to_provider(other))
        assert (await asked(far, house)).get("expires") == "0"
        assert (await asked(other, house)).get("expires") == "600"
        house.configure()
        assert house.trunks.states == {}
    far.close()
    other.close()


@play
async def test_a_call_over_a_trunk_answers_its_challenges() -> None:
    far = provider()
    async with front(to_provider(far, TrunkType.PEER, caller_id="4930100")) as house:
        far.reply(await asked(far, house, "OPTIONS"), 200)
        (way,) = house.trunks.dial_targets(1, "+49301234", "1000")
        assert (way.uri, way.caller("127.0.0.1")) == (
            f"sip:+49301234@127.0.0.1:{far.port}",
            "sip:4930100@127.0.0.1",
        )
        ear = Ear()
        house.agent.call(
            way.uri,
            ear,
            body=OFFER,
            caller=way.caller("127.0.0.1"),
            target=way.target,
            authorise=way.authorise,
            contact_user=way.contact_user,
        )
        invite = await asked(far, house, "INVITE")
        far.reply(invite, 407, challenge().replace("WWW", "Proxy"), tag="x")
        await asked(far, house, "ACK")
        signed = await asked(far, house, "INVITE")
        assert "proxy-authorization" in signed.headers
        signed.headers["authorization"] = signed.headers["proxy-authorization"]
        assert is_signed(signed, "n1")
        far.reply(signed, 407, challenge("n2", ", stale=true").replace("WWW", "Proxy"), tag="y")
        await asked(far, house, "ACK")
        again = await asked(far, house, "INVITE")
        far.reply(again, 200, tag="z", body=ANSWER)
        await asked(far, house, "ACK")
        await ear.hears("answered")
    far.close()


@pytest.mark.parametrize(("protocol", "host"), [("UDP", "127.0.0.1"), ("TCP", "127.0.0.1"), ("UDP", "::1")])
def test_two_of_us(protocol: str, host: str) -> None:
    """One registers with the other, and each calls the other."""

    @play
    async def run() -> None:
        account = TrunkConfig(7, "branch", TrunkType.ACCOUNT, user="branch", password=SECRET)
        config = settings(protocol, host=host)
        async with front(account, on_call=answer_at_once, config=config) as centre:
            there = TrunkConfig(
                8,
                "centre",
                TrunkType.REGISTER,
                host,
                centre.target.port,
                protocol,
                user="branch",
                password=SECRET,
            )
            async with front(there, on_call=answer_at_once, config=config) as branch:
                await branch.line(8, TrunkHealth.UP)
                await centre.line(7, TrunkHealth.UP)
                await call(branch, 8, centre, CallerIdentity(trunk=account))
                await call(centre, 7, branch, CallerIdentity(trunk=there))
                branch.configure()
                await centre.line(7, TrunkHealth.DOWN)

    async def call(caller: Front, trunk: int, called: Front, who: CallerIdentity) -> None:
        ear = Ear()
        (way,) = caller.trunks.dial_targets(trunk, "6200", "1000")
        leg = caller.agent.call(
            way.uri,
            ear,
            body=OFFER,
            caller=way.caller("127.0.0.1"),
            target=way.target,
            authorise=way.authorise,
        )
        await ear.hears("answered")
        found, inbound, _ = await called.call()
        assert found == who
        assert inbound.request.uri.startswith("sip:6200@")
        leg.hangup()
        await ear.hears("ended")

    run()


# What an agent's requests are answered with, read


def response(status: int, **headers: str) -> Response:
    lines = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Response(status, "Reason", lines)


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ({"contact": "<sip:a@h>;expires=60"}, 60),
        ({"contact": "<sip:other@h>;expires=60, <sip:a@h>;expires=90"}, 90),
        ({"contact": "<sip:other@h>;expires=60", "expires": "120"}, 120),
        ({"contact": "<sip:a@h>;expires=soon", "expires": "soon"}, None),
        ({}, None),
    ],
)
def test_what_was_granted(headers: dict[str, str], granted: int | None) -> None:
    assert read_answer(response(200, **headers), "sip:a@h").expires == granted


def test_when_to_come_again() -> None:
    answer = read_answer(response(503, retry_after="120 (maintenance);duration=60", min_expires="x"))
    assert (answer.retry_after, answer.min_expires, answer.reason) == (120, None, "Reason")


def test_only_challenges_are_answered() -> None:
    authorisation = AuthRetry(DigestClient(Login("a", "b")))
    request = Request("INVITE", "sip:1@h", {})
    assert authorisation(request, response(403)) is None
    assert authorisation(request, response(401)) is None
    header = authorisation(request, response(401, www_authenticate='Digest realm="r", nonce="n"'))
    assert header
    request.headers["authorization"] = [header[1]]
    assert authorisation(request, response(401, www_authenticate='Digest realm="r", nonce="m"')) is None
    later = Request("BYE", "sip:1@h", {})
    assert authorisation(later, response(401, www_authenticate='Digest realm="r", nonce="m"'))
