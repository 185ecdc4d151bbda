"""Trunk lines: events in, commands and states out; no socket, no clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.resources.trunk import TRUNK
from openivr.sip.access.access_control import identify_trunk
from openivr.sip.accounts import TrunkConfig, TrunkType
from openivr.sip.address import Target
from openivr.sip.trunk.trunk_state import (
    DEFAULT_EXPIRES,
    MAX_REFUSED_RETRY_SECONDS,
    MAX_RETRY_SECONDS,
    NO_ANSWER_STATUSES,
    OPTIONS_SECONDS,
    BindingChanged,
    Command,
    Event,
    IncomingSeen,
    NoResponse,
    ResponseReceived,
    SendOptions,
    SendRegister,
    StartTimer,
    TimerDue,
    TrunkHealth,
    TrunkStarted,
    TrunkState,
    TrunkStopped,
    is_open,
    step,
)


class Line:
    """A line on a clock that moves one second an event."""

    def __init__(self, kind: TrunkType, draw: float = 0.5) -> None:
        self.kind, self.draw, self.now = kind, draw, 1000.0
        self.state = TrunkState()
        self.done: tuple[Command, ...] = ()

    def __call__(self, *events: Event) -> tuple[Command, ...]:
        for event in events:
            self.now += 1
            self.state, self.done = step(self.kind, self.state, event, self.now, self.draw)
        return self.done

    @property
    def health(self) -> TrunkHealth:
        return self.state.health

    @property
    def wait(self) -> float:
        (command,) = self.done
        assert isinstance(command, StartTimer)
        return command.seconds


GOOD, NONE, REFUSED = ResponseReceived(200, "OK"), ResponseReceived(0), ResponseReceived(403, "Forbidden")


def test_a_line_registers_and_registers_again_before_the_time_is_over() -> None:
    line = Line(TrunkType.REGISTER)
    assert line(TrunkStarted()) == (SendRegister(DEFAULT_EXPIRES),)
    line(ResponseReceived(200, "OK", expires=120))
    assert (line.health, line.state.reason, line.state.since) == (TrunkHealth.UP, "registered", 1002)
    assert 80 < line.wait < 100
    assert line(TimerDue()) == (SendRegister(DEFAULT_EXPIRES),)
    line(GOOD)
    assert line.state.since == 1002, "it was up all the time"
    assert line(TrunkStopped()) == (SendRegister(0),)


@given(st.integers(), st.floats(0, 1, exclude_max=True))
def test_the_registration_is_renewed_in_time_whatever_is_granted(granted: int, draw: float) -> None:
    line = Line(TrunkType.REGISTER, draw)
    line(TrunkStarted(), ResponseReceived(200, expires=granted))
    assert 0.5 < line.wait < max(1, min(granted, DEFAULT_EXPIRES))


def test_a_longer_time_that_the_far_side_insists_on() -> None:
    line = Line(TrunkType.REGISTER)
    assert line(TrunkStarted(), ResponseReceived(423, min_expires=1800)) == (SendRegister(1800),)
    line(GOOD)
    assert line(TimerDue()) == (SendRegister(1800),)


@pytest.mark.parametrize("least", [None, 0, DEFAULT_EXPIRES, 10**9])
def test_nonsense_in_a_423_is_a_failure(least: int | None) -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted(), ResponseReceived(423, "Interval Too Brief", min_expires=least))
    assert (line.health, line.state.reason) == (TrunkHealth.DOWN, "rejected")
    assert line.state.answer == "423 Interval Too Brief"
    assert line.wait


def test_423_for_ever_is_a_failure() -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted())
    tries = 0
    while isinstance(line(ResponseReceived(423, min_expires=1000 + tries))[0], SendRegister):
        tries += 1
        assert tries < 10
    assert line.health is TrunkHealth.DOWN


@pytest.mark.parametrize(
    ("answer", "times", "longest"), [(NONE, 2, MAX_RETRY_SECONDS), (REFUSED, 4, MAX_REFUSED_RETRY_SECONDS)]
)
def test_failures_wait_longer_each_time(answer: ResponseReceived, times: int, longest: float) -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted())
    waits = []
    for _ in range(40):
        line(answer)
        waits.append(line.wait)
        line(TimerDue())
    assert waits == sorted(waits)
    assert waits[0] <= 10, "an account may have just been made"
    assert waits[1] == times * waits[0]
    assert waits[-1] == longest
    line(GOOD, TimerDue(), answer)
    assert line.wait == waits[0]


@given(st.floats(0, 1, exclude_max=True))
def test_no_provider_takes_us_for_somebody_who_guesses(draw: float) -> None:
    """fail2ban as it comes bans after five failures in ten minutes."""
    line, failures, passed = Line(TrunkType.REGISTER, draw), 0, 0.0
    line(TrunkStarted())
    while passed < 600:
        failures += 1
        line(REFUSED)
        passed += line.wait
        line(TimerDue())
    assert failures < 5


def test_a_far_side_that_was_silent_and_knows_us_not_yet_is_asked_again_soon() -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted(), *[event for _ in range(9) for event in (NONE, TimerDue())], REFUSED)
    assert line.wait <= 10
    line(TimerDue(), NONE)
    assert line.wait <= 10
    line(TimerDue(), REFUSED)
    assert line.wait > 30, "silence between refusals makes no new beginning"


def test_lines_do_not_retry_in_unison() -> None:
    waits = set()
    for draw in (0.0, 0.3, 0.9):
        line = Line(TrunkType.REGISTER, draw)
        line(TrunkStarted(), NONE)
        waits.add(line.wait)
    assert len(waits) == 3


@pytest.mark.parametrize(("after", "least"), [(None, 0), (120, 120), (10**9, 3600)])
def test_retry_after_is_kept_to(after: int | None, least: float) -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted(), ResponseReceived(503, retry_after=after))
    assert least <= line.wait < max(least * 1.2, 10)


def test_reasons_are_told() -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted(), REFUSED)
    assert (line.state.reason, line.state.answer, line.state.since) == ("rejected", "403 Forbidden", 1002)
    line(TimerDue(), NONE)
    assert (line.state.reason, line.state.answer, line.state.since) == ("no_answer", "", 1002)


def test_a_call_that_nobody_answered_makes_us_register_at_once() -> None:
    line = Line(TrunkType.REGISTER)
    line(TrunkStarted(), GOOD)
    line(NoResponse())
    assert line.wait < 1
    assert line.health is TrunkHealth.UP


def test_a_peer_that_answers_is_up() -> None:
    line = Line(TrunkType.PEER)
    assert line(TrunkStarted()) == (SendOptions(),)
    line(ResponseReceived(404, "Not Found"))
    assert line.health is TrunkHealth.UP
    assert line.wait == OPTIONS_SECONDS
    assert line(TimerDue()) == (SendOptions(),)
    assert line(TrunkStopped()) == ()


def test_one_lost_answer_is_nothing_two_are() -> None:
    line = Line(TrunkType.PEER)
    line(TrunkStarted(), GOOD, NONE)
    assert line.health is TrunkHealth.UP
    assert line.wait < OPTIONS_SECONDS
    line(GOOD, NONE)
    assert line.health is TrunkHealth.UP
    line(NONE)
    assert (line.health, line.state.reason) == (TrunkHealth.DOWN, "no_answer")
    line(GOOD)
    assert line.state.health is TrunkHealth.DOWN
    line(NONE, GOOD, GOOD)
    assert line.health is TrunkHealth.UP


def test_a_peer_that_never_answered_is_down() -> None:
    line = Line(TrunkType.PEER)
    line(TrunkStarted(), NONE)
    assert line.health is TrunkHealth.UNKNOWN
    line(TimerDue(), ResponseReceived(503, "Service Unavailable"))
    assert (line.health, line.state.answer) == (TrunkHealth.DOWN, "503 Service Unavailable")


def test_calls_tell_of_a_peer_too() -> None:
    line = Line(TrunkType.PEER)
    line(TrunkStarted(), NONE, NONE, IncomingSeen())
    assert (line.health, line.state.reason) == (TrunkHealth.UP, "call_received")
    line(NoResponse())
    assert line.wait < 1, "asked at once"
    line(NoResponse())
    assert line.health is TrunkHealth.DOWN


def test_which_lines_are_worth_trying() -> None:
    silent, known, registered = Line(TrunkType.PEER), Line(TrunkType.PEER), Line(TrunkType.REGISTER)
    assert is_open(TrunkType.PEER, silent.state), "not known yet"
    silent(TrunkStarted(), NONE, NONE)
    known(TrunkStarted(), GOOD, NONE, NONE)
    registered(TrunkStarted(), NONE)
    assert {line.health for line in (silent, known, registered)} == {TrunkHealth.DOWN}
    assert is_open(TrunkType.PEER, silent.state), "it may be one that does not answer OPTIONS"
    assert not is_open(TrunkType.PEER, known.state)
    assert not is_open(TrunkType.REGISTER, registered.state)


def test_an_account_is_up_while_its_far_side_is_registered() -> None:
    line = Line(TrunkType.ACCOUNT)
    line(TrunkStarted())
    assert line.health is TrunkHealth.DOWN
    line(BindingChanged(True))
    assert (line.health, line.state.since) == (TrunkHealth.UP, 1002)
    line(BindingChanged(True), BindingChanged(False))
    assert (line.health, line.state.reason, line.state.since) == (TrunkHealth.DOWN, "not_registered", 1004)


EVENTS = st.one_of(
    st.sampled_from(
        [
            TrunkStarted(),
            TimerDue(),
            IncomingSeen(),
            NoResponse(),
            BindingChanged(True),
            BindingChanged(False),
        ]
    ),
    st.builds(
        ResponseReceived,
        st.sampled_from([0, 200, 302, 401, 404, 408, 423, 486, 500, 503, 603]),
        st.text(max_size=3),
        st.none() | st.integers(),
        st.none() | st.integers(),
        st.none() | st.integers(0),
    ),
)


@given(st.sampled_from(TrunkType), st.lists(EVENTS, max_size=30), st.floats(0, 1, exclude_max=True))
def test_any_course(kind: TrunkType, events: list[Event], draw: float) -> None:
    """A line that is wanted always waits for something, never hurries, and does nothing once it has ended."""
    line = Line(kind, draw)
    line(TrunkStarted())
    for event in events:
        before = line.state
        done = line(event)
        assert len(done) <= 1
        if isinstance(event, ResponseReceived) and kind is not TrunkType.ACCOUNT:
            assert done, "the line has come to a halt"
        if isinstance(event, ResponseReceived) and event.status in NO_ANSWER_STATUSES | {401, 404} and done:
            assert isinstance(done[0], StartTimer)
            assert kind is TrunkType.PEER or done[0].seconds > 3
        if line.health is not before.health:
            assert line.state.since == line.now
    line(TrunkStopped())
    for event in events:
        assert line(event) == ()


TRUNKS = (
    TrunkConfig(3, "second account", TrunkType.REGISTER, "sip.provider.example", user="b"),
    TrunkConfig(1, "account", TrunkType.REGISTER, "sip.provider.example", user="a"),
    TrunkConfig(2, "peer", TrunkType.PEER, "192.0.2.50", 5070),
    TrunkConfig(4, "by tcp", TrunkType.PEER, "192.0.2.60", protocol="TCP"),
    TrunkConfig(5, "far side", TrunkType.ACCOUNT, user="c"),
)
ADDRESSES = {
    1: frozenset({"192.0.2.1", "192.0.2.2"}),
    3: frozenset({"192.0.2.1", "192.0.2.2"}),
    2: frozenset({"192.0.2.50"}),
    4: frozenset({"192.0.2.60"}),
    5: frozenset({"192.0.2.70"}),
}
TARGETS = {
    trunk.id: frozenset(Target(trunk.protocol, host, trunk.port) for host in ADDRESSES[trunk.id])
    for trunk in TRUNKS
}


@pytest.mark.parametrize(
    ("source", "user", "trunk"),
    [
        (("UDP", "192.0.2.1", 5060), "a", 1),
        (("UDP", "192.0.2.2", 5060), "b", 3),
        (("UDP", "192.0.2.2", 5060), "+b", 3),
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
    found = identify_trunk(TRUNKS, TARGETS, Target(*source), user)
    assert (found.id if found else None) == trunk


def test_trunks_are_of_the_types_that_are_configured() -> None:
    (choices,) = (field.values for field in TRUNK.fields if field.name == "type")  # type: ignore[attr-defined]  # it is a Choice
    assert set(choices) == set(TrunkType)


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(TrunkConfig(1, "t", TrunkType.REGISTER, password="hunter2"))
