"""Prepares a server before it starts: schema, administrator, demo, and the notice on the terminal."""

import json
import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from openivr.config import yaml_document
from openivr.config.settings import Settings
from openivr.resources.secret import random_text
from openivr.simulate.scenario import read_scenarios, write_scenario
from openivr.store.auth import admin, clients
from openivr.store.availability import describe, is_unavailable
from openivr.store.caches import saved_state
from openivr.store.config import first_steps, import_export
from openivr.store.config.import_export import DocumentEntry
from openivr.store.database import ConfigTransaction, Database
from openivr.store.schema import UnknownSchema, has_data, migrate
from openivr.store.system import count

log = structlog.get_logger(__name__)
DEMO_FILE = "demo-secrets.json"
DEMO_FOLDER = files("openivr").joinpath("demo")
DEMO_SCENARIOS = Path(str(DEMO_FOLDER.joinpath("scenarios.yaml")))


class CannotPrepare(Exception):
    """The server cannot be prepared; the message is for the administrator."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Secrets of the demo: its API client, and the registration passwords by extension."""

    client_id: str
    client_secret: str
    extensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets to print at the start: the demo's, and the administrator's first password.

    The password is None from the second start on, because it is printed once.
    """

    demo: Demo | None = None
    password: str | None = None


def prepare(settings: Settings, *, is_demo: bool) -> Credentials:
    """Migrate the database and, at the first start, add the administrator and the demo."""
    for counters in settings.data.glob("metrics-*"):
        counters.unlink()  # of an earlier version, which kept request counters in files
    database = Database(settings.url)
    try:
        announce_new_database(settings, database)
        migrate(database)
        demo = prepare_demo(database, settings.data) if is_demo else None
        with database.changing("auth") as change:
            password = admin.add_first(change.connection, int(time.time()))
        return Credentials(demo, password)
    except UnknownSchema as error:
        raise CannotPrepare(str(error)) from error
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        if database.is_sqlite or not has_saved_state(settings.data):
            raise CannotPrepare(f"cannot open the database: {describe(error)}") from error
        log.error("starting without the database", reason=describe(error))
        return Credentials()
    finally:
        database.close()


def announce_new_database(settings: Settings, database: Database) -> None:
    """Log that the database will be created, if there is none.

    Raises CannotPrepare if the data folder has been used with another one: a volume that is not mounted or a
    forgotten --database would otherwise start a server without its configuration.
    """
    names = (saved_state.CALLS_FILE, saved_state.LISTS_FILE)
    kept = [settings.data / name for name in names if (settings.data / name).exists()]
    if has_data(database):
        return
    place = describe_data(settings)
    if kept:
        raise CannotPrepare(
            f"there is no database in {place}, but {kept[0]} is of one that was used before; give its"
            f" --database, restore a backup, or delete {' and '.join(map(str, kept))} to begin without data"
        )
    log.info("creating a new database", place=place)


def has_saved_state(data: Path) -> bool:
    """Return True if the processes can start without the database: their last run kept what they need."""
    return any(
        saved_state.load(data / name, kind) is not None
        for name, kind in (
            (saved_state.CALLS_FILE, saved_state.SavedConfig),
            (saved_state.LISTS_FILE, saved_state.SavedLists),
        )
    )


def prepare_demo(database: Database, folder: Path) -> Demo | None:
    """Return the demo's secrets, loading the demo at the first start. Return None on data of other origin."""
    path = folder / DEMO_FILE
    if path.exists():
        return Demo(**json.loads(path.read_text()))
    with database.changing() as change:
        if count(change.connection, "ivr") or count(change.connection, "extension"):
            return None
        demo = load_demo(change)
        yaml_document.write_private(path, json.dumps(asdict(demo), indent=2))
    return demo


def load_demo(change: ConfigTransaction) -> Demo:
    """Import the demo configuration with random passwords."""
    text = DEMO_FOLDER.joinpath("configuration.yaml").read_text()
    document = yaml_document.load(text)
    passwords = {str(e.fields["number"]): random_text(20) for e in document.entries["extension"]}
    extensions = [
        replace(entry, fields={**entry.fields} | secrets_of(passwords[str(entry.fields["number"])]))
        for entry in document.entries["extension"]
    ]
    scenarios = [DocumentEntry(write_scenario(scenario)) for scenario in read_scenarios(DEMO_SCENARIOS)]
    plan = import_export.make_plan(change.connection, document.entries | {"extension": extensions}, scenarios)
    if plan.mistakes:
        raise CannotPrepare(f"the demo is broken: {plan.mistakes[0]}")
    import_export.carry_out(change, plan)
    first_steps.hide(change.connection)
    demo = Demo(random_text(), random_text(), passwords)
    clients.add(change.connection, "Demo", demo.client_id, demo.client_secret)
    return demo


def secrets_of(password: str) -> dict[str, Any]:
    return {"reg_password": password, "user_password": random_text(20) + "aA1"}


def announce(settings: Settings, credentials: Credentials, *, has_http: bool, has_calls: bool) -> None:
    """Print the addresses of the server. The last line is a request that can be pasted into a shell."""
    demo = credentials.demo
    api = f"{settings.base}/openapi/v1.0"
    lines = [f"OpenIVR answers on {settings.base if has_http else sip_address(settings)}"]
    if has_http:
        lines.append(f"  admin    {settings.base}/")
        if credentials.password is not None:
            lines.append(f"  sign in  name {admin.FIRST_NAME}  password {credentials.password}  (shown once)")
        lines += [
            f"  API      {api}",
            f"  health   {settings.base}/readyz   metrics {settings.base}/metrics",
        ]
    if has_calls:
        lines.append(f"  SIP      {sip_address(settings)}")
    lines.append(f"  data     {describe_data(settings)}")
    if demo is not None:
        if has_http:
            lines.append(f"  client   id {demo.client_id}  secret {demo.client_secret}")
        lines.append(f"  phones   passwords of the demo's extensions: {settings.data / DEMO_FILE}")
    if has_http:
        lines += ["Try it:", "  " + curl_line(settings, api)]
    click.echo("\n".join(lines))


def sip_address(settings: Settings) -> str:
    """Return the SIP addresses as text: "127.0.0.1:5060 and [::1]:5060, UDP and TCP"."""
    calls = settings.calls
    plain, secure = (" and ".join(map(str, addresses)) for addresses in (calls.sip, calls.sip_tls))
    return f"{plain}, UDP and TCP" + (f"; {secure}, TLS" if secure else "")


def curl_line(settings: Settings, api: str) -> str:
    """Return the request of the API page "Query IVR List" as a shell command."""
    command = shlex.join([*program_command(), "token", "--data", str(settings.data)])
    if settings.database:
        has_password = make_url(settings.database).password is not None
        command += " --database " + (
            '"$OPENIVR_DATABASE"' if has_password else shlex.quote(settings.database)
        )
    token = f"$({command})"
    insecure = "--insecure " if settings.tls_cert else ""
    query = f"access_token={token}&page=1&page_size=20&sort_by=id&order_by=asc"
    return f'curl {insecure}-A OpenAPI "{api}/ivr/list?{query}"'


def describe_data(settings: Settings) -> str:
    """Return the data folder, or the URL of the database without its password."""
    url = make_url(settings.url)
    return (
        str(settings.data) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    )


def program_command() -> list[str]:
    """Return the command that starts this program."""
    program = Path(sys.argv[0]).absolute()
    return [str(program)] if os.access(program, os.X_OK) else [sys.executable, "-m", "openivr"]
