"""The registrar: by examples, and against a model that is slow and obvious."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from openivr.sip.address import Target
from openivr.sip.message.headers import read_uri
from openivr.sip.registrar.registrar import (
    KEEPALIVE_SECONDS,
    MAX_EXPIRES,
    MIN_EXPIRES,
    Binding,
    Contact,
    RegisterRefusal,
    RegisterRequest,
    RegisterSuccess,
    Registrar,
    same_uri,
)

SOURCE = Target("UDP", "192.0.2.7", 5060)
DESK, MOBILE = "sip:1000@192.0.2.7:5060", "sip:1000@192.0.2.8:5060"


def asking(
    *uris: str, cseq: int = 1, call_id: str = "call", expires: int | None = 600, **more: object
) -> RegisterRequest:
    asked = RegisterRequest(call_id, cseq, SOURCE, tuple(Contact(uri) for uri in uris), expires=expires)
    return replace(asked, **more)  # type: ignore[arg-type]  # names of fields


def contacts(result: RegisterSuccess | RegisterRefusal) -> list[str]:
    assert isinstance(result, RegisterSuccess), result
    return [binding.contact for binding in result.bindings]


def register(registrar: Registrar, *uris: str, limit: int = 3, now: float = 0.0, **more: object) -> list[str]:
    return contacts(registrar.register("1000", asking(*uris, **more), limit, now))  # type: ignore[arg-type]


def test_a_phone_comes_stays_and_goes() -> None:
    registrar = Registrar()
    assert register(registrar, DESK) == [DESK]
    assert [binding.contact for binding in registrar.lookup("1000", 599.9)] == [DESK]
    assert register(registrar, DESK, cseq=2, now=500) == [DESK]
    assert registrar.lookup("1000", 1099)[0].since == 0
    assert register(registrar, DESK, cseq=3, expires=0, now=600) == []
    assert registrar.lookup("1000", 600) == ()
    assert len(registrar) == 0


def test_asking_for_the_list_changes_nothing() -> None:
    registrar = Registrar()
    register(registrar, DESK)
    result = registrar.register("1000", asking(cseq=2), 3, 10)
    assert contacts(result) == [DESK]
    assert isinstance(result, RegisterSuccess)
    assert not result.changed


def test_several_contacts_in_order_of_wish_then_newest() -> None:
    registrar = Registrar()
    register(registrar, "sip:a@h", call_id="1", now=0)
    register(registrar, "sip:b@h", call_id="2", now=1)
    low = RegisterRequest("3", 1, SOURCE, (Contact("sip:c@h", q=0.5),))
    assert contacts(registrar.register("1000", low, 3, 2)) == ["sip:b@h", "sip:a@h", "sip:c@h"]


def test_one_more_than_allowed_replaces_the_one_refreshed_longest_ago() -> None:
    registrar = Registrar()
    register(registrar, DESK, limit=2, call_id="1", now=0)
    register(registrar, MOBILE, limit=2, call_id="2", now=1)
    register(registrar, DESK, limit=2, call_id="1", cseq=2, now=2)
    assert register(registrar, "sip:1000@new", limit=2, call_id="3", now=3) == ["sip:1000@new", DESK]
    assert register(registrar, MOBILE, limit=1, call_id="2", cseq=2, now=4) == [MOBILE], (
        "the limit was lowered"
    )


def test_more_contacts_at_once_than_allowed() -> None:
    registrar = Registrar()
    register(registrar, DESK)
    assert registrar.register("1000", asking("sip:a@h", "sip:b@h", cseq=2), 1, 0) == RegisterRefusal(
        403, "Too many contacts"
    )
    assert [binding.contact for binding in registrar.lookup("1000", 1)] == [DESK]


@pytest.mark.parametrize(
    ("header", "parameter", "lasts"),
    [
        (None, None, 3600),
        (600, None, 600),
        (600, 120, 120),
        (None, 120, 120),
        (100_000, None, MAX_EXPIRES),
        (MIN_EXPIRES, None, MIN_EXPIRES),
        (59, None, None),
        (600, 1, None),
    ],
)
def test_how_long_a_binding_lasts(header: int | None, parameter: int | None, lasts: int | None) -> None:
    registrar = Registrar()
    asked = RegisterRequest("call", 1, SOURCE, (Contact(DESK, parameter),), expires=header)
    result = registrar.register("1000", asked, 1, 1000)
    if lasts is None:
        assert result == RegisterRefusal(423, min_expires=MIN_EXPIRES)
    else:
        assert isinstance(result, RegisterSuccess)
        assert result.bindings[0].expires == 1000 + lasts


def test_a_refusal_changes_nothing_at_all() -> None:
    registrar = Registrar()
    register(registrar, DESK)
    mixed = RegisterRequest(
        "call", 2, SOURCE, (Contact(MOBILE, 600), Contact(DESK, 0), Contact("sip:c@h", 5))
    )
    assert isinstance(registrar.register("1000", mixed, 3, 1), RegisterRefusal)
    assert [binding.contact for binding in registrar.lookup("1000", 1)] == [DESK]


def test_star_removes_all() -> None:
    registrar = Registrar()
    register(registrar, DESK, MOBILE)
    for bad in (asking(removes_all=True, cseq=2), asking(DESK, removes_all=True, expires=0, cseq=2)):
        assert isinstance(registrar.register("1000", bad, 3, 1), RegisterRefusal)
    assert registrar.register("1000", asking(removes_all=True, expires=0), 3, 1) == RegisterRefusal(
        500, "CSeq too low"
    )
    assert contacts(registrar.register("1000", asking(removes_all=True, expires=0, cseq=2), 3, 1)) == []


@pytest.mark.parametrize("expires", [0, 600])
def test_a_request_that_was_overtaken_is_refused(expires: int) -> None:
    registrar = Registrar()
    register(registrar, DESK, cseq=5)
    for cseq in (4, 5):
        late = registrar.register("1000", asking(DESK, cseq=cseq, expires=expires), 3, 1)
        assert late == RegisterRefusal(500, "CSeq too low")
    assert (
        register(registrar, DESK, cseq=1, call_id="after a restart", expires=expires, now=1)
        == [DESK][:expires]
    )


@pytest.mark.parametrize("uri", ["mailto:a@h", "tel:123", "nonsense", ""])
def test_contacts_that_cannot_be_called(uri: str) -> None:
    assert Registrar().register("1000", asking(uri), 1, 0) == RegisterRefusal(400, "Bad Contact")


def test_a_device_that_names_itself_has_one_binding_wherever_it_is() -> None:
    registrar = Registrar()
    for cseq, uri in enumerate((DESK, MOBILE), 1):
        asked = RegisterRequest("call", cseq, SOURCE, (Contact(uri, instance="<urn:uuid:1>"),))
        assert contacts(registrar.register("1000", asked, 3, cseq)) == [uri]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:a@h", "sip:a@H", True),
        ("sip:%61@h", "sip:a@h", True),
        ("sip:a@h", "sip:A@h", False),
        ("sip:a@h", "sip:a@h:5060", False),
        ("sip:a@h", "sip:a@h;transport=udp", False),
        ("sip:a@h;transport=UDP", "sip:a@h;transport=udp", True),
        ("sip:a@h;rinstance=1", "sip:a@h", True),
        ("sip:a@h;rinstance=1", "sip:a@h;rinstance=2", False),
        ("sip:a@h", "sips:a@h", False),
    ],
)
def test_equality_of_uris(one: str, other: str, same: bool) -> None:
    first, second = read_uri(one), read_uri(other)
    assert first
    assert second
    assert same_uri(first, second) is same_uri(second, first) is same


@pytest.mark.parametrize(
    ("source", "uri", "symmetric", "target", "behind_nat"),
    [
        (SOURCE, DESK, True, SOURCE, False),
        (SOURCE, "sip:1000@192.0.2.7", True, SOURCE, False),
        (SOURCE, "sip:1000@192.168.1.4:5060", True, SOURCE, True),
        (SOURCE, "sip:1000@phone.local", False, SOURCE, True),
        (SOURCE, "sip:1000@192.0.2.7:6000", True, SOURCE, True),
        (SOURCE, "sip:1000@192.0.2.7:6000", False, Target("UDP", "192.0.2.7", 6000), False),
        (Target("TCP", "192.0.2.7", 40000), DESK, False, Target("TCP", "192.0.2.7", 40000), False),
        (
            Target("UDP", "2001:db8::7", 5060),
            "sip:a@[2001:db8::7]",
            True,
            Target("UDP", "2001:db8::7", 5060),
            False,
        ),
        (
            Target("UDP", "2001:db8::7", 5060),
            "sip:a@[2001:DB8:0::7]:5062",
            False,
            Target("UDP", "2001:db8::7", 5062),
            False,
        ),
        (Target("UDP", "fe80::7%2", 5060), "sip:a@[fe80::7]", True, Target("UDP", "fe80::7%2", 5060), True),
    ],
)
def test_where_a_phone_is_reached(
    source: Target, uri: str, symmetric: bool, target: Target, behind_nat: bool
) -> None:
    result = Registrar().register("1000", asking(uri, source=source, symmetric=symmetric), 1, 0)
    assert isinstance(result, RegisterSuccess)
    assert (result.bindings[0].target, result.bindings[0].behind_nat) == (target, behind_nat)


def test_what_is_over_is_told_once() -> None:
    registrar = Registrar()
    register(registrar, DESK, expires=60)
    register(registrar, MOBILE, call_id="2", expires=120)
    assert registrar.expire(59) == {}
    ((user, left),) = registrar.expire(60).items()
    assert (user, [binding.contact for binding in left]) == ("1000", [MOBILE])
    assert registrar.expire(119) == {}
    assert registrar.expire(120) == {"1000": ()}
    assert registrar.expire(10_000) == {}
    assert registrar.users() == ()


def test_a_shorter_time_is_noticed() -> None:
    registrar = Registrar()
    register(registrar, DESK, expires=3600)
    register(registrar, DESK, cseq=2, expires=60)
    assert registrar.expire(60) == {"1000": ()}


def test_refreshing_leaves_nothing_behind() -> None:
    registrar = Registrar()
    for cseq in range(1, 2000):
        register(registrar, DESK, cseq=cseq, now=float(cseq), call_id="same", source=SOURCE)
        registrar.expire(float(cseq))
    assert len(registrar._expiries) < 10


def test_only_what_is_behind_nat_is_kept_alive() -> None:
    registrar = Registrar()
    register(registrar, DESK)
    behind = "sip:1000@10.0.0.4"
    register(registrar, behind, call_id="2", now=1)
    assert registrar.due_for_keepalive(KEEPALIVE_SECONDS) == []
    for turn in range(1, 5):
        assert [binding.contact for binding in registrar.due_for_keepalive(1 + turn * KEEPALIVE_SECONDS)] == [
            behind
        ]
        assert registrar.due_for_keepalive(1 + turn * KEEPALIVE_SECONDS) == []
    register(registrar, behind, call_id="2", cseq=2, expires=0, now=110)
    register(registrar, behind, call_id="2", cseq=3, now=111)
    assert len(registrar.due_for_keepalive(140)) == 1
    assert registrar.remove_user("1000")
    assert not registrar.remove_user("1000")
    assert registrar.due_for_keepalive(1000) == []


def test_keeping_alive_is_spread() -> None:
    registrar = Registrar()
    for number in range(120):
        registrar.register(str(number), asking("sip:x@10.0.0.4"), 1, 0)
    assert [len(registrar.due_for_keepalive(KEEPALIVE_SECONDS, limit=50)) for _ in range(4)] == [
        50,
        50,
        20,
        0,
    ]


def test_registrations_survive_a_restart() -> None:
    registrar, again = Registrar(), Registrar()
    register(registrar, DESK, "sip:1000@10.0.0.4")
    registrar.register("1001", asking("sip:x@h", expires=60), 1, 0)
    again.restore(registrar.export(), 61)
    assert again.lookup("1000", 61) == registrar.lookup("1000", 61)
    assert again.users() == ("1000",)
    assert len(again.due_for_keepalive(61 + KEEPALIVE_SECONDS)) == 1
    assert again.expire(600) == {"1000": ()}
    with pytest.raises(ValueError, match="contact"):
        again.restore([{"user": "1000"}], 0)


@dataclass
class Model:
    """What a registrar for one account should hold: the plainest way to say it."""

    limit: int = 2
    bindings: dict[str, tuple[float, float]] = field(default_factory=dict)  # contact: (refreshed, expires)

    def valid(self, now: float) -> set[str]:
        return {contact for contact, (_, expires) in self.bindings.items() if expires > now}


class RegistrarMachine(RuleBasedStateMachine):
    """Any course of requests leaves what the model has."""

    def __init__(self) -> None:
        super().__init__()
        self.registrar, self.model, self.now, self.cseq = Registrar(), Model(), 0.0, 0

    @rule(
        contact=st.sampled_from("abcd"), expires=st.sampled_from([0, 30, 60, 600, 9999]), apart=st.booleans()
    )
    def register(self, contact: str, expires: int, apart: bool) -> None:
        self.cseq += 1
        self.now += 1
        uri = f"sip:{contact}@h"
        asked = asking(uri, cseq=self.cseq, expires=expires, call_id=contact if apart else "one")
        result = self.registrar.register("1000", asked, self.model.limit, self.now)
        if expires == 30:
            assert result == RegisterRefusal(423, min_expires=MIN_EXPIRES)
            return
        kept = {name: self.model.bindings[name] for name in self.model.valid(self.now)}
        kept.pop(uri, None)
        if expires:
            kept[uri] = (self.now, self.now + min(expires, MAX_EXPIRES))
        newest = sorted(kept, key=lambda name: kept[name][0])[-self.model.limit :]
        self.model.bindings = {name: kept[name] for name in newest}
        assert set(contacts(result)) == set(newest)

    @rule()
    def remove_all(self) -> None:
        self.cseq += 1
        self.registrar.register("1000", asking(removes_all=True, expires=0, cseq=self.cseq), 1, self.now)
        self.model.bindings = {}

    @rule(seconds=st.sampled_from([1, 59, 60, 600, 4000]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        self.registrar.expire(self.now)
        assert len(self.registrar) == len(self.model.valid(self.now))

    @rule()
    def restart(self) -> None:
        again = Registrar()
        again.restore(self.registrar.export(), self.now)
        self.registrar = again

    @invariant()
    def agree(self) -> None:
        found = self.registrar.lookup("1000", self.now)
        assert {binding.contact for binding in found} == self.model.valid(self.now)
        assert len(found) <= self.model.limit
        assert {binding.expires for binding in found} == {
            self.model.bindings[binding.contact][1] for binding in found
        }


RegistrarMachine.TestCase.settings = settings(stateful_step_count=30)
test_the_model = RegistrarMachine.TestCase


@given(st.text(), st.integers(0, 2**32), st.floats(0, 1), st.text())
def test_any_contact_is_taken_or_refused(uri: str, expires: int, q: float, instance: str) -> None:
    registrar = Registrar()
    asked = RegisterRequest("call", 1, SOURCE, (Contact(uri, expires, q, instance),))
    registrar.register("1000", asked, 1, 0)
    again = Registrar()
    again.restore(registrar.export(), 0)
    assert again.lookup("1000", 0) == registrar.lookup("1000", 0)
    assert all(isinstance(binding, Binding) for binding in again.lookup("1000", 0))
