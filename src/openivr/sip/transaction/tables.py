"""Transaction state machines (RFC 3261, section 17, with the Accepted states of RFC 6026) as tables.

A transaction turns an event into a `Transition`: actions, and timers to start and stop. The transaction layer
owns sockets and clocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import NamedTuple


@unique
class Machine(StrEnum):
    """The four kinds of transactions."""

    CLIENT_INVITE = "INVITE client"
    CLIENT = "non-INVITE client"
    SERVER_INVITE = "INVITE server"
    SERVER = "non-INVITE server"


@unique
class State(StrEnum):
    """The states of a transaction, named as in the RFC."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


@unique
class Event(StrEnum):
    """Events of a transaction. Clients receive responses, servers are given them by the transaction user."""

    REQUEST = "request"  # again
    ACK = "ACK"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    REJECTION = "3xx-6xx"
    UNREACHABLE = "transport_error"


@unique
class Timer(StrEnum):
    """The RFC's timers (table 4 of RFC 3261; L and M of RFC 6026)."""

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741 - the RFC's name
    J = "J"
    K = "K"
    L = "L"
    M = "M"


@unique
class TransactionAction(StrEnum):
    """Actions of a transition."""

    SEND = "send"  # the response of the transaction user
    RESEND = "resend"  # client: the request; server: the last response, if any
    PASS = "pass"  # noqa: S105 - the message, to the user
    ACK = "acknowledge"  # a non-2xx final response
    TIMEOUT = "timeout"
    TRANSPORT_ERROR = "transport_error"


class Transition(NamedTuple):
    """The result of an event."""

    state: State
    acts: tuple[TransactionAction, ...] = ()
    start: tuple[Timer, ...] = ()
    stop: tuple[Timer, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """The RFC's time constants, in seconds."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def limit(self) -> float:
        """Return how long a transaction is tried: 64 times T1."""
        return 64 * self.t1


Rows = Mapping[tuple[State, Event | Timer], tuple[State, tuple[TransactionAction, ...]]]

CLIENT_INVITE: Rows = {
    (State.CALLING, Timer.A): (State.CALLING, (TransactionAction.RESEND,)),
    (State.CALLING, Timer.B): (State.TERMINATED, (TransactionAction.TIMEOUT,)),
    (State.CALLING, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.CALLING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.PASS,)),
    (State.CALLING, Event.SUCCESS): (State.ACCEPTED, (TransactionAction.PASS,)),
    (State.CALLING, Event.REJECTION): (State.COMPLETED, (TransactionAction.ACK, TransactionAction.PASS)),
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.PASS,)),
    (State.PROCEEDING, Event.SUCCESS): (State.ACCEPTED, (TransactionAction.PASS,)),
    (State.PROCEEDING, Event.REJECTION): (State.COMPLETED, (TransactionAction.ACK, TransactionAction.PASS)),
    (State.PROCEEDING, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.ACCEPTED, Event.SUCCESS): (State.ACCEPTED, (TransactionAction.PASS,)),
    (State.ACCEPTED, Timer.M): (State.TERMINATED, ()),
    (State.COMPLETED, Event.REJECTION): (State.COMPLETED, (TransactionAction.ACK,)),
    (State.COMPLETED, Event.UNREACHABLE): (State.TERMINATED, ()),
    (State.COMPLETED, Timer.D): (State.TERMINATED, ()),
}
CLIENT: Rows = {
    (State.TRYING, Timer.E): (State.TRYING, (TransactionAction.RESEND,)),
    (State.TRYING, Timer.F): (State.TERMINATED, (TransactionAction.TIMEOUT,)),
    (State.TRYING, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.PASS,)),
    (State.TRYING, Event.SUCCESS): (State.COMPLETED, (TransactionAction.PASS,)),
    (State.TRYING, Event.REJECTION): (State.COMPLETED, (TransactionAction.PASS,)),
    (State.PROCEEDING, Timer.E): (State.PROCEEDING, (TransactionAction.RESEND,)),
    (State.PROCEEDING, Timer.F): (State.TERMINATED, (TransactionAction.TIMEOUT,)),
    (State.PROCEEDING, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.PASS,)),
    (State.PROCEEDING, Event.SUCCESS): (State.COMPLETED, (TransactionAction.PASS,)),
    (State.PROCEEDING, Event.REJECTION): (State.COMPLETED, (TransactionAction.PASS,)),
    (State.COMPLETED, Timer.K): (State.TERMINATED, ()),
}
SERVER_INVITE: Rows = {
    (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (TransactionAction.RESEND,)),
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.SUCCESS): (State.ACCEPTED, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.REJECTION): (State.COMPLETED, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.ACCEPTED, Event.SUCCESS): (State.ACCEPTED, (TransactionAction.SEND,)),
    (State.ACCEPTED, Event.ACK): (State.ACCEPTED, (TransactionAction.PASS,)),
    (State.ACCEPTED, Timer.L): (State.TERMINATED, ()),
    (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (TransactionAction.RESEND,)),
    (State.COMPLETED, Timer.G): (State.COMPLETED, (TransactionAction.RESEND,)),
    (State.COMPLETED, Timer.H): (State.TERMINATED, (TransactionAction.TIMEOUT,)),
    (State.COMPLETED, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.COMPLETED, Event.ACK): (State.CONFIRMED, ()),
    (State.CONFIRMED, Timer.I): (State.TERMINATED, ()),
}
SERVER: Rows = {
    (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.SEND,)),
    (State.TRYING, Event.SUCCESS): (State.COMPLETED, (TransactionAction.SEND,)),
    (State.TRYING, Event.REJECTION): (State.COMPLETED, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (TransactionAction.RESEND,)),
    (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.SUCCESS): (State.COMPLETED, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.REJECTION): (State.COMPLETED, (TransactionAction.SEND,)),
    (State.PROCEEDING, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (TransactionAction.RESEND,)),
    (State.COMPLETED, Event.UNREACHABLE): (State.TERMINATED, (TransactionAction.TRANSPORT_ERROR,)),
    (State.COMPLETED, Timer.J): (State.TERMINATED, ()),
}
ROWS = {
    Machine.CLIENT_INVITE: CLIENT_INVITE,
    Machine.CLIENT: CLIENT,
    Machine.SERVER_INVITE: SERVER_INVITE,
    Machine.SERVER: SERVER,
}
INITIAL_STATES = {
    Machine.CLIENT_INVITE: State.CALLING,
    Machine.CLIENT: State.TRYING,
    Machine.SERVER_INVITE: State.PROCEEDING,
    Machine.SERVER: State.TRYING,
}
# The timers that run in each state. Leaving a state stops its timers unless they run in the next one too.
RUNNING: Mapping[Machine, Mapping[State, tuple[Timer, ...]]] = {
    Machine.CLIENT_INVITE: {
        State.CALLING: (Timer.A, Timer.B),
        State.ACCEPTED: (Timer.M,),
        State.COMPLETED: (Timer.D,),
    },
    Machine.CLIENT: {
        State.TRYING: (Timer.E, Timer.F),
        State.PROCEEDING: (Timer.E, Timer.F),
        State.COMPLETED: (Timer.K,),
    },
    Machine.SERVER_INVITE: {
        State.ACCEPTED: (Timer.L,),
        State.COMPLETED: (Timer.G, Timer.H),
        State.CONFIRMED: (Timer.I,),
    },
    Machine.SERVER: {State.COMPLETED: (Timer.J,)},
}
REPEATING = frozenset((Timer.A, Timer.E, Timer.G))  # retransmissions: not over reliable transports
LINGERING = frozenset(
    (Timer.D, Timer.I, Timer.J, Timer.K)
)  # absorb retransmissions: zero over reliable transports

Table = Mapping[State, Mapping[Event | Timer, Transition]]


def _compile(machine: Machine, reliable: bool) -> Table:
    """Build a table with the timers in its rows, so that a transition is one look-up."""

    def running(state: State) -> tuple[Timer, ...]:
        timers = RUNNING[machine].get(state, ())
        return tuple(timer for timer in timers if not (reliable and timer in REPEATING))

    table: dict[State, dict[Event | Timer, Transition]] = {state: {} for state in State}
    for (state, event), (following, acts) in ROWS[machine].items():
        if reliable and event in REPEATING:
            continue
        now, then = running(state), running(following)
        brief = reliable and bool(LINGERING.intersection(then))
        if brief:
            then = ()
        table[state][event] = Transition(
            State.TERMINATED if brief else following,
            acts,
            start=tuple(timer for timer in then if timer not in now or timer == event),
            stop=tuple(timer for timer in now if timer not in then and timer != event),
        )
    return table


TABLES = {
    (machine, reliable): _compile(machine, reliable) for machine in Machine for reliable in (False, True)
}
INITIAL_TIMERS = {
    (machine, reliable): tuple(
        timer
        for timer in RUNNING[machine].get(INITIAL_STATES[machine], ())
        if not (reliable and timer in REPEATING)
    )
    for machine in Machine
    for reliable in (False, True)
}


class Transaction:
    """One transaction: its state and the duration of its timers."""

    __slots__ = ("_interval", "_table", "_timing", "machine", "reliable", "state")

    def __init__(self, machine: Machine, reliable: bool, timing: Timing) -> None:
        self.machine = machine
        self.reliable = reliable
        self.state = INITIAL_STATES[machine]
        self._table = TABLES[machine, reliable]
        self._timing = timing
        self._interval = timing.t1

    @property
    def initial_timers(self) -> tuple[Timer, ...]:
        """Return the timers of the initial state."""
        return INITIAL_TIMERS[self.machine, self.reliable]

    def handle(self, event: Event | Timer) -> Transition:
        """Apply an event. One that has no meaning in the present state gives a transition without actions."""
        step = self._table[self.state].get(event)
        if step is None:
            return Transition(self.state)
        self.state = step.state
        return step

    def seconds(self, timer: Timer) -> float:
        """Return the duration of a timer to be started. Retransmission timers double each time."""
        timing = self._timing
        if timer in REPEATING:
            seconds = self._interval
            if self.state is State.PROCEEDING:  # E, once the request has arrived
                seconds = timing.t2
            self._interval = seconds * 2 if timer is Timer.A else min(seconds * 2, timing.t2)
            return seconds
        if timer in (Timer.I, Timer.K):
            return timing.t4
        return timing.limit  # D has to be 32 s at least, like the others
