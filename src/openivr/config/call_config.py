"""Who may call: phones and trunks with what signalling needs to know of them, beside the menus."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openivr.ivr.model import IvrSnapshot


@dataclass(frozen=True, slots=True)
class SipAccount:
    """A phone's account: an extension and how it registers."""

    extension: int  # id
    number: str
    name: str  # of the person
    user: str  # name that it registers with
    secret: str = field(repr=False)  # H(A1) as the store keeps it
    contacts: int = 1  # phones at a time
    caller_id: str = ""  # number shown for it outside, "": its own


@dataclass(frozen=True, slots=True)
class TrunkAccount:
    """A trunk and how it is reached. `kind` is "register", "peer" or "account", as in the API."""

    id: int
    name: str
    kind: str
    enabled: bool
    transport: str  # udp, tcp or tls
    hostname: str
    port: int
    domain: str
    username: str
    auth_name: str
    password: str = field(repr=False)
    caller_id: str  # number shown for calls over it
    max_calls: int  # at a time; 0: no limit of its own


@dataclass(frozen=True, slots=True)
class CallConfig:
    """All that calls go by, at one revision."""

    snapshot: IvrSnapshot = field(default_factory=IvrSnapshot)
    accounts: Mapping[str, SipAccount] = field(default_factory=dict)  # by user
    trunks: Mapping[int, TrunkAccount] = field(default_factory=dict)
    outside: Mapping[int, frozenset[int]] = field(default_factory=dict)  # route -> extensions that may use it

    def account_of(self, extension: int) -> SipAccount | None:
        """The account of an extension."""
        found = self.snapshot.extensions.get(extension)
        return self._by_number().get(found.number) if found else None

    def _by_number(self) -> Mapping[str, SipAccount]:
        numbers: Mapping[str, SipAccount] | None = self.snapshot.memo.get("accounts")
        if numbers is None:
            numbers = {account.number: account for account in self.accounts.values()}
            self.snapshot.memo["accounts"] = numbers
        return numbers
