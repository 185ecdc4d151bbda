"""One heap of timers: in order, cancelled for good, and never too many at once."""

import gc
import operator
import weakref

from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.transaction.timers import MAX_CALLBACKS_PER_TURN, Timer, Timers


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.woken: list[float] = []
        self.timers = Timers(lambda: self.now, self.woken.append)


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_timers_fire_in_order_once_unless_cancelled(plan: list[tuple[float, bool]]) -> None:
    clock = Clock()
    fired: list[float] = []
    set_ = [(clock.timers.set(seconds, fired.append, seconds), cancelled) for seconds, cancelled in plan]
    for timer, cancelled in set_:
        if cancelled:
            clock.timers.cancel(timer)
            clock.timers.cancel(timer)
    assert len(clock.timers) == sum(not cancelled for _, cancelled in plan)
    clock.now = 200
    while clock.timers:
        clock.timers.run()
    assert fired == sorted(seconds for seconds, cancelled in plan if not cancelled)
    for timer, _ in set_:
        clock.timers.cancel(timer)
    assert len(clock.timers) == 0


def test_the_loop_is_woken_for_the_first_only() -> None:
    clock = Clock()
    for seconds in (5, 7, 3, 9):
        clock.timers.set(seconds, lambda: None)
    assert clock.woken == [5, 3]
    clock.now = 4
    clock.timers.run()
    assert clock.woken == [5, 3, 5]


def test_many_at_once_take_several_turns() -> None:
    clock = Clock()
    fired: list[int] = []
    for number in range(MAX_CALLBACKS_PER_TURN + 1):
        clock.timers.set(1, fired.append, number)
    clock.now = 2
    clock.timers.run()
    assert len(fired) == MAX_CALLBACKS_PER_TURN
    assert clock.woken[-1] <= clock.now
    clock.timers.run()
    assert len(fired) == MAX_CALLBACKS_PER_TURN + 1


def test_one_that_fails_does_not_stop_the_others() -> None:
    clock = Clock()
    fired: list[int] = []
    clock.timers.set(1, operator.floordiv, 1, 0)
    clock.timers.set(1, fired.append, 1)
    clock.now = 2
    clock.timers.run()
    assert fired == [1]


def test_what_was_cancelled_is_not_kept() -> None:
    clock = Clock()
    for _ in range(5000):
        clock.timers.cancel(clock.timers.set(1000, print))
    assert len(clock.timers._heap) < 2500


def test_a_timer_that_is_past_holds_on_to_nothing() -> None:
    class Owner:
        """Keeps its timer, as transactions do."""

        timer: Timer

        def fire(self, owner: "Owner") -> None:
            assert owner is self

    clock, fired, cancelled = Clock(), Owner(), Owner()
    for owner in (fired, cancelled):
        owner.timer = clock.timers.set(5, owner.fire, owner)
    clock.timers.cancel(cancelled.timer)
    clock.now = 5
    clock.timers.run()
    gone = [weakref.ref(fired), weakref.ref(cancelled)]
    gc.disable()  # else it could be the collector that finds them
    try:
        del owner, fired, cancelled
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()
