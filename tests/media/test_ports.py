"""Pairs of ports, and what others are told about our address."""

import socket

import pytest

from openivr.media.ports import Interface, NoPorts, Ports, is_private

LOOPBACK = Interface("127.0.0.1")
RANGE = range(23001, 23012)  # even ones from 23002 on, and 23010 has 23011 beside it


def test_pairs_are_even_and_odd_and_never_shared() -> None:
    ports = Ports(RANGE)
    pairs = [ports.bind([LOOPBACK], "127.0.0.1")[1] for _ in range(ports.pairs)]
    assert sorted(pair.port for pair in pairs) == [23002, 23004, 23006, 23008, 23010]
    assert all(pair.rtcp.getsockname()[1] == pair.port + 1 for pair in pairs)
    with pytest.raises(NoPorts):
        ports.bind([LOOPBACK], "127.0.0.1")
    pairs[2].rtp.close()
    with pytest.raises(NoPorts):  # its RTCP port is still held
        ports.bind([LOOPBACK], "127.0.0.1")
    pairs[2].rtcp.close()
    pairs[2] = ports.bind([LOOPBACK], "127.0.0.1")[1]
    assert len({pair.port for pair in pairs}) == ports.pairs
    for pair in pairs:
        pair.rtp.close()
        pair.rtcp.close()


def test_a_port_that_another_program_has_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 23021))
        ports = Ports(range(23020, 23024))
        for _ in range(3):
            _, pair = ports.bind([LOOPBACK], "127.0.0.1")
            assert pair.port == 23022
            pair.rtp.close()
            pair.rtcp.close()


def test_calls_do_not_begin_at_a_port_that_can_be_guessed() -> None:
    firsts = set()
    for _ in range(20):
        _, pair = Ports(range(23100, 23400)).bind([LOOPBACK], "127.0.0.1")
        firsts.add(pair.port)
        pair.rtp.close()
        pair.rtcp.close()
    assert len(firsts) > 5


def test_a_range_without_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        Ports(range(23001, 23003))


def test_the_interface_is_of_the_family_that_is_needed() -> None:
    ports = Ports(RANGE)
    interface, pair = ports.bind([LOOPBACK, Interface("::1")], "::1")
    assert interface.host == "::1"
    assert pair.rtp.family is socket.AF_INET6
    pair.rtp.close()
    pair.rtcp.close()
    with pytest.raises(NoPorts, match="IPv6"):
        ports.bind([LOOPBACK], "2001:db8::1")


@pytest.mark.parametrize(
    ("interface", "towards", "told"),
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
def test_what_others_are_told(interface: Interface, towards: str, told: str) -> None:
    assert interface.advertised(towards) == told


@pytest.mark.parametrize(
    "host",
    ["10.1.1.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "fe80::1", "0.0.0.0"],
)
def test_private_addresses(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1"])
def test_public_addresses(host: str) -> None:
    assert not is_private(host)
