"""What happens once, before a server answers: schema, demo, and what it tells the person who started it."""

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
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from openivr.config import yaml_document
from openivr.config.settings import Settings
from openivr.resources.secret import random_text
from openivr.simulate.scenario import read_scenarios, write_scenario
from openivr.store.auth import admin, clients
from openivr.store.config import import_export
from openivr.store.config.import_export import DocumentEntry
from openivr.store.database import ConfigTransaction, Database
from openivr.store.schema import NewerSchema, migrate
from openivr.store.system import count

DEMO_FILE = "demo-secrets.json"
DEMO_FOLDER = files("openivr").joinpath("demo")
DEMO_SCENARIOS = Path(str(DEMO_FOLDER.joinpath("scenarios.yaml")))


class CannotPrepare(Exception):
    """A sentence for the person who started the server."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's secrets: of its API client and of its extensions' registrations."""

    client_id: str
    client_secret: str
    extensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class News:
    """What the person who started the server has to be told: the demo's secrets, the admin's first password.

    The password is None from the second start on: it is told once.
    """

    demo: Demo | None = None
    password: str | None = None


def prepare(settings: Settings, *, is_demo: bool) -> News:
    """Bring the database up to date and, on its first start, make the administrator and fill in the demo."""
    for counters in settings.data.glob("metrics-*"):
        counters.unlink()  # of workers of the last run, of which there may have been more
    database = Database(settings.url)
    try:
        migrate(database)
        demo = prepare_demo(database, settings.data) if is_demo else None
        with database.changing("auth") as change:
            password = admin.add_first(change.connection, int(time.time()))
        return News(demo, password)
    except NewerSchema as error:
        raise CannotPrepare(str(error)) from error
    except OperationalError as error:
        raise CannotPrepare(f"cannot open the database: {error.orig}") from error
    finally:
        database.close()


def prepare_demo(database: Database, folder: Path) -> Demo | None:
    """The demo's secrets, which stay what they were; None where the data is not the demo's."""
    path = folder / DEMO_FILE
    if path.exists():
        return Demo(**json.loads(path.read_text()))
    with database.changing() as change:
        if count(change.connection, "ivr") or count(change.connection, "extension"):
            return None
        demo = fill(change)
        yaml_document.write_private(path, json.dumps(asdict(demo), indent=2))
    return demo


def fill(change: ConfigTransaction) -> Demo:
    """Read the demo in, with passwords that no other installation has."""
    text = DEMO_FOLDER.joinpath("configuration.yaml").read_text()
    document = yaml_document.load(text)
    passwords = {str(e.fields["number"]): random_text(20) for e in document.entries["extension"]}
    extensions = [
        replace(entry, fields={**entry.fields} | secrets_of(passwords[str(entry.fields["number"])]))
        for entry in document.entries["extension"]
    ]
    scenarios = [DocumentEntry(write_scenario(one)) for one in read_scenarios(DEMO_SCENARIOS)]
    plan = import_export.make_plan(change.connection, document.entries | {"extension": extensions}, scenarios)
    if plan.mistakes:
        raise CannotPrepare(f"the demo is broken: {plan.mistakes[0]}")
    import_export.carry_out(change, plan)
    demo = Demo(random_text(), random_text(), passwords)
    clients.add(change.connection, "Demo", demo.client_id, demo.client_secret)
    return demo


def secrets_of(password: str) -> dict[str, Any]:
    return {"reg_password": password, "user_password": random_text(20) + "aA1"}


def announce(settings: Settings, news: News, *, has_http: bool, has_calls: bool) -> None:
    """Say where the server is and how to ask it something; the last line works when pasted."""
    demo = news.demo
    api = f"{settings.base}/openapi/v1.0"
    lines = [f"OpenIVR answers on {settings.base if has_http else sip_address(settings)}"]
    if has_http:
        lines.append(f"  admin    {settings.base}/")
        if news.password is not None:
            lines.append(f"  sign in  name {admin.FIRST_NAME}  password {news.password}  (told this once)")
        lines += [
            f"  API      {api}",
            f"  health   {settings.base}/readyz   metrics {settings.base}/metrics",
        ]
    if has_calls:
        lines.append(f"  SIP      {sip_address(settings)}")
    lines.append(f"  data     {where(settings)}")
    if demo is not None:
        if has_http:
            lines.append(f"  client   id {demo.client_id}  secret {demo.client_secret}")
        lines.append(f"  phones   passwords of the demo's extensions: {settings.data / DEMO_FILE}")
    if has_http:
        lines += ["Try it:", "  " + curl_line(settings, api)]
    click.echo("\n".join(lines))


def sip_address(settings: Settings) -> str:
    """Where phones find the server: "127.0.0.1:5060 and [::1]:5060, UDP and TCP"."""
    told = settings.calls
    plain, secure = (" and ".join(map(str, one)) for one in (told.sip, told.sip_tls))
    return f"{plain}, UDP and TCP" + (f"; {secure}, TLS" if secure else "")


def curl_line(settings: Settings, api: str) -> str:
    """The request of the page "Query IVR List" as a command."""
    command = shlex.join([*own_command(), "token", "--data", str(settings.data)])
    if settings.database:
        has_password = make_url(settings.database).password is not None
        command += " --database " + (
            '"$OPENIVR_DATABASE"' if has_password else shlex.quote(settings.database)
        )
    token = f"$({command})"
    insecure = "--insecure " if settings.tls_cert else ""
    query = f"access_token={token}&page=1&page_size=20&sort_by=id&order_by=asc"
    return f'curl {insecure}-A OpenAPI "{api}/ivr/list?{query}"'


def where(settings: Settings) -> str:
    """The place of the data, without its password."""
    url = make_url(settings.url)
    return (
        str(settings.data) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    )


def own_command() -> list[str]:
    """How this program was called."""
    program = Path(sys.argv[0]).absolute()
    return [str(program)] if os.access(program, os.X_OK) else [sys.executable, "-m", "openivr"]
