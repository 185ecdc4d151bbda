"""SIP accounts and trunks as signalling needs them: values, rebuilt for every configuration revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

from openivr.sip.auth.server import DigestSecret

MAX_TRUNK_CONTACTS = 3  # bindings of a trunk of type `account`: its PBX may consist of several machines


@unique
class TrunkType(StrEnum):
    """The types of trunk, as the configuration spells them."""

    REGISTER = "register"
    PEER = "peer"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class TrunkConfig:
    """The settings of one enabled trunk."""

    id: int
    name: str
    kind: TrunkType
    host: str = ""  # a name or an address; IPv6 without brackets
    port: int = 5060
    protocol: str = "UDP"  # UDP, TCP or TLS; "" for the choice of the DNS (NAPTR and SRV, RFC 3263)
    domain: str = ""  # in From and To; "" stands for the host
    user: str = ""
    auth_user: str = ""  # in digest; "" stands for the user
    password: str = field(default="", repr=False)
    caller_id: str = ""  # def_outbound_cid: the number shown to the callee
    max_calls: int = 0  # simultaneous calls; 0: no limit


@dataclass(frozen=True, slots=True)
class AuthAccount:
    """An account that authenticates by digest: an extension, or the PBX behind a trunk of type `account`."""

    user: str  # the username in digest
    secret: DigestSecret
    contacts: int = 1  # simultaneous bindings
    names: frozenset[str] = frozenset()  # further users of its address of record: the extension's number
    trunk: int = 0  # id; 0 for an extension


@dataclass(frozen=True, slots=True)
class AccountDirectory:
    """All accounts and trunks of one configuration revision."""

    accounts: Mapping[str, AuthAccount] = field(default_factory=dict)  # by user
    trunks: Mapping[int, TrunkConfig] = field(default_factory=dict)  # by id, enabled ones

    @classmethod
    def make(
        cls, extensions: Mapping[str, AuthAccount], trunks: Mapping[int, TrunkConfig]
    ) -> "AccountDirectory":
        """Join extensions and trunks of type `account`. An extension wins if both have the same username."""
        trunk_accounts = {
            trunk.user: AuthAccount(
                trunk.user, DigestSecret.make(trunk.user, trunk.password), MAX_TRUNK_CONTACTS, trunk=trunk.id
            )
            for trunk in trunks.values()
            if trunk.kind is TrunkType.ACCOUNT and trunk.user and trunk.password
        }
        return cls({**trunk_accounts, **extensions}, trunks)


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """The authenticated sender of a request: exactly one of an extension's account and a trunk."""

    account: AuthAccount | None = None
    trunk: TrunkConfig | None = None
