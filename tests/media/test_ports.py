"""Pairs of ports, and the advertised address."""

import random
import socket
from contextlib import ExitStack, suppress

import pytest

from openivr.media.rtp.ports import (
    Interface,
    NoFamily,
    NoPorts,
    Ports,
    find_interface,
    format_address,
    is_private,
)

LOOPBACK = Interface("127.0.0.1")
WILDCARDS = (("0.0.0.0", "127.0.0.1"), ("::", "::1"))


def spare(count: int) -> range:
    """Consecutive free ports, the first one even. Other tests may run at the same time."""
    while True:
        start = random.randrange(20_000, 32_000, 2)
        with suppress(OSError), ExitStack() as probes:
            for port in range(start, start + count):
                probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                probe.bind(("127.0.0.1", port))
            return range(start, start + count)


def test_pairs_are_even_and_odd_and_never_shared() -> None:
    numbers = spare(12)
    ports = Ports(numbers[1:11])  # the first even port is the third, and the last has no other beside it
    pairs = [ports.bind([LOOPBACK], "127.0.0.1")[1] for _ in range(ports.capacity)]
    assert sorted(pair.port for pair in pairs) == list(numbers[2:10:2])
    assert all(pair.rtcp.getsockname()[1] == pair.port + 1 for pair in pairs)
    with pytest.raises(NoPorts):
        ports.bind([LOOPBACK], "127.0.0.1")
    pairs[2].close()
    pairs[2] = ports.bind([LOOPBACK], "127.0.0.1")[1]
    assert len({pair.port for pair in pairs}) == ports.capacity
    for pair in pairs:
        pair.close()


def test_a_port_that_another_program_has_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        numbers = spare(4)
        taken.bind(("127.0.0.1", numbers[1]))
        ports = Ports(numbers)
        for _ in range(3):
            _, pair = ports.bind([LOOPBACK], "127.0.0.1")
            assert pair.port == numbers[2]
            with pytest.raises(NoPorts):
                ports.bind([LOOPBACK], "127.0.0.1")
            pair.close()
    both = [ports.bind([LOOPBACK], "127.0.0.1")[1] for _ in range(2)]
    assert {pair.port for pair in both} == {numbers[0], numbers[2]}
    for pair in both:
        pair.close()


def test_calls_do_not_begin_at_a_port_that_can_be_guessed() -> None:
    firsts, numbers = set(), spare(200)
    for _ in range(20):
        _, pair = Ports(numbers).bind([LOOPBACK], "127.0.0.1")
        firsts.add(pair.port)
        pair.close()
    assert len(firsts) > 5


def test_ports_rest_before_they_are_used_again() -> None:
    ports = Ports(spare(8))
    used = []
    for _ in range(ports.capacity):
        _, pair = ports.bind([LOOPBACK], "127.0.0.1")
        used.append(pair.port)
        pair.close()
    assert len(set(used)) == ports.capacity


def test_an_address_of_another_host_is_an_error() -> None:
    with pytest.raises(NoPorts, match=r"203\.0\.113\.1"):
        Ports(spare(8)).bind([Interface("203.0.113.1")], "127.0.0.1")


def test_a_range_without_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        Ports(range(20_001, 20_003))


def test_the_interface_is_of_the_family_that_is_needed() -> None:
    ports = Ports(spare(8))
    interface, pair = ports.bind([LOOPBACK, Interface("::1")], "::1")
    assert interface.host == "::1"
    assert pair.rtp.family is socket.AF_INET6
    pair.close()
    with pytest.raises(NoFamily, match="IPv6"):
        ports.bind([LOOPBACK], "2001:db8::1")


def test_of_two_interfaces_the_one_on_the_way_there_is_taken() -> None:
    """Such as one that TLS has for itself: all addresses, rtcp_address this machine's own."""
    both = [Interface("0.0.0.0"), Interface("127.0.0.1"), Interface("::1")]
    assert find_interface(both, "127.0.0.1").host == "127.0.0.1"
    assert find_interface(both, "::1").host == "::1"
    assert find_interface([Interface("127.0.0.9"), Interface("0.0.0.0")], "127.0.0.1").host == "0.0.0.0"
    assert find_interface([Interface("127.0.0.9"), Interface("127.0.0.8")], "127.0.0.1").host == "127.0.0.9"


def test_a_wildcard_of_each_family_at_the_same_port() -> None:
    numbers = spare(2)
    pairs = [Ports(numbers).bind([Interface(host)], towards)[1] for host, towards in WILDCARDS]
    assert [pair.port for pair in pairs] == [numbers[0]] * 2
    for pair in pairs:
        pair.close()


@pytest.mark.parametrize(
    ("interface", "towards", "advertised"),
    [
        (Interface("192.0.2.1"), "198.51.100.1", "192.0.2.1"),
        (Interface("0.0.0.0"), "127.0.0.1", "127.0.0.1"),
        (Interface("::"), "::1", "::1"),
        (Interface("10.0.0.2", external="192.0.2.1"), "198.51.100.1", "192.0.2.1"),
        (Interface("10.0.0.2", external="192.0.2.1"), "10.0.0.9", "10.0.0.2"),
        (Interface("172.17.0.2", external="10.0.0.2"), "10.0.0.9", "10.0.0.2"),
        (Interface("10.0.0.2", external="192.0.2.1", inside=()), "10.0.0.9", "192.0.2.1"),
        (
            Interface("10.0.0.2", external="192.0.2.1", inside=("198.51.100.0/24",)),
            "198.51.100.1",
            "10.0.0.2",
        ),
    ],
)
def test_the_advertised_address(interface: Interface, towards: str, advertised: str) -> None:
    assert interface.advertised(towards) == advertised


@pytest.mark.parametrize(
    "host",
    ["10.1.1.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "fe80::1", "0.0.0.0"],
)
def test_private_addresses(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1"])
def test_public_addresses(host: str) -> None:
    assert not is_private(host)


def test_addresses_for_people() -> None:
    assert format_address(("127.0.0.1", 4000)) == "127.0.0.1:4000"
    assert format_address(("fe80::1", 4000, 0, 2)) == "[fe80::1]:4000"
