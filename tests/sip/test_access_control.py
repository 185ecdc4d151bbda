"""Who is let in: every request that is not by an account or from a trunk's address stays outside."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from openivr.sip.access.access_control import AccessControl
from openivr.sip.access.rate_limit import DEFAULT_POLICY, RateLimitPolicy
from openivr.sip.accounts import AccountDirectory, AuthAccount, CallerIdentity, TrunkConfig, TrunkType
from openivr.sip.address import Hop, Target, uri_host
from openivr.sip.auth.client import AuthAttempt, DigestClient, Login
from openivr.sip.auth.digest import read_parameters
from openivr.sip.auth.server import DigestSecret
from openivr.sip.handler import DROP, Admission, LocalResponse
from openivr.sip.message.message import Request, read
from openivr.sip.registrar.registrar import Binding, to_plain
from openivr.sip.registrar.registrar_service import RegistrarService

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


class Server:
    """Access control with the registrar behind it, and a clock."""

    def __init__(
        self,
        policy: RateLimitPolicy = DEFAULT_POLICY,
        is_full: Callable[[], bool] = lambda: False,
        *,
        allow_rfc2069: bool = False,
    ) -> None:
        self.now = 1000.0
        self.calls: list[CallerIdentity] = []
        self.told: list[tuple[str, list[str]]] = []
        self.access = AccessControl(
            b"k" * 32, policy=policy, is_full=is_full, allow_rfc2069=allow_rfc2069, clock=lambda: self.now
        )
        self.registrar = RegistrarService(lambda: self.now)
        self.configure({"ada": ADA, "bob": BOB}, {1: PEER, 2: FAR})
        self.access.set_trunk_targets({1: frozenset({Target("UDP", *PROVIDER)})})
        self.registrar.watchers.append(self._told)

    def configure(self, extensions: dict[str, AuthAccount], trunks: dict[int, TrunkConfig]) -> None:
        directory = AccountDirectory.make(extensions, trunks)
        self.access.configure(directory)
        self.registrar.configure(directory.accounts)

    def _told(self, user: str, bindings: tuple[Binding, ...]) -> None:
        self.told.append((user, [binding.contact for binding in bindings]))

    def knock(self, request: Request) -> LocalResponse | None:
        """Admit a request, and do with it what an agent does."""
        admission = self.access.admit(request)
        if isinstance(admission, LocalResponse):
            return admission
        if request.method == "REGISTER":
            return self.registrar.on_register(request, admission)
        if request.method == "INVITE":
            assert admission.caller
            self.calls.append(admission.caller)
        return None


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

    def __init__(self, server: Server, user: str, password: str, source: tuple[str, int] = PHONE) -> None:
        self.server, self.source = server, source
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
            reply = self.server.knock(
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
    server = Server()
    reply = server.knock(ask(method))
    assert reply
    assert reply.status == 401
    assert [name for name, _ in reply.headers] == ["WWW-Authenticate"] * 2
    assert server.calls == []


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
    server = Server()
    headers = tuple(start + ", ".join(values) for start in starts if start)
    reply = server.knock(ask(method, source=source, protocol=protocol, headers=headers))
    assert reply
    assert reply.status == 401
    assert server.calls == []
    assert len(server.registrar.registrar) == 0


def test_options_are_answered_to_all() -> None:
    assert Server().knock(ask("OPTIONS")) is None


def test_a_trunk_is_known_by_its_address() -> None:
    server = Server()
    assert server.knock(ask(source=PROVIDER)) is None
    assert server.calls == [CallerIdentity(trunk=PEER)]
    for other in (
        ask(source=(PROVIDER[0], 5099)),
        ask(source=PROVIDER, protocol="TCP"),
        ask("REGISTER", source=PROVIDER),
    ):
        reply = server.knock(other)
        assert reply
        assert reply.status == 401
    server.access.set_trunk_targets({})
    assert server.knock(ask(source=PROVIDER)) is not None


def test_an_account_calls_with_its_password() -> None:
    server = Server()
    assert Phone(server, "ada", "ada-password").send("INVITE") is None
    assert server.calls == [CallerIdentity(account=ADA)]


def test_the_far_side_of_a_trunk_logs_in_and_calls_as_the_trunk() -> None:
    server = Server()
    far = Phone(server, "branch", "branch-password")
    assert far.register("sip:branch@pbx").status == 200
    assert far.send("INVITE") is None
    assert server.calls == [CallerIdentity(trunk=FAR)]


def test_an_extensions_name_is_not_taken_by_a_trunk() -> None:
    double = TrunkConfig(9, "double", TrunkType.ACCOUNT, user="ada", password="other")
    assert AccountDirectory.make({"ada": ADA}, {9: double}).accounts == {"ada": ADA}
    assert (
        AccountDirectory.make({}, {9: TrunkConfig(9, "no password", TrunkType.ACCOUNT, user="x")}).accounts
        == {}
    )


def test_registering() -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password")
    reply = phone.register()
    assert reply.status == 200
    assert reply.headers == (("Contact", "<sip:ada@192.0.2.7>;expires=600"),)
    assert [binding.contact for binding in server.registrar.lookup("ada")] == ["sip:ada@192.0.2.7"]
    assert phone.register(contact='<sip:ada@192.0.2.8>;q=0.5;+sip.instance="<urn:uuid:1>"').headers == (
        ("Contact", "<sip:ada@192.0.2.7>;expires=600"),
        ("Contact", '<sip:ada@192.0.2.8>;expires=600;q=0.5;+sip.instance="<urn:uuid:1>"'),
    )
    assert phone.register(contact="*", expires=0).headers == ()
    assert [contacts for _, contacts in server.told] == [
        ["sip:ada@192.0.2.7"],
        ["sip:ada@192.0.2.7", "sip:ada@192.0.2.8"],
        [],
    ]


def test_too_short_and_nonsense() -> None:
    phone = Phone(Server(), "ada", "ada-password")
    reply = phone.register(expires=10)
    assert (reply.status, reply.headers) == (423, (("Min-Expires", "60"),))
    assert phone.register(contact="nonsense").status == 400
    assert phone.register(contact="<sip:" + "a" * 600 + "@h>").status == 400
    assert phone.register(contact="<sip:ada@h>, *", expires=0).status == 400


@pytest.mark.parametrize(
    ("to", "status"), [("sip:1000@pbx", 200), ("sip:1001@pbx", 403), ("sip:bob@pbx", 403), ("tel:1", 403)]
)
def test_nobody_registers_for_others(to: str, status: int) -> None:
    server = Server()
    assert Phone(server, "ada", "ada-password").register(to=to).status == status
    assert server.registrar.lookup("bob") == ()


def test_unknown_and_wrong_get_the_same_answer() -> None:
    replies = []
    for user in ("ada", "nobody"):
        reply = Phone(Server(), user, "wrong-password").register(to=f"sip:{user}@pbx")
        replies.append([(name, value.partition("nonce")[0]) for name, value in reply.headers])
        assert reply.status == 401
        assert "stale" not in str(reply.headers)
    assert replies[0] == replies[1]


def test_a_password_is_guessed_a_few_times_only() -> None:
    server = Server()
    for _ in range(20):
        server.now += 1
        Phone(server, "ada", "wrong-password", STRANGER).send("INVITE")
    assert server.access.counts["wrong"] == DEFAULT_POLICY.user_failures
    right = Phone(server, "ada", "ada-password", STRANGER)
    assert right.send("INVITE") == DROP
    assert server.calls == []
    assert Phone(server, "bob", "bob-password", STRANGER).send("INVITE") is None, "as somebody else"
    assert Phone(server, "ada", "ada-password", PHONE).register().status == 200, "from elsewhere"
    server.now += DEFAULT_POLICY.ban
    assert right.send("INVITE") is None


def test_who_tries_many_users_is_not_heard_at_all() -> None:
    server = Server()
    for number in range(2 * DEFAULT_POLICY.all_failures):
        server.now += 1
        Phone(server, f"user{number}", "a-password", STRANGER).send("INVITE")
    assert server.access.counts["wrong"] == DEFAULT_POLICY.all_failures
    assert not server.access.is_source_allowed(ask(source=STRANGER).source)
    assert server.knock(ask(source=STRANGER)) == DROP


def test_credentials_that_were_overheard_are_of_no_use_elsewhere() -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password")
    phone.send("INVITE")
    heard = tuple(f"{name}: {value}" for name, value in phone.credentials.headers("INVITE", "sip:6200@pbx"))
    reply = server.knock(ask(source=STRANGER, headers=heard))
    assert reply
    assert "stale=true" in reply.headers[0][1]
    assert server.knock(ask(source=PHONE, headers=heard)) is None
    assert server.knock(ask(source=PHONE, headers=heard)) is not None
    assert len(server.calls) == 2


def test_a_nonce_gone_stale_is_renewed_without_asking_anybody() -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password")
    assert phone.register().status == 200
    server.now += 500
    assert phone.register().status == 200
    assert server.access.counts["stale"] == 1
    assert server.access.counts["wrong"] == 0


def algorithms(reply: LocalResponse | None) -> list[str]:
    assert reply
    asked = [read_parameters(value) or {} for name, value in reply.headers if name == "WWW-Authenticate"]
    return [parameters["algorithm"] for parameters in asked]


def test_phones_that_fail_on_sha_256_work_from_their_second_try() -> None:
    server = Server()
    both = ["SHA-256", "MD5"]
    assert [algorithms(server.knock(ask("REGISTER"))) for _ in range(4)] == [both, ["MD5"], both, ["MD5"]]
    Phone(server, "ada", "wrong-password", STRANGER).register()
    assert algorithms(server.knock(ask("REGISTER"))) == both, "this source answers"


def test_a_phone_that_is_known_to_fail_on_sha_256_gets_md5_alone() -> None:
    server = Server()
    for agent, wanted in (("baresip v1.0.0 (x86_64/linux)", 1), ("baresip v3.1.0", 2), ("", 2)):
        source = (f"10.0.0.{len(agent)}", 5060)
        request = ask("REGISTER", source=source, headers=(f"User-Agent: {agent}",) if agent else ())
        assert len(algorithms(server.knock(request))) == wanted


def test_who_has_used_an_algorithm_is_asked_for_it_again() -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password")
    server.knock(ask(source=PHONE))
    only_md5 = server.knock(ask(source=PHONE))
    assert only_md5
    phone.credentials.on_challenge(401, [value for _, value in only_md5.headers], AuthAttempt())
    server.now += 500
    headers = tuple(f"{name}: {value}" for name, value in phone.credentials.headers("INVITE", "sip:6200@pbx"))
    assert algorithms(server.knock(ask(source=PHONE, headers=headers))) == ["MD5"]


def test_a_flood_is_refused_then_ignored() -> None:
    server = Server(RateLimitPolicy(rate=1, burst=5, excess_limit=3))
    replies = [server.knock(ask()) for _ in range(12)]
    statuses = [reply.status if reply else None for reply in replies]
    assert statuses == [401] * 5 + [503] * 3 + [0] * 4
    assert ("Retry-After", "30") in (replies[6] or DROP).headers
    assert not server.access.is_source_allowed(ask().source)
    assert server.knock(ask(source=PROVIDER)) is None


def test_a_full_server_refuses_calls_but_not_registrations() -> None:
    server = Server(is_full=lambda: True)
    assert Phone(server, "ada", "ada-password").register().status == 200
    for request in (ask(source=PROVIDER), ask()):
        reply = server.knock(request)
        assert reply
        assert (reply.status, reply.headers) == (503, (("Retry-After", "30"),))
    assert server.calls == []


def test_scanners_get_no_answer() -> None:
    server = Server()
    assert server.knock(ask("OPTIONS", headers=("User-Agent: friendly-scanner",))) == DROP
    assert not server.access.is_source_allowed(ask().source)


def test_a_trunk_is_not_limited_nor_silenced_by_forging_its_address() -> None:
    server = Server(RateLimitPolicy(rate=1, burst=5, excess_limit=3))
    for _ in range(50):
        server.access.on_malformed(ask(source=PROVIDER).source)
        server.knock(ask("REGISTER", source=PROVIDER, headers=("User-Agent: sipvicious",)))
        assert server.knock(ask(source=PROVIDER)) is None
    assert server.access.is_source_allowed(ask(source=PROVIDER).source)


def test_a_source_that_becomes_a_trunk_is_heard_again() -> None:
    server = Server()
    server.knock(ask(headers=("User-Agent: sipvicious",)))
    server.access.set_trunk_targets({1: frozenset({Target("UDP", *STRANGER)})})
    assert server.access.is_source_allowed(ask().source)


def test_who_leaves_the_configuration_is_no_longer_registered() -> None:
    server = Server()
    phone = Phone(server, "ada", "ada-password")
    phone.register()
    server.configure({"bob": BOB}, {})
    assert server.told[-1] == ("ada", [])
    assert server.registrar.lookup("ada") == ()
    assert phone.register().status == 401


def test_a_new_password_ends_the_registrations_made_with_the_old_one() -> None:
    server = Server()
    Phone(server, "ada", "ada-password").register()
    server.configure({"ada": replace(ADA, contacts=3), "bob": BOB}, {})
    assert len(server.registrar.lookup("ada")) == 1
    server.configure({"ada": replace(ADA, secret=DigestSecret.make("ada", "new-password"))}, {})
    assert server.registrar.lookup("ada") == ()
    assert server.told[-1] == ("ada", [])


def test_registrations_survive_a_restart() -> None:
    server, again = Server(), Server()
    Phone(server, "ada", "ada-password").register()
    again.registrar.restore([to_plain(binding) for binding in server.registrar.lookup("ada")])
    assert again.registrar.lookup("ada") == server.registrar.lookup("ada")
    assert again.told == [("ada", ["sip:ada@192.0.2.7"])]


def test_what_runs_out_is_told() -> None:
    server = Server()
    Phone(server, "ada", "ada-password").register()
    server.now += 601
    server.registrar.expire()
    assert server.told[-1] == ("ada", [])


@pytest.mark.parametrize("caller", [None, CallerIdentity(trunk=PEER)])
def test_only_an_account_registers(caller: CallerIdentity | None) -> None:
    server = Server()
    assert server.registrar.on_register(ask("REGISTER"), Admission(caller)).status == 403
    assert len(server.registrar.registrar) == 0


def test_strangers_leave_nothing_behind() -> None:
    server = Server(RateLimitPolicy(max_sources=100))
    for number in range(2000):
        server.knock(ask(source=(f"10.1.{number >> 8}.{number & 255}", 5060)))
    assert len(server.access.rate_limiter) == 100
    assert len(server.registrar.registrar) == 0
    assert server.access._authenticated == {}


def test_no_secret_is_logged() -> None:
    with capture_logs() as logs:
        server = Server()
        Phone(server, "ada", "ada-password").register()
        for _ in range(20):
            Phone(server, "ada", "wrong-password", STRANGER).send("INVITE")
    assert {entry["event"] for entry in logs} == {"sip login refused", "sip source banned"}
    text = str(logs)
    assert "password" not in text.replace("wrong_passwords", "")
    assert all(value not in text for value in ADA.secret.hashes.values())
    assert "nonce" not in text
    assert "response" not in text
