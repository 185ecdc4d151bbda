"""The shared state of an agent and its legs: timers, transactions, sockets, settings, active legs."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from openivr.sip.address import Hop, Target, is_numeric, target_of_uri, uri_host
from openivr.sip.message.headers import read_uri
from openivr.sip.message.message import Message, Request, Response, respond
from openivr.sip.message.multipart import SDP
from openivr.sip.settings import AgentSettings
from openivr.sip.transaction.layer import TransactionLayer
from openivr.sip.transaction.timers import Timers
from openivr.sip.transport.resolver import Resolver
from openivr.sip.transport.sockets import Transports

METHODS = (
    "INVITE",
    "ACK",
    "CANCEL",
    "BYE",
    "OPTIONS",
    "PRACK",
    "UPDATE",
    "INFO",
    "REFER",
    "NOTIFY",
    "REGISTER",
)
ALLOW = ", ".join(METHODS)
EXTENSIONS = frozenset(("100rel", "timer", "replaces", "norefersub"))
SUPPORTED = "100rel, timer, replaces, norefersub"


class DialogHandler(Protocol):
    """A leg as the agent sees it: handles the requests of its dialog."""

    def matches(self, request: Request) -> bool:
        """Return True if a request with the local tag belongs to this dialog."""
        ...

    def handle_request(self, request: Request) -> None:
        """Handle a request within the dialog."""
        ...

    def handle_ack(self, request: Request) -> None:
        """Handle the ACK for a 2xx."""
        ...

    def hangup(self) -> None:
        """Hang up because the agent closes."""
        ...


class AgentContext:
    """The shared state of an agent and its legs."""

    __slots__ = ("_idle", "legs", "resolver", "settings", "timers", "transactions", "transports")

    def __init__(
        self,
        settings: AgentSettings,
        timers: Timers,
        exchange: TransactionLayer,
        transports: Transports,
        resolver: Resolver,
    ) -> None:
        self.settings = settings
        self.timers = timers
        self.transactions = exchange
        self.transports = transports
        self.resolver = resolver
        self.legs: dict[str, DialogHandler] = {}  # by local tag
        self._idle: asyncio.Event | None = None

    def remove_leg(self, tag: str) -> None:
        """Deregister a leg that expects no further messages."""
        self.legs.pop(tag, None)
        if self._idle is not None and not self.legs:
            self._idle.set()

    async def wait_idle(self) -> None:
        """Wait until no leg is left."""
        if self.legs:
            self._idle = asyncio.Event()
            await self._idle.wait()

    def resolve_uri(self, uri: str, on_hop: Callable[[Hop | None], None]) -> None:
        """Call `on_hop` with the hop to a URI: immediately if its host is numeric or cached, else later."""
        parsed = read_uri(uri)
        self.resolve_target(target_of_uri(parsed) if parsed else None, on_hop)

    def resolve_target(self, target: Target | None, on_hop: Callable[[Hop | None], None]) -> None:
        """Call `on_hop` with the hop to a target, whose host may be a name."""
        if target is None:
            on_hop(None)
        elif is_numeric(target.host):
            on_hop(self.transports.hop_to(target))
        else:
            self.resolver.resolve(target.host, lambda addresses: on_hop(self._first(target, addresses)))

    def _first(self, target: Target, addresses: tuple[str, ...]) -> Hop | None:
        for address in addresses:
            hop = self.transports.hop_to(target._replace(host=address))
            if hop is not None:
                return hop
        return None

    def contact_uri(self, hop: Hop, user: str = "") -> str:
        """Return the local Contact URI as the peer behind a hop can reach it."""
        host, port = hop.channel.advertised_address(hop.address)
        protocol = hop.channel.protocol
        suffix = "" if protocol == "UDP" else f";transport={protocol.lower()}"
        return (
            f"sip:{user}@{uri_host(host)}:{port}{suffix}" if user else f"sip:{uri_host(host)}:{port}{suffix}"
        )

    def add_capabilities(self, message: Message, hop: Hop | None, user: str = "") -> None:
        """Add Contact, Allow, Supported and User-Agent or Server to a message."""
        headers = message.headers
        if hop is not None and "contact" not in headers:
            headers["contact"] = [f"<{self.contact_uri(hop, user)}>"]
        headers["allow"] = [ALLOW]
        headers["supported"] = [SUPPORTED]
        headers["user-agent" if isinstance(message, Request) else "server"] = [self.settings.user_agent]

    def respond(self, request: Request, status: int, *, tag: str = "", retry_after: int = 0) -> None:
        """Send a response without a body."""
        server = self.transactions.create_server(request)
        headers = (("Retry-After", str(retry_after)),) if retry_after else ()
        self.transactions.respond(server, respond(request, status, headers=headers, tag=tag))

    def set_body(self, message: Request | Response, body: bytes, media_type: str = SDP) -> None:
        """Set the body of a message and its Content-Type."""
        message.body = body
        if body:
            message.headers["content-type"] = [media_type]
