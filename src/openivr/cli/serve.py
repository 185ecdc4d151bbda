"""`openivr serve`, `openivr api` and `openivr calls run`: the server, or a part of it."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openivr.cli.options import FILE, option, store_options

if TYPE_CHECKING:
    from openivr.config.settings import ListenAddress

F = TypeVar("F", bound=Callable[..., Any])
DATE_FORMATS = ("YYYY/MM/DD", "YYYY-MM-DD", "DD/MM/YYYY", "DD-MM-YYYY", "MM/DD/YYYY", "MM-DD-YYYY")
TIME_FORMATS = ("HH:mm:ss", "hh:mm:ss AM")


def split_address(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def read_addresses(
    _ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]
) -> "tuple[ListenAddress, ...]":
    """Read the addresses to listen on for SIP: at most one of each family, because a call has one family."""
    found = tuple(map(read_sip_address, texts))
    check_families([address.host for address in found], "use 0.0.0.0 or [::] for all addresses of a family")
    return found


def read_sip_address(text: str) -> "ListenAddress":
    """Read HOST:PORT, with an IPv6 address in brackets."""
    from openivr.config.settings import ListenAddress

    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise click.BadParameter(f"{text!r}: write an IPv6 address in brackets, as in [::1]:5060")
    return ListenAddress(read_ip(host.strip("[]") or "127.0.0.1"), int(port))


def read_ip(text: str) -> str:
    """Read a numeric address. Names can have several addresses, and a zone means nothing to peers."""
    import ipaddress

    try:
        return str(ipaddress.ip_address("" if "%" in text else text))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not an IP address") from error


def check_families(hosts: list[str], advice: str) -> None:
    """Refuse two addresses of one family."""
    for family, is_of in (("IPv4", False), ("IPv6", True)):
        if len([host for host in hosts if (":" in host) is is_of]) > 1:
            raise click.BadParameter(f"there are two addresses of {family}; {advice}")


def split_range(_ctx: click.Context, _param: click.Parameter, text: str) -> range:
    first, dash, last = text.partition("-")
    if not (dash and first.isdigit() and last.isdigit() and 1024 <= int(first) < int(last) <= 65535):
        raise click.BadParameter(f"{text!r} is not FIRST-LAST, within 1024-65535")
    return range(int(first), int(last) + 1)


def read_external(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(map(read_ip, texts))
    check_families(list(found), "only one of each family can be advertised")
    return found


def check_networks(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    import ipaddress

    try:
        return tuple(str(ipaddress.ip_network(text, strict=False)) for text in texts)
    except ValueError as error:
        raise click.BadParameter(f"{error}") from error


def in_order(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Combine options into one decorator. --help shows them in this order."""

    def decorate(command: F) -> F:
        for one in reversed(options):
            command = one(command)
        return command

    return decorate


common_options = in_order(
    store_options,
    option("--demo", is_flag=True, help="Fill an empty database with demo menus, extensions and routes."),
    option(
        "--min-free",
        type=click.IntRange(0),
        default=256,
        help="MiB of free disk space below which calls are not recorded and no messages are taken.",
    ),
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        help="Lowest level that is logged.",
    ),
)
http_options = in_order(
    option(
        "--http",
        default="127.0.0.1:8088",
        metavar="HOST:PORT",
        callback=split_address,
        help="Address to listen on for HTTP: API and web admin.",
    ),
    option(
        "--workers",
        type=click.IntRange(1, 64),
        default=1,
        help="Number of HTTP processes; one per core is enough.",
    ),
    option("--tls-cert", type=FILE, help="Certificate chain (PEM); with --tls-key enables HTTPS."),
    option("--tls-key", type=FILE, help="Private key of --tls-cert (PEM)."),
    option(
        "--api-profile",
        type=click.Choice(["classic", "software", "cloud"]),
        default="classic",
        help="P-Series edition whose fields `ivr/list` returns.",
    ),
    option(
        "--date-format",
        type=click.Choice(DATE_FORMATS),
        default="YYYY/MM/DD",
        help="Display format of dates in the API.",
    ),
    option(
        "--time-format",
        type=click.Choice(TIME_FORMATS),
        default="HH:mm:ss",
        help="Display format of times in the API.",
    ),
    option(
        "--host-name",
        multiple=True,
        metavar="NAME",
        help="Name under which HTTP clients reach this server; repeatable. Addresses always count.",
    ),
    option(
        "--require-user-agent",
        is_flag=True,
        help="Refuse API requests without a User-Agent, as the P-Series documentation demands.",
    ),
    option(
        "--trusted-proxy",
        multiple=True,
        metavar="CIDR",
        help="Reverse proxy whose X-Forwarded-* headers are trusted; repeatable.",
    ),
    option(
        "--webhook-network",
        multiple=True,
        metavar="CIDR",
        callback=check_networks,
        help="Private network that webhooks may reach, beside public addresses; repeatable.",
    ),
    option(
        "--login-failures", type=click.IntRange(1), default=5, help="Failed logins that lock out an address."
    ),
    option(
        "--login-window",
        type=click.IntRange(1),
        default=600,
        help="Seconds within which failed logins count.",
    ),
    option(
        "--login-block", type=click.IntRange(1), default=600, help="Seconds that an address stays locked out."
    ),
    option(
        "--drain", type=click.IntRange(0), default=10, help="Seconds that running requests have at a stop."
    ),
    option(
        "--access-log/--no-access-log", default=True, help="Log a line for each request, without its query."
    ),
)
call_options = in_order(
    option(
        "--sip",
        multiple=True,
        default=["127.0.0.1:5060"],
        metavar="HOST:PORT",
        callback=read_addresses,
        help="Address to listen on for SIP over UDP and TCP; one of IPv4 and one of IPv6.",
    ),
    option(
        "--sip-tls",
        multiple=True,
        metavar="HOST:PORT",
        callback=read_addresses,
        help="Address to listen on for SIP over TLS, likewise; needs a certificate.",
    ),
    option("--sip-cert", type=FILE, help="Certificate chain of --sip-tls (PEM). Default: --tls-cert."),
    option("--sip-key", type=FILE, help="Private key of --sip-cert (PEM). Default: --tls-key."),
    option(
        "--rtp-ports",
        default="10000-19999",
        metavar="FIRST-LAST",
        callback=split_range,
        help="UDP ports for RTP and RTCP: two for each call leg.",
    ),
    option(
        "--external-address",
        multiple=True,
        metavar="IP",
        callback=read_external,
        help="Public address to advertise if this machine is behind NAT; one of each family.",
    ),
    option(
        "--max-calls",
        type=click.IntRange(1),
        default=200,
        help="Maximum of simultaneous calls; further ones get 503.",
    ),
    option(
        "--rtp-timeout",
        type=click.IntRange(0),
        default=60,
        metavar="SECONDS",
        help="Seconds without RTP and RTCP after which a conversation ends; at least 300 if the phone sends"
        " no RTCP; 0: never.",
    ),
    option(
        "--rtp-timeout-menu",
        type=click.IntRange(0),
        default=0,
        metavar="SECONDS",
        help="The same for callers who are not connected, whose call the menu's time-outs end; 0: never.",
    ),
    option(
        "--record-calls", is_flag=True, help="Record every call, as wav in recordings/ of the data folder."
    ),
    option(
        "--keep-calls", type=click.IntRange(0), default=365, help="Days to keep call records; 0: forever."
    ),
    option(
        "--keep-recordings",
        type=click.IntRange(0),
        default=90,
        help="Days to keep recordings; 0: as long as the call record.",
    ),
    option(
        "--keep-messages",
        type=click.IntRange(0),
        default=365,
        help="Days to keep voicemail messages; 0: forever.",
    ),
    option(
        "--max-recordings",
        type=click.IntRange(0),
        default=0,
        metavar="MIB",
        help="MiB of recordings to keep; the oldest are deleted first. 0: no limit.",
    ),
    option(
        "--mailbox-messages",
        type=click.IntRange(0),
        default=100,
        help="Messages that a mailbox holds; a full one takes no more. 0: no limit.",
    ),
    option(
        "--sip-proxy",
        multiple=True,
        metavar="CIDR",
        callback=check_networks,
        help="SIP proxy exempt from rate limits and bans; repeatable.",
    ),
    option(
        "--sip-digest-without-qop",
        is_flag=True,
        help="Accept passwords of old phones without qop (RFC 2069).",
    ),
    option(
        "--drain-calls", type=click.IntRange(0), default=60, help="Seconds that running calls have at a stop."
    ),
)


@click.command(short_help="Run the whole server: API, web admin and calls.")
@common_options
@http_options
@call_options
def serve(**options: Any) -> None:
    """Run the API, the web admin and calls under supervision.

    \b
    openivr serve --demo                                     a demo on this machine
    openivr serve --sip 0.0.0.0:5060 --data /var/lib/openivr phones in the network

    By default it listens on 127.0.0.1 only. Processes that exit are restarted. SIGTERM accepts no new calls,
    waits for running calls and requests, and exits with status 0. A second SIGTERM ends calls at once.
    """
    start(options, has_http=True, has_calls=True)


@click.command(short_help="Run the API and the web admin, without calls.")
@common_options
@http_options
def api(**options: Any) -> None:
    """Run the API and the web admin, without calls. `openivr calls` can run beside it on the same data."""
    start(options, has_http=True, has_calls=False)


def start(options: dict[str, Any], *, has_http: bool, has_calls: bool) -> None:
    """Run the chosen processes until a signal, then exit."""
    from openivr.observability.logs import configure_logs
    from openivr.server import bootstrap, supervisor
    from openivr.server.process_plan import plan

    settings = read_settings(options)
    configure_logs(settings.log_level)
    try:
        with ExitStack() as held:
            for name in [*(["lock"] if has_http else []), *(["calls.lock"] if has_calls else [])]:
                held.enter_context(supervisor.hold(settings.data, name))
            process_plan = plan(settings, has_http=has_http, has_calls=has_calls)
            credentials = bootstrap.prepare(settings, is_demo=options["demo"])
            announce = partial(
                bootstrap.announce, process_plan.settings, credentials, has_http=has_http, has_calls=has_calls
            )
            supervisor.Supervisor(process_plan.specs).run(announce)
    except (supervisor.CannotStart, bootstrap.CannotPrepare) as error:
        raise click.ClickException(str(error)) from error
    sys.stdout.flush()
    os._exit(0)


def read_settings(options: dict[str, Any]) -> Any:
    from openivr.config.settings import Settings

    common = {
        "data": options["data"].absolute(),
        "database": options["database"],
        "log_level": options["log_level"],
        "min_free": options["min_free"] * 2**20,
    }
    http = read_http(options) if "http" in options else {}
    calls = {"calls": read_calls(options)} if "sip" in options else {}
    return Settings(**common, **http, **calls)


def read_http(options: dict[str, Any]) -> dict[str, Any]:
    from openivr.store.auth.tokens import TokenPolicy

    check_pair("--tls-cert", options["tls_cert"], "--tls-key", options["tls_key"])
    host, port = options["http"]
    return {
        "host": host,
        "port": port,
        "workers": options["workers"],
        "tls_cert": options["tls_cert"],
        "tls_key": options["tls_key"],
        "profile": options["api_profile"],
        "date_format": options["date_format"],
        "time_format": options["time_format"],
        "trusted_proxies": options["trusted_proxy"],
        "webhook_networks": options["webhook_network"],
        "host_names": options["host_name"],
        "requires_user_agent": options["require_user_agent"],
        "policy": TokenPolicy(
            failures=options["login_failures"],
            window=options["login_window"],
            block=options["login_block"],
        ),
        "drain_seconds": options["drain"],
        "has_access_log": options["access_log"],
    }


def read_calls(options: dict[str, Any]) -> Any:
    from openivr.config.settings import CallSettings

    check_pair("--sip-cert", options["sip_cert"], "--sip-key", options["sip_key"])
    cert = options["sip_cert"] or options.get("tls_cert")
    key = options["sip_key"] or options.get("tls_key")
    sip, secure, external = options["sip"], options["sip_tls"], options["external_address"]
    if secure and not cert:
        raise click.UsageError("--sip-tls needs --sip-cert and --sip-key")
    for told in external:
        if not any((":" in told) == address.is_ipv6 for address in (*sip, *secure)):
            raise click.UsageError(
                f"--external-address {told}: needs a --sip or --sip-tls address of the same family"
            )
    return CallSettings(
        sip=sip,
        sip_tls=secure,
        tls_cert=cert,
        tls_key=key,
        rtp_ports=options["rtp_ports"],
        external=external,
        max_calls=options["max_calls"],
        rtp_timeout=options["rtp_timeout"],
        rtp_timeout_menu=options["rtp_timeout_menu"],
        records=options["record_calls"],
        keep_days=options["keep_calls"],
        keep_recordings=options["keep_recordings"],
        keep_messages=options["keep_messages"],
        max_recordings=options["max_recordings"] * 2**20,
        mailbox_messages=options["mailbox_messages"],
        proxies=options["sip_proxy"],
        allow_rfc2069=options["sip_digest_without_qop"],
        drain_seconds=options["drain_calls"],
    )


def check_pair(cert_option: str, cert: Path | None, key_option: str, key: Path | None) -> None:
    if bool(cert) != bool(key):
        raise click.UsageError(f"{cert_option} and {key_option} must be given together")
    for path in (cert, key):
        if path and not Path(path).is_file():
            raise click.UsageError(f"file {path} does not exist")
