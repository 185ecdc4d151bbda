"""How much a run tries: `make fuzz` and `make crash` try more of the same than `make test`."""

import os

EFFORT = float(os.environ.get("OPENIVR_EFFORT", "1"))


def scale(count: int) -> int:
    """Return how many examples a run tries of a test that tries so many in `make test`."""
    return max(1, round(count * EFFORT))
