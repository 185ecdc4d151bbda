"""Trunk lines: events in, commands and states out; no socket, no clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.objects.trunk import TRUNK
from openivr.sip.lines import (
    ABSENT,
    LONGEST_RETRY,
    LONGEST_RETRY_REFUSED,
    PROBE,
    REGISTRATION,
    Answered,
    Began,
    Bound,
    Command,
    Due,
    Ended,
    Event,
    Health,
    Heard,
    Kind,
    Missed,
    Probe,
    Register,
    State,
    Trunk,
    Wait,
    identify,
    is_open,
    step,
)
from openivr.sip.targets import Target


class Line:
    """A line on a clock that moves one second an event."""

    def __init__(self, kind: Kind, draw: float = 0.5) -> None:
        self.kind, self.draw, self.now = kind, draw, 1000.0
        self.state = State()
        self.done: tuple[Command, ...] = ()

    def __call__(self, *events: Event) -> tuple[Command, ...]:
        for event in events:
            self.now += 1
            self.state, self.done = step(self.kind, self.state, event, self.now, self.draw)
        return self.done

    @property
    def health(self) -> Health:
        return self.state.health

    @property
    def wait(self) -> float:
        (command,) = self.done
        assert isinstance(command, Wait)
        return command.seconds


GOOD, NONE, REFUSED = Answered(200, "OK"), Answered(0), Answered(403, "Forbidden")


def test_a_line_registers_and_registers_again_before_the_time_is_over() -> None:
    line = Line(Kind.REGISTER)
    assert line(Began()) == (Register(REGISTRATION),)
    line(Answered(200, "OK", expires=120))
    assert (line.health, line.state.reason, line.state.since) == (Health.UP, "registered", 1002)
    assert 80 < line.wait < 100
    assert line(Due()) == (Register(REGISTRATION),)
    line(GOOD)
    assert line.state.since == 1002, "it was up all the time"
    assert line(Ended()) == (Register(0),)


@given(st.integers(), st.floats(0, 1, exclude_max=True))
def test_the_registration_is_renewed_in_time_whatever_is_granted(granted: int, draw: float) -> None:
    line = Line(Kind.REGISTER, draw)
    line(Began(), Answered(200, expires=granted))
    assert 0.5 < line.wait < max(1, min(granted, REGISTRATION))


def test_a_longer_time_that_the_far_side_insists_on() -> None:
    line = Line(Kind.REGISTER)
    assert line(Began(), Answered(423, min_expires=1800)) == (Register(1800),)
    line(GOOD)
    assert line(Due()) == (Register(1800),)


@pytest.mark.parametrize("least", [None, 0, REGISTRATION, 10**9])
def test_nonsense_in_a_423_is_a_failure(least: int | None) -> None:
    line = Line(Kind.REGISTER)
    line(Began(), Answered(423, "Interval Too Brief", min_expires=least))
    assert (line.health, line.state.reason) == (Health.DOWN, "423 Interval Too Brief")
    assert line.wait


def test_423_for_ever_is_a_failure() -> None:
    line = Line(Kind.REGISTER)
    line(Began())
    tries = 0
    while isinstance(line(Answered(423, min_expires=1000 + tries))[0], Register):
        tries += 1
        assert tries < 10
    assert line.health is Health.DOWN


@pytest.mark.parametrize(
    ("answer", "times", "longest"), [(NONE, 2, LONGEST_RETRY), (REFUSED, 4, LONGEST_RETRY_REFUSED)]
)
def test_failures_wait_longer_each_time(answer: Answered, times: int, longest: float) -> None:
    line = Line(Kind.REGISTER)
    line(Began())
    waits = []
    for _ in range(40):
        line(answer)
        waits.append(line.wait)
        line(Due())
    assert waits == sorted(waits)
    assert waits[0] <= 10, "an account may have just been made"
    assert waits[1] == times * waits[0]
    assert waits[-1] == longest
    line(GOOD, Due(), answer)
    assert line.wait == waits[0]


@given(st.floats(0, 1, exclude_max=True))
def test_no_provider_takes_us_for_somebody_who_guesses(draw: float) -> None:
    """fail2ban as it comes bans after five failures in ten minutes."""
    line, failures, passed = Line(Kind.REGISTER, draw), 0, 0.0
    line(Began())
    while passed < 600:
        failures += 1
        line(REFUSED)
        passed += line.wait
        line(Due())
    assert failures < 5


def test_a_far_side_that_was_silent_and_knows_us_not_yet_is_asked_again_soon() -> None:
    line = Line(Kind.REGISTER)
    line(Began(), *[event for _ in range(9) for event in (NONE, Due())], REFUSED)
    assert line.wait <= 10
    line(Due(), NONE)
    assert line.wait <= 10
    line(Due(), REFUSED)
    assert line.wait > 30, "silence between refusals makes no new beginning"


def test_lines_do_not_retry_in_unison() -> None:
    waits = set()
    for draw in (0.0, 0.3, 0.9):
        line = Line(Kind.REGISTER, draw)
        line(Began(), NONE)
        waits.add(line.wait)
    assert len(waits) == 3


@pytest.mark.parametrize(("after", "least"), [(None, 0), (120, 120), (10**9, 3600)])
def test_retry_after_is_kept_to(after: int | None, least: float) -> None:
    line = Line(Kind.REGISTER)
    line(Began(), Answered(503, retry_after=after))
    assert least <= line.wait < max(least * 1.2, 10)


def test_reasons_are_told() -> None:
    line = Line(Kind.REGISTER)
    line(Began(), REFUSED)
    assert (line.state.reason, line.state.since) == ("403 Forbidden", 1002)
    line(Due(), NONE)
    assert (line.state.reason, line.state.since) == ("no answer", 1002)


def test_a_call_that_nobody_answered_makes_us_register_at_once() -> None:
    line = Line(Kind.REGISTER)
    line(Began(), GOOD)
    line(Missed())
    assert line.wait < 1
    assert line.health is Health.UP


def test_a_peer_that_answers_is_up() -> None:
    line = Line(Kind.PEER)
    assert line(Began()) == (Probe(),)
    line(Answered(404, "Not Found"))
    assert line.health is Health.UP
    assert line.wait == PROBE
    assert line(Due()) == (Probe(),)
    assert line(Ended()) == ()


def test_one_lost_answer_is_nothing_two_are() -> None:
    line = Line(Kind.PEER)
    line(Began(), GOOD, NONE)
    assert line.health is Health.UP
    assert line.wait < PROBE
    line(GOOD, NONE)
    assert line.health is Health.UP
    line(NONE)
    assert (line.health, line.state.reason) == (Health.DOWN, "no answer")
    line(GOOD)
    assert line.state.health is Health.DOWN
    line(NONE, GOOD, GOOD)
    assert line.health is Health.UP


def test_a_peer_that_never_answered_is_down() -> None:
    line = Line(Kind.PEER)
    line(Began(), NONE)
    assert line.health is Health.UNKNOWN
    line(Due(), Answered(503, "Service Unavailable"))
    assert (line.health, line.state.reason) == (Health.DOWN, "503 Service Unavailable")


def test_calls_tell_of_a_peer_too() -> None:
    line = Line(Kind.PEER)
    line(Began(), NONE, NONE, Heard())
    assert (line.health, line.state.reason) == (Health.UP, "a call came")
    line(Missed())
    assert line.wait < 1, "asked at once"
    line(Missed())
    assert line.health is Health.DOWN


def test_which_lines_are_worth_trying() -> None:
    silent, known, registered = Line(Kind.PEER), Line(Kind.PEER), Line(Kind.REGISTER)
    assert is_open(Kind.PEER, silent.state), "not known yet"
    silent(Began(), NONE, NONE)
    known(Began(), GOOD, NONE, NONE)
    registered(Began(), NONE)
    assert {line.health for line in (silent, known, registered)} == {Health.DOWN}
    assert is_open(Kind.PEER, silent.state), "it may be one that does not answer OPTIONS"
    assert not is_open(Kind.PEER, known.state)
    assert not is_open(Kind.REGISTER, registered.state)


def test_an_account_is_up_while_its_far_side_is_registered() -> None:
    line = Line(Kind.ACCOUNT)
    line(Began())
    assert line.health is Health.DOWN
    line(Bound(True))
    assert (line.health, line.state.since) == (Health.UP, 1002)
    line(Bound(True), Bound(False))
    assert (line.health, line.state.reason, line.state.since) == (Health.DOWN, "not registered", 1004)


EVENTS = st.one_of(
    st.sampled_from([Began(), Due(), Heard(), Missed(), Bound(True), Bound(False)]),
    st.builds(
        Answered,
        st.sampled_from([0, 200, 302, 401, 404, 408, 423, 486, 500, 503, 603]),
        st.text(max_size=3),
        st.none() | st.integers(),
        st.none() | st.integers(),
        st.none() | st.integers(0),
    ),
)


@given(st.sampled_from(Kind), st.lists(EVENTS, max_size=30), st.floats(0, 1, exclude_max=True))
def test_any_course(kind: Kind, events: list[Event], draw: float) -> None:
    """A line that is wanted always waits for something, never hurries, and does nothing once it has ended."""
    line = Line(kind, draw)
    line(Began())
    for event in events:
        before = line.state
        done = line(event)
        assert len(done) <= 1
        if isinstance(event, Answered) and kind is not Kind.ACCOUNT:
            assert done, "the line has come to a halt"
        if isinstance(event, Answered) and event.status in ABSENT | {401, 404} and done:
            assert isinstance(done[0], Wait)
            assert kind is Kind.PEER or done[0].seconds > 3
        if line.health is not before.health:
            assert line.state.since == line.now
    line(Ended())
    for event in events:
        assert line(event) == ()


TRUNKS = (
    Trunk(3, "second account", Kind.REGISTER, "sip.provider.example", user="b"),
    Trunk(1, "account", Kind.REGISTER, "sip.provider.example", user="a"),
    Trunk(2, "peer", Kind.PEER, "192.0.2.50", 5070),
    Trunk(4, "by tcp", Kind.PEER, "192.0.2.60", protocol="TCP"),
    Trunk(5, "far side", Kind.ACCOUNT, user="c"),
)
ADDRESSES = {
    1: frozenset({"192.0.2.1", "192.0.2.2"}),
    3: frozenset({"192.0.2.1", "192.0.2.2"}),
    2: frozenset({"192.0.2.50"}),
    4: frozenset({"192.0.2.60"}),
    5: frozenset({"192.0.2.70"}),
}


@pytest.mark.parametrize(
    ("source", "user", "trunk"),
    [
        (("UDP", "192.0.2.1", 5060), "a", 1),
        (("UDP", "192.0.2.2", 5060), "b", 3),
        (("UDP", "192.0.2.1", 5060), "4930555", 1),
        (("UDP", "192.0.2.1", 5060), "", 1),
        (("UDP", "192.0.2.1", 6000), "a", None),
        (("TCP", "192.0.2.1", 5060), "a", None),
        (("UDP", "192.0.2.50", 5070), "x", 2),
        (("UDP", "192.0.2.50", 5060), "x", None),
        (("TCP", "192.0.2.60", 49152), "x", 4),
        (("UDP", "192.0.2.70", 5060), "c", None),
        (("UDP", "203.0.113.1", 5060), "a", None),
    ],
)
def test_who_calls_is_known_by_address(source: tuple[str, str, int], user: str, trunk: int | None) -> None:
    found = identify(TRUNKS, ADDRESSES, Target(*source), user)
    assert (found.id if found else None) == trunk


def test_trunks_are_of_the_types_that_are_configured() -> None:
    (choices,) = (field.values for field in TRUNK.fields if field.name == "type")  # type: ignore[attr-defined]  # it is a Choice
    assert set(choices) == set(Kind)


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Trunk(1, "t", Kind.REGISTER, password="hunter2"))
