"""The tables of transactions: every row, walked as the figures of RFC 3261 (5 to 8) and RFC 6026 draw it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.transaction.tables import (
    RUNNING,
    TABLES,
    Event,
    Machine,
    State,
    Timer,
    Timing,
    Transaction,
    TransactionAction,
)

TIMING = Timing()
EVENTS = {event.name: event for event in Event} | {timer.name: timer for timer in Timer}

# machine, reliable, and a walk: event > state: acts, +started, -stopped (timers)
WALKS = """
INVITE client | udp | A > CALLING: RESEND +A | A > CALLING: RESEND +A | B > TERMINATED: TIMEOUT -A
INVITE client | udp | PROVISIONAL > PROCEEDING: PASS -A -B | PROVISIONAL > PROCEEDING: PASS
    | SUCCESS > ACCEPTED: PASS +M | SUCCESS > ACCEPTED: PASS | REJECTION > ACCEPTED: | M > TERMINATED:
INVITE client | udp | SUCCESS > ACCEPTED: PASS +M -A -B | PROVISIONAL > ACCEPTED: | M > TERMINATED:
INVITE client | udp | REJECTION > COMPLETED: ACK PASS +D -A -B | REJECTION > COMPLETED: ACK
    | PROVISIONAL > COMPLETED: | SUCCESS > COMPLETED: | D > TERMINATED:
INVITE client | udp | PROVISIONAL > PROCEEDING: PASS -A -B | REJECTION > COMPLETED: ACK PASS +D
    | UNREACHABLE > TERMINATED: -D
INVITE client | udp | UNREACHABLE > TERMINATED: TRANSPORT_ERROR -A -B
INVITE client | udp | PROVISIONAL > PROCEEDING: PASS -A -B | UNREACHABLE > TERMINATED: TRANSPORT_ERROR
INVITE client | tcp | A > CALLING: | B > TERMINATED: TIMEOUT
INVITE client | tcp | PROVISIONAL > PROCEEDING: PASS -B | REJECTION > TERMINATED: ACK PASS
INVITE client | tcp | REJECTION > TERMINATED: ACK PASS -B
INVITE client | tcp | SUCCESS > ACCEPTED: PASS +M -B | M > TERMINATED:
INVITE client | tcp | PROVISIONAL > PROCEEDING: PASS -B | SUCCESS > ACCEPTED: PASS +M
INVITE client | tcp | PROVISIONAL > PROCEEDING: PASS -B | UNREACHABLE > TERMINATED: TRANSPORT_ERROR
non-INVITE client | udp | E > TRYING: RESEND +E | F > TERMINATED: TIMEOUT -E
non-INVITE client | udp | PROVISIONAL > PROCEEDING: PASS | E > PROCEEDING: RESEND +E
    | PROVISIONAL > PROCEEDING: PASS | F > TERMINATED: TIMEOUT -E
non-INVITE client | udp | SUCCESS > COMPLETED: PASS +K -E -F | SUCCESS > COMPLETED: | K > TERMINATED:
non-INVITE client | udp | REJECTION > COMPLETED: PASS +K -E -F | K > TERMINATED:
non-INVITE client | udp | PROVISIONAL > PROCEEDING: PASS | SUCCESS > COMPLETED: PASS +K -E -F
non-INVITE client | udp | PROVISIONAL > PROCEEDING: PASS | REJECTION > COMPLETED: PASS +K -E -F
non-INVITE client | udp | UNREACHABLE > TERMINATED: TRANSPORT_ERROR -E -F
non-INVITE client | udp | PROVISIONAL > PROCEEDING: PASS | UNREACHABLE > TERMINATED: TRANSPORT_ERROR -E -F
non-INVITE client | tcp | F > TERMINATED: TIMEOUT
non-INVITE client | tcp | SUCCESS > TERMINATED: PASS -F
non-INVITE client | tcp | PROVISIONAL > PROCEEDING: PASS | REJECTION > TERMINATED: PASS -F
INVITE server | udp | REQUEST > PROCEEDING: RESEND | PROVISIONAL > PROCEEDING: SEND
    | REQUEST > PROCEEDING: RESEND
    | SUCCESS > ACCEPTED: SEND +L | REQUEST > ACCEPTED: | SUCCESS > ACCEPTED: SEND | ACK > ACCEPTED: PASS
    | UNREACHABLE > ACCEPTED: | REJECTION > ACCEPTED: | L > TERMINATED:
INVITE server | udp | REJECTION > COMPLETED: SEND +G +H | REQUEST > COMPLETED: RESEND
    | G > COMPLETED: RESEND +G
    | ACK > CONFIRMED: +I -G -H | REQUEST > CONFIRMED: | ACK > CONFIRMED: | I > TERMINATED:
INVITE server | udp | REJECTION > COMPLETED: SEND +G +H | SUCCESS > COMPLETED: | H > TERMINATED: TIMEOUT -G
INVITE server | udp | REJECTION > COMPLETED: SEND +G +H | UNREACHABLE > TERMINATED: TRANSPORT_ERROR -G -H
INVITE server | udp | UNREACHABLE > TERMINATED: TRANSPORT_ERROR
INVITE server | tcp | REJECTION > COMPLETED: SEND +H | G > COMPLETED: | ACK > TERMINATED: -H
INVITE server | tcp | REJECTION > COMPLETED: SEND +H | H > TERMINATED: TIMEOUT
INVITE server | tcp | SUCCESS > ACCEPTED: SEND +L | L > TERMINATED:
non-INVITE server | udp | REQUEST > TRYING: | PROVISIONAL > PROCEEDING: SEND | REQUEST > PROCEEDING: RESEND
    | PROVISIONAL > PROCEEDING: SEND | SUCCESS > COMPLETED: SEND +J | REQUEST > COMPLETED: RESEND
    | REJECTION > COMPLETED: | J > TERMINATED:
non-INVITE server | udp | SUCCESS > COMPLETED: SEND +J | UNREACHABLE > TERMINATED: TRANSPORT_ERROR -J
non-INVITE server | udp | REJECTION > COMPLETED: SEND +J | J > TERMINATED:
non-INVITE server | udp | PROVISIONAL > PROCEEDING: SEND | REJECTION > COMPLETED: SEND +J
non-INVITE server | udp | PROVISIONAL > PROCEEDING: SEND | UNREACHABLE > TERMINATED: TRANSPORT_ERROR
non-INVITE server | tcp | SUCCESS > TERMINATED: SEND
non-INVITE server | tcp | PROVISIONAL > PROCEEDING: SEND | REJECTION > TERMINATED: SEND
"""
LINES = WALKS.strip().replace("\n    |", " |").splitlines()


@pytest.mark.parametrize("line", LINES)
def test_a_walk(line: str) -> None:
    machine, transport, *steps = (part.strip() for part in line.split("|"))
    transaction = Transaction(Machine(machine), transport == "tcp", TIMING)
    for text in steps:
        event, _, rest = text.partition(" > ")
        state, _, words = rest.partition(":")
        step = transaction.handle(EVENTS[event])
        assert step.state is transaction.state is State[state], text
        assert [act.name for act in step.acts] == [word for word in words.split() if word[0] not in "+-"], (
            text
        )
        assert {"+" + timer for timer in step.start} | {"-" + timer for timer in step.stop} == {
            word for word in words.split() if word[0] in "+-"
        }, text


def test_the_walks_take_every_row() -> None:
    walked = set()
    for line in LINES:
        machine, transport, *steps = (part.strip() for part in line.split("|"))
        transaction = Transaction(Machine(machine), transport == "tcp", TIMING)
        for text in steps:
            event = EVENTS[text.partition(" > ")[0]]
            walked.add((transaction.machine, transaction.state, event))
            transaction.handle(event)
    rows = {
        (machine, state, event)
        for (machine, reliable), table in TABLES.items()
        if not reliable
        for state, row in table.items()
        for event in row
    }
    assert rows <= walked


def test_intervals_double_as_the_rfc_says() -> None:
    invite = Transaction(Machine.CLIENT_INVITE, False, TIMING)
    assert [invite.seconds(Timer.A) for _ in range(5)] == [0.5, 1, 2, 4, 8]
    assert invite.seconds(Timer.B) == 32
    other = Transaction(Machine.CLIENT, False, TIMING)
    assert [other.seconds(Timer.E) for _ in range(6)] == [0.5, 1, 2, 4, 4, 4]
    other.handle(Event.PROVISIONAL)
    assert other.seconds(Timer.E) == 4
    other = Transaction(Machine.CLIENT, False, TIMING)
    other.handle(Event.PROVISIONAL)
    assert other.seconds(Timer.E) == 4  # T2 at once where the request is known to have arrived
    server = Transaction(Machine.SERVER_INVITE, False, TIMING)
    server.handle(Event.REJECTION)
    assert [server.seconds(Timer.G) for _ in range(5)] == [0.5, 1, 2, 4, 4]
    assert [server.seconds(timer) for timer in (Timer.H, Timer.I, Timer.J, Timer.L)] == [32, 5, 32, 32]


@given(
    st.sampled_from(Machine),
    st.booleans(),
    st.lists(st.sampled_from([*Event, *Timer]), max_size=30),
)
def test_any_events_leave_no_timer_behind(
    machine: Machine, reliable: bool, events: list[Event | Timer]
) -> None:
    """Total; timers start and stop in pairs; none survives the end; every transaction comes to its end."""
    transaction = Transaction(machine, reliable, TIMING)
    running = set(transaction.initial_timers)
    for event in events:
        if isinstance(event, Timer):
            if event not in running:
                continue
            running.remove(event)
        was_over = transaction.state is State.TERMINATED
        step = transaction.handle(event)
        assert set(step.stop) <= running
        running -= set(step.stop)
        assert not running & set(step.start)
        running |= set(step.start)
        assert all(transaction.seconds(timer) > 0 for timer in step.start)
        assert not (was_over and step.acts)
    if transaction.state is State.TERMINATED:
        assert not running
        return
    waits_for_somebody = transaction.state in (State.PROCEEDING, State.TRYING) and not running
    assert waits_for_somebody or any(timer not in (Timer.A, Timer.E, Timer.G) for timer in running)
    assert running == {
        timer
        for timer in RUNNING[machine].get(transaction.state, ())
        if not (reliable and timer in (Timer.A, Timer.E, Timer.G))
    }


def test_a_provisional_is_never_acknowledged() -> None:
    for table in TABLES.values():
        for rows in table.values():
            for event, step in rows.items():
                assert (TransactionAction.ACK in step.acts) <= (event is Event.REJECTION)
