"""Digest authentication for client and server: header parameters, response computation (RFC 7616, RFC 8760).

Quoted values keep their escapes, because both sides hash them that way.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

# sipmessage has a parser for these headers, but it splits at commas inside quotes, as in qop="auth,auth-int".
_PARAMETER = re.compile(
    r"[ \t]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*)"|([^\s",=]+))[ \t]*(?:,|$)'
)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


Hash = Callable[[str], str]
HASHES: Mapping[str, Hash] = {"SHA-256": _sha256, "MD5": _md5}  # the stronger first (RFC 8760 §2.4)


def read_parameters(header: str) -> Mapping[str, str] | None:
    """Read the value of an Authorization or WWW-Authenticate header: its parameters, names in lower case.

    None unless the scheme is Digest, the text is well formed and no name comes twice.
    """
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    found: dict[str, str] = {}
    place = 0
    rest = rest.strip()
    while place < len(rest):
        match = _PARAMETER.match(rest, place)
        if not match or match[1].lower() in found:
            return None
        found[match[1].lower()] = match[3] if match[2] is None else match[2]
        place = match.end()
    return found or None


def first_hash(hashed: Hash, user: str, realm: str, password: str) -> str:
    """H(A1): what a server keeps instead of the password."""
    return hashed(f"{user}:{realm}:{password}")


class DigestExchange(NamedTuple):
    """The inputs of a digest response besides H(A1). Without `qop` it has the form of RFC 2069."""

    method: str
    uri: str
    nonce: str
    qop: str = ""
    nc: str = ""
    cnonce: str = ""


def respond(hashed: Hash, first: str, exchange: DigestExchange) -> str:
    """Compute the response, given H(A1) as `first`."""
    method, uri, nonce, qop, nc, cnonce = exchange
    second = hashed(f"{method}:{uri}")
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return hashed(f"{first}:{middle}:{second}")
