"""Logging in over real sockets, message by message: registering, calling, and being kept out."""

import pytest

from openivr.sip.access.rate_limit import RateLimitPolicy
from openivr.sip.accounts import CallerIdentity
from openivr.sip.auth.client import AuthAttempt, DigestClient, Login
from openivr.sip.message.message import Response
from tests.sip.front import ADA, PASSWORD, Front, front
from tests.sip.scene import play
from tests.sip.wire import OFFER, Phone, answer_at_once


class Member:
    """A phone with a name and a password, right or wrong."""

    def __init__(self, front: Front, user: str = "ada", password: str = PASSWORD) -> None:
        self.phone = Phone(front.target, front.target.host)
        self.credentials = DigestClient(Login(user, password))
        self.attempt = AuthAttempt()
        self.user = user

    def send(self, method: str, *headers: str, uri: str = "sip:6200@pbx", body: bytes = b"") -> None:
        answers = [f"{name}: {value}" for name, value in self.credentials.headers(method, uri)]
        self.phone.request(method, *headers, *answers, uri=uri, to=f"<sip:{self.user}@pbx>", body=body)

    async def challenged(self, method: str, *headers: str, body: bytes = b"") -> Response:
        """Send a request; it must be answered with a 401, which is acknowledged and learned."""
        self.send(method, *headers, body=body)
        response = await self.phone.response(401, method)
        if method == "INVITE":
            branch = response.branch
            self.phone.request("ACK", branch=branch, cseq=self.phone.cseq, to=response.get("to"))
        attempt = self.credentials.on_challenge(401, response.headers["www-authenticate"], AuthAttempt())
        assert attempt
        return response

    async def register(self, expires: int = 600) -> Response:
        self.send("REGISTER", f"Expires: {expires}", uri="sip:pbx")
        return await self.phone.response(200, "REGISTER")


@play
async def test_registering_again_and_leaving() -> None:
    async with front() as house:
        ada = Member(house)
        first = await ada.challenged("REGISTER")
        assert len(first.headers["www-authenticate"]) == 2
        response = await ada.register()
        assert response.get("contact") == f"<{ada.phone.uri}>;expires=600"
        (binding,) = await house.bound("ada", 1)
        assert binding.target[:3] == ("UDP", "127.0.0.1", ada.phone.port)
        await ada.register()
        await ada.register(expires=0)
        await house.bound("ada", 0)
        ada.phone.close()


@play
async def test_several_contacts_and_one_too_many() -> None:
    async with front() as house:
        phones = [Member(house) for _ in range(3)]
        for phone in phones:
            await phone.challenged("REGISTER")
            response = await phone.register()
        assert len(response.headers["contact"]) == ADA.contacts
        found = [binding.contact for binding in house.registrar.lookup("ada")]
        assert found == [phones[2].phone.uri, phones[1].phone.uri]
        for phone in phones:
            phone.phone.close()


@play
async def test_a_wrong_password_is_never_right() -> None:
    async with front() as house:
        for user in ("ada", "nobody"):
            stranger = Member(house, user, "a-wrong-password")
            await stranger.challenged("REGISTER")
            refused = await stranger.challenged("REGISTER")
            assert "stale" not in refused.get("www-authenticate")
            stranger.phone.close()
        assert house.registrar.lookup("ada") == ()
        assert house.access.counts["wrong"] == 2


@play
async def test_a_call_with_a_password_is_the_accounts() -> None:
    async with front(on_call=answer_at_once) as house:
        ada = Member(house)
        await ada.challenged("INVITE", body=OFFER)
        ada.send("INVITE", body=OFFER)
        await ada.phone.response(200, "INVITE")
        caller, leg, _ = await house.call()
        assert caller == CallerIdentity(account=ADA)
        assert "authorization" in leg.request.headers
        ada.phone.close()


@play
async def test_a_stranger_reaches_nobody_and_leaves_nothing() -> None:
    async with front(on_call=answer_at_once) as house:
        stranger = Phone(house.target)
        for number in range(200):
            stranger.call_id = f"call {number}"
            invite = stranger.request("INVITE", body=OFFER)
            first = await stranger.response(401)
            stranger.send(invite)
            again = await stranger.response(401)
            assert again.get("to") == first.get("to"), "the ACK must fit either"
            stranger.request("ACK", cseq=stranger.cseq, branch=first.branch, to=first.get("to"))
            stranger.request("OPTIONS")
            await stranger.response(200, "OPTIONS")
        assert house.calls.empty()
        assert house.agent.leg_count == 0
        assert len(house.agent._context.transactions) == 0
        assert len(house.agent._context.timers) == 0
        stranger.close()


@pytest.mark.parametrize(
    "method", ["REGISTER", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "FOO", "BYE", "UPDATE"]
)
def test_other_requests_of_strangers(method: str) -> None:
    @play
    async def run() -> None:
        async with front() as house:
            stranger = Phone(house.target)
            stranger.request(method)
            await stranger.response(401)
            stranger.close()

    run()


@play
async def test_a_cancel_or_ack_of_a_stranger_changes_nothing() -> None:
    async with front() as house:
        stranger = Phone(house.target)
        stranger.request("CANCEL")
        await stranger.response(481)
        stranger.request("ACK")
        await stranger.quiet()
        stranger.close()


@play
async def test_a_flood_is_refused_and_then_not_even_answered() -> None:
    async with front(policy=RateLimitPolicy(rate=0.001, burst=5, excess_limit=3)) as house:
        stranger = Phone(house.target)
        for status in [401] * 5 + [503] * 3:
            stranger.request("INVITE", body=OFFER)
            response = await stranger.response(status)
        assert response.get("retry-after") == "30"
        stranger.request("INVITE", body=OFFER)
        await stranger.quiet()
        stranger.request("OPTIONS")
        await stranger.quiet()
        assert [ban.source for ban in house.access.rate_limiter.bans(0)] == ["127.0.0.1"]
        stranger.close()


@play
async def test_nonsense_leads_to_silence() -> None:
    async with front(policy=RateLimitPolicy(rate=0.001, burst=5, excess_limit=3)) as house:
        stranger = Phone(house.target)
        for _ in range(8):
            stranger.send(b"GET / HTTP/1.1\r\n\r\n")
        stranger.request("OPTIONS")
        await stranger.quiet()
        stranger.close()


@play
async def test_a_full_server_says_when_to_come_again() -> None:
    async with front(is_full=lambda: True) as house:
        stranger = Phone(house.target)
        stranger.request("INVITE", body=OFFER)
        assert (await stranger.response(503)).get("retry-after") == "30"
        stranger.close()


@play
async def test_a_stale_nonce_is_renewed() -> None:
    async with front() as house:
        ada = Member(house)
        await ada.challenged("REGISTER")
        await ada.register()
        house.access._verifier._life = -1.0
        again = await ada.challenged("REGISTER")
        assert "stale=true" in again.get("www-authenticate")
        house.access._verifier._life = 300.0
        await ada.register()
        ada.phone.close()
