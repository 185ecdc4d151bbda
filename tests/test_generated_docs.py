"""The generated parts of the documentation are current: `make docs` would change nothing."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_documentation_shows_what_the_code_does() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "run `make docs`"


def test_every_code_is_explained() -> None:
    from openivr.ivr.analysis.rules import RULES
    from openivr.ivr.analysis.words import title_of

    page = (ROOT / "docs/check.md").read_text()
    assert all(f"| {code} | {rule.severity} | {title_of(rule)} |" in page for code, rule in RULES.items())
