"""What the parties of a call receive: every state that commands can reach, and all of its rules."""

from collections.abc import Callable, Iterator
from itertools import chain, combinations, product

from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.call_commands import MonitorMode
from openivr.b2bua.reception import Monitoring, Reception, Seat, TalkState

PARTIES = (Seat.CALLER, Seat.CALLEE)


def subsets() -> Iterator[frozenset[Seat]]:
    return map(frozenset, chain.from_iterable(combinations(PARTIES, size) for size in range(3)))


MONITORINGS = (None, *(Monitoring(seat, mode) for seat in PARTIES for mode in MonitorMode))
STATES = [TalkState(*parts) for parts in product(subsets(), subsets(), MONITORINGS)]


def in_every_state(check: Callable[[TalkState], None]) -> Callable[[], None]:
    """Check a rule in every state."""

    def run() -> None:
        for state in STATES:
            check(state)

    return run


def receives(state: TalkState, seat: Seat, other: Seat) -> bool:
    return other in state.receives(seat).sources


def test_a_call_without_commands_is_plain() -> None:
    assert all(TalkState().is_plain(seat) for seat in PARTIES)
    assert TalkState().receives(Seat.MONITOR) == Reception(frozenset())


@in_every_state
def test_no_party_receives_itself(state: TalkState) -> None:
    assert not any(receives(state, seat, seat) for seat in Seat)


@in_every_state
def test_a_muted_party_reaches_no_other(state: TalkState) -> None:
    assert not any(receives(state, seat, muted) for seat in Seat for muted in state.muted)


@in_every_state
def test_in_a_call_on_hold_the_parties_do_not_reach_each_other(state: TalkState) -> None:
    expected = not state.holding
    for seat in PARTIES:
        assert receives(state, seat, seat.other) is (expected and seat.other not in state.muted)


@in_every_state
def test_the_party_that_is_held_receives_the_hold_sound_unless_it_is_spoken_to(state: TalkState) -> None:
    for seat in PARTIES:
        is_held = seat.other in state.holding and seat not in state.holding
        assert state.receives(seat).has_hold_sound is (is_held and not receives(state, seat, Seat.MONITOR))
    assert not state.receives(Seat.MONITOR).has_hold_sound


@in_every_state
def test_a_monitor_is_received_by_those_that_its_mode_says(state: TalkState) -> None:
    reached = {seat for seat in PARTIES if receives(state, seat, Seat.MONITOR)}
    if state.monitoring is None or state.monitoring.mode is MonitorMode.LISTEN:
        assert reached == set()
    elif state.monitoring.mode is MonitorMode.WHISPER:
        assert reached == {state.monitoring.seat}
    else:
        assert reached == set(PARTIES)


@in_every_state
def test_a_monitor_receives_what_the_parties_receive_of_each_other(state: TalkState) -> None:
    received = {seat for seat in PARTIES if receives(state, Seat.MONITOR, seat)}
    if state.monitoring is None:
        assert received == set()
    elif not state.holding:
        assert received == set(PARTIES) - state.muted
    else:  # a consultation: only those that it talks to
        assert received == {seat for seat in PARTIES if receives(state, seat, Seat.MONITOR)} - state.muted


@in_every_state
def test_a_monitor_that_only_listens_changes_nothing_for_the_parties(state: TalkState) -> None:
    without = TalkState(state.holding, state.muted)
    for seat in PARTIES:
        silent = TalkState(state.holding, state.muted, Monitoring(seat, MonitorMode.LISTEN))
        assert all(silent.receives(each) == without.receives(each) for each in PARTIES)


COMMANDS: dict[str, Callable[[TalkState, Seat], TalkState | None]] = {
    "hold": TalkState.hold,
    "unhold": TalkState.unhold,
    "mute": TalkState.mute,
    "unmute": TalkState.unmute,
}
INVERSE = {"hold": "unhold", "unhold": "hold", "mute": "unmute", "unmute": "mute"}


@given(st.lists(st.tuples(st.sampled_from(sorted(COMMANDS)), st.sampled_from(PARTIES)), max_size=30))
def test_commands_against_a_model_of_four_switches(commands: list[tuple[str, Seat]]) -> None:
    state, switches = TalkState(), dict.fromkeys(product(("hold", "mute"), PARTIES), False)
    for name, seat in commands:
        switch, target = name.removeprefix("un"), not name.startswith("un")
        after = COMMANDS[name](state, seat)
        assert (after is None) is (switches[switch, seat] is target)
        if after is not None:
            assert COMMANDS[INVERSE[name]](after, seat) == state
            state, switches[switch, seat] = after, target
        assert state.holding == {party for party in PARTIES if switches["hold", party]}
        assert state.muted == {party for party in PARTIES if switches["mute", party]}
