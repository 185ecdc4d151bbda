"""Settings of an agent."""

from collections.abc import Callable
from dataclasses import dataclass

from openivr.sip.address import Target
from openivr.sip.transaction.tables import Timing

DEFAULT_TIMING = Timing()
Trace = Callable[[bool, Target, bytes], None]  # True if sent, the peer, the message


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Settings of an agent; times in seconds."""

    listen: tuple[Target, ...] = (Target("UDP", "127.0.0.1", 5060), Target("TCP", "127.0.0.1", 5060))
    external: tuple[str, ...] = ()  # the public address of each family, advertised outside private networks
    certificate: str = ""  # PEM files; a TLS listener needs both
    key: str = ""
    authorities: str = ""  # PEM file of trusted CA certificates; "": those of the system
    user_agent: str = "OpenIVR"
    timing: Timing = DEFAULT_TIMING
    session_expires: int = 1800  # requested of peers that support session timers (RFC 4028); 0: never
    min_session: int = 90  # shorter ones are rejected with 422
    ring_limit: int = 300  # an outbound call that rings longer is cancelled
    max_transactions: int = 100_000  # above it new requests get 503
    before_send: Callable[[], None] | None = None  # called before each message is sent
    trace: Trace | None = None  # called with every message as on the wire, digest responses included
