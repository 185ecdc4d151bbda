"""Limits of the system and of Python that the calls process changes."""

import gc
import resource

import structlog

log = structlog.get_logger(__name__)
CALL_FILES = 4  # two legs, each with a socket for RTP and one for RTCP
OTHER_FILES = 256  # database, journal, SIP and its connections
# Thresholds of the three generations. A young collection takes a millisecond. A full one, with thousands of
# calls, takes longer than an RTP packet may be late.
THRESHOLDS = 2_000, 2, 1_000_000


def raise_fd_limit(max_calls: int) -> int:
    """Raise the limit of open files as far as allowed. Return the number of calls that fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return max_calls
    room = max(hard - OTHER_FILES, 0) // CALL_FILES
    if room < max_calls:
        needed = max_calls * CALL_FILES + OTHER_FILES
        log.error(
            "limit of open files is too low for max_calls (ulimit -n, LimitNOFILE)",
            limit=hard,
            needed=needed,
            max_calls=max_calls,
        )
    return room


def configure_gc() -> None:
    """Keep garbage collection from interrupting media.

    Finished calls leave no reference cycles, so they are freed without it. Objects that exist now are never
    collected, young ones often and in small steps, and all others only by `gc.collect()` while no call is up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
