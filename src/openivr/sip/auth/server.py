"""Digest authentication as the server: challenges, and whether credentials are good (RFC 7616, RFC 8760).

A nonce carries its time and a code that only this process can make, for one source address, so nothing is
kept for strangers. What is kept, of accepted nonces alone and bounded, is which counts (`nc`) were used.
"""

import base64
import hmac
import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import NamedTuple
from urllib.parse import unquote

from openivr.sip.auth.digest import HASHES, DigestExchange, first_hash, read_parameters, respond

REALM = "openivr"  # part of what is stored of passwords, so it can never change
NONCE_SECONDS = 300.0  # seconds that a nonce can be used
MAX_NONCES = 10_000  # accepted nonces whose counts are kept
COUNT_WINDOW = 64  # how far a count may be behind the highest: requests overtake each other on UDP
_STAMP = struct.Struct(">QQ")  # microseconds, number
_KEPT = re.compile("md5=([0-9a-f]{32}) sha256=([0-9a-f]{64})")
_COUNT = re.compile("[0-9a-f]{8}", re.IGNORECASE)
_NOBODY = {"MD5": "0" * 32, "SHA-256": "0" * 64}  # no password hashes to these, as far as anybody knows
_MD5_ONLY = re.compile(r"baresip v([01]\.|2\.[0-3]\.)")
_USER = re.compile(r"sips?:([^@;?]*)@|tel:([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DigestSecret:
    """H(A1) of a password in the realm "openivr", by algorithm."""

    hashes: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, kept: str) -> "DigestSecret":
        """Read what the store keeps of an extension's password; ValueError if it is something else."""
        match = _KEPT.fullmatch(kept)
        if not match:
            raise ValueError("not a digest secret")
        return cls({"MD5": match[1], "SHA-256": match[2]})

    @classmethod
    def make(cls, user: str, password: str) -> "DigestSecret":
        """Hash a password that is known, such as that of a trunk that registers here."""
        return cls({name: first_hash(hashed, user, REALM, password) for name, hashed in HASHES.items()})


@unique
class AuthOutcome(Enum):
    """What credentials turned out to be."""

    ACCEPTED = "accepted"
    ABSENT = "absent"  # none for this realm: the first request of a phone
    STALE = "stale"  # for a nonce that is not good (any more), whatever the password: ask again
    WRONG = "wrong"  # for a nonce that this source got from us, so its address is not forged


def choose_algorithms(user_agent: str) -> tuple[str, ...]:
    """Choose what a phone is challenged with: all that we know, unless it is known to fail on SHA-256.

    A phone should pass over what it does not know (RFC 8760 §2.4). One stack of a phone that Debian 12 ships
    gives up instead, even if MD5 stands beside it.
    """
    return ("MD5",) if _MD5_ONLY.match(user_agent) else tuple(HASHES)


class AuthRequest(NamedTuple):
    """What is judged of a request: the method and URI that it has, the address that it came from."""

    method: str
    uri: str
    source: str
    headers: Iterable[str]  # the values of Authorization


@dataclass(frozen=True, slots=True)
class AuthResult:
    """The outcome for one request, the user that it names, and the algorithm: "" if it is none of ours."""

    outcome: AuthOutcome
    user: str = ""
    algorithm: str = ""


class DigestVerifier:
    """Makes challenges and checks credentials. `key` is random, at least 32 bytes; times are in seconds."""

    def __init__(self, key: bytes, life: float = NONCE_SECONDS, remembered: int = MAX_NONCES) -> None:
        self._key = key
        self._life = life
        self._remembered = remembered
        self._made = 0
        self._used: OrderedDict[str, _Counts] = OrderedDict()
        self._floor = 0.0  # nonces made up to then and not in `_used` are stale: their counts are forgotten

    def challenge(
        self, source: str, now: float, *, stale: bool = False, algorithms: Iterable[str] = HASHES
    ) -> tuple[str, ...]:
        """Make the WWW-Authenticate values for a source address: SHA-256, then MD5 for older phones."""
        self._made += 1
        nonce = self._sign(_STAMP.pack(int(now * 1e6), self._made), source)
        end = ", stale=true" if stale else ""
        return tuple(
            f'Digest realm="{REALM}", nonce="{nonce}", algorithm={name}, qop="auth"{end}'
            for name in algorithms
        )

    def check(
        self, signed: AuthRequest, find: Callable[[str], DigestSecret | None], now: float
    ) -> AuthResult:
        """Judge who sent a request.

        A user that `find` does not know costs the same work as a wrong password and gets the same verdict.
        A guess needs a nonce that was sent to this address: without one it learns nothing.
        """
        given = next(
            (one for one in map(read_parameters, signed.headers) if one and one.get("realm") == REALM), None
        )
        if given is None:
            return AuthResult(AuthOutcome.ABSENT)
        nonce, user, nc = given.get("nonce", ""), given.get("username", ""), given.get("nc", "")
        made, name = self._made_at(nonce, signed.source), _algorithm(given)
        if made is None or not made <= now <= made + self._life:
            return AuthResult(AuthOutcome.STALE, user, name)
        if (
            not _COUNT.fullmatch(nc)
            or not self._is_right(given, signed.method, find(user))
            or not _same_user(given["uri"], signed.uri)
        ):
            return AuthResult(AuthOutcome.WRONG, user, name)
        fresh = self._use(nonce, made, int(nc, 16), now)
        return AuthResult(AuthOutcome.ACCEPTED if fresh else AuthOutcome.STALE, user, name)

    def _is_right(self, given: Mapping[str, str], method: str, secret: DigestSecret | None) -> bool:
        """Whether the response is the password's; without a secret, never, at the same cost."""
        name, uri = _algorithm(given), given.get("uri")
        if not name or uri is None:
            return False
        first = (secret.hashes if secret else _NOBODY)[name]
        exchange = DigestExchange(
            method, uri, given.get("nonce", ""), "auth", given.get("nc", ""), given.get("cnonce", "")
        )
        right = respond(HASHES[name], first, exchange)
        said = given.get("response", "").lower().encode(errors="replace")
        return hmac.compare_digest(right.encode(), said) and secret is not None

    def _sign(self, stamp: bytes, source: str) -> str:
        code = hmac.digest(self._key, stamp + source.encode(errors="replace"), "sha256")[:14]
        return base64.urlsafe_b64encode(stamp + code).decode()

    def _made_at(self, nonce: str, source: str) -> float | None:
        """When this nonce was made for this source, or None if it was not."""
        try:
            stamp = base64.urlsafe_b64decode(nonce)[: _STAMP.size]
            made, _ = _STAMP.unpack(stamp)
        except (ValueError, struct.error):
            return None
        right = hmac.compare_digest(self._sign(stamp, source).encode(), nonce.encode(errors="replace"))
        return made / 1e6 if right else None

    def _use(self, nonce: str, made: float, count: int, now: float) -> bool:
        """Whether this count of a nonce was not used before; notes that it is now."""
        counts = self._used.get(nonce)
        if counts is None:
            if made <= self._floor:
                return False
            counts = self._used[nonce] = _Counts(made)
        self._forget(now)
        return counts.take(count)

    def _forget(self, now: float) -> None:
        while self._used:
            nonce, oldest = next(iter(self._used.items()))
            if len(self._used) <= self._remembered and oldest.made + self._life >= now:
                return
            del self._used[nonce]
            self._floor = max(self._floor, oldest.made)


@dataclass(slots=True)
class _Counts:
    """Which counts of one nonce were used: the highest, and a bit for each of those just below it."""

    made: float
    highest: int = 0
    used: int = 0

    def take(self, count: int) -> bool:
        ahead = count - self.highest
        if ahead > 0:
            self.used = (self.used << min(ahead, COUNT_WINDOW) | 1) & ((1 << COUNT_WINDOW) - 1)
            self.highest = count
            return True
        if count < 1 or -ahead >= COUNT_WINDOW or self.used >> -ahead & 1:
            return False
        self.used |= 1 << -ahead
        return True


def _algorithm(given: Mapping[str, str]) -> str:
    name = given.get("algorithm", "MD5").upper()
    return name if name in HASHES else ""


def _same_user(one: str, other: str) -> bool:
    """Whether two URIs name one user. Proxies rewrite the host; who is called stands in the user."""
    return _user(one) == _user(other)


def _user(uri: str) -> str:
    match = _USER.match(uri)
    return unquote(match[1] or match[2] or "") if match else ""
