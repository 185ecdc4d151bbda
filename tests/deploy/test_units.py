"""The systemd unit is valid, and the example of a configuration file is taken."""

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from openivr.cli import main
from tests.deploy.tools import DEPLOY, require, run

PROGRAM = Path(sys.executable).parent / "openivr"


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = require("systemd-analyze", "systemd")
    text = (DEPLOY / "openivr.service").read_text()
    assert text.count("/opt/openivr/bin/openivr ") == 2
    unit = tmp_path / "openivr.service"
    unit.write_text(text.replace("/opt/openivr/bin/openivr ", f"{PROGRAM} "))
    assert run(analyze, "verify", unit) == ""


def test_the_commands_of_the_unit_exist() -> None:
    """Each without its effect: --help ends a command once its options have been read."""
    commands = re.findall(
        r"^Exec\w+=/opt/openivr/bin/openivr (.*)$", (DEPLOY / "openivr.service").read_text(), re.MULTILINE
    )
    assert len(commands) == 2
    for command in commands:
        words = [word for word in command.split() if word not in {"--config", "/etc/openivr.toml"}]
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0, result.output


def test_every_option_of_the_configuration_file_is_known(tmp_path: Path) -> None:
    text = (DEPLOY / "openivr.toml").read_text()
    file = tmp_path / "openivr.toml"
    file.write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert file.read_text().count(" = ") == 6
    result = CliRunner().invoke(main, ["--config", str(file), "serve", "--help"])
    assert result.exit_code == 0, result.output
