"""Digest authentication as the server: challenges, and verification of credentials (RFC 7616, RFC 8760).

A nonce carries its time and a signature for one source address, so unauthenticated requests need no state.
State is kept for accepted nonces only, and bounded: which nonce counts (`nc`) were used.
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
from openivr.sip.message.phone_number import number_of

REALM = "openivr"  # part of the stored password hashes, so it can never change
NONCE_SECONDS = 300.0  # the lifetime of a nonce
MAX_NONCES = 10_000  # accepted nonces with their counts
COUNT_WINDOW = 64  # accepted distance below the highest count: UDP reorders requests
_STAMP = struct.Struct(">QQ")  # microseconds, number
_KEPT = re.compile("md5=([0-9a-f]{32}) sha256=([0-9a-f]{64})")
_COUNT = re.compile("[0-9a-f]{8}", re.IGNORECASE)
_NOBODY = {
    "MD5": "0" * 32,
    "SHA-256": "0" * 64,
}  # checked for unknown users; no known password has these hashes
_SESSION = "-SESS"  # suffix of algorithms whose H(A1) depends on the nonces (RFC 7616 §3.4.2)
_MD5_ONLY = re.compile(r"baresip v([01]\.|2\.[0-3]\.)")
_USER = re.compile(r"sips?:([^@;?]*)@|tel:([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DigestSecret:
    """H(A1) of a password in the realm "openivr", by algorithm."""

    hashes: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, kept: str) -> "DigestSecret":
        """Parse the stored secret of an extension. Raises ValueError if it is malformed."""
        match = _KEPT.fullmatch(kept)
        if not match:
            raise ValueError("not a digest secret")
        return cls({"MD5": match[1], "SHA-256": match[2]})

    @classmethod
    def make(cls, user: str, password: str) -> "DigestSecret":
        """Hash a plain password, such as that of a trunk that registers here."""
        return cls({name: first_hash(hashed, user, REALM, password) for name, hashed in HASHES.items()})


@unique
class AuthOutcome(Enum):
    """The outcome of checking credentials."""

    ACCEPTED = "accepted"
    ABSENT = "absent"  # no credentials for this realm: a phone's first request
    STALE = "stale"  # the nonce is invalid or expired, whatever the password: challenge again
    UNUSABLE = "unusable"  # not for this request or in no accepted form, though perhaps right: no guess
    WRONG = "wrong"  # wrong password for a valid nonce, which proves that the source is not forged


def choose_algorithms(user_agent: str) -> tuple[str, ...]:
    """Return the algorithms to challenge a phone with: all, unless it is known to fail on SHA-256.

    A phone should ignore unknown algorithms (RFC 8760 §2.4). baresip before 2.4, which Debian 12 ships, gives
    up instead, even if MD5 is offered as well.
    """
    return ("MD5",) if _MD5_ONLY.match(user_agent) else tuple(HASHES)


class AuthRequest(NamedTuple):
    """The parts of a request that authentication depends on: method, URI, source address, credentials."""

    method: str
    uri: str
    source: str
    headers: Iterable[str]  # the values of Authorization


@dataclass(frozen=True, slots=True)
class AuthResult:
    """The outcome for one request, its username, and the algorithm ("" if not supported)."""

    outcome: AuthOutcome
    user: str = ""
    algorithm: str = ""


class DigestVerifier:
    """Makes challenges and checks credentials. `key` holds at least 32 random bytes; times are in seconds."""

    def __init__(
        self,
        key: bytes,
        life: float = NONCE_SECONDS,
        remembered: int = MAX_NONCES,
        *,
        allow_rfc2069: bool = False,
    ) -> None:
        self._key = key
        self._allow_rfc2069 = allow_rfc2069
        self._life = life
        self._remembered = remembered
        self._made = 0
        self._used: OrderedDict[str, _Counts] = OrderedDict()
        self._floor = 0.0  # older nonces that are not in `_used` are stale, because their counts were dropped

    def challenge(
        self, source: str, now: float, *, stale: bool = False, algorithms: Iterable[str] = HASHES
    ) -> tuple[str, ...]:
        """Return the WWW-Authenticate values for a source address, one for each algorithm."""
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
        """Check the credentials of a request.

        An unknown user costs the same work as a wrong password and gets the same outcome. A password can be
        guessed only with a nonce that was sent to this source: any other is stale.
        """
        given = _credentials(signed)
        if given is None:
            return AuthResult(AuthOutcome.ABSENT)
        nonce, user, name = given.get("nonce", ""), given.get("username", ""), _algorithm(given)
        made = self._made_at(nonce, signed.source)
        if made is None or not made <= now <= made + self._life:
            return AuthResult(AuthOutcome.STALE, user, name)
        if not name or given.get("qop", "auth").lower() not in ("", "auth"):
            return AuthResult(AuthOutcome.UNUSABLE, user, name)
        qop = self._matching_qop(given, signed.method, find(user))
        if qop is None:
            return AuthResult(AuthOutcome.WRONG, user, name)
        count = _COUNT.fullmatch(given.get("nc", "")) if qop else None
        is_allowed = count is not None or (qop == "" and self._allow_rfc2069)
        if not is_allowed or not _same_user(given["uri"], signed.uri):
            return AuthResult(AuthOutcome.UNUSABLE, user, name)
        is_new = self._use(nonce, made, int(count[0], 16) if count else 1, now)  # without qop: once
        return AuthResult(AuthOutcome.ACCEPTED if is_new else AuthOutcome.STALE, user, name)

    def _matching_qop(self, given: Mapping[str, str], method: str, secret: DigestSecret | None) -> str | None:
        """Return the qop ("auth", or "" as in RFC 2069) that the response matches the secret with; else None.

        Without a secret it never matches, at the same cost.
        """
        name, uri = _algorithm(given), given.get("uri")
        if uri is None:
            return None
        hashed, nonce, cnonce = HASHES[name], given.get("nonce", ""), given.get("cnonce", "")
        first = (secret.hashes if secret else _NOBODY)[name]
        if given.get("algorithm", "").upper().endswith(_SESSION):
            first = hashed(f"{first}:{nonce}:{cnonce}")
        response = given.get("response", "").lower().encode(errors="replace")
        for qop in ("auth",) if given.get("qop") else ("auth", ""):
            exchange = DigestExchange(method, uri, nonce, qop, given.get("nc", ""), cnonce)
            expected = respond(hashed, first, exchange).encode()
            if hmac.compare_digest(expected, response) and secret is not None:
                return qop
        return None

    def _sign(self, stamp: bytes, source: str) -> str:
        code = hmac.digest(self._key, stamp + source.encode(errors="replace"), "sha256")[:14]
        return base64.urlsafe_b64encode(stamp + code).decode()

    def _made_at(self, nonce: str, source: str) -> float | None:
        """Return when this nonce was made for this source, None if it was not."""
        try:
            stamp = base64.urlsafe_b64decode(nonce)[: _STAMP.size]
            made, _ = _STAMP.unpack(stamp)
        except (ValueError, struct.error):
            return None
        right = hmac.compare_digest(self._sign(stamp, source).encode(), nonce.encode(errors="replace"))
        return made / 1e6 if right else None

    def _use(self, nonce: str, made: float, count: int, now: float) -> bool:
        """Mark a count of a nonce as used. Return False if it was before."""
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
    """The used counts of one nonce: the highest, and a bit mask of those just below it."""

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


def username_of(request: AuthRequest) -> str:
    """Return the username in the credentials for this realm, "" if there are none."""
    return (_credentials(request) or {}).get("username", "")


def _credentials(request: AuthRequest) -> Mapping[str, str] | None:
    parsed = map(read_parameters, request.headers)
    return next((given for given in parsed if given and given.get("realm") == REALM), None)


def _algorithm(given: Mapping[str, str]) -> str:
    name = given.get("algorithm", "MD5").upper().removesuffix(_SESSION)
    return name if name in HASHES else ""


def _same_user(one: str, other: str) -> bool:
    """Return True if two URIs have the same user. Proxies rewrite hosts, but not the user that is called."""
    return _user(one) == _user(other) or number_of(one) == number_of(other) != ""


def _user(uri: str) -> str:
    match = _USER.match(uri)
    return unquote(match[1] or match[2] or "") if match else ""
