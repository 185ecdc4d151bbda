"""Server settings, from command-line options, the environment and a TOML file (see `cli`)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from openivr.store.auth.tokens import TokenPolicy

# Fields of list rows: as on the API page "Query IVR List", or with those of newer editions.
Profile = Literal["classic", "software", "cloud"]


MIN_RTP_TIMEOUT = 300  # seconds, of a bridged peer without RTCP: it may only suppress pauses


class ListenAddress(NamedTuple):
    """Address to listen on: a numeric host and a port. IPv6 has brackets in the text only."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """Settings of the calls process and the CDR worker. At most one address of each family."""

    sip: tuple[ListenAddress, ...] = (ListenAddress("127.0.0.1", 5060),)
    sip_tls: tuple[ListenAddress, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    rtp_ports: range = range(10_000, 20_000)
    external: tuple[str, ...] = ()  # public addresses in SIP and SDP, one of each family
    max_calls: int = 200
    records: bool = False  # record the audio of all calls
    keep_days: int = 365  # call records; 0: for ever
    keep_recordings: int = 90  # days, at most as long as the call record; 0: as long as that
    keep_messages: int = 365  # days, of mailboxes; 0: for ever
    max_recordings: int = 0  # bytes of recordings, beyond which the oldest are deleted; 0: no limit
    mailbox_messages: int = 100  # that a mailbox holds; 0: no limit
    proxies: tuple[str, ...] = ()  # addresses or networks exempt from rate limits and bans
    allow_rfc2069: bool = False  # accept digest credentials without qop
    drain_seconds: int = 60
    # Seconds without RTP and RTCP of a peer after which a call ends; 0: never.
    rtp_timeout: float = 60  # bridged; at least MIN_RTP_TIMEOUT if the peer sends no RTCP
    rtp_timeout_menu: float = 0  # not bridged


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`database` is an SQLAlchemy URL; empty means a SQLite file in the data folder."""

    data: Path
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8088
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    profile: Profile = "classic"
    date_format: str = "YYYY/MM/DD"  # display format of the API, as `system/information` reports it
    time_format: str = "HH:mm:ss"
    trusted_proxies: tuple[str, ...] = ()
    host_names: tuple[str, ...] = ()  # that clients may ask for, beside addresses and this machine's name
    webhook_networks: tuple[str, ...] = ()  # that webhooks may reach, beside public addresses
    requires_user_agent: bool = False  # refuse API requests without User-Agent, as the vendor's pages say
    policy: TokenPolicy = field(default_factory=TokenPolicy)
    drain_seconds: int = 10
    log_level: str = "info"
    min_free: int = 256 * 2**20  # bytes; with less on the disk no call audio is written
    has_access_log: bool = True
    calls: CallSettings = field(default_factory=CallSettings)

    @property
    def url(self) -> str:
        """URL of the database."""
        return self.database or f"sqlite:///{self.data / 'openivr.db'}"

    @property
    def journal(self) -> Path:
        """Folder of journal entries and messages that are not in the database yet."""
        return self.data / "journal"

    @property
    def recordings(self) -> Path:
        """Folder of call recordings."""
        return self.data / "recordings"

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    @property
    def base(self) -> str:
        """Base URL for clients on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not a bind
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
