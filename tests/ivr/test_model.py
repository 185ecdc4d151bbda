"""The values that describe a configuration."""

from dataclasses import FrozenInstanceError

import pytest

from openivr.ivr.model import DestinationKind, DialPolicy, Extension, Ivr, IvrSnapshot, RingGroup, by_id


def test_numbers_name_their_owner() -> None:
    sales = Ivr(id=3, number="6200", name="Sales")
    snapshot = IvrSnapshot(
        ivrs=by_id([sales]),
        extensions=by_id([Extension(7, "1000")]),
        ring_groups=by_id([RingGroup(2, "6300", "All")]),
    )
    owners = {number: (owner.kind.value, owner.target) for number, owner in snapshot.numbers.items()}
    assert owners == {"6200": ("ivr", 3), "1000": ("extension", 7), "6300": ("ring_group", 2)}
    assert snapshot.ivr_by_number("6200") is sales
    assert snapshot.ivr_by_number("1000") is None
    assert snapshot.ivr_by_number("9") is None
    assert snapshot.find(DestinationKind.IVR, 3) is sales
    assert snapshot.find(DestinationKind.END_CALL, 3) is None


def test_a_snapshot_cannot_be_changed() -> None:
    snapshot = IvrSnapshot(extensions=by_id([Extension(2, "1001"), Extension(1, "1000")]))
    assert list(snapshot.extensions) == [1, 2]
    with pytest.raises(FrozenInstanceError):
        snapshot.revision = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        snapshot.numbers["1"] = snapshot.numbers["1000"]  # type: ignore[index]


def test_the_default_policy_allows_nothing() -> None:
    policy = DialPolicy()
    assert policy.extensions == "disable"
    assert [policy.call_numbers, policy.outbound, policy.check_voicemail] == [False] * 3


@pytest.mark.parametrize(
    ("first", "last", "name"), [("Ada", "Byron", "Ada Byron"), ("", "Byron", "Byron"), ("", "", "1000")]
)
def test_an_extension_without_a_name_is_called_by_its_number(first: str, last: str, name: str) -> None:
    assert Extension(1, "1000", first, last).name == name
