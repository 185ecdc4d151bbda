"""Admission of SIP requests: rate limits and bans, digest authentication, trunk identification.

Admitted are requests with valid credentials of an account, and calls from the address of a configured trunk.
Anything else is challenged, and no state is kept for the challenge. OPTIONS is admitted from anywhere,
because load balancers and providers send it without credentials and its response reveals nothing.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping

import structlog

from openivr.sip.access.bans import log_ban
from openivr.sip.access.rate_limit import (
    DEFAULT_POLICY,
    RateDecision,
    RateLimiter,
    RateLimitPolicy,
    source_key,
)
from openivr.sip.accounts import AccountDirectory, AuthAccount, CallerIdentity, TrunkConfig, TrunkType
from openivr.sip.address import Target
from openivr.sip.auth.server import (
    AuthOutcome,
    AuthRequest,
    AuthResult,
    DigestSecret,
    DigestVerifier,
    choose_algorithms,
    username_of,
)
from openivr.sip.handler import DROP, Admission, LocalResponse
from openivr.sip.message.headers import read_address, read_uri
from openivr.sip.message.message import Request
from openivr.sip.message.phone_number import read_phone_number

log = structlog.get_logger(__name__)
AUTHENTICATED_SECONDS = 3600.0  # how long a source that has authenticated counts as known
MAX_AUTHENTICATED = 10_000


class AccessControl:
    """An agent's `AdmissionHandler`.

    `key` signs nonces: at least 32 random bytes. `is_full` returns True if the call limit is reached.
    `allow_rfc2069` accepts credentials without qop, as old phones send them. Nonces,
    bans and limits go by `clock`, which must not jump: a wall clock that steps would make each nonce stale.
    """

    def __init__(
        self,
        key: bytes,
        *,
        policy: RateLimitPolicy = DEFAULT_POLICY,
        is_full: Callable[[], bool] = lambda: False,
        allow_rfc2069: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate_limiter = RateLimiter(policy, on_ban=log_ban)
        self.directory = AccountDirectory()
        self.counts: Counter[str] = Counter()  # decisions by kind
        self._policy = policy
        self._verifier = DigestVerifier(key, allow_rfc2069=allow_rfc2069)
        self._is_full = is_full
        self._clock = clock
        self._targets: Mapping[int, frozenset[Target]] = {}
        self._trunks_at: dict[str, list[int]] = {}  # ids of the trunks at an address
        self._authenticated: OrderedDict[tuple[str, int], float] = OrderedDict()  # sources, clients

    def configure(self, directory: AccountDirectory) -> None:
        """Apply a new configuration."""
        self.directory = directory

    def set_trunk_targets(self, targets: Mapping[int, frozenset[Target]]) -> None:
        """Set the targets of each trunk, by its id. Its calls come from the same addresses."""
        self._targets = targets
        self._trunks_at = {}
        for id_, of_trunk in targets.items():
            for host in {target.host for target in of_trunk}:
                self._trunks_at.setdefault(host, []).append(id_)
                self.rate_limiter.forget(host)

    def is_source_allowed(self, source: Target) -> bool:
        """Return False if the source is banned."""
        if self.rate_limiter.is_allowed(source.host, self._clock(), port=source.port):
            return True
        self.counts["banned"] += 1
        return False

    def on_malformed(self, source: Target) -> None:
        """Charge a malformed message to its source."""
        self.counts["malformed"] += 1
        self.rate_limiter.record_malformed(source.host, self._clock(), known=self._is_known(source.host))

    def admit(self, request: Request) -> Admission | LocalResponse:
        """Admit a request, or return the response that rejects it."""
        source, method = request.source, request.method
        decision = self._limit(request)
        if decision is RateDecision.DROP:
            self.counts["dropped"] += 1
            return DROP
        if decision is RateDecision.REFUSE or (method == "INVITE" and self._is_full()):
            self.counts["refused"] += 1
            return LocalResponse(503, headers=(("Retry-After", str(self._policy.retry_after)),))
        if method == "OPTIONS":
            return Admission()
        trunk = self._identify(request) if method != "REGISTER" and source.host in self._trunks_at else None
        if trunk:
            return self._admit(CallerIdentity(trunk=trunk))
        return self._authenticate(request)

    def _admit(self, caller: CallerIdentity) -> Admission:
        self.counts["admitted"] += 1
        return Admission(caller)

    def _is_known(self, host: str, port: int = 0) -> bool:
        """Return True for a trunk, or if a client of the source (or at the port) has authenticated."""
        expires = self._authenticated.get((source_key(host), port), 0.0)
        return host in self._trunks_at or expires > self._clock()

    def _limit(self, request: Request) -> RateDecision:
        """Count a request outside a dialog. Trunks are exempt: their calls are limited instead."""
        host = request.source.host
        if host in self._trunks_at:
            return RateDecision.ALLOW
        now, port, user_agent = self._clock(), request.source.port, request.get("user-agent")
        if not self.rate_limiter.is_allowed(host, now, port=port):
            return RateDecision.DROP
        if self._is_known(host, port):  # strangers behind the same NAT cannot use up its share
            return self.rate_limiter.admit(host, now, known=True, user_agent=user_agent, port=port)
        return self.rate_limiter.admit(host, now, known=self._is_known(host), user_agent=user_agent)

    def _identify(self, request: Request) -> TrunkConfig | None:
        uri, known = read_uri(request.uri), self.directory.trunks
        trunks = [known[id_] for id_ in self._trunks_at[request.source.host] if id_ in known]
        return identify_trunk(
            trunks, self._targets, request.source, read_phone_number(uri).text if uri else ""
        )

    def _authenticate(self, request: Request) -> Admission | LocalResponse:
        source, port = request.source.host, request.source.port
        auth_request = AuthRequest(
            request.method, request.uri, source, request.headers.get("authorization", ())
        )
        now, known = self._clock(), self._is_known(source, port)
        user = username_of(auth_request)
        if user and not self.rate_limiter.may_authenticate(source, user, now, port=port, known=known):
            self.counts["banned"] += 1
            return DROP
        result = self._verifier.check(auth_request, self._find_secret, now)
        if result.outcome is AuthOutcome.ACCEPTED:
            return self._accept(request, self.directory.accounts[result.user])
        if result.outcome is AuthOutcome.WRONG:
            self.rate_limiter.record_failure(source, result.user, now, known=known, port=port)
            log.warning("sip login refused", source=source, user=result.user[:64], method=request.method)
        elif result.outcome is AuthOutcome.UNUSABLE:
            log.warning("sip login without qop", source=source, user=result.user[:64], method=request.method)
        self.counts[result.outcome.value] += 1
        challenges = self._verifier.challenge(
            source,
            now,
            stale=result.outcome is AuthOutcome.STALE,
            algorithms=self._choose_algorithms(request, result),
        )
        return LocalResponse(401, headers=tuple(("WWW-Authenticate", value) for value in challenges))

    def _choose_algorithms(self, request: Request, result: AuthResult) -> tuple[str, ...]:
        """Choose the algorithms to challenge with: the one that the phone has used, or else all.

        Some phones give up on an algorithm that they do not know. A source that leaves challenges unanswered
        gets MD5 alone every other time, so that such a phone succeeds on its second attempt.
        """
        host = request.source.host
        if result.outcome is not AuthOutcome.ABSENT:
            self.rate_limiter.record_credentials(host)
        elif self.rate_limiter.record_challenge(host) % 2:
            return ("MD5",)
        return (result.algorithm,) if result.algorithm else choose_algorithms(request.get("user-agent"))

    def _find_secret(self, user: str) -> DigestSecret | None:
        account = self.directory.accounts.get(user)
        return account.secret if account else None

    def _accept(self, request: Request, account: AuthAccount) -> Admission | LocalResponse:
        source, port = request.source.host, request.source.port
        self.rate_limiter.record_credentials(source)
        self.rate_limiter.record_success(source, account.user, port)
        self._mark_authenticated(source, 0)
        self._mark_authenticated(source, port)
        if request.method == "REGISTER" and not _is_own_address(request, account):
            self.counts["foreign"] += 1
            return LocalResponse(403)
        trunk = self.directory.trunks.get(account.trunk)
        if trunk and request.method != "REGISTER":
            return self._admit(CallerIdentity(trunk=trunk))
        return self._admit(CallerIdentity(account=account))

    def _mark_authenticated(self, host: str, port: int) -> None:
        key = source_key(host), port
        self._authenticated[key] = self._clock() + AUTHENTICATED_SECONDS
        self._authenticated.move_to_end(key)
        if len(self._authenticated) > MAX_AUTHENTICATED:
            self._authenticated.popitem(last=False)


def identify_trunk(
    trunks: Iterable[TrunkConfig], targets: Mapping[int, frozenset[Target]], source: Target, user: str
) -> TrunkConfig | None:
    """Return the trunk that a request comes over, judged by its source; None if it has to authenticate.

    `targets` are those of each trunk, by its id. Over UDP the source port must be that of a target as well,
    since a provider sends from the port it listens on and a phone may share its address. The source port of a
    connection means nothing. Of several accounts with one provider, the one with the user of the Request-URI
    (`user`) is chosen.
    """
    candidates = [
        trunk
        for trunk in trunks
        if trunk.kind is not TrunkType.ACCOUNT
        and any(_comes_from(source, target) for target in targets.get(trunk.id, ()))
    ]
    return min(candidates, key=lambda trunk: (not is_same_user(trunk.user, user), trunk.id), default=None)


def is_same_user(one: str, other: str) -> bool:
    """Return True if two users are the same number; a leading "+" may be missing on either side."""
    return one.removeprefix("+") == other.removeprefix("+") != ""


def _comes_from(source: Target, target: Target) -> bool:
    is_same = (source.protocol, source.host) == (target.protocol, target.host)
    return is_same and (source.protocol != "UDP" or source.port == target.port)


def _is_own_address(request: Request, account: AuthAccount) -> bool:
    """Return True if a REGISTER is for the account's own address of record (RFC 3261, section 10.3)."""
    to = read_address(request.get("to"))
    uri = read_uri(to.uri) if to else None
    return uri is not None and (uri.user == account.user or uri.user in account.names)
