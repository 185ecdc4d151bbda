"""Sources that a description allows."""

import pytest

from openivr.media.rtp.latch import Latch
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.stream.rtp_socket import rtcp_address


@pytest.mark.parametrize(
    ("host", "signalling", "target"),
    [
        ("198.51.100.1", "198.51.100.1", "198.51.100.1"),
        ("198.51.100.1", "203.0.113.5", "198.51.100.1"),  # a carrier whose sound comes from elsewhere
        ("192.168.1.5", "203.0.113.5", "203.0.113.5"),  # a phone behind NAT that wrote its own address
        ("192.168.1.5", "192.168.1.6", "192.168.1.5"),
        ("192.168.1.5", "", "192.168.1.5"),
    ],
)
def test_where_to_send_first(host: str, signalling: str, target: str) -> None:
    assert Latch.of(RemoteMedia(host, 4000, signalling=signalling)).target == (target, 4000)


def test_only_the_two_addresses_of_signalling_are_allowed() -> None:
    latch = Latch.of(RemoteMedia("192.168.1.5", 4000, signalling="203.0.113.5"))
    assert latch.allows("192.168.1.5")
    assert latch.allows("203.0.113.5")
    assert not latch.allows("203.0.113.6")


def test_ipv6_in_any_spelling() -> None:
    latch = Latch.of(RemoteMedia("2001:DB8:0::1", 4000, signalling="2001:db8::0002"))
    assert latch.target == ("2001:db8::1", 4000)
    assert latch.allows("2001:db8::2")


def test_signalling_of_the_other_family_says_nothing_of_sound() -> None:
    latch = Latch.of(RemoteMedia("192.168.1.5", 4000, signalling="2001:db8::1"))
    assert latch.target == ("192.168.1.5", 4000)
    assert latch.hosts == {"192.168.1.5"}


def test_a_link_local_address_is_in_the_zone_of_its_signalling() -> None:
    latch = Latch.of(RemoteMedia("fe80::1", 4000, signalling="fe80::1%2"))
    assert latch.target == ("fe80::1", 4000, 0, 2)
    assert latch.hosts == {"fe80::1"}
    assert rtcp_address(("fe80::1", 4000, 0, 2)) == ("fe80::1", 4001, 0, 2)
    assert Latch.of(RemoteMedia("fd00::1", 4000, signalling="fe80::1%2")).target == ("fd00::1", 4000)


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="phone"):
        Latch.of(RemoteMedia("phone.example", 4000))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_hold_by_address_sends_nowhere(host: str) -> None:
    latch = Latch.of(RemoteMedia(host, 4000, signalling="203.0.113.5"))
    assert latch.target is None
    assert not latch.allows(host)


def test_a_refused_stream_sends_nowhere() -> None:
    assert Latch.of(RemoteMedia("198.51.100.1", 0)).target is None
