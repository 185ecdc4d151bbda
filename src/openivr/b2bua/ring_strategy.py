"""Ring strategies: the members that a ring group rings in each round. Pure."""

from dataclasses import dataclass

from openivr.ivr.model import RingStrategy

MIN_ROUND_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RingRound:
    """Members that ring together, for `seconds` before the next round; None: until the group's time is up."""

    members: tuple[int, ...]
    seconds: float | None = None


def plan_rounds(strategy: RingStrategy, members: tuple[int, ...], seconds: float) -> tuple[RingRound, ...]:
    """Divide the group's time into rounds. A round without a reachable phone is skipped at once.

    Sequential: one member after the other. Memory hunt: the first, then the first two, then the first three.
    Every round has an equal share of the time, 5 s at least; a short time may not reach the last members.
    """
    if strategy is RingStrategy.ALL or len(members) < 2:
        return (RingRound(members),) if members else ()
    share = max(MIN_ROUND_SECONDS, seconds / len(members))
    if strategy is RingStrategy.SEQUENTIAL:
        rounds: list[tuple[int, ...]] = [(member,) for member in members]
    else:
        rounds = [members[: count + 1] for count in range(len(members))]
    *before, last = rounds
    return (*(RingRound(ringing, share) for ringing in before), RingRound(last))
