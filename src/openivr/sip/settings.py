"""What an agent is configured with."""

from collections.abc import Callable
from dataclasses import dataclass

from openivr.sip.address import Target
from openivr.sip.transaction.tables import Timing

DEFAULT_TIMING = Timing()
Trace = Callable[[bool, Target, bytes], None]  # whether we sent it, the peer, the message


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """An agent's configuration; times in seconds."""

    listen: tuple[Target, ...] = (Target("UDP", "127.0.0.1", 5060), Target("TCP", "127.0.0.1", 5060))
    external: tuple[str, ...] = ()  # our address of each family as peers outside of private networks know it
    certificate: str = ""  # files in PEM; a TLS listener needs both
    key: str = ""
    authorities: str = ""  # file with those that peers' certificates are checked against; "": the system's
    user_agent: str = "OpenIVR"
    timing: Timing = DEFAULT_TIMING
    session_expires: int = 1800  # asked of peers that know session timers (RFC 4028); 0: of none
    min_session: int = 90  # shorter ones are refused with 422
    ring_limit: int = 300  # an outbound call that rings longer is given up
    max_transactions: int = 100_000  # above it new requests are answered with 503
    before_send: Callable[[], None] | None = None  # called before each message of ours leaves
    trace: Trace | None = (
        None  # is shown every message, as it is on the wire; it may hold answers to challenges
    )
