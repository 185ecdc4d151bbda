"""The configuration that calls use: the IVR, accounts, trunks, permissions of outbound routes, contacts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from openivr.ivr.contact_names import NO_CONTACTS, ContactNames
from openivr.ivr.model import IvrSnapshot
from openivr.ivr.number_format import AS_WRITTEN, NumberFormat


@dataclass(frozen=True, slots=True)
class SipAccount:
    """SIP account of an extension."""

    extension: int  # id
    number: str
    name: str  # of the person
    user: str  # name that phones register with
    secret: str = field(repr=False)  # H(A1) as the store keeps it
    contacts: int = 1  # concurrent registrations
    caller_id: str = ""  # number shown for outbound calls, "": the trunk's


@dataclass(frozen=True, slots=True)
class TrunkAccount:
    """A trunk and how it is reached. `kind` is "register", "peer" or "account", as in the API."""

    id: int
    name: str
    kind: str
    enabled: bool
    transport: str  # udp, tcp, tls or dnsnaptr
    hostname: str
    port: int
    domain: str
    username: str
    auth_name: str
    password: str = field(repr=False)
    caller_id: str  # number shown for calls over it
    max_calls: int  # at a time; 0: no limit of its own
    get_caller_id_from: str = "pai"  # header with the caller ID of inbound calls: pai, from, ppi or rpid
    follow_redirects: bool = False  # a 302 over it is followed
    number_format: NumberFormat = AS_WRITTEN


@dataclass(frozen=True)
class CallConfig:
    """Configuration of calls at one revision. Immutable; without slots, as it caches an index of itself."""

    snapshot: IvrSnapshot = field(default_factory=IvrSnapshot)
    accounts: Mapping[str, SipAccount] = field(default_factory=dict)  # by user
    trunks: Mapping[int, TrunkAccount] = field(default_factory=dict)
    outside: Mapping[int, frozenset[int]] = field(default_factory=dict)  # outbound route -> its extensions
    contacts: ContactNames = NO_CONTACTS

    def account_of(self, extension: int) -> SipAccount | None:
        """Return the account of an extension; None if it has none or does not exist."""
        row = self.snapshot.extensions.get(extension)
        return self._by_number.get(row.number) if row else None

    @cached_property
    def _by_number(self) -> Mapping[str, SipAccount]:
        return {account.number: account for account in self.accounts.values()}
