"""Who is let in: every request that is not by an account or from a trunk's address stays outside."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from openivr.sip.access.access_control import AccessControl, Clocks
from openivr.sip.access.accounts import AccountDirectory, AuthAccount, CallerIdentity
from openivr.sip.access.rate_limit import DEFAULT_POLICY, RateLimitPolicy
from openivr.sip.address import Hop, uri_host
from openivr.sip.auth.client import AuthAttempt, DigestClient, Login
from openivr.sip.auth.digest import read_parameters
from openivr.sip.auth.server import DigestSecret
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import DROP, LocalResponse
from openivr.sip.message.message import Request, read
from openivr.sip.registrar.registrar import Binding, to_plain
from openivr.sip.trunk.trunk_state import TrunkConfig, TrunkType

STRANGER, PHONE, PROVIDER = ("203.0.113.9", 5060), ("192.0.2.7", 5060), ("198.51.100.1", 5060)
ADA = AuthAccount("ada", DigestSecret.make("ada", "ada-password"), contacts=2, names=frozenset({"1000"}))
BOB = AuthAccount("bob", DigestSecret.make("bob", "bob-password"), names=frozenset({"1001"}))
PEER = TrunkConfig(1, "peer", TrunkType.PEER, PROVIDER[0])
FAR = TrunkConfig(2, "far", TrunkType.ACCOUNT, user="branch", password="branch-password")
METHODS = [
    "INVITE",
    "REGISTER",
    "MESSAGE",
    "SUBSCRIBE",
    "REFER",
    "PUBLISH",
    "INFO",
    "BYE",
    "UPDATE",
    "NOTIFY",
    "FOO",
]


class Channel:
    """A socket that nothing is sent on."""

    reliable = closed = False

    def __init__(self, protocol: str = "UDP") -> None:
        self.protocol = protocol

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        return True

    def advertised_address(self, address: tuple[str, int]) -> tuple[str, int]:
        return ("192.0.2.1", 5060)


class Leg:
    """A call, as far as a door looks at it."""

    def __init__(self, request: Request) -> None:
        self.request, self.rejected = request, 0

    def reject(self, status: int) -> None:
        self.rejected = status


class House:
    """A door with everybody behind it, and a clock."""

    def __init__(
        self, policy: RateLimitPolicy = DEFAULT_POLICY, is_full: Callable[[], bool] = lambda: False
    ) -> None:
        self.now = 1000.0
        self.calls: list[CallerIdentity] = []
        self.told: list[tuple[str, list[str]]] = []
        clock = Clocks(lambda: self.now, lambda: self.now)
        self.door = AccessControl(b"k" * 32, self._called, policy=policy, is_full=is_full, clocks=clock)
        self.door.configure(AccountDirectory.make({"ada": ADA, "bob": BOB}, {1: PEER, 2: FAR}))
        self.door.set_trunk_addresses({1: frozenset({PROVIDER[0]})})
        self.door.watchers.append(self._told)

    def _called(self, leg: InboundLeg, caller: CallerIdentity) -> None:
        self.calls.append(caller)

    def _told(self, user: str, bindings: tuple[Binding, ...]) -> None:
        self.told.append((user, [binding.contact for binding in bindings]))

    def knock(self, request: Request) -> LocalResponse | None:
        """Admit a request, and do with it what an agent does."""
        reply = self.door.admit(request)
        if reply is None and request.method == "REGISTER":
            return self.door.on_register(request)
        if reply is None and request.method == "INVITE":
            self.door.on_invite(Leg(request))  # type: ignore[arg-type]  # the part of a leg that a door uses
        return reply


def ask(
    method: str = "INVITE",
    uri: str = "sip:6200@pbx",
    *,
    source: tuple[str, int] = STRANGER,
    protocol: str = "UDP",
    headers: tuple[str, ...] = (),
    to: str = "",
    cseq: int = 1,
) -> Request:
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{protocol} {uri_host(source[0])}:{source[1]};rport;branch=z9hG4bK1",
        "From: <sip:1000@pbx>;tag=1",
        f"To: <{to or uri}>",
        "Call-ID: call",
        f"CSeq: {cseq} {method}",
        *headers,
    ]
    request = read(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(request, Request)
    assert request.fault is None
    request.hop = Hop(Channel(protocol), source)
    return request


class Phone:
    """Somebody with a password."""

    def __init__(self, house: House, user: str, password: str, source: tuple[str, int] = PHONE) -> None:
        self.house, self.source = house, source
        self.credentials = DigestClient(Login(user, password))
        self.cseq = 0

    def send(
        self, method: str, uri: str = "sip:6200@pbx", *headers: str, to: str = ""
    ) -> LocalResponse | None:
        """Send a request as a phone does: again, with credentials, when it is asked for them."""
        attempt = AuthAttempt()
        while True:
            self.cseq += 1
            answers = [f"{name}: {value}" for name, value in self.credentials.headers(method, uri)]
            reply = self.house.knock(
                ask(method, uri, source=self.source, headers=(*headers, *answers), to=to, cseq=self.cseq)
            )
            if reply is None or reply.status != 401:
                return reply
            asked = [value for name, value in reply.headers if name == "WWW-Authenticate"]
            again = self.credentials.on_challenge(401, asked, attempt)
            if again is None:
                return reply
            attempt = again

    def register(
        self, to: str = "sip:ada@pbx", contact: str = "<sip:ada@192.0.2.7>", expires: int = 600
    ) -> LocalResponse:
        reply = self.send("REGISTER", "sip:pbx", f"Contact: {contact}", f"Expires: {expires}", to=to)
        assert reply
        return reply


@pytest.mark.parametrize("method", METHODS)
def test_strangers_are_asked_who_they_are(method: str) -> None:
    house = House()
    reply = house.knock(ask(method))
    assert reply
    assert reply.status == 401
    assert [name for name, _ in reply.headers] == ["WWW-Authenticate"] * 2
    assert house.calls == []


@given(
    st.sampled_from(METHODS),
    st.lists(
        st.sampled_from(
            ["Authorization: Digest ", "Proxy-Authorization: Digest ", "Authorization: Basic x", ""]
        ),
        max_size=2,
    ),
    st.lists(
        st.sampled_from(
            [
                'username="ada"',
                'realm="openivr"',
                'nonce=""',
                "qop=auth",
                "nc=00000001",
                'cnonce="a"',
                'uri="sip:6200@pbx"',
                'response=""',
            ]
        ),
        unique=True,
    ),
    st.sampled_from([STRANGER, PHONE, (PROVIDER[0], 1024), ("::1", 5060)]),
    st.sampled_from(["UDP", "TCP", "TLS"]),
)
def test_default_deny(
    method: str, starts: list[str], values: list[str], source: tuple[str, int], protocol: str
) -> None:
    """Without a right response nobody is reached, but from a trunk's address."""
    house = House()
    headers = tuple(start + ", ".join(values) for start in starts if start)
    reply = house.knock(ask(method, source=source, protocol=protocol, headers=headers))
    assert reply
    assert reply.status == 401
    assert house.calls == []
    assert len(house.door.registrar) == 0


def test_options_are_answered_to_all() -> None:
    assert House().knock(ask("OPTIONS")) is None


def test_a_trunk_is_known_by_its_address() -> None:
    house = House()
    assert house.knock(ask(source=PROVIDER)) is None
    assert house.calls == [CallerIdentity(trunk=PEER)]
    for other in (
        ask(source=(PROVIDER[0], 5099)),
        ask(source=PROVIDER, protocol="TCP"),
        ask("REGISTER", source=PROVIDER),
    ):
        reply = house.knock(other)
        assert reply
        assert reply.status == 401
    house.door.set_trunk_addresses({})
    assert house.knock(ask(source=PROVIDER)) is not None


def test_an_account_calls_with_its_password() -> None:
    house = House()
    assert Phone(house, "ada", "ada-password").send("INVITE") is None
    assert house.calls == [CallerIdentity(account=ADA)]


def test_the_far_side_of_a_trunk_logs_in_and_calls_as_the_trunk() -> None:
    house = House()
    far = Phone(house, "branch", "branch-password")
    assert far.register("sip:branch@pbx").status == 200
    assert far.send("INVITE") is None
    assert house.calls == [CallerIdentity(trunk=FAR)]


def test_an_extensions_name_is_not_taken_by_a_trunk() -> None:
    double = TrunkConfig(9, "double", TrunkType.ACCOUNT, user="ada", password="other")
    assert AccountDirectory.make({"ada": ADA}, {9: double}).accounts == {"ada": ADA}
    assert (
        AccountDirectory.make({}, {9: TrunkConfig(9, "no password", TrunkType.ACCOUNT, user="x")}).accounts
        == {}
    )


def test_registering() -> None:
    house = House()
    phone = Phone(house, "ada", "ada-password")
    reply = phone.register()
    assert reply.status == 200
    assert reply.headers == (("Contact", "<sip:ada@192.0.2.7>;expires=600"),)
    assert [binding.contact for binding in house.door.lookup("ada")] == ["sip:ada@192.0.2.7"]
    assert phone.register(contact='<sip:ada@192.0.2.8>;q=0.5;+sip.instance="<urn:uuid:1>"').headers == (
        ("Contact", "<sip:ada@192.0.2.7>;expires=600"),
        ("Contact", '<sip:ada@192.0.2.8>;expires=600;q=0.5;+sip.instance="<urn:uuid:1>"'),
    )
    assert phone.register(contact="*", expires=0).headers == ()
    assert [contacts for _, contacts in house.told] == [
        ["sip:ada@192.0.2.7"],
        ["sip:ada@192.0.2.7", "sip:ada@192.0.2.8"],
        [],
    ]


def test_too_short_and_nonsense() -> None:
    phone = Phone(House(), "ada", "ada-password")
    reply = phone.register(expires=10)
    assert (reply.status, reply.headers) == (423, (("Min-Expires", "60"),))
    assert phone.register(contact="nonsense").status == 400
    assert phone.register(contact="<sip:" + "a" * 600 + "@h>").status == 400
    assert phone.register(contact="<sip:ada@h>, *", expires=0).status == 400


@pytest.mark.parametrize(
    ("to", "status"), [("sip:1000@pbx", 200), ("sip:1001@pbx", 403), ("sip:bob@pbx", 403), ("tel:1", 403)]
)
def test_nobody_registers_for_others(to: str, status: int) -> None:
    house = House()
    assert Phone(house, "ada", "ada-password").register(to=to).status == status
    assert house.door.lookup("bob") == ()


def test_unknown_and_wrong_get_the_same_answer() -> None:
    replies = []
    for user in ("ada", "nobody"):
        reply = Phone(House(), user, "wrong-password").register(to=f"sip:{user}@pbx")
        replies.append([(name, value.partition("nonce")[0]) for name, value in reply.headers])
        assert reply.status == 401
        assert "stale" not in str(reply.headers)
    assert replies[0] == replies[1]


def test_a_password_is_guessed_a_few_times_only() -> None:
    house = House()
    for _ in range(20):
        house.now += 1
        Phone(house, "ada", "wrong-password", STRANGER).send("INVITE")
    assert house.door.counts["wrong"] == DEFAULT_POLICY.user_failures
    right = Phone(house, "ada", "ada-password", STRANGER)
    assert right.send("INVITE") == DROP
    assert house.calls == []
    assert Phone(house, "bob", "bob-password", STRANGER).send("INVITE") is None, "as somebody else"
    assert Phone(house, "ada", "ada-password", PHONE).register().status == 200, "from elsewhere"
    house.now += DEFAULT_POLICY.ban
    assert right.send("INVITE") is None


def test_who_tries_many_users_is_not_heard_at_all() -> None:
    house = House()
    for number in range(2 * DEFAULT_POLICY.all_failures):
        house.now += 1
        Phone(house, f"user{number}", "a-password", STRANGER).send("INVITE")
    assert house.door.counts["wrong"] == DEFAULT_POLICY.all_failures
    assert not house.door.is_source_allowed(ask(source=STRANGER).source)
    assert house.knock(ask(source=STRANGER)) == DROP


def test_credentials_that_were_overheard_are_of_no_use_elsewhere() -> None:
    house = House()
    phone = Phone(house, "ada", "ada-password")
    phone.send("INVITE")
    heard = tuple(f"{name}: {value}" for name, value in phone.credentials.headers("INVITE", "sip:6200@pbx"))
    reply = house.knock(ask(source=STRANGER, headers=heard))
    assert reply
    assert "stale=true" in reply.headers[0][1]
    assert house.knock(ask(source=PHONE, headers=heard)) is None
    assert house.knock(ask(source=PHONE, headers=heard)) is not None
    assert len(house.calls) == 2


def test_a_nonce_gone_stale_is_renewed_without_asking_anybody() -> None:
    house = House()
    phone = Phone(house, "ada", "ada-password")
    assert phone.register().status == 200
    house.now += 500
    assert phone.register().status == 200
    assert house.door.counts["stale"] == 1
    assert house.door.counts["wrong"] == 0


def algorithms(reply: LocalResponse | None) -> list[str]:
    assert reply
    asked = [read_parameters(value) or {} for name, value in reply.headers if name == "WWW-Authenticate"]
    return [parameters["algorithm"] for parameters in asked]


def test_phones_that_fail_on_sha_256_work_from_their_second_try() -> None:
    house = House()
    both = ["SHA-256", "MD5"]
    assert [algorithms(house.knock(ask("REGISTER"))) for _ in range(4)] == [both, ["MD5"], both, ["MD5"]]
    Phone(house, "ada", "wrong-password", STRANGER).register()
    assert algorithms(house.knock(ask("REGISTER"))) == both, "this source answers"


def test_a_phone_that_is_known_to_fail_on_sha_256_gets_md5_alone() -> None:
    house = House()
    for agent, wanted in (("baresip v1.0.0 (x86_64/linux)", 1), ("baresip v3.1.0", 2), ("", 2)):
        source = (f"10.0.0.{len(agent)}", 5060)
        request = ask("REGISTER", source=source, headers=(f"User-Agent: {agent}",) if agent else ())
        assert len(algorithms(house.knock(request))) == wanted


def test_who_has_used_an_algorithm_is_asked_for_it_again() -> None:
    house = House()
    phone = Phone(house, "ada", "ada-password")
    house.knock(ask(source=PHONE))
    only_md5 = house.knock(ask(source=PHONE))
    assert only_md5
    phone.credentials.on_challenge(401, [value for _, value in only_md5.headers], AuthAttempt())
    house.now += 500
    headers = tuple(f"{name}: {value}" for name, value in phone.credentials.headers("INVITE", "sip:6200@pbx"))
    assert algorithms(house.knock(ask(source=PHONE, headers=headers))) == ["MD5"]


def test_a_flood_is_refused_then_ignored() -> None:
    house = House(RateLimitPolicy(rate=1, burst=5, excess_limit=3))
    replies = [house.knock(ask()) for _ in range(12)]
    statuses = [reply.status if reply else None for reply in replies]
    assert statuses == [401] * 5 + [503] * 3 + [0] * 4
    assert ("Retry-After", "30") in (replies[6] or DROP).headers
    assert not house.door.is_source_allowed(ask().source)
    assert house.knock(ask(source=PROVIDER)) is None


def test_a_full_server_refuses_calls_but_not_registrations() -> None:
    house = House(is_full=lambda: True)
    assert Phone(house, "ada", "ada-password").register().status == 200
    for request in (ask(source=PROVIDER), ask()):
        reply = house.knock(request)
        assert reply
        assert (reply.status, reply.headers) == (503, (("Retry-After", "30"),))
    assert house.calls == []


def test_scanners_get_no_answer() -> None:
    house = House()
    assert house.knock(ask("OPTIONS", headers=("User-Agent: friendly-scanner",))) == DROP
    assert not house.door.is_source_allowed(ask().source)


def test_a_trunk_is_not_limited_nor_silenced_by_forging_its_address() -> None:
    house = House(RateLimitPolicy(rate=1, burst=5, excess_limit=3))
    for _ in range(50):
        house.door.on_malformed(ask(source=PROVIDER).source)
        house.knock(ask("REGISTER", source=PROVIDER, headers=("User-Agent: sipvicious",)))
        assert house.knock(ask(source=PROVIDER)) is None
    assert house.door.is_source_allowed(ask(source=PROVIDER).source)


def test_a_source_that_becomes_a_trunk_is_heard_again() -> None:
    house = House()
    house.knock(ask(headers=("User-Agent: sipvicious",)))
    house.door.set_trunk_addresses({1: frozenset({STRANGER[0]})})
    assert house.door.is_source_allowed(ask().source)


def test_who_leaves_the_configuration_is_no_longer_registered() -> None:
    house = House()
    phone = Phone(house, "ada", "ada-password")
    phone.register()
    house.door.configure(AccountDirectory.make({"bob": BOB}, {}))
    assert house.told[-1] == ("ada", [])
    assert house.door.lookup("ada") == ()
    assert phone.register().status == 401


def test_a_new_password_ends_the_registrations_made_with_the_old_one() -> None:
    house = House()
    Phone(house, "ada", "ada-password").register()
    house.door.configure(AccountDirectory.make({"ada": replace(ADA, contacts=3), "bob": BOB}, {}))
    assert len(house.door.lookup("ada")) == 1
    house.door.configure(
        AccountDirectory.make({"ada": replace(ADA, secret=DigestSecret.make("ada", "new-password"))}, {})
    )
    assert house.door.lookup("ada") == ()
    assert house.told[-1] == ("ada", [])


def test_registrations_survive_a_restart() -> None:
    house, again = House(), House()
    Phone(house, "ada", "ada-password").register()
    again.door.restore([to_plain(binding) for binding in house.door.lookup("ada")])
    assert again.door.lookup("ada") == house.door.lookup("ada")
    assert again.told == [("ada", ["sip:ada@192.0.2.7"])]


def test_what_runs_out_is_told() -> None:
    house = House()
    Phone(house, "ada", "ada-password").register()
    house.now += 601
    house.door.expire()
    assert house.told[-1] == ("ada", [])


def test_only_the_request_that_was_admitted_becomes_a_call() -> None:
    house = House()
    assert house.door.admit(ask(source=PROVIDER)) is None
    other = Leg(ask(source=PROVIDER))
    house.door.on_invite(other)  # type: ignore[arg-type]  # the part of a leg that a door uses
    assert other.rejected == 403
    assert house.door.on_register(ask("REGISTER")).status == 403
    assert house.calls == []


def test_strangers_leave_nothing_behind() -> None:
    house = House(RateLimitPolicy(max_sources=100))
    for number in range(2000):
        house.knock(ask(source=(f"10.1.{number >> 8}.{number & 255}", 5060)))
    assert len(house.door.rate_limiter) == 100
    assert len(house.door.registrar) == 0
    assert house.door._authenticated == {}


def test_no_secret_is_logged() -> None:
    with capture_logs() as logs:
        house = House()
        Phone(house, "ada", "ada-password").register()
        for _ in range(20):
            Phone(house, "ada", "wrong-password", STRANGER).send("INVITE")
    assert {entry["event"] for entry in logs} == {"sip login refused", "sip source banned"}
    text = str(logs)
    assert "password" not in text.replace("wrong passwords", "")
    assert all(value not in text for value in ADA.secret.hashes.values())
    assert "nonce" not in text
    assert "response" not in text
