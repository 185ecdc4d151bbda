"""Bindings of accounts as REGISTER makes them (RFC 3261 §10.3). Times are seconds of a
steady clock, passed in.

The number of bindings of an account is limited. A further one replaces the one refreshed longest ago, because
that is a phone which was switched off or has a new address.
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
)  # seconds
KEEPALIVE_SECONDS = 25.0  # NAT routers drop UDP mappings after 30 s (RFC 5626 §4.4.1)


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of an account."""

    user: str
    contact: str  # its URI: the Request-URI of requests to it
    target: Target  # where such requests are sent
    expires: float
    refreshed: float  # time of the last REGISTER
    since: float  # time of the first REGISTER
    call_id: str
    cseq: int
    q: float = 1.0  # preference, highest first
    instance: str = ""  # device identity (RFC 5626 §4.1)
    user_agent: str = ""
    behind_nat: bool = False  # it sends from another address than its contact: keep the NAT mapping open


@dataclass(frozen=True, slots=True)
class Contact:
    """One Contact of a REGISTER. `expires` is None if absent."""

    uri: str
    expires: int | None = None
    q: float = 1.0
    instance: str = ""


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """A parsed REGISTER. Without contacts and `removes_all` it is a query."""

    call_id: str
    cseq: int
    source: Target
    contacts: tuple[Contact, ...] = ()
    removes_all: bool = False  # "Contact: *"
    expires: int | None = None  # the Expires header
    symmetric: bool = True  # it asked for rport: it receives where it sends from (RFC 3581)
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class RegisterSuccess:
    """All bindings of the account, by preference, and whether they have changed."""

    bindings: tuple[Binding, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class RegisterRefusal:
    """A rejected REGISTER, which changed nothing. 423 comes with the minimum expiry."""

    status: int
    reason: str = ""
    min_expires: int = 0


class Registrar:
    """The bindings of all accounts."""

    def __init__(self) -> None:
        self._accounts: dict[str, list[Binding]] = {}
        self._expiries: list[tuple[float, str]] = []  # a heap of (time, user)
        self._next_expiry: dict[str, float] = {}  # the valid heap entry of each user
        self._keepalives: deque[tuple[float, str, str]] = deque()  # (time, user, contact) in order of time
        self._in_keepalives: set[tuple[str, str]] = set()  # the members of that queue

    def register(
        self, user: str, request: RegisterRequest, limit: int, now: float
    ) -> RegisterSuccess | RegisterRefusal:
        """Apply a REGISTER of an account completely, or reject it."""
        before = self._valid(user, now)
        if not request.contacts and not request.removes_all:
            return RegisterSuccess(sort_by_preference(before), changed=False)
        after = _remove_all(before, request) if request.removes_all else _change(user, before, request, now)
        if isinstance(after, RegisterRefusal):
            return after
        added = [binding for binding in after if binding not in before]
        if len(added) > limit:
            return RegisterRefusal(403, "Too many contacts")
        after = sorted(after, key=lambda binding: binding.refreshed)[-limit:]
        self._store(user, after, now)
        return RegisterSuccess(sort_by_preference(after), changed=after != before)

    def lookup(self, user: str, now: float) -> tuple[Binding, ...]:
        """Return the valid bindings: by preference, then the newest first."""
        return sort_by_preference(self._valid(user, now))

    def users(self) -> tuple[str, ...]:
        """Return the accounts that have bindings."""
        return tuple(self._accounts)

    def remove_user(self, user: str) -> bool:
        """Remove all bindings of an account. Return False if there were none."""
        return self._accounts.pop(user, None) is not None

    def expire(self, now: float) -> dict[str, tuple[Binding, ...]]:
        """Remove expired bindings. Return the remaining ones of each account that has lost some."""
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

    def due_for_keepalive(self, now: float, limit: int = 50) -> list[Binding]:
        """Return the bindings behind NAT that are due for a keep-alive, at most `limit`."""
        due: list[Binding] = []
        while self._keepalives and self._keepalives[0][0] <= now and len(due) < limit:
            _, user, contact = self._keepalives.popleft()
            self._in_keepalives.discard((user, contact))
            found = next((binding for binding in self._valid(user, now) if binding.contact == contact), None)
            if found and found.behind_nat:
                due.append(found)
                self._schedule_keepalive(found, now)
        return due

    def export(self) -> list[dict[str, object]]:
        """Return all bindings as plain values."""
        every = (binding for bindings in self._accounts.values() for binding in bindings)
        return [to_plain(binding) for binding in every]

    def restore(self, rows: Iterable[Mapping[str, object]], now: float) -> None:
        """Load what `export` returned, except expired bindings. Raises ValueError for any other row."""
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
    """Return a binding as plain values, for `Registrar.restore`."""
    row: dict[str, object] = msgspec.to_builtins(binding)
    return row


def sort_by_preference(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    """Sort bindings in the order in which they should be called."""
    return tuple(sorted(bindings, key=lambda binding: (-binding.q, -binding.refreshed)))


def same_uri(one: Uri, other: Uri) -> bool:
    """Compare two URIs by RFC 3261 §19.1.4: most parameters count only if both have them."""
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


def _remove_all(before: list[Binding], request: RegisterRequest) -> list[Binding] | RegisterRefusal:
    if request.contacts or request.expires != 0:
        return RegisterRefusal(400, "* needs Expires: 0 and stands alone")
    if any(_is_out_of_order(binding, request) for binding in before):
        return RegisterRefusal(500, "CSeq too low")
    return []


def _change(
    user: str, before: list[Binding], request: RegisterRequest, now: float
) -> list[Binding] | RegisterRefusal:
    after = list(before)
    for contact in request.contacts:
        uri = read_uri(contact.uri)
        if uri is None or uri.scheme not in ("sip", "sips"):
            return RegisterRefusal(400, "Bad Contact")
        seconds = _grant(contact, request)
        if 0 < seconds < MIN_EXPIRES:
            return RegisterRefusal(423, min_expires=MIN_EXPIRES)
        old = next((binding for binding in after if _is_for(binding, contact, uri)), None)
        if old and _is_out_of_order(old, request):
            return RegisterRefusal(500, "CSeq too low")
        if old:
            after.remove(old)
        if seconds:
            binding = _bind(user, contact, request, now, seconds)
            after.append(replace(binding, since=old.since) if old else binding)
    return after


def _grant(contact: Contact, request: RegisterRequest) -> int:
    for expires in (contact.expires, request.expires):
        if expires is not None:
            return min(expires, MAX_EXPIRES)
    return DEFAULT_EXPIRES


def _is_for(binding: Binding, contact: Contact, uri: Uri) -> bool:
    """Return True if a contact refreshes a binding: it is of the same device, or has the same URI."""
    if binding.instance and contact.instance:
        return binding.instance == contact.instance
    known = read_uri(binding.contact)
    return known is not None and same_uri(known, uri)


def _is_out_of_order(binding: Binding, request: RegisterRequest) -> bool:
    """Return True if a later request of the same Call-ID came first (RFC 3261 §10.3, steps 6 and 7)."""
    return binding.call_id == request.call_id and request.cseq <= binding.cseq


def _bind(user: str, contact: Contact, request: RegisterRequest, now: float, seconds: int) -> Binding:
    target, behind_nat = _route_to(contact.uri, request)
    return Binding(
        user=user,
        contact=contact.uri,
        target=target,
        expires=now + seconds,
        refreshed=now,
        since=now,
        call_id=request.call_id,
        cseq=request.cseq,
        q=contact.q,
        instance=contact.instance,
        user_agent=request.user_agent[:100],
        behind_nat=behind_nat,
    )


def _route_to(contact: str, request: RegisterRequest) -> tuple[Target, bool]:
    """Return where a contact is reached, and whether its NAT mapping has to be kept open."""
    source, uri = request.source, read_uri(contact)
    if source.protocol != "UDP" or uri is None:
        return source, False  # over its connection
    stated = Target("UDP", normalize_host(uri.host), uri.port or PORTS["UDP"])
    if stated[:3] == source[:3]:
        return source, False
    if stated.host == source.host and not request.symmetric:
        return stated, False  # it sends from one port and listens at another
    return source, True
