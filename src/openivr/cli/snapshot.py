"""The configuration of a data folder, for the commands that look at menus."""

from pathlib import Path

from openivr.cli.options import opened
from openivr.ivr.model import IvrSnapshot
from openivr.simulate.scenario import Scenario, read_scenario


def load(data: Path, database: str) -> IvrSnapshot:
    """Read the configuration as the menu core sees it. Raises click.ClickException."""
    from openivr.store.config.ivr_snapshot import load_snapshot

    with opened(data, database) as store, store.reading() as connection:
        return load_snapshot(connection)


def load_scenarios(data: Path, database: str) -> list[Scenario]:
    """Read the scenarios that are saved with the menus. Raises click.ClickException, ScenarioError."""
    from openivr.store.config.scenarios import find_all

    with opened(data, database) as store, store.reading() as connection:
        found = find_all(connection)
    return [read_scenario(stored.document, f"scenario {stored.id}") for stored in found]
