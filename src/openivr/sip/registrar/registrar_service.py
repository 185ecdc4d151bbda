"""The registrar as a service: responds to REGISTER, and notifies watchers of binding changes."""

import time
from collections.abc import Callable, Iterable, Mapping

from openivr.sip.accounts import AuthAccount
from openivr.sip.handler import Admission, LocalResponse
from openivr.sip.message.message import Request
from openivr.sip.registrar.register_message import read_register, response_headers
from openivr.sip.registrar.registrar import Binding, RegisterRefusal, RegisterSuccess, Registrar

Watcher = Callable[[str, tuple[Binding, ...]], None]  # an account's user and all its bindings


class RegistrarService:
    """The bindings of the configured accounts, by `clock`. `watchers` are called after every change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registrar = Registrar()
        self.watchers: list[Watcher] = []
        self._accounts: Mapping[str, AuthAccount] = {}
        self._clock = clock

    def configure(self, accounts: Mapping[str, AuthAccount]) -> None:
        """Apply a new configuration. Accounts that are gone or have a new password lose their bindings."""
        before, self._accounts = self._accounts, accounts
        for user in self.registrar.users():
            old, new = before.get(user), accounts.get(user)
            if new is None or (old is not None and old.secret != new.secret):
                self.registrar.remove_user(user)
                self._notify(user, ())

    def on_register(self, request: Request, admission: Admission) -> LocalResponse:
        """Apply an admitted REGISTER and return its response."""
        account = admission.caller.account if admission.caller else None
        if account is None:
            return LocalResponse(403)
        now = self._clock()
        register = read_register(request, request.source)
        result = (
            register
            if isinstance(register, RegisterRefusal)
            else self.registrar.register(account.user, register, account.contacts, now)
        )
        headers = response_headers(result, now)
        if isinstance(result, RegisterSuccess):
            if result.changed:
                self._notify(account.user, result.bindings)
            return LocalResponse(200, headers=headers)
        return LocalResponse(result.status, result.reason, headers)

    def lookup(self, user: str) -> tuple[Binding, ...]:
        """List the bindings of an account in the order in which they should be called."""
        return self.registrar.lookup(user, self._clock())

    def restore(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Load the bindings that `to_plain` saved before a restart. Raises ValueError for any other row."""
        self.registrar.restore(rows, self._clock())
        for user in self.registrar.users():
            self._notify(user, self.lookup(user))

    def expire(self) -> None:
        """Remove expired bindings."""
        for user, left in self.registrar.expire(self._clock()).items():
            self._notify(user, left)

    def due_for_keepalive(self) -> list[Binding]:
        """List the bindings behind NAT that are due for a keep-alive now."""
        return self.registrar.due_for_keepalive(self._clock())

    def _notify(self, user: str, bindings: tuple[Binding, ...]) -> None:
        for watcher in self.watchers:
            watcher(user, bindings)
