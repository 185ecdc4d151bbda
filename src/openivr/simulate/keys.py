"""The little language of `--keys`: `1 w3 1001#` is 1, three seconds of nothing, then 1001#.

Words are separated by spaces or commas. `w3` and `3s` wait so many seconds; `h` hangs up; all else is keys.
"""

import re

from openivr.simulate.simulation import KEY_GAP, Simulation

WAIT = re.compile(r"w(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)s", re.IGNORECASE)
LONGEST_WAIT = 86_400  # seconds; no call is as long
KEYS = re.compile(r"[0-9*#A-D]+")


def read_keys(text: str) -> list[str | float | None]:
    """Read a script into keys (text), waits (seconds) and hang-ups (None). Raises ValueError."""
    return [_read_word(word) for word in text.replace(",", " ").split()]


def _read_word(word: str) -> str | float | None:
    if wait := WAIT.fullmatch(word):
        seconds = float(wait[1] or wait[2])
        if seconds > LONGEST_WAIT:
            raise ValueError(f"{word!r} is longer than a day")
        return seconds
    if word in ("h", "H"):
        return None
    if KEYS.fullmatch(word.upper()):
        return word.upper()
    raise ValueError(f"{word!r} is neither keys (0-9 * # A-D) nor a wait (w3, 3s) nor a hang-up (h)")


def act_out(simulation: Simulation, script: list[str | float | None]) -> None:
    """Let the caller do what the script says; words of keys that follow each other are a key's gap apart."""
    for before, step in zip([None, *script], script, strict=False):
        if step is None:
            simulation.hang_up()
        elif isinstance(step, float):
            simulation.wait(step)
        else:
            simulation.wait(KEY_GAP / 1000 if isinstance(before, str) else 0)
            simulation.press(step)
