"""Options that several commands have, each also read from the environment as OPENIVR_NAME."""

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
    """A click option whose environment variable follows from its name."""
    variable = "OPENIVR_" + name.lstrip("-").partition("/")[0].upper().replace("-", "_")
    return click.option(name, envvar=variable, show_default=True, **attributes)


data_option = option(
    "--data", type=FOLDER, default=Path("data"), help="Folder with the database and whatever else is kept."
)
database_option = option(
    "--database", default="", metavar="URL", help="PostgreSQL instead of SQLite: postgresql+psycopg://..."
)


def store_options(command: F) -> F:
    """--data and --database, for every command that works on the configuration."""
    return data_option(database_option(command))


@contextmanager
def opened(data: Path, database: str) -> Iterator[Any]:
    """The database of these options, its schema up to date; what the store refuses becomes a clear error."""
    from openivr.config.settings import Settings
    from openivr.store.database import Database
    from openivr.store.schema import NewerSchema, migrate

    settings = Settings(data=data, database=database)
    if not database and not data.is_dir():
        raise click.ClickException(f"there is no data in {data}; start `openivr serve --data {data}` first")
    store = Database(settings.url)
    try:
        migrate(store)
        yield store
    except (ObjectError, NewerSchema) as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()
