"""Options of several commands, each also read from the environment as OPENIVR_NAME."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from openivr.resources.errors import ObjectError

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


@contextmanager
def opened(data: Path, database: str) -> Iterator[Any]:
    """Open the database of these options and migrate its schema. Errors of the store become click errors."""
    from sqlalchemy.exc import SQLAlchemyError

    from openivr.config.settings import Settings
    from openivr.store.availability import Unavailable, describe, is_unavailable
    from openivr.store.database import Database
    from openivr.store.schema import UnknownSchema, migrate

    settings = Settings(data=data, database=database)
    if not database and not data.is_dir():
        raise click.ClickException(f"there is no data in {data}; start `openivr serve --data {data}` first")
    store = Database(settings.url)
    try:
        migrate(store)
        yield store
    except (ObjectError, UnknownSchema, Unavailable) as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        raise click.ClickException(f"the database cannot be used: {describe(error)}") from error
    finally:
        store.close()
