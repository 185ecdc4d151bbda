"""The language of `--keys`: `1 w3 1001#` presses 1, waits three seconds and presses 1001#.

Words are separated by spaces or commas. `w3` and `3s` wait three seconds, `h` hangs up, the rest is keys.
"""

import re

from openivr.simulate.simulation import KEY_GAP, Simulation

WAIT = re.compile(r"w(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)s", re.IGNORECASE)
MAX_WAIT = 86_400  # seconds; longer than any call
KEYS = re.compile(r"[0-9*#A-D]+")


def read_keys(text: str) -> list[str | float | None]:
    """Read a script into keys (text), waits (seconds) and hang-ups (None). Raises ValueError."""
    return [_read_word(word) for word in text.replace(",", " ").split()]


def _read_word(word: str) -> str | float | None:
    if wait := WAIT.fullmatch(word):
        seconds = float(wait[1] or wait[2])
        if seconds > MAX_WAIT:
            raise ValueError(f"{word!r} is longer than a day")
        return seconds
    if word in ("h", "H"):
        return None
    if KEYS.fullmatch(word.upper()):
        return word.upper()
    raise ValueError(f"{word!r} is neither keys (0-9 * # A-D) nor a wait (w3, 3s) nor a hang-up (h)")


def act_out(simulation: Simulation, script: list[str | float | None]) -> None:
    """Perform a script as the caller. Between two words of keys there is the gap between two keys."""
    for before, step in zip([None, *script], script, strict=False):
        if step is None:
            simulation.hang_up()
        elif isinstance(step, float):
            simulation.wait(step)
        else:
            simulation.wait(KEY_GAP / 1000 if isinstance(before, str) else 0)
            simulation.press(step)
