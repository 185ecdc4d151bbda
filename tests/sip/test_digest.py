"""Digest authentication, both sides: against RFC examples, against each other, against those who cheat."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.resources import extension
from openivr.sip.auth import server as verifier_module
from openivr.sip.auth.client import (
    CREDENTIALS_HEADERS,
    AuthAttempt,
    DigestClient,
    HashedLogin,
    Login,
    read_challenges,
)
from openivr.sip.auth.digest import HASHES, DigestExchange, first_hash, read_parameters, respond
from openivr.sip.auth.server import (
    COUNT_WINDOW,
    NONCE_SECONDS,
    REALM,
    AuthOutcome,
    AuthRequest,
    DigestSecret,
    DigestVerifier,
)

KEY = b"k" * 32
PHONE = "192.0.2.7"
URI = "sip:openivr.example"
SECRET = DigestSecret.make("1000", "right-password")


def find(user: str) -> DigestSecret | None:
    return SECRET if user == "1000" else None


def phone(password: str = "right-password", user: str = "1000") -> DigestClient:
    return DigestClient(Login(user, password), draw=lambda: "0a4f113b")


class Exchanges:
    """A phone and a server that talk about one request at a time."""

    def __init__(self, phone: DigestClient, verifier: DigestVerifier | None = None) -> None:
        self.phone = phone
        self.verifier = verifier or DigestVerifier(KEY)
        self.now = 1000.0

    def send(self, method: str = "REGISTER", uri: str = URI, source: str = PHONE) -> AuthOutcome:
        values = [value for _, value in self.phone.headers(method, uri)]
        return self.verifier.check(AuthRequest(method, uri, source, values), find, self.now).outcome

    def ask(
        self, *, stale: bool = False, only: str = "", attempt: AuthAttempt | None = None
    ) -> AuthAttempt | None:
        challenges = self.verifier.challenge(PHONE, self.now, stale=stale)
        chosen = [value for value in challenges if only in value]
        return self.phone.on_challenge(401, chosen, attempt or AuthAttempt())


def test_the_example_of_rfc_7616() -> None:
    exchange = DigestExchange(
        "GET",
        "/dir/index.html",
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "auth",
        "00000001",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    responses = {
        name: respond(
            hashed, first_hash(hashed, "Mufasa", "http-auth@example.org", "Circle of Life"), exchange
        )
        for name, hashed in HASHES.items()
    }
    assert responses == {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }


def test_the_example_of_rfc_2617_without_qop() -> None:
    hashed = HASHES["MD5"]
    first = first_hash(hashed, "bob", "biloxi.com", "zanzibar")
    exchange = DigestExchange("INVITE", "sip:bob@biloxi.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    second = hashlib.md5(b"INVITE:sip:bob@biloxi.com").hexdigest()
    expected = hashlib.md5(f"{first}:{exchange.nonce}:{second}".encode()).hexdigest()
    assert respond(hashed, first, exchange) == expected == "bf57e4e0d0bffc0fbaedce64d59add5e"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Digest realm="a, b", qop="auth,auth-int"', {"realm": "a, b", "qop": "auth,auth-int"}),
        ('digest  Realm = "x" ,nonce=abc', {"realm": "x", "nonce": "abc"}),
        (r'Digest realm="say \"hi\""', {"realm": r"say \"hi\""}),
        ('Digest realm="", stale=TRUE', {"realm": "", "stale": "TRUE"}),
        ('Digest realm="a" nonce="b"', None),
        ('Digest realm="a", REALM="b"', None),
        ('Digest realm="open', None),
        ('Digest realm="a\x00b"', None),
        ("Digest self=1", {"self": "1"}),
        ("Basic dXNlcjpwYXNz", None),
        ("Digest", None),
        ("", None),
    ],
)
def test_reading_headers(header: str, found: dict[str, str] | None) -> None:
    assert read_parameters(header) == found


@given(st.text())
def test_any_header_is_read(text: str) -> None:
    read_parameters(text)
    read_parameters("Digest " + text)
    assert isinstance(read_challenges(401, [text, "Digest " + text]), tuple)
    assert (
        DigestVerifier(KEY).check(AuthRequest("REGISTER", URI, PHONE, [text]), find, 0.0).outcome
        is not AuthOutcome.ACCEPTED
    )


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"]))
            | st.sampled_from(["1000", REALM, "auth", "00000001", "MD5", URI, ""])
            for name in ("username", "realm", "nonce", "uri", "qop", "nc", "cnonce", "algorithm", "response")
        },
    ),
    st.booleans(),
)
def test_no_made_up_credentials_are_accepted(values: dict[str, str], with_good_nonce: bool) -> None:
    verifier = DigestVerifier(KEY)
    nonce = (read_parameters(verifier.challenge(PHONE, 1000.0)[0]) or {})["nonce"]
    if with_good_nonce:
        values["nonce"] = nonce
    header = "Digest " + ", ".join(f'{name}="{value}"' for name, value in values.items())
    assert (
        verifier.check(AuthRequest("REGISTER", URI, PHONE, [header]), find, 1001.0).outcome
        is not AuthOutcome.ACCEPTED
    )


def test_the_realm_is_that_of_the_stored_secrets() -> None:
    kept = extension.bind_digest("1000", "right-password")
    assert REALM == extension.REALM
    assert DigestSecret.read(kept) == SECRET
    with pytest.raises(ValueError, match="not a digest"):
        DigestSecret.read("right-password")
    assert "md5" not in repr(SECRET).lower()


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_a_phone_logs_in_with_either_algorithm(algorithm: str) -> None:
    talk = Exchanges(phone())
    assert talk.send() is AuthOutcome.ABSENT
    assert talk.ask(only=algorithm)
    assert talk.send() is AuthOutcome.ACCEPTED
    assert talk.send("INVITE", "sip:6200@openivr.example") is AuthOutcome.ACCEPTED, (
        "the count goes up by itself"
    )


def test_two_challenges_the_better_first_and_preferred() -> None:
    challenges = DigestVerifier(KEY).challenge(PHONE, 1000.0)
    assert [(read_parameters(value) or {})["algorithm"] for value in challenges] == ["SHA-256", "MD5"]
    for order in (challenges, challenges[::-1]):
        assert [challenge.algorithm for challenge in read_challenges(401, order)] == ["SHA-256"]


def test_wrong_passwords_and_unknown_users_fare_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[int] = []

    def counted(name: str) -> Callable[[str], str]:
        def hashed(text: str) -> str:
            work.append(len(text))
            return HASHES[name](text)

        return hashed

    counting = {name: counted(name) for name in HASHES}
    spent = {}
    for password, user in (("wrong-password", "1000"), ("wrong-password", "9999")):
        talk = Exchanges(phone(password, user))
        talk.ask()
        with monkeypatch.context() as patched:
            patched.setattr(verifier_module, "HASHES", counting)
            work.clear()
            assert talk.send() is AuthOutcome.WRONG
        spent[user] = tuple(work)
    assert spent["1000"] == spent["9999"]
    assert len(spent["1000"]) == 2, "H(A2) and the response"


def test_a_user_without_a_secret_cannot_be_logged_in_as_by_guessing_the_stand_in() -> None:
    verifier = DigestVerifier(KEY)
    given_ = read_parameters(verifier.challenge(PHONE, 1000.0)[1]) or {}
    exchange = DigestExchange("REGISTER", URI, given_["nonce"], "auth", "00000001", "x")
    response = respond(HASHES["MD5"], "0" * 32, exchange)
    header = (
        f'Digest username="9999", realm="{REALM}", nonce="{given_["nonce"]}", uri="{URI}", qop=auth, '
        f'nc=00000001, cnonce="x", response="{response}"'
    )
    assert (
        verifier.check(AuthRequest("REGISTER", URI, PHONE, [header]), find, 1000.0).outcome
        is AuthOutcome.WRONG
    )


def test_credentials_are_good_once_for_one_method_target_and_source() -> None:
    talk = Exchanges(phone())
    talk.ask()
    values = [value for _, value in talk.phone.headers("INVITE", "sip:6200@openivr.example")]

    def check(method: str, uri: str, source: str) -> AuthOutcome:
        return talk.verifier.check(AuthRequest(method, uri, source, values), find, talk.now).outcome

    assert check("REGISTER", "sip:6200@openivr.example", PHONE) is AuthOutcome.WRONG
    assert check("INVITE", "sip:0900555@openivr.example", PHONE) is AuthOutcome.UNUSABLE
    assert check("INVITE", "sip:6200@openivr.example", "203.0.113.9") is AuthOutcome.STALE
    assert check("INVITE", "sip:6200@10.0.0.1:5070;transport=tcp", PHONE) is AuthOutcome.ACCEPTED, (
        "a proxy's target"
    )
    assert check("INVITE", "sip:6200@openivr.example", PHONE) is AuthOutcome.STALE, "replayed"


def test_a_nonce_grows_old() -> None:
    talk = Exchanges(phone())
    talk.ask()
    talk.now += NONCE_SECONDS
    assert talk.send() is AuthOutcome.ACCEPTED
    talk.now += 1
    assert talk.send() is AuthOutcome.STALE
    assert talk.ask(stale=True)
    assert talk.send() is AuthOutcome.ACCEPTED


def test_a_nonce_of_another_process_is_stale() -> None:
    talk = Exchanges(phone())
    talk.ask()
    talk.verifier = DigestVerifier(b"x" * 32)
    assert talk.send() is AuthOutcome.STALE


def use(verifier: DigestVerifier, nonce: str, count: int, now: float) -> AuthOutcome:
    exchange = DigestExchange("REGISTER", URI, nonce, "auth", f"{count:08x}", "x")
    response = respond(HASHES["SHA-256"], SECRET.hashes["SHA-256"], exchange)
    header = (
        f'Digest username="1000", realm="{REALM}", nonce="{nonce}", uri="{URI}", algorithm=SHA-256, '
        f'qop=auth, nc={count:08x}, cnonce="x", response="{response}"'
    )
    return verifier.check(AuthRequest("REGISTER", URI, PHONE, [header]), find, now).outcome


def nonce_of(verifier: DigestVerifier, now: float) -> str:
    return (read_parameters(verifier.challenge(PHONE, now)[0]) or {})["nonce"]


@given(st.lists(st.integers(0, 3 * COUNT_WINDOW), max_size=80))
def test_no_count_is_used_twice(counts: list[int]) -> None:
    verifier = DigestVerifier(KEY)
    nonce = nonce_of(verifier, 1000.0)
    used: set[int] = set()
    for count in counts:
        accepted = use(verifier, nonce, count, 1000.0) is AuthOutcome.ACCEPTED
        fresh = count > 0 and count not in used and count > max(used, default=0) - COUNT_WINDOW
        assert accepted == fresh, (count, used)
        used |= {count} if accepted else set()


def test_forgotten_counts_open_no_door() -> None:
    """The memory is bounded; what falls out of it may not be used again, and phones are asked anew."""
    verifier = DigestVerifier(KEY, remembered=2)
    nonces = [nonce_of(verifier, 1000.0 + step) for step in range(4)]
    assert [use(verifier, nonce, 1, 1010.0) for nonce in nonces] == [AuthOutcome.ACCEPTED] * 4
    assert [use(verifier, nonce, 1, 1010.0) for nonce in nonces] == [AuthOutcome.STALE] * 4
    assert use(verifier, nonces[3], 2, 1010.0) is AuthOutcome.ACCEPTED
    assert use(verifier, nonces[0], 2, 1010.0) is AuthOutcome.STALE


def test_strangers_leave_nothing_behind() -> None:
    verifier = DigestVerifier(KEY)
    for step in range(1000):
        use(verifier, nonce_of(verifier, step), 1, step + 2 * NONCE_SECONDS)
        verifier.check(AuthRequest("REGISTER", URI, PHONE, ['Digest realm="openivr", nonce="x"']), find, step)
    assert not verifier._used


# The client's side


def challenge(**changes: str) -> str:
    values = {"realm": '"provider"', "nonce": '"n1"', "algorithm": "MD5", "qop": '"auth"'} | changes
    return "Digest " + ", ".join(f"{name}={value}" for name, value in values.items() if value)


def answers(credentials: DigestClient) -> list[dict[str, Any]]:
    return [
        dict(read_parameters(value) or {}) for _, value in credentials.headers("REGISTER", "sip:provider")
    ]


@pytest.mark.parametrize(("status", "header"), CREDENTIALS_HEADERS.items())
def test_401_and_407_are_answered_where_they_ask(status: int, header: str) -> None:
    credentials = phone()
    assert credentials.headers("REGISTER", "sip:provider") == []
    assert credentials.on_challenge(status, [challenge()], AuthAttempt())
    assert [name for name, _ in credentials.headers("REGISTER", "sip:provider")] == [header]


def test_counts_go_up_until_the_nonce_changes() -> None:
    credentials = phone()
    credentials.on_challenge(401, [challenge(opaque='"o"')], AuthAttempt())
    first, second = answers(credentials)[0], answers(credentials)[0]
    assert (first["nc"], second["nc"]) == ("00000001", "00000002")
    assert first["response"] != second["response"]
    assert first["opaque"] == "o"
    credentials.on_challenge(401, [challenge(nonce='"n2"')], AuthAttempt())
    assert answers(credentials)[0]["nc"] == "00000001"


def test_qop_and_counts_stand_without_quotes() -> None:
    credentials = phone()
    credentials.on_challenge(401, [challenge()], AuthAttempt())
    ((_, value),) = credentials.headers("REGISTER", "sip:provider")
    assert "qop=auth, nc=00000001" in value
    assert "algorithm=MD5" in value


def test_a_far_side_without_qop_or_algorithm_gets_none() -> None:
    credentials = phone()
    credentials.on_challenge(401, [challenge(qop="", algorithm="")], AuthAttempt())
    assert set(answers(credentials)[0]) == {"username", "realm", "nonce", "uri", "response"}


def test_a_session_algorithm_keeps_its_cnonce() -> None:
    credentials = DigestClient(Login("1000", "right-password"))
    credentials.on_challenge(401, [challenge(algorithm="MD5-sess")], AuthAttempt())
    first, second = answers(credentials)[0], answers(credentials)[0]
    assert first["cnonce"] == second["cnonce"]
    hashed = HASHES["MD5"]
    session = hashed(f"{first_hash(hashed, '1000', 'provider', 'right-password')}:n1:{first['cnonce']}")
    exchange = DigestExchange("REGISTER", "sip:provider", "n1", "auth", "00000001", first["cnonce"])
    assert first["response"] == respond(hashed, session, exchange)


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["Basic realm=x"],
        [challenge(algorithm="SHA-512-256")],
        [challenge(qop='"auth-int"')],
        [challenge(nonce="")],
        [challenge(realm="")],
    ],
)
def test_what_cannot_be_answered_is_given_up(values: list[str]) -> None:
    assert phone().on_challenge(401, values, AuthAttempt()) is None


def test_a_refused_login_is_not_tried_again() -> None:
    credentials = phone()
    attempt = credentials.on_challenge(401, [challenge()], AuthAttempt())
    assert attempt
    assert credentials.on_challenge(401, [challenge(nonce='"n2"')], attempt) is None


def test_a_stale_nonce_is_answered_again_but_not_for_ever() -> None:
    credentials = phone()
    attempt, rounds = AuthAttempt(), 0
    while again := credentials.on_challenge(401, [challenge(nonce=f'"n{rounds}"', stale="true")], attempt):
        attempt, rounds = again, rounds + 1
        assert rounds < 10
    assert rounds == 3


def test_a_remembered_nonce_that_is_refused_counts_as_the_first_question() -> None:
    """Some servers do not say stale; a request that brought old credentials may ask again once."""
    credentials = phone()
    credentials.on_challenge(401, [challenge()], AuthAttempt())
    attempt = credentials.on_challenge(401, [challenge(nonce='"n2"')], AuthAttempt())
    assert attempt
    assert answers(credentials)[0]["nonce"] == "n2"
    assert credentials.on_challenge(401, [challenge(nonce='"n3"')], attempt) is None


def test_a_proxy_and_the_far_side_are_both_answered() -> None:
    credentials = phone()
    attempt = credentials.on_challenge(407, [challenge(realm='"proxy"')], AuthAttempt())
    assert attempt
    assert credentials.on_challenge(401, [challenge()], attempt)
    assert [(name, "proxy" in value) for name, value in credentials.headers("INVITE", "sip:1@x")] == [
        ("Proxy-Authorization", True),
        ("Authorization", False),
    ]


def test_realms_without_end_are_not_remembered() -> None:
    credentials = phone()
    for number in range(100):
        credentials.on_challenge(401, [challenge(realm=f'"r{number}"')], AuthAttempt())
    assert len(credentials.headers("REGISTER", "sip:provider")) <= 8


def test_the_password_shows_nowhere() -> None:
    assert "right-password" not in repr(Login("1000", "right-password"))
    credentials = phone()
    credentials.on_challenge(401, [challenge()], AuthAttempt())
    assert "right-password" not in repr(credentials) + str(credentials.headers("REGISTER", URI))


@given(st.text(min_size=1), st.sampled_from(["MD5", "SHA-256"]), st.integers(1, 5), st.booleans())
def test_both_sides_agree(password: str, algorithm: str, requests: int, is_kept: bool) -> None:
    secret = DigestSecret.make("1000", password)
    login = HashedLogin("1000", secret.hashes) if is_kept else Login("1000", password)
    verifier, credentials = DigestVerifier(KEY), DigestClient(login)
    values = [value for value in verifier.challenge(PHONE, 1000.0) if f"={algorithm}," in value]
    assert credentials.on_challenge(401, values, AuthAttempt())
    for _ in range(requests):
        header = [value for _, value in credentials.headers("REGISTER", URI)]
        verdict = verifier.check(AuthRequest("REGISTER", URI, PHONE, header), lambda _: secret, 1000.0)
        assert verdict.outcome is AuthOutcome.ACCEPTED
