"""Whom signalling knows: accounts that log in, and trunks. Values, made anew with each configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openivr.sip.auth.server import DigestSecret
from openivr.sip.trunk.trunk_state import TrunkConfig, TrunkType

MAX_TRUNK_CONTACTS = 3  # bindings of a trunk: a far side may consist of several machines


@dataclass(frozen=True, slots=True)
class AuthAccount:
    """Somebody who logs in: a phone's extension, or the far side of a trunk of type `account`."""

    user: str  # the name in digest
    secret: DigestSecret
    contacts: int = 1  # bindings at a time
    names: frozenset[str] = frozenset()  # users of its address of record, beside `user`: its number
    trunk: int = 0  # id; 0 for an extension


@dataclass(frozen=True, slots=True)
class AccountDirectory:
    """Everybody, at one revision of the configuration."""

    accounts: Mapping[str, AuthAccount] = field(default_factory=dict)  # by user
    trunks: Mapping[int, TrunkConfig] = field(default_factory=dict)  # by id, enabled ones

    @classmethod
    def make(
        cls, extensions: Mapping[str, AuthAccount], trunks: Mapping[int, TrunkConfig]
    ) -> "AccountDirectory":
        """Join extensions with the trunks that log in; where both have a name, it is the extension's."""
        far_sides = {
            one.user: AuthAccount(
                one.user, DigestSecret.make(one.user, one.password), MAX_TRUNK_CONTACTS, trunk=one.id
            )
            for one in trunks.values()
            if one.kind is TrunkType.ACCOUNT and one.user and one.password
        }
        return cls({**far_sides, **extensions}, trunks)


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who sent a request: exactly one of an extension's account and a trunk."""

    account: AuthAccount | None = None
    trunk: TrunkConfig | None = None
