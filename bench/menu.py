"""Measures the menu core: events per second, memory of a live call, `check` over many menus.

python -m bench.menu
"""

import gc
import sys
import tracemalloc
from time import perf_counter, process_time

from openivr.ivr.analysis.check import check
from openivr.ivr.events import CallArrived, Cause, DialFailed, Digit, Event, HungUp, PromptEnded, TimerFired
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionRule,
    InboundRoute,
    Ivr,
    IvrSnapshot,
    OutboundRoute,
    Trunk,
    by_id,
)
from openivr.ivr.session import IvrSession

CALLS = 20_000
SESSIONS = 20_000
MENUS = 10_000
MAX_CHECK_SECONDS = 2.0
START = CallArrived("2000", Destination(DestinationKind.IVR, 1))

# A caller hears the menu, goes to another, dials 1001 digit by digit, finds it busy, and tries 1000.
CALL: tuple[Event, ...] = (
    START,
    PromptEnded(2),
    TimerFired(3),
    Digit("2"),
    Digit("1"),
    Digit("0"),
    Digit("0"),
    Digit("1"),
    DialFailed(9, Cause.BUSY),
    Digit("1"),
    Digit("0"),
    Digit("0"),
    Digit("0"),
    HungUp(),
)


def build(menus: int, extensions: int = 1000) -> IvrSnapshot:
    """Build menus that lead to each other in a ring and across it, with a thousand extensions to dial."""
    policy = DialPolicy(ExtensionRule.ALL, outbound=True, outbound_route_ids=(1,))

    def menu(ident: int) -> Ivr:
        keys = {str(key): Destination(DestinationKind.IVR, (ident * key) % menus + 1) for key in range(2, 9)}
        keys |= {
            "*": Destination(DestinationKind.EXTENSION, ident % extensions + 1),
            "#": Destination(DestinationKind.DIAL_BY_NAME),
        }
        onward = Destination(DestinationKind.IVR, ident % menus + 1)
        return Ivr(
            ident,
            str(100_000 + ident),
            f"Menu {ident}",
            ("default",),
            policy=policy,
            keys=keys,
            timeout=onward,
        )

    people = (Extension(i + 1, str(1000 + i), f"First{i}", f"Last{i}") for i in range(extensions))
    return IvrSnapshot(
        ivrs=by_id(menu(ident + 1) for ident in range(menus)),
        extensions=by_id(people),
        trunks=by_id([Trunk(1, "Provider")]),
        outbound_routes=by_id([OutboundRoute(1, "National", (DialPattern("0ZXXXXXXXX"),), (1,))]),
        inbound_routes=by_id([InboundRoute(1, "Main", Destination(DestinationKind.IVR, 1))]),
    )


def measure_events(snapshot: IvrSnapshot) -> float:
    """Run whole calls and return events per second."""
    gc.freeze()
    begun = perf_counter()
    for _ in range(CALLS):
        handle = IvrSession(snapshot).handle
        for event in CALL:
            handle(event)
    return CALLS * len(CALL) / (perf_counter() - begun)


def measure_memory(snapshot: IvrSnapshot) -> float:
    """Keep many calls in a menu and return bytes per call."""
    IvrSession(snapshot).handle(START)
    tracemalloc.start()
    sessions = [IvrSession(snapshot) for _ in range(SESSIONS)]
    for session in sessions:
        session.handle(START)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(sessions)


def measure_check(menus: int) -> float:
    """Check menus that were never checked before, and return the seconds of CPU time."""
    snapshot = build(menus)
    begun = process_time()
    check(snapshot)
    return process_time() - begun


def main() -> None:
    """Print the table."""
    small = build(10)
    rate = max(measure_events(small) for _ in range(3))
    print(f"{'menu core, one core, Python ' + sys.version.split()[0]:44}")
    print(f"{'events per second through Session':44} {rate:12,.0f}")
    print(f"{'bytes per live session':44} {measure_memory(small):12,.0f}")
    seconds = min(measure_check(MENUS) for _ in range(3))
    print(f"{f'check over {MENUS:,} linked menus (CPU)':44} {seconds:12.2f} s, limit {MAX_CHECK_SECONDS:g} s")
    if seconds > MAX_CHECK_SECONDS:
        sys.exit(1)


if __name__ == "__main__":
    main()
