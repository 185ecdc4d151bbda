"""Times of further attempts at a delivery: after each failure a longer wait, for a day."""

WAITS_MS = (10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000)  # after the 1st, 2nd ... failure
MAX_WAIT_MS = 1_800_000  # after every further one
MAX_AGE_MS = 86_400_000  # of a delivery; then it is given up
SPREAD = 0.1  # part of a wait by which it is shorter or longer, so that many deliveries do not come at once


def next_attempt(created: int, failures: int, now: int, spread: float) -> int | None:
    """Return when to try again after so many failures, None to give up.

    Times are Unix milliseconds. `spread` is random, from 0 to 1. The last attempt is at the end of the day.
    """
    if now - created >= MAX_AGE_MS:
        return None
    wait = WAITS_MS[failures - 1] if 0 < failures <= len(WAITS_MS) else MAX_WAIT_MS
    wait = round(wait * (1 - SPREAD + 2 * SPREAD * spread))
    return min(now + wait, max(created + MAX_AGE_MS, now + 1))
