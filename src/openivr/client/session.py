"""One login and every request made with it: tokens, retries, refusals. Pure steps, see `steps`.

Rules. One login at a time, shared by all. A token is renewed before it ends, by its refresh token where that
still works, else by a login. A refused login is not tried again before its time: wrong logins lead to a
lock-out, and a lock-out grows with each try. Only what is safe is sent again once it may have arrived.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec

from openivr.client import answers
from openivr.client.effects import Alone, Ask, Got, Pause, Send, Steps, Work
from openivr.client.errors import (
    AccountIpBlocked,
    ApiError,
    BadAnswer,
    ClientError,
    Failure,
    Lost,
    MaxLimitationExceeded,
    TokenExpired,
    Unreachable,
    Untrusted,
)

TOKEN_LIFE = 1800.0  # seconds; what a server's 8 tokens have all ended after (P-Series: authorization-rule)
REFRESH_LIFE = 86_400.0
BLOCK_LIFE = 660.0  # of a lock-out that does not say how long it lasts
AHEAD, AHEAD_SHARE = 300.0, 0.2  # a token is renewed so long before its end, or in this last part of its life
POSTPONE = 30.0  # between tries to renew a token that is still good
BUSY = {429, 500, 502, 503, 504}  # HTTP statuses that may be others a moment later
OLDEST_TIME = 1_000_000_000  # a smaller block_expire_time counts seconds from now


@dataclass(frozen=True, slots=True)
class Account:
    """A client id and its secret, which are never shown."""

    client_id: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses before a safe request is retried: `first` seconds, then each `factor` times the one before, at
    most `most`. `tries` is the number of requests in all."""

    tries: int = 4
    first: float = 0.5
    factor: float = 2.0
    most: float = 10.0

    def pauses(self) -> Iterator[float]:
        for at in range(self.tries - 1):
            yield min(self.first * self.factor**at, self.most)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, the times (Unix seconds) at which they end, and the time to renew the access token."""

    access: str
    access_ends: float
    renew_at: float
    refresh: str = ""
    refresh_ends: float = 0.0

    def __repr__(self) -> str:
        return "Pair(...)"


class Tokens(msgspec.Struct):
    """The answer of get_token and refresh_token."""

    access_token: str
    access_token_expire_time: int = int(TOKEN_LIFE)
    refresh_token: str = ""
    refresh_token_expire_time: int = int(REFRESH_LIFE)


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """State shared by processes with the same account: tokens, and the end of a lock-out."""

    pair: Pair | None = None
    blocked_until: float = 0.0

    def __repr__(self) -> str:
        return "Saved(...)"


class Held(Protocol):
    """A place for what is saved, locked against other processes until it is released."""

    def load(self) -> Saved:
        """Return the saved state, an empty one if it is of another server or account."""

    def save(self, saved: Saved) -> None:
        """Save, all or nothing."""

    def release(self) -> None:
        """Let others have it."""


class Session:
    """`lock`, where tokens are shared with other processes, waits for their place and holds it."""

    def __init__(
        self,
        account: Account,
        backoff: Backoff,
        clock: Callable[[], float] = time.time,
        lock: Callable[[], Held] | None = None,
    ) -> None:
        self.account, self.backoff, self.clock, self.lock = account, backoff, clock, lock
        self.pair: Pair | None = None
        self.refusal: ApiError | None = None  # of the last login
        self.block: ApiError | None = None  # of every request
        self.is_closed = False

    def ask(self, ask: Ask) -> Steps[Got]:
        """Send a request with a valid token and return its answer. Raises ApiError.

        A refused token is renewed once. The server has not acted, so a retry is safe.
        """
        self.check_open()
        if ask.is_open:
            return (yield from self.ask_once(ask))
        token = yield from self.token()
        try:
            return (yield from self.ask_once(replace(ask, token=token)))
        except TokenExpired:
            token = yield from self.token(stale=token)
        return (yield from self.ask_once(replace(ask, token=token)))

    def ask_once(self, ask: Ask) -> Steps[Got]:
        self.raise_again(self.block)
        got: Got = yield from self.deliver(ask)
        try:
            answers.check(ask, got, self.secrets())
        except AccountIpBlocked as error:
            blocked = error.again(self.end_of_block(error))
            if not ask.is_open:
                self.block = blocked
            raise blocked from None
        return got

    def deliver(self, ask: Ask) -> Steps[Got]:
        """Send a request until it is answered. Only requests that are safe to repeat are retried."""
        for pause in (*self.backoff.pauses(), None):
            try:
                got: Got = yield Send(ask)
            except Untrusted:
                raise
            except Unreachable:
                if pause is None:
                    raise
            except Lost:
                if pause is None or not ask.is_safe:
                    raise
            else:
                is_busy = got.status in BUSY and ask.is_safe
                if pause is None or not is_busy:
                    return got
            yield Pause(pause)
        raise AssertionError

    def token(self, stale: str = "") -> Steps[str]:
        """An access token that is good and not `stale`, which the server refused."""
        self.check_open()
        if self.pair is None or not self.is_fresh(self.pair, stale):
            yield Alone(self.renew(stale))
        if self.pair is None:
            raise AssertionError
        return self.pair.access

    def is_fresh(self, pair: Pair, stale: str) -> bool:
        return pair.access != stale and self.clock() < pair.renew_at

    def is_good(self, pair: Pair, stale: str) -> bool:
        return pair.access != stale and self.clock() < pair.access_ends

    def renew(self, stale: str) -> Steps[None]:
        """A fresh pair, unless another task or process has fetched one meanwhile."""
        if self.pair is not None and self.is_fresh(self.pair, stale):
            return
        if self.lock is None:
            self.pair = yield from self.fetch(stale)
            return
        held: Held = yield Work(self.lock)
        try:
            saved = held.load()
            self.pair = saved.pair or self.pair
            if self.pair is None or not self.is_fresh(self.pair, stale):
                self.learn(saved.blocked_until)
                yield from self.fetch_and_save(held, stale)
        finally:
            held.release()

    def learn(self, blocked_until: float) -> None:
        """Believe another process that was locked out."""
        if blocked_until > self.clock():
            self.refusal = AccountIpBlocked("get_token", 70004, "ACCOUNT IP BLOCKED", {}, blocked_until)

    def fetch_and_save(self, held: Held, stale: str) -> Steps[None]:
        try:
            self.pair = yield from self.fetch(stale)
        except AccountIpBlocked as error:
            held.save(Saved(blocked_until=error.until or 0.0))
            raise
        held.save(Saved(pair=self.pair))

    def fetch(self, stale: str) -> Steps[Pair]:
        """Obtain a new pair of tokens. If that fails and the old access token is still valid, return that."""
        try:
            self.raise_again(self.refusal)
            refreshed = yield from self.refresh(self.pair)
            return refreshed or (yield from self.log_in())
        except ClientError as error:
            if isinstance(error, AccountIpBlocked):
                self.refusal = error.again()
            kept = self.pair  # without its refresh token, where that may be spent
            if kept is None or not self.is_good(kept, stale):
                raise
            return msgspec.structs.replace(kept, renew_at=min(kept.access_ends, self.clock() + POSTPONE))

    def refresh(self, old: Pair | None) -> Steps[Pair | None]:
        """Exchange the refresh token for a new pair. Return None if only a login helps.

        After a lost answer the token may be used up, and a token that is used twice ends the new pair too.
        """
        if old is None or not old.refresh or self.clock() >= old.refresh_ends:
            return None
        try:
            return (yield from self.ask_pair("refresh_token", refresh_token=old.refresh))
        except AccountIpBlocked:
            raise
        except (ApiError, BadAnswer, Lost):
            self.pair = msgspec.structs.replace(old, refresh="")
            return None

    def log_in(self) -> Steps[Pair]:
        """A pair for id and secret. A refusal is kept: `fetch` raises it again until its time is over."""
        names = {"username": self.account.client_id, "password": self.account.secret}
        try:
            return (yield from self.ask_pair("get_token", **names))
        except MaxLimitationExceeded as error:
            self.refusal = error.again(self.clock() + TOKEN_LIFE)
            raise self.refusal.again() from None
        except Failure as error:
            self.refusal = error.again()
            raise

    def raise_again(self, refusal: ApiError | None) -> None:
        if refusal is not None and (refusal.until is None or self.clock() < refusal.until):
            raise refusal.again()

    def end_of_block(self, error: ApiError) -> float:
        """When a lock-out ends, as the server says or as far as is known."""
        raw, now = error.parameters.get("block_expire_time"), self.clock()
        try:
            told = float(raw)  # type: ignore[arg-type]  # whatever the server sent
        except (TypeError, ValueError):
            return now + BLOCK_LIFE
        return told if told >= OLDEST_TIME else now + told

    def ask_pair(self, path: str, **body: Any) -> Steps[Pair]:
        asked = self.clock()
        got = yield from self.ask_once(Ask(method="POST", path=path, body=body, is_open=True))
        try:
            found = answers.decode(got.content, Tokens)
        except BadAnswer:
            raise BadAnswer(f"{path}: an answer without tokens") from None
        life = found.access_token_expire_time
        return Pair(
            access=found.access_token,
            access_ends=asked + life,
            renew_at=asked + life - min(AHEAD, life * AHEAD_SHARE),
            refresh=found.refresh_token,
            refresh_ends=asked + found.refresh_token_expire_time,
        )

    def log_out(self) -> Steps[None]:
        """Give the token back, so that it does not count against the 8 any more."""
        self.check_open()
        yield Alone(self.give_back())

    def check_open(self) -> None:
        """Raise RuntimeError if the client was closed: another login would leave a token behind."""
        if self.is_closed:
            raise RuntimeError("this client is closed; make another one")

    def give_back(self) -> Steps[None]:
        if self.lock is None:
            yield from self.revoke()
            return
        held: Held = yield Work(self.lock)
        try:
            self.pair = held.load().pair or self.pair
            yield from self.revoke()
            held.save(Saved())
        finally:
            held.release()

    def revoke(self) -> Steps[None]:
        pair, self.pair = self.pair, None
        if pair is not None and self.clock() < pair.access_ends:
            # Once: a lost answer leaves a token that ends by itself.
            yield from self.ask_once(Ask(method="GET", path="del_token", token=pair.access))

    def secrets(self) -> list[str]:
        """Return the secrets that no error may contain."""
        pair = [self.pair.access, self.pair.refresh] if self.pair else []
        return [self.account.client_id, self.account.secret, *pair]
