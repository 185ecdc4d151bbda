"""Checks of passwords: counted by source before they are made, and bounded in number.

Argon2 takes tens of milliseconds of a core. It has threads of its own, so that a storm of logins delays no
page, and a queue that is full refuses further logins at once.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from openivr.connections.shares import network_of
from openivr.resources.secret import matches
from openivr.store.auth import tokens
from openivr.store.auth.tokens import TokenPolicy
from openivr.store.database import Database

MAX_WAITING = 128  # logins of a worker that wait for their turn
MAX_WAITING_OF_SOURCE = 32
THREADS = max(1, (os.cpu_count() or 1) // 2)
NICE = 10  # a login may be late, a page may not
POLL_SECONDS, POLLS = 0.1, 20  # while other workers check logins of the same source


class TooManyLogins(Exception):
    """More logins wait than are taken. This one was neither checked nor counted."""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The result of a login. `blocked_until` (Unix seconds) is set if the source is locked out."""

    is_right: bool
    blocked_until: int | None = None


class Logins:
    """Checks the logins of one worker: one at a time of each source, a few at a time in all."""

    def __init__(self, database: Database, policy: TokenPolicy, clock: Callable[[], float]) -> None:
        self._database, self.policy, self._clock = database, policy, clock
        self._threads = ThreadPoolExecutor(THREADS, "login", initializer=lower_priority)
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._waiting: dict[tuple[str, str], int] = {}

    async def check(
        self,
        address: str,
        find_hash: Callable[[Connection], str | None],
        password: str,
        login_kind: str = tokens.API,
    ) -> LoginResult:
        """Check a password against the hash that `find_hash` reads. Raises TooManyLogins, Unavailable."""
        key = (network_of(address), login_kind)
        waiting = self._waiting.get(key, 0)
        if waiting >= MAX_WAITING_OF_SOURCE or sum(self._waiting.values()) >= MAX_WAITING:
            raise TooManyLogins
        self._waiting[key] = waiting + 1
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return await self._check_in_turn(key[0], find_hash, password, login_kind)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._locks[key]

    async def _check_in_turn(
        self, source: str, find_hash: Callable[[Connection], str | None], password: str, login_kind: str
    ) -> LoginResult:
        database, policy, now = self._database, self.policy, int(self._clock())
        until = await self._reserve(source, login_kind, now)
        if until is not None:
            return LoginResult(False, until)
        stored = await database.read(find_hash)
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._threads, matches, stored, password):
            await database.change_auth(tokens.forgive, source, login_kind)
            return LoginResult(True)
        return LoginResult(False, await database.change_auth(tokens.fail, policy, source, now, login_kind))

    async def _reserve(self, source: str, login_kind: str, now: int) -> int | None:
        """Count this login as if it were wrong. Return the end of a lock-out that forbids it."""
        for _ in range(POLLS):
            until = await self._database.change_auth(tokens.reserve, self.policy, source, now, login_kind)
            if until != tokens.WAIT:
                return until
            await asyncio.sleep(POLL_SECONDS)  # logins that other workers check may be right
        return now + 1

    def close(self) -> None:
        """Finish the check that runs; drop those that wait."""
        self._threads.shutdown(cancel_futures=True)


def lower_priority() -> None:
    """Let other threads go first, on systems whose threads have priorities."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
