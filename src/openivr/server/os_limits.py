"""What the process that carries calls needs of the system and of Python, beyond what they usually give."""

import gc
import resource

import structlog

log = structlog.get_logger(__name__)
CALL_FILES = 4  # two legs, each with a socket for RTP and one for RTCP
OTHER_FILES = 256  # database, journal, SIP and its connections
# Objects made before the young are looked through, rounds before the older, and rounds of those before all.
# The young are a millisecond's work; all of them, with thousands of calls, more than a packet may be late.
THRESHOLDS = 2_000, 2, 1_000_000


def raise_fd_limit(max_calls: int) -> int:
    """Raise the limit of open files as far as the system lets us; how many calls there is room for."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY:
        return max_calls
    room = max(most - OTHER_FILES, 0) // CALL_FILES
    if room < max_calls:
        needed = max_calls * CALL_FILES + OTHER_FILES
        log.error(
            "the limit of open files is too low for all calls (ulimit -n, LimitNOFILE)",
            limit=most,
            needed=needed,
            max_calls=max_calls,
        )
    return room


def configure_gc() -> None:
    """Keep Python's collector from stopping the sound of all calls.

    Calls leave no circles behind, so that all of them are freed without it. What is loaded now is never
    looked at again; what is young, often and in little; and all, only by `gc.collect()`, in silence.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
