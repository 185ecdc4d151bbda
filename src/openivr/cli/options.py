"""Options of several commands, each also read from the environment as OPENIVR_NAME."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openivr.resources.errors import ObjectError

if TYPE_CHECKING:
    from openivr.config.settings import Settings
    from openivr.store.database import Database

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


def option(name: str, **attributes: Any) -> Callable[[F], F]:
    """Return a click option whose environment variable follows from its name."""
    variable = "OPENIVR_" + name.lstrip("-").partition("/")[0].upper().replace("-", "_")
    attributes.setdefault("show_default", attributes.get("default") != "")
    return click.option(name, envvar=variable, **attributes)


data_option = option(
    "--data", type=FOLDER, default=Path("data"), help="Data folder: database, journal, recordings."
)
database_option = option(
    "--database",
    default="",
    metavar="URL",
    help="postgresql+psycopg://user@host/name; else SQLite in --data.",
)


def store_options(command: F) -> F:
    """Add --data and --database, for commands that work on the configuration."""
    return data_option(database_option(command))


class IfMissing(Enum):
    """Behaviour of a command where there is no database of OpenIVR."""

    REFUSE = auto()
    CREATE = auto()
    TRY = auto()
    """Work on an empty database that is deleted afterwards."""


@contextmanager
def opened(data: Path, database: str, if_missing: IfMissing = IfMissing.REFUSE) -> Iterator["Database"]:
    """Open the database of these options and migrate its schema. Errors of the store become click errors.

    A database that is created for a command that then fails is removed again.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from openivr.config.settings import Settings
    from openivr.store.availability import Unavailable, describe, is_unavailable
    from openivr.store.schema import UnknownSchema

    settings = Settings(data=data, database=database)
    try:
        with existing_or_new(settings, if_missing) as store:
            yield store
    except (ObjectError, UnknownSchema, Unavailable) as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        raise click.ClickException(f"the database cannot be used: {describe(error)}") from error


@contextmanager
def existing_or_new(settings: "Settings", if_missing: IfMissing) -> Iterator["Database"]:
    from openivr.store.database import Database
    from openivr.store.schema import has_data, migrate

    with closing(Database(settings.url)) as store:
        if has_data(store):
            migrate(store)
            yield store
            return
        place = store.url.render_as_string(hide_password=True) if settings.database else settings.data
        if if_missing is IfMissing.REFUSE:
            option = "--database URL" if settings.database else f"--data {shlex.quote(str(settings.data))}"
            raise click.ClickException(f"there is no data in {place}; start `openivr serve {option}` first")
        if if_missing is IfMissing.CREATE:
            click.echo(f"creating a new database in {place}", err=True)
            with removed_on_failure(store):
                migrate(store)
                yield store
            return
    with (
        TemporaryDirectory(prefix="openivr-") as folder,
        closing(Database(f"sqlite:///{folder}/openivr.db")) as store,
    ):
        migrate(store)
        yield store


@contextmanager
def removed_on_failure(store: "Database") -> Iterator[None]:
    """Make the folder of a new SQLite file; remove what was made if the body fails."""
    if not store.is_sqlite:
        yield
        return
    folder = store.path.parent
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield
    except BaseException:
        store.close()
        for suffix in ("", "-wal", "-shm"):
            store.path.with_name(store.path.name + suffix).unlink(missing_ok=True)
        if is_new:
            folder.rmdir()
        raise
