"""Trunk lines run on an agent: REGISTER and OPTIONS as `lines` says, addresses, the ways of calls."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import structlog

from openivr.sip.agent import Agent
from openivr.sip.authorisation import Authorisation
from openivr.sip.credentials import Credentials, Login
from openivr.sip.door import Door
from openivr.sip.endings import Lost
from openivr.sip.fields import parameter, read_address, read_number
from openivr.sip.legs import Authorise, Header
from openivr.sip.lines import (
    Answered,
    Began,
    Bound,
    Command,
    Due,
    Ended,
    Event,
    Health,
    Heard,
    Kind,
    Missed,
    Probe,
    Register,
    State,
    Trunk,
    Wait,
    is_open,
    step,
)
from openivr.sip.message import Response
from openivr.sip.registrar import Binding
from openivr.sip.resolver import Resolver
from openivr.sip.routing import token
from openivr.sip.targets import PORTS, Target, bracket, is_numeric

log = structlog.get_logger(__name__)
LOOK_AGAIN = 300.0  # seconds between look-ups of the names of trunks
LOOK_SOON = 10.0  # after one that found nothing
NO_NAME, NO_FAMILY = "name not found", "no address of its family is listened on"
NUMBERS = 8  # CSeq numbers that one REGISTER may use up: challenges take some


@dataclass(frozen=True, slots=True)
class Way:
    """How a call over a trunk is placed: what `Agent.call` is told beside the body."""

    uri: str
    caller: str  # From
    target: Target
    authorise: Authorise | None
    contact_user: str


class Line:
    """One trunk under way."""

    def __init__(self, trunk: Trunk, trunks: "Trunks") -> None:
        self.trunk = trunk
        self.state = State()
        is_known = is_numeric(trunk.host) and trunks.agent.speaks(trunk.host)
        self.addresses: tuple[str, ...] = (trunk.host,) if is_known else ()  # of families that we listen on
        self.credentials = Credentials(Login(trunk.auth_user or trunk.user, trunk.password))
        self.waiting: Callable[[], None] | None = None  # told once a registration has been given up
        self._trunks = trunks
        self._lack = NO_NAME  # why there are no addresses
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._call_id = token() + token()
        self._cseq = 1
        self._contact = ""
        self._sent = 0

    @property
    def domain(self) -> str:
        """What the far side calls itself, as a URI writes it."""
        return self.trunk.domain or bracket(self.trunk.host)

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

    def begin(self) -> None:
        """Look up the name, then begin."""
        if self.trunk.kind is Kind.ACCOUNT:
            self.take(Began())
        else:
            self._find()

    def take(self, event: Event) -> None:
        """Take an event and do what follows."""
        before = self.state
        self.state, commands = step(self.trunk.kind, before, event, self._trunks.clock(), self._trunks.draw())
        if (before.health, before.reason) != (self.state.health, self.state.reason):
            log.info("trunk", trunk=self.trunk.name, state=self.state.health.value, reason=self.state.reason)
            self._trunks.on_state(self.trunk.id, self.state)
        if self.trunk.kind is Kind.REGISTER and isinstance(event, Answered):
            self._tell_retry(commands)
        if isinstance(event, Answered) and event.status in (0, 503):
            self.addresses = self.addresses[1:] + self.addresses[:1]
        for command in commands:
            self._do(command)

    def _tell_retry(self, commands: Iterable[Command]) -> None:
        """Let the log say when a registration that failed is tried again."""
        if self.state.health is Health.DOWN:
            seconds = [round(command.seconds, 1) for command in commands if isinstance(command, Wait)]
            reason = self.state.reason
            log.info("trunk is tried again", trunk=self.trunk.name, reason=reason, seconds=seconds[0])

    def end(self, done: Callable[[], None]) -> None:
        """End the line; `done` is told once nothing is under way any more."""
        for timer in (self._timer, self._look):
            if timer:
                timer.cancel()
        self.waiting = done
        before = self._sent
        self.take(Ended())
        if self._sent == before:
            done()

    def _do(self, command: Command) -> None:
        if self._timer:
            self._timer.cancel()
        match command:
            case Wait(seconds):
                self._timer = asyncio.get_running_loop().call_later(seconds, self.take, Due())
            case Probe():
                self._send("OPTIONS")
            case Register(expires):
                self._register(expires)

    def _register(self, expires: int) -> None:
        if self.addresses:
            try:
                self._contact = self._trunks.agent.contact(self.target_at(self.addresses[0]), self.trunk.user)
            except ValueError:
                self._refer(Answered(0, "not reachable"))
                return
        ahead = self.credentials.headers("REGISTER", self.uri)
        self._send("REGISTER", (("Contact", f"<{self._contact}>"), ("Expires", str(expires)), *ahead[-1:]))

    def _send(self, method: str, headers: tuple[Header, ...] = ()) -> None:
        if not self.addresses:
            self._refer(Answered(0, self._lack))
            return
        address = f"sip:{quote(self.trunk.user)}@{self.domain}" if self.trunk.user else f"sip:{self.domain}"
        self._sent += 1
        self._cseq += NUMBERS
        self._trunks.agent.request(
            method,
            self.uri,
            partial(self._replied, self._sent),
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
        return Authorisation(self.credentials, sent_ahead=sent_ahead)

    def _replied(self, sent: int, reply: Response | Lost) -> None:
        if sent != self._sent:
            return
        self._refer(read_answer(reply, self._contact))

    def _refer(self, answer: Answered) -> None:
        if self.waiting:
            self.waiting()
        else:
            self.take(answer)

    def _find(self) -> None:
        if is_numeric(self.trunk.host):
            self._found((self.trunk.host,))
        else:
            self._trunks.resolver.find(self.trunk.host, self._found)

    def _found(self, addresses: tuple[str, ...]) -> None:
        """Take the addresses of the name; the old ones stay where nothing is found."""
        if self.waiting:
            return
        usable = tuple(filter(self._trunks.agent.speaks, addresses))
        self._lack = NO_FAMILY if addresses else NO_NAME
        if usable and set(usable) != set(self.addresses):
            self.addresses = usable
        self._trunks.place()
        if not is_numeric(self.trunk.host):
            seconds = LOOK_AGAIN if addresses else LOOK_SOON
            self._look = asyncio.get_running_loop().call_later(seconds, self._find)
        if self._sent == 0 and self.state == State():
            self.take(Began() if self.addresses else Answered(0, self._lack))


class Trunks:
    """All trunk lines of an agent. `on_state` is told each change: the trunk's id and the line's state."""

    def __init__(
        self,
        agent: Agent,
        door: Door,
        on_state: Callable[[int, State], None] = lambda trunk, state: None,
        *,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.agent, self.on_state, self.clock, self.draw = agent, on_state, clock, draw
        self.resolver = Resolver()
        self._door = door
        self._lines: dict[int, Line] = {}
        door.watchers.append(self._bindings_changed)

    def configure(self, trunks: Mapping[int, Trunk]) -> None:
        """Take the trunks of a new configuration; lines that have not changed stay as they are."""
        for ident, line in list(self._lines.items()):
            if trunks.get(ident) != line.trunk:
                del self._lines[ident]
                line.end(lambda: None)
        added = [Line(trunk, self) for ident, trunk in trunks.items() if ident not in self._lines]
        for line in added:
            self._lines[line.trunk.id] = line
        self.place()
        for line in added:
            line.begin()
            if line.trunk.kind is Kind.ACCOUNT and self._door.lookup(line.trunk.user):
                line.take(Bound(there=True))

    def place(self) -> None:
        """Tell the door where calls from trunks come from."""
        self._door.place_trunks({ident: frozenset(line.addresses) for ident, line in self._lines.items()})

    @property
    def states(self) -> dict[int, State]:
        """Give the state of every line, by the trunk's id."""
        return {ident: line.state for ident, line in self._lines.items()}

    def ways(self, ident: int, number: str, caller: str = "") -> list[Way]:
        """List the ways to call a number over a trunk, to be tried in order; none while the line is down.

        `caller` is the number to show where the trunk has none of its own.
        """
        line = self._lines.get(ident)
        if line is None or not is_open(line.trunk.kind, line.state):
            return []
        trunk, called = line.trunk, quote(number, safe="+*")
        sender = quote(trunk.caller_id or caller or trunk.user, safe="+*") or "anonymous"
        if trunk.kind is Kind.ACCOUNT:
            return [self._way_to(binding, called, sender, line) for binding in self._door.lookup(trunk.user)]
        uri, sender = line.uri.replace("sip:", f"sip:{called}@", 1), f"sip:{sender}@{line.domain}"
        return [
            Way(uri, sender, line.target_at(host), line.authorise(), trunk.user) for host in line.addresses
        ]

    def _way_to(self, binding: Binding, called: str, sender: str, line: Line) -> Way:
        host = f"{bracket(binding.target.host)}:{binding.target.port}"
        domain = line.trunk.domain or host
        uri, caller = f"sip:{called}@{host}", f"sip:{sender}@{domain}"
        return Way(uri, caller, binding.target, line.authorise(), line.trunk.user)

    def heard(self, ident: int) -> None:
        """Note that a call came over a trunk."""
        if line := self._lines.get(ident):
            line.take(Heard())

    def missed(self, ident: int) -> None:
        """Note that a call over a trunk had no answer at all."""
        if line := self._lines.get(ident):
            line.take(Missed())

    async def close(self, seconds: float = 2.0) -> None:
        """Give up the registrations, and wait for the answers, at most so long."""
        lines, self._lines = list(self._lines.values()), {}
        ended = [asyncio.get_running_loop().create_future() for _ in lines]
        for line, future in zip(lines, ended, strict=True):
            line.end(partial(_set, future))
        if ended:
            await asyncio.wait(ended, timeout=seconds)
        self.resolver.close()

    def _bindings_changed(self, user: str, bindings: tuple[Binding, ...]) -> None:
        for line in self._lines.values():
            if line.trunk.kind is Kind.ACCOUNT and line.trunk.user == user:
                line.take(Bound(there=bool(bindings)))


def read_answer(reply: Response | Lost, contact: str = "") -> Answered:
    """Read what a far side answered to REGISTER or OPTIONS; the time granted stands with our contact."""
    if isinstance(reply, Lost):
        return Answered(0, reply.value)
    return Answered(
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
