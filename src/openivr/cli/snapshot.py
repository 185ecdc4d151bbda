"""The configuration of a data folder, for the commands that look at menus."""

from pathlib import Path

from openivr.cli.options import opened
from openivr.menu.model import Snapshot


def load(data: Path, database: str) -> Snapshot:
    """Read the configuration as the menu core sees it. Raises click.ClickException."""
    from openivr.store.menus import load_snapshot

    with opened(data, database) as store, store.reading() as connection:
        return load_snapshot(connection)
