"""Trunk lines: is the way to a provider open? One pure state machine for the three types of trunk.

    register   we register with the far side, and again before that runs out
    peer       known by its address; asked with OPTIONS whether it is there
    account    the far side registers with us: up while it does

`step` takes a state and what happened, and gives the next state and what to do. Times are Unix seconds.
"""

from dataclasses import dataclass, replace
from enum import StrEnum, unique

from openivr.sip.accounts import TrunkType

DEFAULT_EXPIRES = 600  # seconds asked for: a far side that is gone is noticed within that time
MAX_EXPIRES = 86_400  # granted to a far side that insists (423)
OPTIONS_SECONDS = 30.0  # seconds between OPTIONS while all is well
OPTIONS_RETRY_SECONDS = 5.0  # after one that was not answered, and before an answer is believed
OPTIONS_DOWN_SECONDS = 15.0  # while it is down
FAILURES_UNTIL_DOWN = 2  # in a row: down
ANSWERS_UNTIL_UP = 2  # in a row: up again
RETRY_SECONDS, MAX_RETRY_SECONDS = (
    5.0,
    300.0,
)  # seconds after the first failed registration, doubled each time
# Where the login was refused: soon, for an account may have just been made, then four times as long each
# time, for providers ban who insists: five times in ten minutes, mostly.
REFUSED_RETRY_SECONDS, MAX_REFUSED_RETRY_SECONDS = 10.0, 1800.0
REFUSED_STATUSES = frozenset({401, 403, 404, 407})
NO_ANSWER_STATUSES = frozenset({0, 408, 502, 503, 504})  # answers to OPTIONS that stand for none; 0 is none


@unique
class TrunkHealth(StrEnum):
    """Whether calls can be placed over a line."""

    UNKNOWN = "unknown"  # nothing was heard yet
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class TrunkState:
    """A line at one moment. The first three are for people, the rest is the machine's memory."""

    health: TrunkHealth = TrunkHealth.UNKNOWN
    reason: str = ""  # why it is so
    since: float = 0.0
    expires: int = DEFAULT_EXPIRES  # seconds asked for in REGISTER
    streak: int = 0  # failures in a row, for a peer that is down: answers in a row
    refusals: int = 0  # of our login, since it was accepted last
    lengthened: int = 0  # 423s in a row
    has_answered: bool = False  # a peer: at least one OPTIONS, so that silence means something
    is_stopped: bool = False


# What happened


@dataclass(frozen=True, slots=True)
class TrunkStarted:
    """The line is wanted. Comes first, once."""


@dataclass(frozen=True, slots=True)
class TimerDue:
    """The time of the last `StartTimer` is over."""


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The final answer to REGISTER or OPTIONS, after challenges. Status 0: there was none."""

    status: int
    reason: str = ""
    expires: int | None = None  # granted
    min_expires: int | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class IncomingSeen:
    """A call came over the line, so it is there."""


@dataclass(frozen=True, slots=True)
class NoResponse:
    """A call over the line had no answer at all."""


@dataclass(frozen=True, slots=True)
class BindingChanged:
    """An account's far side is registered with us, or no longer."""

    is_registered: bool


@dataclass(frozen=True, slots=True)
class TrunkStopped:
    """The line is no longer wanted."""


Event = TrunkStarted | TimerDue | ResponseReceived | IncomingSeen | NoResponse | BindingChanged | TrunkStopped

# What to do


@dataclass(frozen=True, slots=True)
class SendRegister:
    """Send REGISTER for so many seconds; 0: the registration is given up."""

    expires: int


@dataclass(frozen=True, slots=True)
class SendOptions:
    """Send OPTIONS."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Say `TimerDue` after so many seconds, and not what an earlier `StartTimer` asked for."""

    seconds: float


Command = SendRegister | SendOptions | StartTimer
Step = tuple[TrunkState, tuple[Command, ...]]


def step(kind: TrunkType, state: TrunkState, event: Event, now: float, draw: float) -> Step:
    """Take one event. `draw` is a random number of [0, 1), so that lines do not act in unison."""
    if state.is_stopped:
        return state, ()
    match kind:
        case TrunkType.REGISTER:
            return _step_register(state, event, now, draw)
        case TrunkType.PEER:
            return _step_peer(state, event, now, draw)
        case TrunkType.ACCOUNT:
            return _step_account(state, event, now)


def _step_register(state: TrunkState, event: Event, now: float, draw: float) -> Step:
    match event:
        case TrunkStarted() | TimerDue():
            return state, (SendRegister(state.expires),)
        case ResponseReceived():
            return _on_register_response(state, event, now, draw)
        case NoResponse() if state.health is TrunkHealth.UP:
            return state, (StartTimer(draw),)  # it may have lost us: register now, not when the time is over
        case TrunkStopped():
            given_up = (SendRegister(0),) if state.health is TrunkHealth.UP else ()
            return replace(state, is_stopped=True), given_up
        case _:
            return state, ()


def _on_register_response(state: TrunkState, answer: ResponseReceived, now: float, draw: float) -> Step:
    if 200 <= answer.status < 300:
        granted = state.expires if answer.expires is None else max(1, min(answer.expires, state.expires))
        up = replace(
            _with_health(state, TrunkHealth.UP, "registered", now), streak=0, refusals=0, lengthened=0
        )
        return up, (StartTimer(granted * (0.8 - 0.1 * draw)),)
    longer = answer.min_expires or 0
    if answer.status == 423 and state.expires < longer <= MAX_EXPIRES and state.lengthened < 3:
        return replace(state, expires=longer, lengthened=state.lengthened + 1), (SendRegister(longer),)
    down = replace(_with_health(state, TrunkHealth.DOWN, _reason(answer), now), lengthened=0)
    if answer.status in REFUSED_STATUSES:
        seconds = min(REFUSED_RETRY_SECONDS * 4.0 ** min(state.refusals, 10), MAX_REFUSED_RETRY_SECONDS)
        down = replace(down, refusals=state.refusals + 1, streak=0)
    else:
        seconds = min(RETRY_SECONDS * 2.0 ** min(state.streak, 20), MAX_RETRY_SECONDS)
        down = replace(down, streak=state.streak + 1)
    seconds *= 0.75 + 0.5 * draw
    if answer.retry_after is not None:
        seconds = max(seconds, min(answer.retry_after, 3600) * (1 + 0.1 * draw))
    return down, (StartTimer(seconds),)


def _step_peer(state: TrunkState, event: Event, now: float, draw: float) -> Step:
    match event:
        case TrunkStarted() | TimerDue():
            return state, (SendOptions(),)
        case ResponseReceived() if event.status in NO_ANSWER_STATUSES:
            return _on_options_failure(state, _reason(event), now, draw)
        case NoResponse():
            missed, _ = _on_options_failure(state, "a call was not answered", now, draw)
            return missed, (StartTimer(draw),)
        case ResponseReceived():
            return _on_options_answer(state, now, draw)
        case IncomingSeen() if state.health is not TrunkHealth.UP:
            return replace(_with_health(state, TrunkHealth.UP, "a call came", now), streak=0), ()
        case TrunkStopped():
            return replace(state, is_stopped=True), ()
        case _:
            return state, ()


def _on_options_failure(state: TrunkState, reason: str, now: float, draw: float) -> Step:
    if state.health is TrunkHealth.DOWN:
        return replace(state, streak=0, reason=reason), (
            StartTimer(OPTIONS_DOWN_SECONDS * (0.9 + 0.2 * draw)),
        )
    missed = replace(state, streak=state.streak + 1)
    if missed.streak >= FAILURES_UNTIL_DOWN:
        missed = replace(_with_health(state, TrunkHealth.DOWN, reason, now), streak=0)
    return missed, (StartTimer(OPTIONS_RETRY_SECONDS * (0.9 + 0.2 * draw)),)


def _on_options_answer(before: TrunkState, now: float, draw: float) -> Step:
    state = replace(before, has_answered=True)
    if state.health is TrunkHealth.DOWN and state.streak + 1 < ANSWERS_UNTIL_UP:
        return replace(state, streak=state.streak + 1), (
            StartTimer(OPTIONS_RETRY_SECONDS * (0.9 + 0.2 * draw)),
        )
    up = replace(_with_health(state, TrunkHealth.UP, "answers", now), streak=0)
    return up, (StartTimer(OPTIONS_SECONDS * (0.9 + 0.2 * draw)),)


def _step_account(state: TrunkState, event: Event, now: float) -> Step:
    match event:
        case TrunkStarted():
            return _with_health(state, TrunkHealth.DOWN, "not registered", now), ()
        case BindingChanged(is_registered=True):
            return _with_health(state, TrunkHealth.UP, "registered", now), ()
        case BindingChanged():
            return _with_health(state, TrunkHealth.DOWN, "not registered", now), ()
        case TrunkStopped():
            return replace(state, is_stopped=True), ()
        case _:
            return state, ()


def _with_health(state: TrunkState, health: TrunkHealth, reason: str, now: float) -> TrunkState:
    since = state.since if state.health is health else now
    return replace(state, health=health, reason=reason, since=since)


def _reason(answer: ResponseReceived) -> str:
    return f"{answer.status} {answer.reason}".strip() if answer.status else answer.reason or "no answer"


def is_open(kind: TrunkType, state: TrunkState) -> bool:
    """Whether a call is worth trying. A peer that has never answered OPTIONS may be one that does not."""
    return state.health is not TrunkHealth.DOWN or (kind is TrunkType.PEER and not state.has_answered)
