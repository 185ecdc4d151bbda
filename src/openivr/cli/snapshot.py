"""Loads the configuration of a data folder, for commands that read menus."""

from pathlib import Path

from openivr.cli.options import opened
from openivr.ivr.model import IvrSnapshot
from openivr.simulate.scenario import Scenario, read_scenario


def load(data: Path, database: str) -> IvrSnapshot:
    """Load the configuration for the menu core. Raises click.ClickException."""
    from openivr.store.config.ivr_snapshot import load_snapshot

    with opened(data, database) as store, store.reading() as connection:
        return load_snapshot(connection)


def load_scenarios(data: Path, database: str) -> list[Scenario]:
    """Load the scenarios that are stored with the menus. Raises click.ClickException, ScenarioError."""
    from openivr.store.config.scenarios import find_all

    with opened(data, database) as store, store.reading() as connection:
        found = find_all(connection)
    return [read_scenario(stored.document, f"scenario {stored.id}") for stored in found]
