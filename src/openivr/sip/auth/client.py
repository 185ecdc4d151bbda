"""Digest authentication as the client: credentials for challenged requests (RFC 7616, RFC 3261 §22)."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from openivr.sip.auth.digest import HASHES, DigestExchange, first_hash, read_parameters, respond

MAX_CHALLENGES = 3  # for one request: a proxy's, the server's, and one with a stale nonce
MAX_REALMS = 8  # cached; the oldest is dropped first

Status = Literal[401, 407]
CHALLENGE_HEADERS = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}
CREDENTIALS_HEADERS = {401: "Authorization", 407: "Proxy-Authorization"}


@dataclass(frozen=True, slots=True)
class Login:
    """A username and its password."""

    user: str
    password: str = field(repr=False)

    def first_hash(self, name: str, realm: str) -> str:
        """Return H(A1) under the hash of this name in `HASHES`."""
        return first_hash(HASHES[name], self.user, realm, self.password)


@dataclass(frozen=True, slots=True)
class HashedLogin:
    """A username and H(A1) of its password by the name of the hash, valid in one realm only."""

    user: str
    hashes: Mapping[str, str] = field(repr=False)

    def first_hash(self, name: str, realm: str) -> str:
        """Return H(A1) under the hash of this name. It fails in any other realm than its own."""
        return self.hashes[name]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A supported challenge of a server or proxy."""

    status: int
    realm: str
    nonce: str
    algorithm: str  # as received; "" if absent
    qop: str  # "auth", or "" if the challenge has none (RFC 2069)
    opaque: str | None
    stale: bool

    @property
    def hash_name(self) -> str:
        """Return the name of the hash in `HASHES`."""
        return (self.algorithm or "MD5").upper().removesuffix("-SESS")


@dataclass(frozen=True, slots=True)
class AuthAttempt:
    """The state of one request: the number of challenges answered, and their realms."""

    rounds: int = 0
    answered: frozenset[tuple[int, str]] = frozenset()


@dataclass(slots=True)
class _Known:
    challenge: Challenge
    cnonce: str
    count: int = 0


class DigestClient:
    """Answers challenges with one login, and caches them for later requests."""

    def __init__(
        self, login: Login | HashedLogin, draw: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self._login = login
        self._draw = draw
        self._known: dict[tuple[int, str], _Known] = {}

    def headers(self, method: str, uri: str) -> list[tuple[str, str]]:
        """Return the credentials for a request: one header for each cached challenge."""
        found = self._known.items()
        return [
            (CREDENTIALS_HEADERS[status], self._answer(known, method, uri)) for (status, _), known in found
        ]

    def on_challenge(self, status: int, values: Iterable[str], attempt: AuthAttempt) -> AuthAttempt | None:
        """Cache the challenges of a 401 or 407. Return the next attempt of the request; None to give up.

        A realm that challenges again without stale=true has rejected the login.
        """
        challenges = read_challenges(status, values)
        keys = {(status, challenge.realm) for challenge in challenges}
        if not challenges or attempt.rounds >= MAX_CHALLENGES:
            return None
        for challenge in challenges:
            key = status, challenge.realm
            if key in attempt.answered and not challenge.stale:
                return None
            self._known.pop(key, None)
            self._known[key] = _Known(challenge, self._draw())
        while len(self._known) > MAX_REALMS:
            del self._known[next(iter(self._known))]
        return AuthAttempt(attempt.rounds + 1, attempt.answered | keys)

    def forget(self) -> None:
        """Drop the cached challenges, so that the next request is sent without credentials."""
        self._known.clear()

    def _answer(self, known: _Known, method: str, uri: str) -> str:
        asked, user = known.challenge, self._login.user
        known.count += 1
        nc, cnonce = f"{known.count:08x}", known.cnonce
        hashed = HASHES[asked.hash_name]
        first = self._login.first_hash(asked.hash_name, asked.realm)
        if asked.algorithm.upper().endswith("-SESS"):
            first = hashed(f"{first}:{asked.nonce}:{cnonce}")
        response = respond(hashed, first, DigestExchange(method, uri, asked.nonce, asked.qop, nc, cnonce))
        parts = [
            f'username="{user}"',
            f'realm="{asked.realm}"',
            f'nonce="{asked.nonce}"',
            f'uri="{uri}"',
            f'response="{response}"',
        ]
        if asked.algorithm:
            parts.append(f"algorithm={asked.algorithm}")
        if asked.qop:
            parts += [f"qop={asked.qop}", f"nc={nc}"]
        if asked.qop or asked.algorithm.upper().endswith("-SESS"):
            parts.append(f'cnonce="{cnonce}"')
        if asked.opaque is not None:
            parts.append(f'opaque="{asked.opaque}"')
        return "Digest " + ", ".join(parts)


def read_challenges(status: int, values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges of a 401 or 407 to answer: for each realm the one with the strongest hash."""
    best: dict[str, Challenge] = {}
    ranks = list(HASHES)
    for challenge in _read(status, values):
        other = best.get(challenge.realm)
        if other is None or ranks.index(challenge.hash_name) < ranks.index(other.hash_name):
            best[challenge.realm] = challenge
    return tuple(best.values())


def _read(status: int, values: Iterable[str]) -> Iterator[Challenge]:
    for value in values:
        given = read_parameters(value)
        if status not in CHALLENGE_HEADERS or not given or "nonce" not in given or "realm" not in given:
            continue
        offered = [one.strip().lower() for one in given.get("qop", "").split(",") if one.strip()]
        challenge = Challenge(
            status,
            given["realm"],
            given["nonce"],
            given.get("algorithm", ""),
            "auth" if "auth" in offered else "",
            given.get("opaque"),
            given.get("stale", "").lower() == "true",
        )
        if challenge.hash_name in HASHES and (challenge.qop or not offered):
            yield challenge
