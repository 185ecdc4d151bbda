"""An engine that holds a session to its promises, with a slow second opinion on who may be rung."""

import re

from openivr.ivr.commands import (
    Answer,
    CallTimer,
    CheckPin,
    Command,
    Dial,
    Hangup,
    Note,
    OpenMailbox,
    Play,
    Record,
    SetTimer,
    StopDial,
    StopPlay,
    StopRecord,
    Topic,
)
from openivr.ivr.events import CallArrived, DialAnswered, Event, HungUp
from openivr.ivr.model import Destination, DestinationKind, DialPolicy, IvrSnapshot
from openivr.ivr.session import UNCONFIRMED, IvrSession
from openivr.ivr.state import PASSING, IvrState
from openivr.ivr.transitions import MOVES


def configured_destinations(snapshot: IvrSnapshot, start: Destination) -> list[Destination]:
    found = [start]
    for menu in snapshot.ivrs.values():
        found += [*menu.keys.values(), menu.timeout, menu.invalid]  # type: ignore[list-item]
    found += [group.fail for group in snapshot.ring_groups.values()]  # type: ignore[misc]
    for rules in (row.outside for row in snapshot.extensions.values() if row.enabled):
        found += [rules.always, rules.busy, rules.no_answer]  # type: ignore[list-item]
    return [destination for destination in found if destination]


REGEX = {
    "X!": "[0-9].*",
    "0.": "0.+",
    "00X": "00[0-9]",
    "9XXX": "9[0-9]{3}",
    "[0-2]Z": "[0-2][1-9]",
    "+.": r"\+.+",
}


def may_be_rung(snapshot: IvrSnapshot, dial: Dial, start: Destination, asked: str) -> bool:
    """Decide again, slowly, from the configuration alone. `asked` is the outside number before the route."""
    everywhere = configured_destinations(snapshot, start)
    policy = snapshot.ivrs[dial.ivr].policy if dial.ivr else DialPolicy()
    if dial.kind is DestinationKind.RING_GROUP:
        listed = policy.call_numbers and dial.target in policy.ring_group_ids
        return listed or any(
            to.kind is DestinationKind.RING_GROUP and to.target == dial.target for to in everywhere
        )
    if dial.kind is DestinationKind.EXTENSION:
        named = any(
            to.kind is DestinationKind.DIAL_BY_NAME
            or (to.kind is DestinationKind.EXTENSION and to.target == dial.target)
            for to in everywhere
        )
        members = frozenset[int]().union(
            *(snapshot.extension_groups[g].member_ids for g in policy.extension_group_ids if g == 1)
        )
        listed = dial.target in policy.extension_ids | members
        rule = {"disable": False, "all": True, "allow": listed, "restrict": not listed}
        return snapshot.extensions[dial.target].enabled and (named or rule[policy.extensions])
    in_keys = {to.prefix + to.number for to in everywhere if to.kind is DestinationKind.EXTERNAL}
    typed = policy.outbound and dial.target in policy.outbound_route_ids and asked not in snapshot.numbers
    return any(may_go_outside(snapshot, dial, number) for number in in_keys | ({asked} if typed else set()))


def may_go_outside(snapshot: IvrSnapshot, dial: Dial, number: str) -> bool:
    route = snapshot.outbound_routes[dial.target]
    digits = number.removeprefix("+")
    (pattern,) = route.patterns
    fits = re.fullmatch(REGEX[pattern.pattern], number) and number[pattern.strip :] == dial.number
    usable = route.enabled and snapshot.trunks[dial.trunk].enabled and dial.trunk in route.trunk_ids
    return bool(usable and fits and digits.isdigit() and len(digits) <= 15)


def closure(states: frozenset[IvrState]) -> frozenset[IvrState]:
    """Follow passing states to where a call can rest."""
    rest, todo, seen = set(), set(states), set()
    while todo:
        state = todo.pop()
        if state in PASSING and state not in seen:
            todo |= next(move.to for move in MOVES if move.source is state)
        elif state not in PASSING:
            rest.add(state)
        seen.add(state)
    return frozenset(rest)


LEADS_TO = {(move.source, move.event): closure(move.to) for move in MOVES}


class Engine:
    """Carries out commands as an engine would, and holds the session to what it promises."""

    def __init__(self, snapshot: IvrSnapshot, start: Destination) -> None:
        self.snapshot, self.start = snapshot, start
        self.session = IvrSession(snapshot)
        self.live: dict[str, int] = {}  # what runs -> its token
        self.interruptible = False
        self.answered = False
        self.asked = ""  # the outside number that was asked for last
        self.told: list[Event] = []
        self.done: list[tuple[Command, ...]] = []

    def tell(self, event: Event) -> None:
        before = self.session.state
        stale = getattr(event, "token", None) not in {None, *self.live.values()}
        commands = self.session.handle(event)
        self.told.append(event)
        self.done.append(commands)
        if stale or before is IvrState.ENDED:
            assert commands == ()
            assert self.session.state is before
        if not isinstance(event, CallArrived):  # early keys may follow it at once
            self.check_table(before, event)
        if not isinstance(event, DialAnswered):
            self.live = {
                name: token for name, token in self.live.items() if token != getattr(event, "token", None)
            }
        for command in commands:
            assert "ended" not in self.live, "nothing follows a hang-up"
            self.carry_out(command)
        if self.session.ended:
            self.live.clear()

    def check_live(self) -> None:
        waits = set(self.live) - {CallTimer.CALL, CallTimer.ENTRY}
        assert waits or self.session.ended, f"{self.session.state} waits for nothing"

    def check_table(self, before: IvrState, event: Event) -> None:
        after = self.session.state
        assert after not in PASSING
        leads_to = LEADS_TO.get((before, type(event)), frozenset())
        if isinstance(event, HungUp) and before in UNCONFIRMED:
            leads_to |= {IvrState.KEEPING}
        assert after is before or after is IvrState.ENDED or after in leads_to

    def carry_out(self, command: Command) -> None:  # noqa: PLR0912 - one case a command
        match command:
            case Answer():
                assert not self.answered
                self.answered = True
            case Play():
                assert self.answered
                assert command.prompts
                self.live.pop(CallTimer.WAIT, None)
                self.live["play"] = command.token
                self.interruptible = command.interruptible
            case StopPlay():
                assert self.live.pop("play") == command.token
                assert self.interruptible
            case SetTimer():
                assert command.seconds > 0
                self.live[command.timer] = command.token
            case Dial():
                assert not {"dial", "talk", "play", "record"} & set(self.live)
                assert may_be_rung(self.snapshot, command, self.start, self.asked)
                self.live["dial"] = command.token
            case StopDial():
                assert self.live.pop("dial") == command.token
            case Record():
                assert self.answered
                self.live["record"] = command.token
            case StopRecord():
                assert self.live["record"] == command.token  # its result is still to come
            case OpenMailbox():
                self.live["mailbox"] = command.token
            case CheckPin():
                self.live["pin"] = command.token
            case Hangup():
                self.live["ended"] = -1
            case Note():
                if command.topic is Topic.CHOSE:
                    self.asked = command.number if command.kind is DestinationKind.EXTERNAL else ""
