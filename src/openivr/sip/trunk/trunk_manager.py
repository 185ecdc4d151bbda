"""Trunk lines run on an agent: REGISTER and OPTIONS as `lines` says, addresses, the ways of calls."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import structlog

from openivr.sip.access.access_control import AccessControl
from openivr.sip.address import PORTS, Target, is_numeric, uri_host
from openivr.sip.agent import Agent
from openivr.sip.auth.client import DigestClient, Login
from openivr.sip.auth.retry import AuthRetry
from openivr.sip.dialog.call_leg import Authorise, Header
from openivr.sip.message.headers import parameter, read_address, read_number
from openivr.sip.message.message import Response
from openivr.sip.registrar.registrar import Binding
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.via import random_token
from openivr.sip.transport.resolver import Resolver
from openivr.sip.trunk.trunk_state import (
    BindingChanged,
    Command,
    Event,
    IncomingSeen,
    NoResponse,
    ResponseReceived,
    SendOptions,
    SendRegister,
    StartTimer,
    TimerDue,
    TrunkConfig,
    TrunkHealth,
    TrunkStarted,
    TrunkState,
    TrunkStopped,
    TrunkType,
    is_open,
    step,
)

log = structlog.get_logger(__name__)
RESOLVE_SECONDS = 300.0  # seconds between look-ups of the names of trunks
RESOLVE_RETRY_SECONDS = 10.0  # after one that found nothing
NO_NAME, NO_FAMILY = "name not found", "no address of its family is listened on"
CSEQ_STEP = 8  # CSeq numbers that one REGISTER may use up: challenges take some


@dataclass(frozen=True, slots=True)
class DialTarget:
    """How a call over a trunk is placed: what `Agent.call` is told beside the body."""

    uri: str
    caller: str  # From
    target: Target
    authorise: Authorise | None
    contact_user: str


class TrunkLine:
    """One trunk under way."""

    def __init__(self, trunk: TrunkConfig, trunks: "TrunkManager") -> None:
        self.trunk = trunk
        self.state = TrunkState()
        is_known = is_numeric(trunk.host) and trunks.agent.supports_family(trunk.host)
        self.addresses: tuple[str, ...] = (trunk.host,) if is_known else ()  # of families that we listen on
        self.credentials = DigestClient(Login(trunk.auth_user or trunk.user, trunk.password))
        self.on_stopped: Callable[[], None] | None = None  # told once a registration has been given up
        self._trunks = trunks
        self._no_address_reason = NO_NAME  # why there are no addresses
        self._timer: asyncio.TimerHandle | None = None
        self._resolve_timer: asyncio.TimerHandle | None = None
        self._call_id = random_token() + random_token()
        self._cseq = 1
        self._contact = ""
        self._sent = 0

    @property
    def domain(self) -> str:
        """What the far side calls itself, as a URI writes it."""
        return self.trunk.domain or uri_host(self.trunk.host)

    @property
    def uri(self) -> str:
        """What REGISTER and OPTIONS are for."""
        trunk = self.trunk
        port = "" if trunk.domain or trunk.port == PORTS[trunk.protocol] else f":{trunk.port}"
        return f"sip:{self.domain}{port}"

    def target_at(self, host: str) -> Target:
        """Name one of the far side's addresses as a target."""
        trunk = self.trunk
        has_name = trunk.protocol == "TLS" and not is_numeric(trunk.host)
        return Target(trunk.protocol, host, trunk.port, trunk.host if has_name else "")

    def start(self) -> None:
        """Look up the name, then begin."""
        if self.trunk.kind is TrunkType.ACCOUNT:
            self.handle(TrunkStarted())
        else:
            self._resolve()

    def handle(self, event: Event) -> None:
        """Take an event and do what follows."""
        before = self.state
        self.state, commands = step(self.trunk.kind, before, event, self._trunks.clock(), self._trunks.draw())
        if (before.health, before.reason) != (self.state.health, self.state.reason):
            log.info("trunk", trunk=self.trunk.name, state=self.state.health.value, reason=self.state.reason)
            self._trunks.on_state(self.trunk.id, self.state)
        if self.trunk.kind is TrunkType.REGISTER and isinstance(event, ResponseReceived):
            self._log_retry(commands)
        if isinstance(event, ResponseReceived) and event.status in (0, 503):
            self.addresses = self.addresses[1:] + self.addresses[:1]
        for command in commands:
            self._do(command)

    def _log_retry(self, commands: Iterable[Command]) -> None:
        """Let the log say when a registration that failed is tried again."""
        if self.state.health is TrunkHealth.DOWN:
            seconds = [round(command.seconds, 1) for command in commands if isinstance(command, StartTimer)]
            reason = self.state.reason
            log.info("trunk is tried again", trunk=self.trunk.name, reason=reason, seconds=seconds[0])

    def stop(self, done: Callable[[], None]) -> None:
        """End the line; `done` is told once nothing is under way any more."""
        for timer in (self._timer, self._resolve_timer):
            if timer:
                timer.cancel()
        self.on_stopped = done
        before = self._sent
        self.handle(TrunkStopped())
        if self._sent == before:
            done()

    def _do(self, command: Command) -> None:
        if self._timer:
            self._timer.cancel()
        match command:
            case StartTimer(seconds):
                self._timer = asyncio.get_running_loop().call_later(seconds, self.handle, TimerDue())
            case SendOptions():
                self._send("OPTIONS")
            case SendRegister(expires):
                self._register(expires)

    def _register(self, expires: int) -> None:
        if self.addresses:
            try:
                self._contact = self._trunks.agent.contact_uri(
                    self.target_at(self.addresses[0]), self.trunk.user
                )
            except ValueError:
                self._on_result(ResponseReceived(0, "not reachable"))
                return
        ahead = self.credentials.headers("REGISTER", self.uri)
        self._send("REGISTER", (("Contact", f"<{self._contact}>"), ("Expires", str(expires)), *ahead[-1:]))

    def _send(self, method: str, headers: tuple[Header, ...] = ()) -> None:
        if not self.addresses:
            self._on_result(ResponseReceived(0, self._no_address_reason))
            return
        address = f"sip:{quote(self.trunk.user)}@{self.domain}" if self.trunk.user else f"sip:{self.domain}"
        self._sent += 1
        self._cseq += CSEQ_STEP
        self._trunks.agent.request(
            method,
            self.uri,
            partial(self._on_response, self._sent),
            sender=address,
            receiver=address if method == "REGISTER" else "",
            target=self.target_at(self.addresses[0]),
            headers=headers,
            authorise=self.authorise(sent_ahead=True),
            call_id=self._call_id if method == "REGISTER" else "",
            cseq=self._cseq,
        )

    def authorise(self, *, sent_ahead: bool = False) -> Authorise | None:
        """Answer challenges with the trunk's login, if it has one."""
        if not self.trunk.password:
            return None
        return AuthRetry(self.credentials, sent_ahead=sent_ahead)

    def _on_response(self, sent: int, reply: Response | FailureReason) -> None:
        if sent != self._sent:
            return
        self._on_result(read_answer(reply, self._contact))

    def _on_result(self, answer: ResponseReceived) -> None:
        if self.on_stopped:
            self.on_stopped()
        else:
            self.handle(answer)

    def _resolve(self) -> None:
        if is_numeric(self.trunk.host):
            self._on_addresses((self.trunk.host,))
        else:
            self._trunks.resolver.resolve(self.trunk.host, self._on_addresses)

    def _on_addresses(self, addresses: tuple[str, ...]) -> None:
        """Take the addresses of the name; the old ones stay where nothing is found."""
        if self.on_stopped:
            return
        usable = tuple(filter(self._trunks.agent.supports_family, addresses))
        self._no_address_reason = NO_FAMILY if addresses else NO_NAME
        if usable and set(usable) != set(self.addresses):
            self.addresses = usable
        self._trunks.publish_addresses()
        if not is_numeric(self.trunk.host):
            seconds = RESOLVE_SECONDS if addresses else RESOLVE_RETRY_SECONDS
            self._resolve_timer = asyncio.get_running_loop().call_later(seconds, self._resolve)
        if self._sent == 0 and self.state == TrunkState():
            self.handle(TrunkStarted() if self.addresses else ResponseReceived(0, self._no_address_reason))


class TrunkManager:
    """All trunk lines of an agent. `on_state` is told each change: the trunk's id and the line's state."""

    def __init__(
        self,
        agent: Agent,
        door: AccessControl,
        on_state: Callable[[int, TrunkState], None] = lambda trunk, state: None,
        *,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.agent, self.on_state, self.clock, self.draw = agent, on_state, clock, draw
        self.resolver = Resolver()
        self._door = door
        self._lines: dict[int, TrunkLine] = {}
        door.watchers.append(self._on_bindings)

    def configure(self, trunks: Mapping[int, TrunkConfig]) -> None:
        """Take the trunks of a new configuration; lines that have not changed stay as they are."""
        for ident, line in list(self._lines.items()):
            if trunks.get(ident) != line.trunk:
                del self._lines[ident]
                line.stop(lambda: None)
        added = [TrunkLine(trunk, self) for ident, trunk in trunks.items() if ident not in self._lines]
        for line in added:
            self._lines[line.trunk.id] = line
        self.publish_addresses()
        for line in added:
            line.start()
            if line.trunk.kind is TrunkType.ACCOUNT and self._door.lookup(line.trunk.user):
                line.handle(BindingChanged(is_registered=True))

    def publish_addresses(self) -> None:
        """Tell the door where calls from trunks come from."""
        self._door.set_trunk_addresses(
            {ident: frozenset(line.addresses) for ident, line in self._lines.items()}
        )

    @property
    def states(self) -> dict[int, TrunkState]:
        """Give the state of every line, by the trunk's id."""
        return {ident: line.state for ident, line in self._lines.items()}

    def dial_targets(self, ident: int, number: str, caller: str = "") -> list[DialTarget]:
        """List the ways to call a number over a trunk, to be tried in order; none while the line is down.

        `caller` is the number to show where the trunk has none of its own.
        """
        line = self._lines.get(ident)
        if line is None or not is_open(line.trunk.kind, line.state):
            return []
        trunk, called = line.trunk, quote(number, safe="+*")
        sender = quote(trunk.caller_id or caller or trunk.user, safe="+*") or "anonymous"
        if trunk.kind is TrunkType.ACCOUNT:
            return [
                self._target_of_binding(binding, called, sender, line)
                for binding in self._door.lookup(trunk.user)
            ]
        uri, sender = line.uri.replace("sip:", f"sip:{called}@", 1), f"sip:{sender}@{line.domain}"
        return [
            DialTarget(uri, sender, line.target_at(host), line.authorise(), trunk.user)
            for host in line.addresses
        ]

    def _target_of_binding(self, binding: Binding, called: str, sender: str, line: TrunkLine) -> DialTarget:
        host = f"{uri_host(binding.target.host)}:{binding.target.port}"
        domain = line.trunk.domain or host
        uri, caller = f"sip:{called}@{host}", f"sip:{sender}@{domain}"
        return DialTarget(uri, caller, binding.target, line.authorise(), line.trunk.user)

    def on_incoming_call(self, ident: int) -> None:
        """Note that a call came over a trunk."""
        if line := self._lines.get(ident):
            line.handle(IncomingSeen())

    def on_no_response(self, ident: int) -> None:
        """Note that a call over a trunk had no answer at all."""
        if line := self._lines.get(ident):
            line.handle(NoResponse())

    async def close(self, seconds: float = 2.0) -> None:
        """Give up the registrations, and wait for the answers, at most so long."""
        lines, self._lines = list(self._lines.values()), {}
        ended = [asyncio.get_running_loop().create_future() for _ in lines]
        for line, future in zip(lines, ended, strict=True):
            line.stop(partial(_set, future))
        if ended:
            await asyncio.wait(ended, timeout=seconds)
        self.resolver.close()

    def _on_bindings(self, user: str, bindings: tuple[Binding, ...]) -> None:
        for line in self._lines.values():
            if line.trunk.kind is TrunkType.ACCOUNT and line.trunk.user == user:
                line.handle(BindingChanged(is_registered=bool(bindings)))


def read_answer(reply: Response | FailureReason, contact: str = "") -> ResponseReceived:
    """Read what a far side answered to REGISTER or OPTIONS; the time granted stands with our contact."""
    if isinstance(reply, FailureReason):
        return ResponseReceived(0, reply.value)
    return ResponseReceived(
        reply.status,
        reply.reason,
        _read_granted(reply, contact),
        read_number(reply.get("min-expires")),
        read_number(reply.get("retry-after").partition("(")[0]),
    )


def _read_granted(response: Response, contact: str) -> int | None:
    for value in response.values("contact"):
        address = read_address(value)
        if address and address.uri == contact:
            granted = read_number(parameter(address.rest, "expires"))
            if granted is not None:
                return granted
    return read_number(response.get("expires"))


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
