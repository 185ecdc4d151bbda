"""Rate limits and temporary bans by source: token buckets, and counters of malformed messages and logins.

A source is an IPv4 address or an IPv6 /64, which is what one customer of a provider has. UDP addresses can be
forged. So a known source (a configured trunk, an authenticated phone) is not banned for them: requests beyond
its rate are rejected or dropped.

Many phones may share a source behind NAT. So wrong passwords ban only the client that sent them: the source
and its port. Clients that change their port are slowed down by an allowance of wrong passwords for the whole
source, which a client that has authenticated does not need.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from functools import lru_cache

# User-Agents of scanning tools. Matching them saves work, security does not depend on it.
SCANNERS = (
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sipscan",
    "sipsak",
    "sundayddr",
    "pplsip",
    "iwar",
    "sivus",
    "gulp",
    "smap",
    "siparmyknife",
    "vaxsipuseragent",
    "vicidial",
    "voipmonitor-scan",
)


MAX_USER_LENGTH = 64  # characters of a username that are compared


@dataclass(frozen=True, slots=True)
class RateLimitPolicy:
    """The limits; times in seconds."""

    rate: float = 10.0  # requests a second of an unknown source, retransmissions included
    burst: float = 40.0  # at once
    known_rate: float = 200.0  # the same for a known source
    known_burst: float = 1000.0
    excess_limit: int = (
        40  # requests beyond the rate, refused, before a ban; nonsense and refusals count as many
    )
    user_failures: int = 8  # wrong passwords for one user until a client is banned for that user
    all_failures: int = 40  # for all users, until the client is banned
    guesses: float = 200.0  # wrong passwords of a source at once, by all its clients
    guess_rate: float = 0.2  # and a second
    user_guesses: float = 60.0  # the same for one user
    user_guess_rate: float = 1 / 60
    window: float = 600.0  # after which counters are reset
    ban: float = 60.0  # the first ban; each further one is twice as long
    max_ban: float = 86_400.0
    max_sources: int = 20_000  # sources kept
    retry_after: int = 30  # Retry-After of a 503


DEFAULT_POLICY = RateLimitPolicy()


@unique
class BanReason(StrEnum):
    """Why a source is banned."""

    SCANNER = "scanner"
    WRONG_PASSWORDS = "wrong_passwords"
    TOO_MANY_REQUESTS = "too_many_requests"


@unique
class RateDecision(Enum):
    """The decision on a request."""

    ALLOW = "allow"
    REFUSE = "refuse"  # 503 with Retry-After
    DROP = "drop"  # no response


@dataclass(frozen=True, slots=True)
class Ban:
    """A banned source or client, altogether or for one user. `until` is on the limiter's clock."""

    source: str
    until: float
    reason: str  # a `BanReason`
    user: str = ""
    port: int = 0  # of the client; 0 for all clients of the source


@dataclass(slots=True)
class _Source:
    """The counters of a source or client, or of one and the user that it tries to authenticate as."""

    name: str
    port: int
    user: str
    tokens: float
    at: float  # the time of `tokens`
    failures: int = 0
    excess: int = 0
    counted: float = 0.0  # the time of the first of those
    banned_until: float = 0.0
    bans: int = 0
    reason: str = ""
    unanswered: int = 0  # consecutive challenges


@dataclass(slots=True)
class _Allowance:
    """The wrong passwords that a source may still send: a token bucket."""

    left: float
    at: float  # the time of `left`

    def refill(self, now: float, rate: float, most: float) -> float:
        self.left = min(most, self.left + max(0.0, now - self.at) * rate)
        self.at = now
        return self.left


Key = tuple[str, int, str]  # source, port of a client or 0, user or ""


class RateLimiter:
    """Counts requests and failures of sources. `now` is a monotonic time in seconds."""

    def __init__(
        self,
        policy: RateLimitPolicy = DEFAULT_POLICY,
        exempt: Iterable[str] = (),
        on_ban: Callable[[Ban], None] = lambda ban: None,
    ) -> None:
        self._policy = policy
        self.on_ban = on_ban
        self._sources: OrderedDict[Key, _Source] = OrderedDict()
        self._allowances: OrderedDict[tuple[str, str], _Allowance] = OrderedDict()
        self._exempt = _networks(exempt)

    def set_exempt(self, networks: Iterable[str]) -> None:
        """Set the networks that are never limited or banned: those of proxies in front of this server."""
        self._exempt = _networks(networks)

    def is_allowed(self, host: str, now: float, user: str = "", port: int = 0) -> bool:
        """Return False if a source or client is banned: altogether, or for a user."""
        source, user = source_key(host), user[:MAX_USER_LENGTH]
        keys = {(source, 0, ""), (source, port, ""), (source, port, user)}
        return not any(key in self._sources and self._sources[key].banned_until > now for key in keys)

    def may_authenticate(
        self, host: str, user: str, now: float, *, port: int = 0, known: bool = False
    ) -> bool:
        """Return True if the credentials of a client for a user are to be checked.

        A `known` client has authenticated before. Others may guess with a new port each time.
        """
        if self._is_exempt(host):
            return True
        if not self.is_allowed(host, now, user, port):
            return False
        return known or all(left >= 1 for left in self._refill(host, user, now))

    def admit(
        self, host: str, now: float, *, known: bool = False, user_agent: str = "", port: int = 0
    ) -> RateDecision:
        """Count a request outside a dialog and decide about it.

        `known` sources have higher limits. `port` is that of a client with limits of its own, 0 otherwise.
        """
        if self._is_exempt(host):
            return RateDecision.ALLOW
        source = self._find(host, now, known, port=port)
        if source.banned_until > now:
            return RateDecision.DROP
        if is_scanner(user_agent):
            self._ban(source, now, BanReason.SCANNER, known)
            return RateDecision.DROP
        if source.tokens >= 1:
            source.tokens -= 1
            return RateDecision.ALLOW
        return self._exceed(source, now, known)

    def record_malformed(self, host: str, now: float, *, known: bool = False) -> None:
        """Count a malformed message. It costs as much as five requests."""
        if self._is_exempt(host):
            return
        source = self._find(host, now, known)
        source.tokens -= min(source.tokens, 5)
        if source.tokens < 1:
            self._exceed(source, now, known)

    def record_failure(self, host: str, user: str, now: float, *, known: bool = False, port: int = 0) -> None:
        """Count a wrong username or password (`AuthOutcome.WRONG` proves that the source is not forged).

        The client is banned first for the user that it fails as, and altogether after many more failures, but
        never altogether if it is known.
        """
        if self._is_exempt(host):
            return
        as_user = self._find(host, now, known, user[:MAX_USER_LENGTH], port)
        if self._count_failure(as_user, now) >= self._policy.user_failures:
            self._ban(as_user, now, BanReason.WRONG_PASSWORDS, known=False)
        client = self._find(host, now, known, port=port)
        if self._count_failure(client, now) >= self._policy.all_failures:
            self._ban(client, now, BanReason.WRONG_PASSWORDS, known)
        self._refill(host, user, now)
        for key in self._allowance_keys(host, user):
            allowance = self._allowances[key]
            allowance.left = max(0.0, allowance.left - 1)

    def _allowance_keys(self, host: str, user: str) -> tuple[tuple[str, str], tuple[str, str]]:
        source = source_key(host)
        return (source, ""), (source, f"user {user[:MAX_USER_LENGTH]}")

    def _refill(self, host: str, user: str, now: float) -> list[float]:
        """Return the wrong passwords that a source may send now: for all users, and for this one."""
        policy, left = self._policy, []
        limits = (policy.guess_rate, policy.guesses), (policy.user_guess_rate, policy.user_guesses)
        for key, (rate, most) in zip(self._allowance_keys(host, user), limits, strict=True):
            allowance = self._allowances.setdefault(key, _Allowance(most, now))
            self._allowances.move_to_end(key)
            left.append(allowance.refill(now, rate, most))
        while len(self._allowances) > self._policy.max_sources:
            self._allowances.popitem(last=False)
        return left

    def record_challenge(self, host: str) -> int:
        """Count a challenge. Return how many before it this source has left unanswered in a row."""
        source = self._sources.get((source_key(host), 0, ""))
        if source is None:
            return 0
        source.unanswered += 1
        return source.unanswered - 1

    def record_credentials(self, host: str) -> None:
        """Note that a source answers challenges, with valid credentials or not."""
        source = self._sources.get((source_key(host), 0, ""))
        if source:
            source.unanswered = 0

    def record_success(self, host: str, user: str, port: int = 0) -> None:
        """Reset the failures of a client for a user as which it has authenticated."""
        self._sources.pop((source_key(host), port, user[:MAX_USER_LENGTH]), None)

    def forget(self, host: str) -> None:
        """Drop the counters and bans of a source."""
        self._sources.pop((source_key(host), 0, ""), None)

    def unban(self, host: str, now: float) -> tuple[Ban, ...]:
        """Drop everything about a source, for every user. Return the lifted bans."""
        name = source_key(host)
        lifted = tuple(ban for ban in self.bans(now) if ban.source == name)
        for key in [key for key in self._sources if key[0] == name]:
            del self._sources[key]
        for name_and_user in [key for key in self._allowances if key[0] == name]:
            del self._allowances[name_and_user]
        return lifted

    def unban_all(self, now: float) -> tuple[Ban, ...]:
        """Drop everything about all sources. Return the lifted bans."""
        lifted = self.bans(now)
        self._sources.clear()
        self._allowances.clear()
        return lifted

    def bans(self, now: float) -> tuple[Ban, ...]:
        """Return the bans in force."""
        return tuple(
            Ban(source.name, source.banned_until, source.reason, source.user, source.port)
            for source in self._sources.values()
            if source.banned_until > now
        )

    def __len__(self) -> int:
        return len(self._sources)

    def _is_exempt(self, host: str) -> bool:
        address = read_host(host) if self._exempt else None
        return address is not None and any(address in network for network in self._exempt)

    def _find(self, host: str, now: float, known: bool, user: str = "", port: int = 0) -> _Source:
        policy = self._policy
        rate, burst = (policy.known_rate, policy.known_burst) if known else (policy.rate, policy.burst)
        key = source_key(host), port, user
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(*key, burst, now)
            self._make_room(now)
        self._sources.move_to_end(key)
        source.tokens = min(burst, source.tokens + max(0.0, now - source.at) * rate)
        source.at = now
        return source

    def _make_room(self, now: float) -> None:
        """Drop the least recently seen source if there are too many, a banned one only as a last resort."""
        if len(self._sources) <= self._policy.max_sources:
            return
        for _ in range(8):  # bounds the search
            name, source = next(iter(self._sources.items()))
            if source.banned_until <= now:
                break
            self._sources.move_to_end(name)
        self._sources.popitem(last=False)

    def _begin_window(self, source: _Source, now: float) -> None:
        if now - source.counted > self._policy.window:
            source.counted, source.failures, source.excess = now, 0, 0

    def _count_failure(self, source: _Source, now: float) -> int:
        self._begin_window(source, now)
        source.failures += 1
        return source.failures

    def _exceed(self, source: _Source, now: float, known: bool) -> RateDecision:
        self._begin_window(source, now)
        source.excess += 1
        if source.excess > self._policy.excess_limit:
            self._ban(source, now, BanReason.TOO_MANY_REQUESTS, known)
            return RateDecision.DROP
        return RateDecision.REFUSE

    def _ban(self, source: _Source, now: float, reason: BanReason, known: bool) -> None:
        if known:  # an attacker may forge its address to get it banned
            return
        policy = self._policy
        if now - source.banned_until > policy.max_ban:
            source.bans = 0
        source.banned_until = now + min(policy.ban * 2.0 ** min(source.bans, 30), policy.max_ban)
        source.bans += 1
        source.reason = reason.value
        source.failures = source.excess = 0
        self.on_ban(Ban(source.name, source.banned_until, reason.value, source.user, source.port))


def is_scanner(user_agent: str) -> bool:
    """Return True if a User-Agent is that of a known scanning tool."""
    folded = user_agent.lower()
    return bool(folded) and any(name in folded for name in SCANNERS)


@lru_cache(maxsize=4096)
def source_key(host: str) -> str:
    """Return the key of a source: its IPv4 address, or the /64 of its IPv6 address."""
    address = read_host(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address) if address else host


def read_host(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse the numeric address of a peer. An IPv4-mapped IPv6 address becomes IPv4."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _networks(texts: Iterable[str]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
