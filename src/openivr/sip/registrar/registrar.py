"""Where phones are: the bindings that REGISTER makes (RFC 3261 §10.3). Times are Unix seconds, passed in.

An account may have as many bindings as its extension allows; one more takes the place of the one that was
refreshed longest ago, because that is a phone which was switched off or has got another address.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from openivr.sip.address import PORTS, Target, normalize_host
from openivr.sip.message.headers import Uri, read_uri

MIN_EXPIRES, MAX_EXPIRES, DEFAULT_EXPIRES = (
    60,
    3600,
    3600,
)  # seconds that a binding may last; USUAL if a phone does not say
KEEPALIVE_SECONDS = 25.0  # seconds; NAT routers forget a UDP flow after 30 (RFC 5626 §4.4.1)


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of an account."""

    user: str
    contact: str  # its URI: what a request to it is for
    target: Target  # and where such a request is sent
    expires: float
    refreshed: float  # when it last registered
    since: float  # when it first did
    call_id: str
    cseq: int
    q: float = 1.0  # the higher, the more it is wanted
    instance: str = ""  # names the device (RFC 5626 §4.1)
    user_agent: str = ""
    behind_nat: bool = False  # its contact is not where it sends from: the way to it is to be kept open


@dataclass(frozen=True, slots=True)
class Contact:
    """One Contact of a REGISTER. `expires`: None where it does not say."""

    uri: str
    expires: int | None = None
    q: float = 1.0
    instance: str = ""


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What a REGISTER asks for. Without contacts, and not `every`: only for a list."""

    call_id: str
    cseq: int
    source: Target
    contacts: tuple[Contact, ...] = ()
    removes_all: bool = False  # "Contact: *": all bindings are to go
    expires: int | None = None  # of the Expires header
    symmetric: bool = True  # it asked for rport: it listens where it sends from (RFC 3581)
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class RegisterSuccess:
    """All bindings of the account as they are now, in the order of wish; and whether that has changed."""

    bindings: tuple[Binding, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class RegisterRefusal:
    """Nothing has changed. The answer's status; for 423 with the shortest time that is granted."""

    status: int
    reason: str = ""
    min_expires: int = 0


class Registrar:
    """The bindings of all accounts."""

    def __init__(self) -> None:
        self._accounts: dict[str, list[Binding]] = {}
        self._expiries: list[tuple[float, str]] = []  # a heap of when to look at an account
        self._next_expiry: dict[str, float] = {}  # which of an account's entries there counts
        self._keepalives: deque[tuple[float, str, str]] = deque()  # (when, user, contact) in order of time
        self._in_keepalives: set[tuple[str, str]] = set()  # who stands there

    def register(
        self, user: str, asked: RegisterRequest, limit: int, now: float
    ) -> RegisterSuccess | RegisterRefusal:
        """Do what a REGISTER of an account asks for, all of it or nothing."""
        kept = self._valid(user, now)
        if not asked.contacts and not asked.removes_all:
            return RegisterSuccess(sort_by_preference(kept), changed=False)
        made = _remove_every(kept, asked) if asked.removes_all else _change(user, kept, asked, now)
        if isinstance(made, RegisterRefusal):
            return made
        fresh = [binding for binding in made if binding not in kept]
        if len(fresh) > limit:
            return RegisterRefusal(403, "Too many contacts")
        made = sorted(made, key=lambda binding: binding.refreshed)[-limit:]
        self._store(user, made, now)
        return RegisterSuccess(sort_by_preference(made), changed=made != kept)

    def lookup(self, user: str, now: float) -> tuple[Binding, ...]:
        """List the bindings that are good now: the most wanted first, then the newest."""
        return sort_by_preference(self._valid(user, now))

    def users(self) -> tuple[str, ...]:
        """Name the accounts that have bindings."""
        return tuple(self._accounts)

    def remove_user(self, user: str) -> bool:
        """Drop the bindings of an account that is no more; whether there were any."""
        return self._accounts.pop(user, None) is not None

    def expire(self, now: float) -> dict[str, tuple[Binding, ...]]:
        """Drop what is over: what is left of each account that has lost a binding."""
        changed = {}
        while self._expiries and self._expiries[0][0] <= now:
            when, user = heapq.heappop(self._expiries)
            if self._next_expiry.get(user) != when:
                continue
            del self._next_expiry[user]
            before, after = self._accounts.get(user, []), self._valid(user, now)
            self._store(user, after, now)
            if after != before:
                changed[user] = sort_by_preference(after)
        return changed

    def due_for_keepalive(self, now: float, most: int = 50) -> list[Binding]:
        """List bindings behind NAT that have to be sent something now, so many at a time."""
        due: list[Binding] = []
        while self._keepalives and self._keepalives[0][0] <= now and len(due) < most:
            _, user, contact = self._keepalives.popleft()
            self._in_keepalives.discard((user, contact))
            found = next((binding for binding in self._valid(user, now) if binding.contact == contact), None)
            if found and found.behind_nat:
                due.append(found)
                self._schedule_keepalive(found, now)
        return due

    def export(self) -> list[dict[str, object]]:
        """Make plain values of all bindings."""
        every = (binding for bindings in self._accounts.values() for binding in bindings)
        return [to_plain(binding) for binding in every]

    def restore(self, rows: Iterable[Mapping[str, object]], now: float) -> None:
        """Take what `export` made, without what is over by now; ValueError if a row is something else."""
        read = [msgspec.convert(row, Binding) for row in rows]
        for binding in read:
            if binding.expires > now:
                self._store(binding.user, [*self._accounts.get(binding.user, []), binding], now)

    def __len__(self) -> int:
        return sum(len(bindings) for bindings in self._accounts.values())

    def _valid(self, user: str, now: float) -> list[Binding]:
        return [binding for binding in self._accounts.get(user, ()) if binding.expires > now]

    def _store(self, user: str, bindings: list[Binding], now: float) -> None:
        if not bindings:
            self._accounts.pop(user, None)
            return
        self._accounts[user] = bindings
        first = min(binding.expires for binding in bindings)
        if first < self._next_expiry.get(user, first + 1):
            self._next_expiry[user] = first
            heapq.heappush(self._expiries, (first, user))
        for binding in bindings:
            if binding.behind_nat:
                self._schedule_keepalive(binding, now)

    def _schedule_keepalive(self, binding: Binding, now: float) -> None:
        key = binding.user, binding.contact
        if key not in self._in_keepalives:
            self._in_keepalives.add(key)
            self._keepalives.append((now + KEEPALIVE_SECONDS, *key))


def to_plain(binding: Binding) -> dict[str, object]:
    """Make plain values of a binding, for `Registrar.restore`."""
    made: dict[str, object] = msgspec.to_builtins(binding)
    return made


def sort_by_preference(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    """Put bindings in the order in which they should be called."""
    return tuple(sorted(bindings, key=lambda binding: (-binding.q, -binding.refreshed)))


def same_uri(one: Uri, other: Uri) -> bool:
    """Compare two URIs as RFC 3261 §19.1.4 says: parameters count where both have them, some always."""
    first, second = ((uri.scheme, uri.user, uri.host.lower(), uri.port) for uri in (one, other))
    if first != second:
        return False
    names = one.parameters.keys() | other.parameters.keys()
    return all(
        one.parameters[name].lower() == other.parameters[name].lower()
        if name in one.parameters and name in other.parameters
        else name not in ("user", "ttl", "method", "maddr", "transport")
        for name in names
    )


def _remove_every(kept: list[Binding], asked: RegisterRequest) -> list[Binding] | RegisterRefusal:
    if asked.contacts or asked.expires != 0:
        return RegisterRefusal(400, "* needs Expires: 0 and stands alone")
    if any(_is_out_of_order(binding, asked) for binding in kept):
        return RegisterRefusal(500, "CSeq too low")
    return []


def _change(
    user: str, kept: list[Binding], asked: RegisterRequest, now: float
) -> list[Binding] | RegisterRefusal:
    made = list(kept)
    for contact in asked.contacts:
        uri = read_uri(contact.uri)
        if uri is None or uri.scheme not in ("sip", "sips"):
            return RegisterRefusal(400, "Bad Contact")
        seconds = _grant(contact, asked)
        if 0 < seconds < MIN_EXPIRES:
            return RegisterRefusal(423, min_expires=MIN_EXPIRES)
        old = next((binding for binding in made if _is_for(binding, contact, uri)), None)
        if old and _is_out_of_order(old, asked):
            return RegisterRefusal(500, "CSeq too low")
        if old:
            made.remove(old)
        if seconds:
            bound = _bind(user, contact, asked, now, seconds)
            made.append(replace(bound, since=old.since) if old else bound)
    return made


def _grant(contact: Contact, asked: RegisterRequest) -> int:
    for wish in (contact.expires, asked.expires):
        if wish is not None:
            return min(wish, MAX_EXPIRES)
    return DEFAULT_EXPIRES


def _is_for(binding: Binding, contact: Contact, uri: Uri) -> bool:
    """Whether a contact is that of a binding: the same device, or else the same URI."""
    if binding.instance and contact.instance:
        return binding.instance == contact.instance
    known = read_uri(binding.contact)
    return known is not None and same_uri(known, uri)


def _is_out_of_order(binding: Binding, asked: RegisterRequest) -> bool:
    """Whether a request was overtaken by one that came after it (RFC 3261 §10.3, steps 6 and 7)."""
    return binding.call_id == asked.call_id and asked.cseq <= binding.cseq


def _bind(user: str, contact: Contact, asked: RegisterRequest, now: float, seconds: int) -> Binding:
    target, behind_nat = _route_to(contact.uri, asked)
    return Binding(
        user=user,
        contact=contact.uri,
        target=target,
        expires=now + seconds,
        refreshed=now,
        since=now,
        call_id=asked.call_id,
        cseq=asked.cseq,
        q=contact.q,
        instance=contact.instance,
        user_agent=asked.user_agent[:100],
        behind_nat=behind_nat,
    )


def _route_to(contact: str, asked: RegisterRequest) -> tuple[Target, bool]:
    """Say where a contact is reached, and whether a NAT has to be kept open for that."""
    source, uri = asked.source, read_uri(contact)
    if source.protocol != "UDP" or uri is None:
        return source, False  # its connection
    stated = Target("UDP", normalize_host(uri.host), uri.port or PORTS["UDP"])
    if stated[:3] == source[:3]:
        return source, False
    if stated.host == source.host and not asked.symmetric:
        return stated, False  # it sends from one port and listens at another
    return source, True
