"""Softphone: an account on a server, with outgoing and incoming calls."""

import asyncio
import socket
from collections.abc import Callable
from itertools import count

from openivr.b2bua.context import resolve_nothing
from openivr.b2bua.party import Party
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.inactivity import InactivityLimits
from openivr.media.media import Media, MediaSettings
from openivr.media.rtp.ports import Interface
from openivr.sip.address import Target, uri_host
from openivr.sip.agent import Agent
from openivr.sip.auth.client import DigestClient, HashedLogin, Login
from openivr.sip.auth.retry import AuthRetry
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import Admission, LocalResponse
from openivr.sip.message.headers import write_user
from openivr.sip.message.message import Request, Response, read
from openivr.sip.sdp.offer_answer import OfferAnswerSession
from openivr.sip.settings import AgentSettings, Trace
from openivr.sip.termination import FailureReason

PORTS = range(42_000, 44_000)  # for RTP, outside the default range of the server
INACTIVITY = InactivityLimits(unbridged=60)  # a phone is never bridged
USER_AGENT = "OpenIVR phone"
NOT_ACCEPTABLE = 488
CHALLENGES = (401, 407)
numbers = count(1)


class SoftphoneCall(Party):
    """One call of a softphone. Without `has_events` its digits are sent as tones."""

    __slots__ = ()

    def __init__(self, phone: "Softphone", *, has_events: bool = True) -> None:
        number = next(numbers)
        media = phone.media.open(phone.server.host)
        super().__init__(media, "", number, asyncio.get_running_loop().time, resolve_nothing)
        self.session = OfferAnswerSession(*media.address, number, has_events=has_events)

    def press(self, digits: str, method: DtmfMethod) -> None:
        """Send digits by INFO, or as telephone-events or tones, whichever was negotiated."""
        if method is not DtmfMethod.INFO:
            self.media.send_dtmf(digits)
        elif self.leg is not None:
            for digit in digits:
                self.leg.send_dtmf_info(digit)


class Softphone:
    """The phone of one account, by UDP, TCP or TLS. Answers challenges with its login.

    `listen` is the local numeric address towards the server, see `address_towards`.
    """

    def __init__(
        self,
        server: Target,
        login: Login | HashedLogin,
        *,
        listen: str = "127.0.0.1",
        authorities: str = "",
        trace: Trace | None = None,
    ) -> None:
        self.server = server
        self.user = login.user
        self.on_call: Callable[[SoftphoneCall, Request], object] = refuse
        """Called for an incoming call, before it rings."""
        self.has_heard = False
        """True if the server has sent anything but a challenge."""
        self.was_asked = False
        """True if the server has sent a challenge."""
        self.heard = asyncio.Event()
        """Set with every message received."""
        self.answered: set[str] = set()
        """Methods of local requests that got a final response."""
        self.media: Media
        self._credentials = DigestClient(login)
        # TCP and TLS need no listener, because the server sends on the connection of the softphone.
        listening = (Target("UDP", listen, 0),) if server.protocol == "UDP" else ()
        self._trace = trace
        settings = AgentSettings(
            listen=listening, authorities=authorities, user_agent=USER_AGENT, trace=self._watch
        )
        self.agent = Agent(settings, self, self)

    async def start(self, media: Media) -> "Softphone":
        """Open the socket. Raises OSError."""
        self.media = media
        await self.agent.start()
        return self

    async def until_answered(self, method: str) -> None:
        """Wait until a request of this method has got its final response."""
        while method not in self.answered:
            self.heard.clear()
            await self.heard.wait()

    def close(self) -> None:
        """Hang up and close the sockets. The owner closes the media."""
        self.agent.close()

    def uri(self, number: str) -> str:
        """Return the URI of a number at the server."""
        host = f"{uri_host(self.server.host)}:{self.server.port}"
        protocol = self.server.protocol
        return write_user("sip", number, host) + (
            "" if protocol == "UDP" else f";transport={protocol.lower()}"
        )

    async def register(self, seconds: int = 300) -> int:
        """Register, or unregister with 0 seconds. Return the final status, 0 if there was none."""
        reply: asyncio.Future[Response | FailureReason] = asyncio.get_running_loop().create_future()
        contact = self.agent.contact_uri(self.server, self.user)
        self.agent.request(
            "REGISTER",
            f"sip:{uri_host(self.server.host)}:{self.server.port}",
            reply.set_result,
            sender=self.uri(self.user),
            receiver=self.uri(self.user),
            target=self.server,
            headers=(("Contact", f"<{contact}>"), ("Expires", str(seconds))),
            authorise=AuthRetry(self._credentials),
        )
        answer = await reply
        return answer.status if isinstance(answer, Response) else 0

    def call(
        self, number: str, line: SoftphoneCall | None = None, *, has_offer: bool = True
    ) -> SoftphoneCall:
        """Call a number, with a new call object unless one is given."""
        line = line or self.open_line()
        line.leg = self.agent.call(
            self.uri(number),
            line,
            body=line.session.offer() if has_offer else b"",
            caller=self.uri(self.user or "anonymous"),
            target=self.server,
            authorise=AuthRetry(self._credentials),
            contact_user=self.user,
        )
        return line

    def open_line(self) -> SoftphoneCall:
        """Return a call object."""
        return SoftphoneCall(self)

    def _watch(self, is_sent: bool, peer: Target, data: bytes) -> None:
        if self._trace is not None:
            self._trace(is_sent, peer, data)
        if is_sent:
            return
        message = read(data)
        is_challenge = isinstance(message, Response) and message.status in CHALLENGES
        if isinstance(message, Response) and message.status >= 200 and not is_challenge:
            self.answered.add(message.method)
        self.was_asked = self.was_asked or is_challenge
        self.has_heard = self.has_heard or not is_challenge
        self.heard.set()

    # Callbacks of the agent

    def is_source_allowed(self, source: Target) -> bool:
        return True

    def on_malformed(self, source: Target) -> None:
        """Ignore a malformed message."""

    def admit(self, request: Request) -> Admission | LocalResponse:
        return Admission()

    def on_register(self, request: Request, admission: Admission) -> LocalResponse:
        return LocalResponse(403)

    def on_other_request(self, request: Request, admission: Admission) -> LocalResponse | None:
        return None

    def on_invite(self, leg: InboundLeg, admission: Admission) -> None:
        line = self.open_line()
        if line.receive(leg):
            self.on_call(line, leg.request)
        else:
            leg.reject(NOT_ACCEPTABLE)
            line.media.close()


def refuse(line: SoftphoneCall, _request: Request) -> None:
    """Decline a call: the default of a phone that only makes calls."""
    line.hang_up(603)


def open_media(*hosts: str) -> Media:
    """Open the media engine at these local addresses. Call it in the running event loop."""
    return Media(MediaSettings(tuple(map(Interface, hosts or ("127.0.0.1",))), PORTS, INACTIVITY))


def address_towards(server: Target) -> str:
    """Return the local address of the route to a numeric target. Raises OSError if there is no route."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((server.host, server.port))  # sends nothing, asks the routing table
        return str(probe.getsockname()[0])
