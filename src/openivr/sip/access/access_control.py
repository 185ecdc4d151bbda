"""The door: who is heard, who is let in, and as whom. It stands before every agent that faces a network.

Let in are requests that carry right credentials of an account, and calls from the address of a configured
trunk. Everybody else is asked for credentials, and nothing is remembered of the question. OPTIONS is answered
to all, because balancers and providers ask it without credentials; the answer tells nothing about anybody.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from openivr.sip.access.accounts import AccountDirectory, AuthAccount, CallerIdentity
from openivr.sip.access.rate_limit import (
    DEFAULT_POLICY,
    Ban,
    RateDecision,
    RateLimiter,
    RateLimitPolicy,
    source_key,
)
from openivr.sip.address import Target
from openivr.sip.auth.server import (
    AuthOutcome,
    AuthRequest,
    AuthResult,
    DigestSecret,
    DigestVerifier,
    choose_algorithms,
)
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import DROP, LocalResponse
from openivr.sip.message.headers import read_address, read_uri
from openivr.sip.message.message import Request
from openivr.sip.registrar.register_message import read_register, response_headers
from openivr.sip.registrar.registrar import Binding, RegisterRefusal, RegisterSuccess, Registrar
from openivr.sip.trunk.trunk_state import TrunkConfig, identify

log = structlog.get_logger(__name__)
AUTHENTICATED_SECONDS = 3600.0  # for which a source that logged in counts as known
MAX_AUTHENTICATED = 10_000


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is: `wall` in Unix seconds, `steady` never goes back."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


SYSTEM = Clocks()


class AccessControl:
    """An agent's `Owner`, as far as it decides who is let in; calls that are go to `on_call`.

    `key` is random, at least 32 bytes. `is_full` says whether another call would be too many. `watchers`
    are told an account's user and all its bindings whenever they change.
    """

    def __init__(
        self,
        key: bytes,
        on_call: Callable[[InboundLeg, CallerIdentity], None],
        *,
        policy: RateLimitPolicy = DEFAULT_POLICY,
        is_full: Callable[[], bool] = lambda: False,
        clocks: Clocks = SYSTEM,
    ) -> None:
        self.rate_limiter = RateLimiter(policy, on_ban=_log_ban)
        self.registrar = Registrar()
        self.directory = AccountDirectory()
        self.watchers: list[Callable[[str, tuple[Binding, ...]], None]] = []
        self.counts: Counter[str] = Counter()  # for metrics: what was decided how often
        self._policy = policy
        self._verifier = DigestVerifier(key)
        self._on_call = on_call
        self._is_full = is_full
        self._clocks = clocks
        self._addresses: Mapping[int, frozenset[str]] = {}
        self._trunks_at: dict[str, list[int]] = {}  # the trunks at an address
        self._authenticated: OrderedDict[str, float] = OrderedDict()
        self._admitted: tuple[Request, CallerIdentity] | None = None

    # What it goes by

    def configure(self, directory: AccountDirectory) -> None:
        """Take a new configuration. Who is gone, or has another password, is no longer registered."""
        before, self.directory = self.directory, directory
        for user in self.registrar.users():
            old, new = before.accounts.get(user), directory.accounts.get(user)
            if new is None or (old is not None and old.secret != new.secret):
                self.registrar.remove_user(user)
                self._notify(user, ())

    def set_trunk_addresses(self, addresses: Mapping[int, frozenset[str]]) -> None:
        """Take the addresses that the hosts of trunks stand for, by the trunk's id."""
        self._addresses = addresses
        self._trunks_at = {}
        for ident, hosts in addresses.items():
            for host in hosts:
                self._trunks_at.setdefault(host, []).append(ident)
                self.rate_limiter.forget(host)

    def restore(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Take the registrations that `registrar.plain` made before a restart; ValueError if they are not."""
        self.registrar.restore(rows, self._clocks.wall())
        for user in self.registrar.users():
            self._notify(user, self.lookup(user))

    def expire(self) -> None:
        """Drop bindings that are over."""
        for user, left in self.registrar.expire(self._clocks.wall()).items():
            self._notify(user, left)

    def ping(self) -> list[Binding]:
        """List phones behind NAT that have to be sent something now."""
        return self.registrar.due_for_keepalive(self._clocks.wall())

    def lift_bans(self) -> None:
        """Listen to everybody again; the log says who was not listened to."""
        lifted = self.rate_limiter.unban_all(self._clocks.steady())
        for ban in lifted:
            _log_lifted(ban)
        log.info("sip bans lifted", count=len(lifted))

    def lift_ban(self, source: str) -> list[tuple[Ban, float]]:
        """Listen again to a source, as whichever user; the bans that it had, and the seconds left of them."""
        now = self._clocks.steady()
        lifted = self.rate_limiter.unban(source, now)
        for ban in lifted:
            _log_lifted(ban)
        return [(ban, ban.until - now) for ban in lifted]

    def bans(self) -> list[tuple[Ban, float]]:
        """List who is not listened to, and for how many seconds yet."""
        now = self._clocks.steady()
        return [(ban, ban.until - now) for ban in self.rate_limiter.bans(now)]

    def lookup(self, user: str) -> tuple[Binding, ...]:
        """List where an account can be called, the most wanted first."""
        return self.registrar.lookup(user, self._clocks.wall())

    # An agent asks

    def is_source_allowed(self, source: Target) -> bool:
        """Whether a source is not banned."""
        if self.rate_limiter.is_allowed(source.host, self._clocks.steady()):
            return True
        self.counts["banned"] += 1
        return False

    def on_malformed(self, source: Target) -> None:
        """Count what was not SIP against its source."""
        self.counts["nonsense"] += 1
        self.rate_limiter.record_malformed(
            source.host, self._clocks.steady(), known=self._is_known(source.host)
        )

    def admit(self, request: Request) -> LocalResponse | None:
        """Let a request in (None), or say what it is answered."""
        self._admitted = None
        source, method = request.source, request.method
        decision = self._limit(request)
        if decision is RateDecision.DROP:
            self.counts["dropped"] += 1
            return DROP
        if decision is RateDecision.REFUSE or (method == "INVITE" and self._is_full()):
            self.counts["refused"] += 1
            return LocalResponse(503, headers=(("Retry-After", str(self._policy.retry_after)),))
        if method == "OPTIONS":
            return None
        trunk = self._identify(request) if method != "REGISTER" and source.host in self._trunks_at else None
        if trunk:
            self._let_in(request, CallerIdentity(trunk=trunk))
            return None
        return self._authenticate(request)

    def on_register(self, request: Request) -> LocalResponse:
        """Do what an admitted REGISTER asks for."""
        caller, now = self._who(request), self._clocks.wall()
        if caller is None or caller.account is None:
            return LocalResponse(403)
        account = caller.account
        asked = read_register(request, request.source)
        result = (
            asked
            if isinstance(asked, RegisterRefusal)
            else self.registrar.register(account.user, asked, account.contacts, now)
        )
        headers = response_headers(result, now)
        if isinstance(result, RegisterSuccess):
            if result.changed:
                self._notify(account.user, result.bindings)
            return LocalResponse(200, headers=headers)
        return LocalResponse(result.status, result.reason, headers)

    def on_invite(self, leg: InboundLeg) -> None:
        """Pass an admitted call on, with who calls."""
        caller = self._who(leg.request)
        if caller is None:
            leg.reject(403)
            return
        self._on_call(leg, caller)

    def on_other_request(self, request: Request) -> LocalResponse | None:
        """Answer other methods: none is served beyond those of calls and registration."""
        return None

    # Inside

    def _notify(self, user: str, bindings: tuple[Binding, ...]) -> None:
        for watcher in self.watchers:
            watcher(user, bindings)

    def _is_known(self, host: str) -> bool:
        return (
            host in self._trunks_at or self._authenticated.get(source_key(host), 0.0) > self._clocks.steady()
        )

    def _limit(self, request: Request) -> RateDecision:
        """Count a request of no call; a trunk may send as many as there are calls for."""
        host = request.source.host
        if host in self._trunks_at:
            return RateDecision.ALLOW
        now, known = self._clocks.steady(), self._is_known(host)
        return self.rate_limiter.admit(host, now, known=known, user_agent=request.get("user-agent"))

    def _identify(self, request: Request) -> TrunkConfig | None:
        uri, known = read_uri(request.uri), self.directory.trunks
        trunks = [known[ident] for ident in self._trunks_at[request.source.host] if ident in known]
        return identify(trunks, self._addresses, request.source, uri.user if uri else "")

    def _let_in(self, request: Request, caller: CallerIdentity) -> None:
        self.counts["admitted"] += 1
        self._admitted = request, caller

    def _who(self, request: Request) -> CallerIdentity | None:
        """Say who sent the request that was let in last; None for any other."""
        admitted, self._admitted = self._admitted, None
        return admitted[1] if admitted and admitted[0] is request else None

    def _authenticate(self, request: Request) -> LocalResponse | None:
        source = request.source.host
        signed = AuthRequest(request.method, request.uri, source, request.headers.get("authorization", ()))
        now = self._clocks.wall()
        verdict = self._verifier.check(signed, self._find_secret, now)
        if verdict.user and not self.rate_limiter.is_allowed(source, self._clocks.steady(), verdict.user):
            self.counts["banned"] += 1
            return DROP
        if verdict.outcome is AuthOutcome.ACCEPTED:
            return self._accept(request, self.directory.accounts[verdict.user])
        if verdict.outcome is AuthOutcome.WRONG:
            self.rate_limiter.record_failure(
                source, verdict.user, self._clocks.steady(), known=self._is_known(source)
            )
            log.warning("sip login refused", source=source, user=verdict.user[:64], method=request.method)
        self.counts[verdict.outcome.value] += 1
        challenges = self._verifier.challenge(
            source,
            now,
            stale=verdict.outcome is AuthOutcome.STALE,
            algorithms=self._choose_algorithms(request, verdict),
        )
        return LocalResponse(401, headers=tuple(("WWW-Authenticate", value) for value in challenges))

    def _choose_algorithms(self, request: Request, verdict: AuthResult) -> tuple[str, ...]:
        """Choose what to challenge with: what the phone has used already, else all that we know.

        There are phones that give up on an algorithm which they do not know. A source that leaves challenges
        unanswered gets MD5 alone every other time, so that such a phone works from its second try.
        """
        host = request.source.host
        if verdict.outcome is not AuthOutcome.ABSENT:
            self.rate_limiter.record_credentials(host)
        elif self.rate_limiter.record_challenge(host) % 2:
            return ("MD5",)
        return (verdict.algorithm,) if verdict.algorithm else choose_algorithms(request.get("user-agent"))

    def _find_secret(self, user: str) -> DigestSecret | None:
        account = self.directory.accounts.get(user)
        return account.secret if account else None

    def _accept(self, request: Request, account: AuthAccount) -> LocalResponse | None:
        source = request.source.host
        self.rate_limiter.record_credentials(source)
        self.rate_limiter.record_success(source, account.user)
        self._mark_authenticated(source)
        if request.method == "REGISTER" and not _is_own(request, account):
            self.counts["foreign"] += 1
            return LocalResponse(403)
        trunk = self.directory.trunks.get(account.trunk)
        if trunk and request.method != "REGISTER":
            self._let_in(request, CallerIdentity(trunk=trunk))
        else:
            self._let_in(request, CallerIdentity(account=account))
        return None

    def _mark_authenticated(self, host: str) -> None:
        source = source_key(host)
        self._authenticated[source] = self._clocks.steady() + AUTHENTICATED_SECONDS
        self._authenticated.move_to_end(source)
        if len(self._authenticated) > MAX_AUTHENTICATED:
            self._authenticated.popitem(last=False)


def _log_ban(ban: Ban) -> None:
    log.warning("sip source banned", source=ban.source, user=ban.user, reason=ban.reason)


def _log_lifted(ban: Ban) -> None:
    log.warning("sip ban lifted", source=ban.source, user=ban.user, reason=ban.reason)


def _is_own(request: Request, account: AuthAccount) -> bool:
    """Whether a REGISTER is for the account's own address of record: nobody registers for others."""
    to = read_address(request.get("to"))
    uri = read_uri(to.uri) if to else None
    return uri is not None and (uri.user == account.user or uri.user in account.names)
