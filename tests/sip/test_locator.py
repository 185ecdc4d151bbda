"""SIP servers by DNS (RFC 3263), asked of a real DNS server, and trunks that fail over to the next one."""

import asyncio
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.accounts import TrunkConfig, TrunkType
from openivr.sip.address import Target
from openivr.sip.message.message import Request
from openivr.sip.transport import locator as locator_module
from openivr.sip.transport.locator import ServerLocator, order_by_weight
from openivr.sip.transport.resolver import Resolver
from openivr.sip.trunk.trunk_state import TrunkHealth
from tests.sip.front import front
from tests.sip.name_server import name_server
from tests.sip.scene import play
from tests.sip.wire import Ear, Phone

DOMAIN = "provider.example"
SRV = """
_sip._udp SRV 20 0 5070 b
_sip._udp SRV 10 0 5062 a
_sip._tcp SRV 10 0 5064 a
_sips._tcp SRV 10 0 5061 a
a A 192.0.2.1
a AAAA 2001:db8::1
b A 192.0.2.2
"""
NAPTR = """
@ NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp
@ NAPTR 10 20 "s" "SIPS+D2T" "" _sips._tcp
@ NAPTR 10 30 "s" "SIP+D2T" "" _sip._tcp
@ NAPTR 5 10 "u" "E2U+sip" "!^.*$!sip:x@y!" .
"""
TLS = (Target("TLS", "192.0.2.1", 5061, DOMAIN), Target("TLS", "2001:db8::1", 5061, DOMAIN))
TCP = (Target("TCP", "192.0.2.1", 5064), Target("TCP", "2001:db8::1", 5064))
UDP = (
    Target("UDP", "192.0.2.1", 5062),
    Target("UDP", "2001:db8::1", 5062),
    Target("UDP", "192.0.2.2", 5070),
)


@pytest.mark.parametrize(
    ("records", "targets"),
    [
        (SRV + NAPTR, (*TLS, *TCP, *UDP)),
        (SRV, (*UDP, *TCP, *TLS)),
        (SRV + '@ NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp', TCP),
        (
            "@ A 192.0.2.9\n@ AAAA 2001:db8::9",
            (Target("UDP", "192.0.2.9", 5080), Target("UDP", "2001:db8::9", 5080)),
        ),
        ("_sip._udp SRV 0 0 0 .\n@ A 192.0.2.9", (Target("UDP", "192.0.2.9", 5080),)),
        ("_sip._udp SRV 0 0 5060 gone", ()),
        ("", ()),
    ],
)
def test_servers_are_located(records: str, targets: tuple[Target, ...]) -> None:
    async def locate() -> None:
        async with name_server(records) as (_, resolver):
            system = Resolver()
            found = await ServerLocator(system, resolver, lambda: 0.0).locate(DOMAIN, 5080)
            system.close()
            assert found == targets

    asyncio.run(locate())


@pytest.mark.parametrize(
    ("protocol", "targets"),
    [("UDP", UDP), ("TCP", TCP), ("TLS", TLS)],
)
def test_a_fixed_transport_has_its_srv_records_alone(protocol: str, targets: tuple[Target, ...]) -> None:
    async def locate() -> None:
        async with name_server(SRV + NAPTR) as (server, resolver):
            system = Resolver()
            found = await ServerLocator(system, resolver, lambda: 0.0).locate(DOMAIN, 5080, protocol)
            system.close()
            assert found == targets
            assert f"{DOMAIN} NAPTR" not in server.asked

    asyncio.run(locate())


@pytest.mark.parametrize(("protocol", "certificate"), [("UDP", ""), ("TLS", "localhost.localdomain")])
def test_a_fixed_transport_without_srv_records_has_the_addresses_of_the_system(
    protocol: str, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 2, 17, "", ("192.0.2.9", 0))])

    async def locate() -> None:
        async with name_server("") as (_, resolver):
            system = Resolver()
            locator = ServerLocator(system, resolver)
            found = await locator.locate("localhost.localdomain", 5080, protocol)
            system.close()
            assert found == (Target(protocol, "192.0.2.9", 5080, certificate),)

    asyncio.run(locate())


def test_a_number_is_not_asked_for() -> None:
    async def locate() -> None:
        async with name_server("") as (server, resolver):
            system = Resolver()
            assert await ServerLocator(system, resolver).locate("192.0.2.1", 5062) == (
                Target("UDP", "192.0.2.1", 5062),
            )
            system.close()
            assert server.asked == []

    asyncio.run(locate())


def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locator_module, "QUERY_SECONDS", 0.05)
    monkeypatch.setattr(locator_module, "LOCATE_SECONDS", 20.0)

    async def locate() -> None:
        async with name_server(SRV) as (server, resolver):
            server.is_silent = True
            system = Resolver()
            assert await ServerLocator(system, resolver).locate(DOMAIN, 5060) == ()
            system.close()
            assert f"{DOMAIN} NAPTR" in server.asked

    asyncio.run(locate())


class Srv(NamedTuple):
    priority: int
    weight: int
    number: int


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=8), st.floats(0, 1, exclude_max=True)
)
def test_records_are_ordered_by_priority_and_none_is_lost(drawn: list[tuple[int, int]], draw: float) -> None:
    records = [Srv(*record, number) for number, record in enumerate(drawn)]
    ordered = order_by_weight(records, lambda: draw)
    assert sorted(ordered) == sorted(records)
    assert [record.priority for record in ordered] == sorted(record.priority for record in records)


def test_records_of_one_priority_share_by_weight() -> None:
    records = [Srv(1, 1, 0), Srv(1, 3, 1)]
    steps = iter(range(200))
    firsts = [order_by_weight(records, lambda: next(steps) / 200)[0].number for _ in range(100)]
    assert 20 <= firsts.count(0) <= 30


async def is_asked(far: Phone, agent: Target, method: str) -> Request:
    far.agent = agent
    return await far.asked(method)


@play
async def test_a_trunk_fails_over_to_the_next_server() -> None:
    first, second = (Phone(Target("UDP", "127.0.0.1", 5060)) for _ in range(2))
    records = f"""
_sip._udp SRV 10 0 {first.port} here
_sip._udp SRV 20 0 {second.port} here
here A 127.0.0.1
"""
    trunk = TrunkConfig(1, "provider", TrunkType.REGISTER, DOMAIN, protocol="", user="u", password="p")
    async with name_server(records) as (_, resolver):
        system = Resolver()
        locator = ServerLocator(system, resolver, lambda: 0.0)
        async with front(trunk, locator=locator) as house:
            request = await is_asked(first, house.target, "REGISTER")
            assert request.uri == f"sip:{DOMAIN}"
            first.reply(request, 503)
            await house.line(1, TrunkHealth.DOWN)
            house.trunks._lines[1]._register(600)  # as if its turn had come
            second.reply(await is_asked(second, house.target, "REGISTER"), 200)
            await house.line(1, TrunkHealth.UP)
            called = [target.target.port for target in house.trunks.dial_targets(1, "123")]
            assert called == [second.port, first.port], "what failed last comes last"
            ear = Ear()
            target = house.trunks.dial_targets(1, "123")[0]
            house.agent.call(target.uri, ear, caller=target.caller("127.0.0.1"), target=target.target)
            invite = await is_asked(second, house.target, "INVITE")
            assert invite.uri == f"sip:123@{DOMAIN}"
            second.reply(invite, 486)
        system.close()
    first.close()
    second.close()


@play
async def test_a_trunk_with_a_fixed_transport_and_the_usual_port_is_located_by_srv() -> None:
    far = Phone(Target("UDP", "127.0.0.1", 5060))
    records = f"_sip._udp SRV 10 0 {far.port} here\nhere A 127.0.0.1"
    trunk = TrunkConfig(1, "provider", TrunkType.PEER, DOMAIN)
    other = TrunkConfig(2, "one server", TrunkType.PEER, DOMAIN, 5070)
    async with name_server(records) as (server, resolver):
        system = Resolver()
        async with front(trunk, other, locator=ServerLocator(system, resolver)) as house:
            far.reply(await is_asked(far, house.target, "OPTIONS"), 200)
            await house.line(1, TrunkHealth.UP)
            assert server.asked.count(f"_sip._udp.{DOMAIN} SRV") == 1, "a port is of one server"
            assert f"{DOMAIN} NAPTR" not in server.asked
        system.close()
    far.close()


@play
async def test_calls_come_from_the_servers_of_a_trunk() -> None:
    far = Phone(Target("UDP", "127.0.0.1", 5060))
    records = f"_sip._udp SRV 10 0 {far.port} here\nhere A 127.0.0.1"
    trunk = TrunkConfig(1, "provider", TrunkType.PEER, DOMAIN, protocol="")
    async with name_server(records) as (_, resolver):
        system = Resolver()
        async with front(trunk, locator=ServerLocator(system, resolver)) as house:
            far.reply(await is_asked(far, house.target, "OPTIONS"), 200)
            await house.line(1, TrunkHealth.UP)
            source = Target("UDP", "127.0.0.1", far.port)
            assert house.access._targets == {1: frozenset({source})}
        system.close()
    far.close()
