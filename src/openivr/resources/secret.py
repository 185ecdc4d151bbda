"""Secrets, random or chosen, and the forms in which they are stored."""

import hashlib
import secrets
import string
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

ALPHABET = string.ascii_letters + string.digits
TIME_COST, MEMORY_COST = 2, 19_456  # KiB; with one lane OWASP's minimum for Argon2id
SALT_BYTES = 16  # of the hashes of PINs (RFC 9106 section 3.1)
LENGTH = 32  # as in the original's examples; 190 bits


def random_text(length: int = LENGTH) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def fingerprint(token: str) -> str:
    """Return the stored form of a token. A token is random and long, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # not needed by most commands, and slow to import

    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_COST, parallelism=1)


def hash_password(password: str) -> str:
    """Return the stored form of a password that a person may have chosen: Argon2id."""
    return hasher().hash(password)


def hash_pin(pin: str, salt: bytes) -> str:
    """Return the Argon2id hash of a PIN, with its parameters and the salt, which the PINs of a list share."""
    from argon2.low_level import Type, hash_secret

    return hash_secret(pin.encode(), salt, TIME_COST, MEMORY_COST, 1, 32, Type.ID).decode()


@cache
def nobody() -> str:
    """A hash that no password matches: an unknown user costs the same time as a known one."""
    return hash_password(random_text())


def matches(kept: str | None, password: str) -> bool:
    """Return True if the password matches the stored hash. Without a hash it takes equally long."""
    from argon2.exceptions import VerificationError

    try:
        return hasher().verify(kept or nobody(), password) and kept is not None
    except VerificationError:
        return False
