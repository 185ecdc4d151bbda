"""How much a run tries: `make fuzz` and `make crash` try more of the same than `make test`.

An effort of 1 is what one test can try without being slow. `make test` tries less of each, since every test
is run often: more examples find what is rare, and `.ci/run` asks for these.
"""

import os

EFFORT = float(os.environ.get("OPENIVR_EFFORT", "0.4"))


def scale(count: int) -> int:
    """Return how many examples a run tries of a test that tries so many with an effort of 1."""
    return max(1, round(count * EFFORT))
