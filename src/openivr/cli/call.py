"""`openivr call`: a softphone in the terminal."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openivr.cli.options import FILE, opened, option, store_options

if TYPE_CHECKING:
    from openivr.config.call_config import SipAccount
    from openivr.media.audio.clip import Clip
    from openivr.simulate.transcript import TranscriptLine
    from openivr.sip.address import Target
    from openivr.sip.auth.client import HashedLogin, Login
    from openivr.sip.settings import Trace
    from openivr.softphone.conversation import Script
    from openivr.softphone.server_log import ServerLog

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
USUAL_SERVER = "127.0.0.1:5060"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
GREETING = "Type keys (0-9 * # A-D); q hangs up."


def read_script(_ctx: click.Context, _param: click.Parameter, text: str | None) -> "Script | None":
    """Read the language of `--keys`."""
    from openivr.simulate.keys import read_keys

    try:
        return None if text is None else read_keys(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_server(_ctx: click.Context, _param: click.Parameter, text: str) -> "Target | None":
    """Read `sip:HOST:PORT;transport=tcp`, or HOST:PORT alone."""
    return find_server(text) if text else None


def find_server(text: str) -> "Target":
    from openivr.sip.address import target_of_uri
    from openivr.sip.message.headers import read_uri

    uri = read_uri(text if text.startswith(("sip:", "sips:")) else f"sip:{text}")
    target = target_of_uri(uri) if uri is not None else None
    if target is None:
        raise click.BadParameter(f"{text!r} is not sip:HOST:PORT;transport=udp, tcp or tls")
    return target


def read_sound(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> "Clip | None":
    """Read an audio file and convert it for sending."""
    from openivr.media.audio.clip import Clip
    from openivr.resources.problem_codes import ProblemCode
    from openivr.resources.problem_words import predicate
    from openivr.sounds.convert import CONTAINERS, NotAudio, convert

    if path is None:
        return None
    kind = path.suffix.lower().removeprefix(".")
    if kind not in CONTAINERS:
        raise click.BadParameter(f"{path} is not one of {', '.join(CONTAINERS)}")
    try:
        return Clip.from_wav(convert(path.read_bytes(), kind, keeps_level=True).wav)
    except NotAudio as error:
        raise click.BadParameter(f"{path} {predicate(ProblemCode(error.fault), error.params)}") from error
    except OSError as error:
        raise click.BadParameter(f"{path} {error}") from error


def check_new(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and (path.exists() or not path.parent.is_dir()):
        raise click.BadParameter(
            f"{path} already exists" if path.exists() else f"folder {path.parent} does not exist"
        )
    return path


@click.command(short_help="Call a number from this terminal.")
@click.argument("number")
@store_options
@click.option(
    "--as", "extension", default="", metavar="NUMBER", help="Extension to call as. Default: the first one."
)
@option(
    "--server",
    default="",
    metavar="URI",
    callback=read_server,
    help="sip:HOST:PORT;transport=udp, tcp or tls. Default: the server that runs on --data.",
)
@click.option(
    "--user", default="", metavar="NAME", help="User name for the login, instead of an extension in --data."
)
@click.option("--password-file", type=READABLE, help="File with the password of --user.")
@click.option("--tls-ca", type=READABLE, help="CA certificate (PEM) to verify the server.")
@click.option(
    "--keys",
    "script",
    callback=read_script,
    help='Keys to send after the answer: "1,5s,2" waits 5 s in between; h hangs up.',
)
@click.option(
    "--key-by",
    type=click.Choice(["rfc4733", "info", "inband"]),
    default="rfc4733",
    show_default=True,
    help="How keys (DTMF) are sent.",
)
@click.option(
    "--play",
    "clip",
    type=READABLE,
    callback=read_sound,
    help="Audio file to send: wav, mp3, gsm, flac, ogg or opus.",
)
@click.option("--record", type=FILE, callback=check_new, help="New wav file for the received audio.")
@click.option("--listen", is_flag=True, help="Play the received audio with aplay, paplay, pw-play or ffplay.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=60.0,
    show_default=True,
    help="Seconds to ring before giving up.",
)
@click.option("--hang-up-after", type=click.FloatRange(0.1), help="Hang up so many seconds after the answer.")
@click.option("--trace", is_flag=True, help="Print every SIP message to standard error.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each event.")
def call(number: str, *, data: Path, database: str, extension: str, **options: Any) -> None:
    """Call NUMBER and print what happens. Keys (0-9 * # A-D) are sent as you type them; q hangs up.

    \b
    openivr call 6200 --as 1001 --listen
    openivr call 6200 --keys "3s,1,5s,h" --json

    Calls the server on this machine as one of its extensions, and shows the actions of the menu as well. From
    a pipe, each line is read like --keys.

    Exit status: 0 answered; 2 wrong usage; 3 busy; 4 no answer; 5 refused; 6 server unreachable or failed;
    130 cancelled before an answer; 1 any other error.
    """
    if not number:
        raise click.BadParameter("no number", param_hint="NUMBER")
    if bool(options["user"]) != bool(options["password_file"]) or (options["user"] and extension):
        raise click.UsageError("--user needs --password-file and excludes --as")
    sys.exit(run(number, data, database, extension, options))


def run(number: str, data: Path, database: str, extension: str, options: dict[str, Any]) -> int:
    """Make the call and return the exit status."""
    import asyncio

    from openivr.media.dtmf.rfc4733 import DtmfMethod
    from openivr.observability.logs import configure_logs
    from openivr.softphone.conversation import CallPlan
    from openivr.softphone.loudspeaker import NoPlayer
    from openivr.softphone.result import EXIT_CODES
    from openivr.softphone.terminal import CannotCall, TerminalCall, hold

    configure_logs("error")
    server, login, story = find_way(number, data, database, extension, options)
    plan = CallPlan(
        number=number,
        dtmf=DtmfMethod(options["key_by"]),
        script=options["script"] or (),
        clip=options["clip"],
        record=options["record"],
        reports_audio=story is None,
        ring_seconds=options["timeout"],
        talk_seconds=options["hang_up_after"],
    )
    terminal_call = TerminalCall(
        server=server,
        login=login,
        show=show_json if options["as_json"] else show_line,
        keyboard=find_keyboard(has_script=options["script"] is not None),
        story=story,
        is_loud=options["listen"],
        authorities=str(options["tls_ca"] or ""),
        trace=make_trace() if options["trace"] else None,
    )
    if terminal_call.keyboard is not None and not options["as_json"] and sys.stdin.isatty():
        click.echo(GREETING)
    try:
        result = asyncio.run(hold(terminal_call, plan))
    except (CannotCall, NoPlayer) as error:
        raise click.ClickException(str(error)) from error
    if options["as_json"]:
        echo_json({"result": result})
    return EXIT_CODES[result.verdict]


def find_way(
    number: str, data: Path, database: str, extension: str, options: dict[str, Any]
) -> "tuple[Target, Login | HashedLogin, ServerLog | None]":
    """Return the server to call, the login, and the server's journal if it is on this machine."""
    from openivr.cli.snapshot import load
    from openivr.sip.auth.client import HashedLogin, Login
    from openivr.sip.auth.server import DigestSecret
    from openivr.softphone.server_log import ServerLog, find_sip_address

    if options["user"]:
        password = options["password_file"].read_text().rstrip("\r\n")
        return options["server"] or find_server(USUAL_SERVER), Login(options["user"], password), None
    account = find_account(data, database, extension)
    login = HashedLogin(account.user, DigestSecret.read(account.secret).hashes)
    journal = data / "journal"
    server = options["server"] or find_server(find_sip_address(journal) or USUAL_SERVER)
    server = server._replace(host=EVERYWHERE.get(server.host, server.host))
    return server, login, ServerLog(journal, account.number, number, lambda: load(data, database))


def find_account(data: Path, database: str, number: str) -> "SipAccount":
    """Return the account of an extension, by default of the first one."""
    from openivr.store.caches.loaded_config import load

    with opened(data, database) as store, store.reading() as connection:
        accounts = load(connection).configuration.accounts.values()
    found = sorted(
        (account for account in accounts if number in ("", account.number)),
        key=lambda account: (len(account.number), account.number),
    )
    if not found:
        raise click.ClickException(f"there is no extension {number}".rstrip())
    return found[0]


def find_keyboard(*, has_script: bool) -> int | None:
    """Return the descriptor to read keys from: a terminal, or a pipe if there is no script."""
    try:
        file = sys.stdin.fileno()
        return file if sys.stdin.isatty() or not has_script else None
    except (AttributeError, ValueError, OSError):  # closed
        return None


def show_line(line: "TranscriptLine") -> None:
    from openivr.simulate.transcript import show

    click.echo(show([line]))


def show_json(line: "TranscriptLine") -> None:
    echo_json({"at": line.at, "what": line.what, "text": line.text, "why": line.why, "about": line.about})


def echo_json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value))


def make_trace() -> "Trace":
    """Return a function that prints SIP messages to standard error, with seconds since now."""
    import time

    from openivr.softphone.trace import show

    began = time.monotonic()
    return lambda is_sent, peer, data: click.echo(
        show(time.monotonic() - began, is_sent, peer, data), err=True
    )
