"""Clients behind one NAT (T24) and phones with an old form of digest (T22)."""

import pytest

from openivr.sip.access.rate_limit import DEFAULT_POLICY, RateLimitPolicy
from openivr.sip.auth.digest import HASHES, DigestExchange, first_hash, read_parameters, respond
from openivr.sip.handler import DROP, LocalResponse
from tests.sip.test_access_control import Phone, Server, ask

NAT = "192.0.2.7"
NAMES = ("ada", "bob", "carl", "dora", "emil", "1000")


def guess(server: Server, user: str, port: int, *, wait: float = 0.5) -> LocalResponse | None:
    server.now += wait
    return Phone(server, user, "a guess", (NAT, port)).send("REGISTER", "sip:pbx", to=f"sip:{user}@pbx")


@pytest.mark.parametrize("is_registered", [False, True])
@pytest.mark.parametrize("ports", [(4000,), tuple(range(4000, 4054)), tuple(range(4000, 4006))])
def test_t24_a_phone_is_heard_while_others_behind_its_nat_guess(
    ports: tuple[int, ...], is_registered: bool
) -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password", (NAT, 5060))
    if is_registered:
        assert phone.register().status == 200
    for number in range(54):
        guess(server, NAMES[number % 6], ports[number % len(ports)])
    assert server.access.is_source_allowed(ask(source=(NAT, 5060)).source)
    assert phone.register().status == 200
    assert phone.send("INVITE") is None
    assert Phone(server, "bob", "bob-password", (NAT, 5061)).register("sip:bob@pbx").status == 200


def test_t24_a_client_that_guesses_is_banned_and_nobody_else() -> None:
    server = Server()
    for _ in range(DEFAULT_POLICY.user_failures):
        assert guess(server, "ada", 4000) != DROP
    assert guess(server, "ada", 4000) == DROP
    assert Phone(server, "ada", "ada-password", (NAT, 4000)).send("INVITE") == DROP, (
        "it is the one that guessed"
    )
    assert Phone(server, "ada", "ada-password", (NAT, 4001)).send("INVITE") is None


def test_t24_a_guesser_with_many_ports_is_slowed_down_and_a_known_phone_is_heard() -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password", (NAT, 5060))
    assert phone.register().status == 200
    for number in range(5000):
        guess(server, f"user{number % 500}", 10_000 + number, wait=0.5)
    assert server.access.counts["wrong"] <= DEFAULT_POLICY.guesses + 2500 * DEFAULT_POLICY.guess_rate + 1
    assert phone.register().status == 200
    server.now += 10
    assert Phone(server, "bob", "bob-password", (NAT, 5061)).register("sip:bob@pbx").status == 200, (
        "a while later"
    )


def test_t24_one_user_cannot_be_guessed_from_many_ports_for_long() -> None:
    server = Server()
    for number in range(3000):
        guess(server, "ada", 10_000 + number, wait=1.0)
    assert (
        server.access.counts["wrong"]
        <= DEFAULT_POLICY.user_guesses + 3000 * DEFAULT_POLICY.user_guess_rate + 1
    )


def test_t24_a_flood_behind_the_nat_does_not_use_up_the_share_of_a_known_phone() -> None:
    server = Server(RateLimitPolicy(rate=1, burst=5, known_rate=5, known_burst=20, excess_limit=3))
    phone = Phone(server, "ada", "ada-password", (NAT, 5060))
    assert phone.register().status == 200
    replies = [server.knock(ask(source=(NAT, 4000))) for _ in range(60)]
    assert replies[-1]
    assert replies[-1].status in (0, 503)
    assert phone.send("INVITE") is None


# T22


def answer(
    challenge: str, method: str, uri: str, password: str, *, extra: str = "", name: str = "MD5"
) -> str:
    """Answer a challenge as RFC 2069 did, without qop."""
    asked = read_parameters(challenge) or {}
    first = first_hash(HASHES[name], "ada", asked["realm"], password)
    response = respond(HASHES[name], first, DigestExchange(method, uri, asked["nonce"]))
    return (
        f'Authorization: Digest username="ada", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
        f'uri="{uri}", response="{response}", algorithm={name}{extra}'
    )


def challenge(server: Server, name: str = "MD5") -> str:
    reply = server.knock(ask("REGISTER", "sip:pbx", source=(NAT, 5060), to="sip:ada@pbx"))
    assert reply
    values = [value for _, value in reply.headers if f"algorithm={name}" in value]
    return values[0] if values else challenge(server, name)


def register(server: Server, *headers: str) -> LocalResponse:
    contact = f"Contact: <sip:ada@{NAT}>"
    reply = server.knock(
        ask("REGISTER", "sip:pbx", source=(NAT, 5060), headers=(contact, *headers), to="sip:ada@pbx")
    )
    assert reply
    return reply


@pytest.mark.parametrize("name", HASHES)
def test_t22_a_phone_without_qop_registers_where_the_setting_allows_it(name: str) -> None:
    server = Server(allow_rfc2069=True)
    credentials = answer(challenge(server, name), "REGISTER", "sip:pbx", "ada-password", name=name)
    assert register(server, credentials).status == 200
    again = register(server, credentials)
    assert again.status == 401, "a nonce without a count is good once"
    assert "stale=true" in again.headers[0][1]
    assert server.access.counts["wrong"] == 0


@pytest.mark.parametrize("extra", ["", ', qop=""', ", nc=00000001", ', cnonce="abc"'])
def test_t22_a_right_password_without_qop_is_never_a_guess(extra: str) -> None:
    server = Server()
    for _ in range(3 * DEFAULT_POLICY.user_failures):
        server.now += 1
        reply = register(
            server, answer(challenge(server), "REGISTER", "sip:pbx", "ada-password", extra=extra)
        )
        assert reply.status == 401
    assert server.access.counts["wrong"] == 0
    assert server.access.rate_limiter.bans(server.now) == ()
    assert Phone(server, "ada", "ada-password", (NAT, 5060)).register().status == 200


@pytest.mark.parametrize("allowed", [False, True])
def test_t22_a_wrong_password_without_qop_is_a_guess(allowed: bool) -> None:
    server = Server(allow_rfc2069=allowed)
    for _ in range(DEFAULT_POLICY.user_failures):
        server.now += 1
        register(server, answer(challenge(server), "REGISTER", "sip:pbx", "a guess"))
    assert server.access.counts["wrong"] == DEFAULT_POLICY.user_failures
    right = answer(challenge(server), "REGISTER", "sip:pbx", "ada-password")
    assert register(server, right) == DROP


@pytest.mark.parametrize(
    ("parts", "nc"),
    [
        ("qop=auth, nc=1, ", "1"),
        ("qop=auth, nc=0000000g, ", "0000000g"),
        ("qop=auth-int, nc=00000001, ", "00000001"),
    ],
)
def test_t22_a_right_password_in_another_form_is_no_guess(parts: str, nc: str) -> None:
    server = Server()
    for _ in range(2 * DEFAULT_POLICY.user_failures):
        server.now += 1
        asked = read_parameters(challenge(server)) or {}
        first = first_hash(HASHES["MD5"], "ada", asked["realm"], "ada-password")
        response = respond(
            HASHES["MD5"], first, DigestExchange("REGISTER", "sip:pbx", asked["nonce"], "auth", nc, "c")
        )
        given = (
            f'Authorization: Digest username="ada", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
            f'uri="sip:pbx", response="{response}", {parts}cnonce="c"'
        )
        assert register(server, given).status == 401
    assert server.access.counts["wrong"] == 0


def test_t22_an_algorithm_that_was_not_offered_is_no_guess() -> None:
    server = Server()
    for _ in range(2 * DEFAULT_POLICY.user_failures):
        server.now += 1
        given = answer(challenge(server), "REGISTER", "sip:pbx", "ada-password")
        assert register(server, given.replace("MD5", "SHA-512-256")).status == 401
    assert server.access.counts["wrong"] == 0
