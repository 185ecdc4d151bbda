"""The demo's configuration, in a data folder and as a snapshot."""

from pathlib import Path

import pytest

from openivr.cli.snapshot import load
from openivr.config.settings import Settings
from openivr.ivr.model import IvrSnapshot
from openivr.server.bootstrap import prepare


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo in it."""
    folder = tmp_path_factory.mktemp("data")
    prepare(Settings(data=folder), is_demo=True)
    return folder


@pytest.fixture(scope="session")
def demo_menus(demo_data: Path) -> IvrSnapshot:
    """The demo as the menu core sees it."""
    return load(demo_data, "")
