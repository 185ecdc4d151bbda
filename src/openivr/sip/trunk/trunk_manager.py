"""Runs the trunks on an agent: sends REGISTER and OPTIONS as `trunk_state` decides, resolves their hosts, and
lists the targets of calls over them.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import structlog

from openivr.sip.accounts import TrunkConfig, TrunkType
from openivr.sip.address import PORTS, Target, is_numeric, uri_host
from openivr.sip.agent import Agent
from openivr.sip.auth.client import DigestClient, Login
from openivr.sip.auth.retry import AuthRetry
from openivr.sip.dialog.call_leg import Authorise
from openivr.sip.message.headers import parameter, read_number
from openivr.sip.message.message import Header, Response
from openivr.sip.registrar.registrar import Binding
from openivr.sip.registrar.registrar_service import RegistrarService
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.via import random_token
from openivr.sip.transport.locator import ServerLocator
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
    TrunkHealth,
    TrunkReason,
    TrunkStarted,
    TrunkState,
    TrunkStopped,
    is_open,
    step,
)

log = structlog.get_logger(__name__)
RESOLVE_SECONDS = 300.0  # between two look-ups of a trunk's host name
RESOLVE_RETRY_SECONDS = 10.0  # after a look-up without a result
CSEQ_STEP = 8  # CSeq numbers reserved for one REGISTER; each challenge takes one


@dataclass(frozen=True, slots=True)
class DialTarget:
    """One attempt at a call over a trunk: the arguments of `Agent.call` beside the body."""

    uri: str
    caller_user: str  # the user in From
    caller_host: str  # the host in From; "" stands for the local address of the call
    target: Target
    authorise: Authorise | None
    contact_user: str

    def caller(self, local_host: str) -> str:
        """Return the URI for From. `local_host` is numeric, without brackets."""
        return f"sip:{self.caller_user}@{self.caller_host or uri_host(local_host)}"


class TrunkLine:
    """Registration, health checks and addresses of one trunk."""

    def __init__(self, trunk: TrunkConfig, trunks: "TrunkManager") -> None:
        self.trunk = trunk
        self.state = TrunkState()
        is_known = is_numeric(trunk.host) and trunks.agent.supports_family(trunk.host)
        # Of families that are listened on, in the order to try them.
        self.targets: tuple[Target, ...] = (self._target_at(trunk.host),) if is_known else ()
        self.credentials = DigestClient(Login(trunk.auth_user or trunk.user, trunk.password))
        self.on_stopped: Callable[[], None] | None = None  # set by `stop`; called once unregistered
        self._trunks = trunks
        self._no_address_reason: TrunkReason | FailureReason = FailureReason.NAME
        self._timer: asyncio.TimerHandle | None = None
        self._resolve_timer: asyncio.TimerHandle | None = None
        self._look_up: asyncio.Task[None] | None = None
        self._call_id = random_token() + random_token()
        self._cseq = 1
        self._contact = ""
        self._sent = 0

    @property
    def domain(self) -> str:
        """Return the trunk's domain as a URI writes it."""
        return self.trunk.domain or uri_host(self.trunk.host)

    @property
    def uri(self) -> str:
        """Return the Request-URI of REGISTER and OPTIONS."""
        trunk = self.trunk
        is_default = not trunk.protocol or trunk.port == PORTS[trunk.protocol]
        port = "" if trunk.domain or is_default else f":{trunk.port}"
        return f"sip:{self.domain}{port}"

    def _target_at(self, host: str) -> Target:
        trunk = self.trunk
        has_name = trunk.protocol == "TLS" and not is_numeric(trunk.host)
        return Target(trunk.protocol or "UDP", host, trunk.port, trunk.host if has_name else "")

    def start(self) -> None:
        """Resolve the host, then start the state machine."""
        if self.trunk.kind is TrunkType.ACCOUNT:
            self.handle(TrunkStarted())
        else:
            self._resolve()

    def handle(self, event: Event) -> None:
        """Apply an event and execute the commands that follow from it."""
        before = self.state
        self.state, commands = step(self.trunk.kind, before, event, self._trunks.clock(), self._trunks.draw())
        state = self.state
        shown = {"state": state.health.value, "reason": state.reason.value, "answer": state.answer}
        if (before.health, before.reason, before.answer) != (state.health, state.reason, state.answer):
            log.info("trunk", trunk=self.trunk.name, **{name: text for name, text in shown.items() if text})
            self._trunks.on_state(self.trunk.id, self.state)
        if self.trunk.kind is TrunkType.REGISTER and isinstance(event, ResponseReceived):
            self._log_retry(commands)
        if isinstance(event, ResponseReceived) and event.status in (0, 503):
            self.targets = self.targets[1:] + self.targets[:1]
        for command in commands:
            self._do(command)

    def _log_retry(self, commands: Iterable[Command]) -> None:
        """Log when a failed registration is retried."""
        if self.state.health is TrunkHealth.DOWN:
            seconds = [round(command.seconds, 1) for command in commands if isinstance(command, StartTimer)]
            shown = {"reason": self.state.reason.value}
            if self.state.answer:
                shown["answer"] = self.state.answer
            log.info("trunk is tried again", trunk=self.trunk.name, **shown, seconds=seconds[0])

    def stop(self, done: Callable[[], None]) -> None:
        """Unregister and stop. `done` is called once no response is outstanding."""
        for pending in (self._timer, self._resolve_timer, self._look_up):
            if pending:
                pending.cancel()
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
        if self.targets:
            try:
                self._contact = self._trunks.agent.contact_uri(self.targets[0], self.trunk.user)
            except ValueError:
                self._on_result(ResponseReceived(0, failure=FailureReason.TRANSPORT))
                return
        ahead = self.credentials.headers("REGISTER", self.uri)
        self._send("REGISTER", (("Contact", f"<{self._contact}>"), ("Expires", str(expires)), *ahead[-1:]))

    def _send(self, method: str, headers: tuple[Header, ...] = ()) -> None:
        if not self.targets:
            self._on_result(ResponseReceived(0, failure=self._no_address_reason))
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
            target=self.targets[0],
            headers=headers,
            authorise=self.authorise(sent_ahead=True),
            call_id=self._call_id if method == "REGISTER" else "",
            cseq=self._cseq,
        )

    def authorise(self, *, sent_ahead: bool = False) -> Authorise | None:
        """Return a responder to the trunk's challenges; None if the trunk has no password."""
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
        host, protocol = self.trunk.host, self.trunk.protocol
        # Another port than the usual one belongs to one server, and a name without a dot to this network.
        is_server = protocol and (self.trunk.port != PORTS[protocol] or "." not in host)
        if is_numeric(host):
            self._on_targets((self._target_at(host),))
        elif is_server:
            self._trunks.resolver.resolve(host, self._on_addresses)
        else:
            self._look_up = asyncio.get_running_loop().create_task(self._locate())

    async def _locate(self) -> None:
        trunk = self.trunk
        self._on_targets(await self._trunks.locator.locate(trunk.host, trunk.port, trunk.protocol))

    def _on_addresses(self, addresses: tuple[str, ...]) -> None:
        self._on_targets(tuple(map(self._target_at, addresses)))

    def _on_targets(self, targets: tuple[Target, ...]) -> None:
        """Use the targets of the host name. The old ones stay in use if there are none."""
        if self.on_stopped:
            return
        usable = tuple(target for target in targets if self._trunks.agent.supports_family(target.host))
        self._no_address_reason = TrunkReason.NO_LOCAL_ADDRESS if targets else FailureReason.NAME
        if usable and set(usable) != set(self.targets):
            self.targets = usable
        self._trunks.publish_targets()
        if not is_numeric(self.trunk.host):
            seconds = RESOLVE_SECONDS if targets else RESOLVE_RETRY_SECONDS
            self._resolve_timer = asyncio.get_running_loop().call_later(seconds, self._resolve)
        if self._sent == 0 and self.state == TrunkState():
            self.handle(
                TrunkStarted() if self.targets else ResponseReceived(0, failure=self._no_address_reason)
            )


class TrunkManager:
    """All trunks of an agent.

    `on_targets` is called with the targets that calls of each trunk may come from, by the trunk's id, and
    `on_state` with a trunk's id and state after each change of its health.
    """

    def __init__(  # noqa: PLR0913 - its collaborators, and time and randomness
        self,
        agent: Agent,
        registrar: RegistrarService,
        on_targets: Callable[[Mapping[int, frozenset[Target]]], None],
        on_state: Callable[[int, TrunkState], None] = lambda trunk, state: None,
        *,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
        locator: ServerLocator | None = None,
    ) -> None:
        self.agent, self.on_state, self.clock, self.draw = agent, on_state, clock, draw
        self.resolver = Resolver()
        self.locator = locator or ServerLocator(self.resolver)
        self._registrar = registrar
        self._on_targets = on_targets
        self._lines: dict[int, TrunkLine] = {}
        registrar.watchers.append(self._on_bindings)

    def configure(self, trunks: Mapping[int, TrunkConfig]) -> None:
        """Apply the trunks of a new configuration. Trunks that have not changed are left running."""
        for id_, line in list(self._lines.items()):
            if trunks.get(id_) != line.trunk:
                del self._lines[id_]
                line.stop(lambda: None)
        added = [TrunkLine(trunk, self) for id_, trunk in trunks.items() if id_ not in self._lines]
        for line in added:
            self._lines[line.trunk.id] = line
        self.publish_targets()
        for line in added:
            line.start()
            if line.trunk.kind is TrunkType.ACCOUNT and self._registrar.lookup(line.trunk.user):
                line.handle(BindingChanged(is_registered=True))

    def publish_targets(self) -> None:
        """Report the targets of all trunks to `on_targets`."""
        self._on_targets({id_: frozenset(line.targets) for id_, line in self._lines.items()})

    @property
    def states(self) -> dict[int, TrunkState]:
        """Return the state of every trunk, by its id."""
        return {id_: line.state for id_, line in self._lines.items()}

    def dial_targets(self, id_: int, number: str, caller: str = "") -> list[DialTarget]:
        """List the targets to call a number over a trunk, the preferred first; none while it is down.

        `caller` is the number to show if the trunk has none of its own.
        """
        line = self._lines.get(id_)
        if line is None or not is_open(line.trunk.kind, line.state):
            return []
        trunk, called = line.trunk, quote(number, safe="+*")
        caller_user = quote(trunk.caller_id or caller or trunk.user, safe="+*") or "anonymous"
        if trunk.kind is TrunkType.ACCOUNT:
            bindings = self._registrar.lookup(trunk.user)
            return [_target_of_binding(binding, called, caller_user, line) for binding in bindings]
        uri = line.uri.replace("sip:", f"sip:{called}@", 1)
        return [
            DialTarget(uri, caller_user, line.domain, target, line.authorise(), trunk.user)
            for target in line.targets
        ]

    def on_incoming_call(self, id_: int) -> None:
        """Note an incoming call over a trunk, which proves that it is up."""
        if line := self._lines.get(id_):
            line.handle(IncomingSeen())

    def on_no_response(self, id_: int) -> None:
        """Note that an outgoing call over a trunk got no response."""
        if line := self._lines.get(id_):
            line.handle(NoResponse())

    async def close(self, seconds: float = 2.0) -> None:
        """Unregister all trunks and wait for the responses, at most `seconds`."""
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


def _target_of_binding(binding: Binding, called: str, caller_user: str, line: TrunkLine) -> DialTarget:
    host = f"{uri_host(binding.target.host)}:{binding.target.port}"
    uri, caller_host = f"sip:{called}@{host}", line.trunk.domain or host
    return DialTarget(uri, caller_user, caller_host, binding.target, line.authorise(), line.trunk.user)


def read_answer(reply: Response | FailureReason, contact: str = "") -> ResponseReceived:
    """Read the outcome of REGISTER or OPTIONS. The expiry granted is that of `contact`."""
    if isinstance(reply, FailureReason):
        return ResponseReceived(0, failure=reply)
    return ResponseReceived(
        reply.status,
        reply.reason,
        _read_granted(reply, contact),
        read_number(reply.get("min-expires")),
        read_number(reply.get("retry-after").partition("(")[0]),
    )


def _read_granted(response: Response, contact: str) -> int | None:
    for address in response.addresses("contact"):
        if address.uri == contact:
            granted = read_number(parameter(address.rest, "expires"))
            if granted is not None:
                return granted
    return read_number(response.get("expires"))


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
