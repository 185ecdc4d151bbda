"""`openivr serve` and `openivr api`: run the server."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from openivr.cli.options import FILE, option, store_options


def split_address(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


@click.command(short_help="Answer the API and keep doing so.")
@store_options
@option(
    "--http", default="127.0.0.1:8088", metavar="HOST:PORT", callback=split_address, help="Where to listen."
)
@option("--demo", is_flag=True, help="Fill an empty database with four menus and what they point to.")
@option("--workers", type=click.IntRange(1, 64), default=1, help="Processes that answer.")
@option("--tls-cert", type=FILE, help="Certificate chain, PEM; with --tls-key the server speaks HTTPS.")
@option("--tls-key", type=FILE, help="The certificate's key, PEM.")
@option(
    "--api-profile",
    type=click.Choice(["classic", "software", "cloud"]),
    default="classic",
    help="Which edition's fields lists show.",
)
@option("--trusted-proxy", multiple=True, metavar="CIDR", help="Proxy whose X-Forwarded-For is believed.")
@option("--login-failures", type=click.IntRange(1), default=5, help="Wrong logins that lock an IP out ...")
@option("--login-window", type=click.IntRange(1), default=600, help="... within so many seconds ...")
@option("--login-block", type=click.IntRange(1), default=600, help="... for so many seconds.")
@option("--drain", type=click.IntRange(0), default=10, help="Seconds that requests have to end at a stop.")
@option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@option("--access-log/--no-access-log", default=True, help="Log one line a request.")
def serve(**options: Any) -> None:
    """Answer the API, and start again what dies.

    Listens on this machine alone unless told otherwise. SIGTERM finishes what is under way and ends with
    status 0.
    """
    from openivr import app, startup, supervisor
    from openivr.observe import configure_logs

    settings = read_settings(options)
    configure_logs(settings.log_level)
    try:
        with supervisor.hold(settings.data):
            sockets = supervisor.listen(settings)
            news = startup.prepare(settings, is_demo=options["demo"])
            work = partial(app.run_worker, settings)
            port = sockets[0].getsockname()[1]
            announce = partial(startup.announce, settings, port, news)
            supervisor.Supervisor(work, sockets, settings.drain_seconds).run(announce)
    except (supervisor.CannotStart, startup.CannotPrepare) as error:
        raise click.ClickException(str(error)) from error
    sys.stdout.flush()
    os._exit(0)


def read_settings(options: dict[str, Any]) -> Any:
    from openivr.config import Settings
    from openivr.store.tokens import TokenPolicy

    if bool(options["tls_cert"]) != bool(options["tls_key"]):
        raise click.UsageError("--tls-cert and --tls-key go together")
    for path in (options["tls_cert"], options["tls_key"]):
        if path and not Path(path).is_file():
            raise click.UsageError(f"there is no file {path}")
    host, port = options["http"]
    return Settings(
        data=options["data"].absolute(),
        database=options["database"],
        host=host,
        port=port,
        workers=options["workers"],
        tls_cert=options["tls_cert"],
        tls_key=options["tls_key"],
        profile=options["api_profile"],
        trusted_proxies=options["trusted_proxy"],
        policy=TokenPolicy(
            failures=options["login_failures"],
            window=options["login_window"],
            block=options["login_block"],
        ),
        drain_seconds=options["drain"],
        log_level=options["log_level"],
        has_access_log=options["access_log"],
    )
