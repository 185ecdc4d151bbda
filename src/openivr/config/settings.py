"""What the server is told: one frozen value, from options, the environment and a TOML file (see `cli`)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from openivr.store.auth.tokens import TokenPolicy

# What lists show: as the page "Query IVR List" has it, or with the fields of newer editions.
Profile = Literal["classic", "software", "cloud"]


class ListenAddress(NamedTuple):
    """Where to listen: a numeric host, IPv6 without brackets, and a port. Its text has them."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What the process that carries calls is told. Of addresses there is at most one of each family."""

    sip: tuple[ListenAddress, ...] = (ListenAddress("127.0.0.1", 5060),)
    sip_tls: tuple[ListenAddress, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    rtp_ports: range = range(10_000, 20_000)
    external: tuple[str, ...] = ()  # addresses that peers outside are told, each by those of its family
    max_calls: int = 200
    records: bool = False  # whether every call is recorded as sound
    keep_days: int = 365  # call records; 0: for ever
    keep_recordings: int = 90  # days, and no longer than the call's record; 0: as long as that
    keep_messages: int = 365  # days, of mailboxes; 0: for ever
    proxies: tuple[
        str, ...
    ] = ()  # addresses or networks whose callers share them: neither limited nor banned
    drain_seconds: int = 60
    dead_seconds: float = 30  # without sound where there should be some, before a call is given up


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
    trusted_proxies: tuple[str, ...] = ()
    policy: TokenPolicy = field(default_factory=TokenPolicy)
    drain_seconds: int = 10
    log_level: str = "info"
    has_access_log: bool = True
    calls: CallSettings = field(default_factory=CallSettings)

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database or f"sqlite:///{self.data / 'openivr.db'}"

    @property
    def journal(self) -> Path:
        """The folder of what calls wrote down and the database does not have yet."""
        return self.data / "journal"

    @property
    def recordings(self) -> Path:
        """The folder of recorded calls."""
        return self.data / "recordings"

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    @property
    def base(self) -> str:
        """Where clients on this machine find the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not a bind
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
