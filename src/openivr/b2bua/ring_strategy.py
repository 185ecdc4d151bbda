"""Whom a ring group rings, and when: a pure function of its strategy."""

from dataclasses import dataclass

from openivr.ivr.model import RingStrategy

SHORTEST = 5.0  # seconds that a member rings before the next


@dataclass(frozen=True, slots=True)
class RingRound:
    """Members that ring at the same time, and for how long before the next round; None: to the end."""

    members: tuple[int, ...]
    seconds: float | None = None


def plan_rings(strategy: RingStrategy, members: tuple[int, ...], seconds: float) -> tuple[RingRound, ...]:
    """Divide the group's time into rounds. A round in which nobody can ring is over at once.

    `sequentially`: one after the other. `memory_hunt`: the first, then the first two, then the first three.
    Each round has an equal share of the time, but 5 s at least, so a short time does not reach everybody.
    """
    if strategy is RingStrategy.ALL or len(members) < 2:
        return (RingRound(members),) if members else ()
    share = max(SHORTEST, seconds / len(members))
    if strategy is RingStrategy.SEQUENTIAL:
        rounds: list[tuple[int, ...]] = [(member,) for member in members]
    else:
        rounds = [members[: count + 1] for count in range(len(members))]
    *before, last = rounds
    return (*(RingRound(ringing, share) for ringing in before), RingRound(last))
