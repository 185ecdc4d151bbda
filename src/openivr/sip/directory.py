"""Whom signalling knows: accounts that log in, and trunks. Values, made anew with each configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openivr.sip.lines import Kind, Trunk
from openivr.sip.verifier import Secret

FAR_SIDES = 3  # bindings of a trunk: a far side may consist of several machines


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who logs in: a phone's extension, or the far side of a trunk of type `account`."""

    user: str  # the name in digest
    secret: Secret
    contacts: int = 1  # bindings at a time
    names: frozenset[str] = frozenset()  # users of its address of record, beside `user`: its number
    trunk: int = 0  # id; 0 for an extension


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody, at one revision of the configuration."""

    accounts: Mapping[str, Account] = field(default_factory=dict)  # by user
    trunks: Mapping[int, Trunk] = field(default_factory=dict)  # by id, enabled ones

    @classmethod
    def make(cls, extensions: Mapping[str, Account], trunks: Mapping[int, Trunk]) -> "Directory":
        """Join extensions with the trunks that log in; where both have a name, it is the extension's."""
        far_sides = {
            one.user: Account(one.user, Secret.make(one.user, one.password), FAR_SIDES, trunk=one.id)
            for one in trunks.values()
            if one.kind is Kind.ACCOUNT and one.user and one.password
        }
        return cls({**far_sides, **extensions}, trunks)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: exactly one of an extension's account and a trunk."""

    account: Account | None = None
    trunk: Trunk | None = None
