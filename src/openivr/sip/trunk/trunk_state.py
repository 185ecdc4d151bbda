"""Trunk state machine: registration and OPTIONS health checks of the three types of trunk. No I/O.

    register   registers with the provider, and again before the registration expires
    peer       is identified by its address and checked with OPTIONS
    account    registers here: up while it has a binding

`step` takes a state and an event, and returns the next state and commands. Times are Unix seconds.
"""

from dataclasses import dataclass, replace
from enum import StrEnum, unique

from openivr.sip.accounts import TrunkType
from openivr.sip.termination import FailureReason

DEFAULT_EXPIRES = 600  # seconds requested: a failed provider is noticed within that time
MAX_EXPIRES = 86_400  # accepted from a provider that sends 423
OPTIONS_SECONDS = 30.0  # seconds between OPTIONS while up
OPTIONS_RETRY_SECONDS = 5.0  # after a failure, and until an answer is confirmed
OPTIONS_DOWN_SECONDS = 15.0  # while down
FAILURES_UNTIL_DOWN = 2  # in a row: down
ANSWERS_UNTIL_UP = 2  # in a row: up again
RETRY_SECONDS, MAX_RETRY_SECONDS = (
    5.0,
    300.0,
)  # seconds after the first failed registration, doubled each time
# After rejected credentials: soon, because the account may be new, then four times as long each time, because
# providers ban clients that insist, mostly after five attempts in ten minutes.
REFUSED_RETRY_SECONDS, MAX_REFUSED_RETRY_SECONDS = 10.0, 1800.0
REFUSED_STATUSES = frozenset({401, 403, 404, 407})
NO_ANSWER_STATUSES = frozenset({0, 408, 502, 503, 504})  # to OPTIONS; 0 is no response at all


@unique
class TrunkHealth(StrEnum):
    """Health of a trunk: usable for calls or not."""

    UNKNOWN = "unknown"  # not checked yet
    UP = "up"
    DOWN = "down"


@unique
class TrunkReason(StrEnum):
    """Why a trunk is up or down. A request without a response has a `FailureReason` instead."""

    NONE = ""  # nothing happened yet
    REGISTERED = "registered"
    NOT_REGISTERED = "not_registered"
    ANSWERS = "answers"  # to OPTIONS
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"  # by a response, which `TrunkState.answer` quotes
    CALL_RECEIVED = "call_received"
    CALL_UNANSWERED = "call_unanswered"
    NO_LOCAL_ADDRESS = "no_local_address"  # none of the trunk's family is listened on


@dataclass(frozen=True, slots=True)
class TrunkState:
    """The state of a trunk. The first four fields are shown, the rest is internal."""

    health: TrunkHealth = TrunkHealth.UNKNOWN
    reason: TrunkReason | FailureReason = TrunkReason.NONE
    answer: str = ""  # status and phrase of the response that rejected a request
    since: float = 0.0
    expires: int = DEFAULT_EXPIRES  # seconds requested in REGISTER
    streak: int = 0  # consecutive failures; consecutive answers of a peer that is down
    refusals: int = 0  # rejected logins since the last success
    lengthened: int = 0  # consecutive 423
    has_answered: bool = False  # a peer that never answered OPTIONS may not support it
    is_stopped: bool = False


# Events


@dataclass(frozen=True, slots=True)
class TrunkStarted:
    """The trunk is started: the first event."""


@dataclass(frozen=True, slots=True)
class TimerDue:
    """The timer has expired."""


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The final response to REGISTER or OPTIONS, after challenges. Status 0: none."""

    status: int
    reason: str = ""  # the phrase of the response
    expires: int | None = None  # granted
    min_expires: int | None = None
    retry_after: int | None = None
    failure: FailureReason | TrunkReason = TrunkReason.NO_ANSWER  # where the status is 0


@dataclass(frozen=True, slots=True)
class IncomingSeen:
    """An incoming call proves that the trunk is up."""


@dataclass(frozen=True, slots=True)
class NoResponse:
    """An outgoing call got no response."""


@dataclass(frozen=True, slots=True)
class BindingChanged:
    """The PBX of a trunk of type `account` has registered here, or no longer is."""

    is_registered: bool


@dataclass(frozen=True, slots=True)
class TrunkStopped:
    """The trunk is stopped."""


Event = TrunkStarted | TimerDue | ResponseReceived | IncomingSeen | NoResponse | BindingChanged | TrunkStopped

# Commands


@dataclass(frozen=True, slots=True)
class SendRegister:
    """Send REGISTER for so many seconds; 0 unregisters."""

    expires: int


@dataclass(frozen=True, slots=True)
class SendOptions:
    """Send OPTIONS."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Deliver `TimerDue` after so many seconds. It replaces an earlier timer."""

    seconds: float


Command = SendRegister | SendOptions | StartTimer
Step = tuple[TrunkState, tuple[Command, ...]]


def step(kind: TrunkType, state: TrunkState, event: Event, now: float, draw: float) -> Step:
    """Apply one event. `draw` is a random number of [0, 1), which keeps trunks from acting in unison."""
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
            return state, (StartTimer(draw),)  # the provider may have lost the registration: renew it now
        case TrunkStopped():
            given_up = (SendRegister(0),) if state.health is TrunkHealth.UP else ()
            return replace(state, is_stopped=True), given_up
        case _:
            return state, ()


def _on_register_response(state: TrunkState, answer: ResponseReceived, now: float, draw: float) -> Step:
    if 200 <= answer.status < 300:
        granted = state.expires if answer.expires is None else max(1, min(answer.expires, state.expires))
        up = replace(
            _with_health(state, TrunkHealth.UP, TrunkReason.REGISTERED, now),
            streak=0,
            refusals=0,
            lengthened=0,
        )
        return up, (StartTimer(granted * (0.8 - 0.1 * draw)),)
    longer = answer.min_expires or 0
    if answer.status == 423 and state.expires < longer <= MAX_EXPIRES and state.lengthened < 3:
        return replace(state, expires=longer, lengthened=state.lengthened + 1), (SendRegister(longer),)
    down = replace(_with_health(state, TrunkHealth.DOWN, _reason(answer), now, _quote(answer)), lengthened=0)
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
            return _on_options_failure(state, event, now, draw)
        case NoResponse():
            unanswered = ResponseReceived(0, failure=TrunkReason.CALL_UNANSWERED)
            missed, _ = _on_options_failure(state, unanswered, now, draw)
            return missed, (StartTimer(draw),)
        case ResponseReceived():
            return _on_options_answer(state, now, draw)
        case IncomingSeen() if state.health is not TrunkHealth.UP:
            return replace(_with_health(state, TrunkHealth.UP, TrunkReason.CALL_RECEIVED, now), streak=0), ()
        case TrunkStopped():
            return replace(state, is_stopped=True), ()
        case _:
            return state, ()


def _on_options_failure(state: TrunkState, response: ResponseReceived, now: float, draw: float) -> Step:
    reason, answer = _reason(response), _quote(response)
    if state.health is TrunkHealth.DOWN:
        return replace(state, streak=0, reason=reason, answer=answer), (
            StartTimer(OPTIONS_DOWN_SECONDS * (0.9 + 0.2 * draw)),
        )
    missed = replace(state, streak=state.streak + 1)
    if missed.streak >= FAILURES_UNTIL_DOWN:
        missed = replace(_with_health(state, TrunkHealth.DOWN, reason, now, answer), streak=0)
    return missed, (StartTimer(OPTIONS_RETRY_SECONDS * (0.9 + 0.2 * draw)),)


def _on_options_answer(before: TrunkState, now: float, draw: float) -> Step:
    state = replace(before, has_answered=True)
    if state.health is TrunkHealth.DOWN and state.streak + 1 < ANSWERS_UNTIL_UP:
        return replace(state, streak=state.streak + 1), (
            StartTimer(OPTIONS_RETRY_SECONDS * (0.9 + 0.2 * draw)),
        )
    up = replace(_with_health(state, TrunkHealth.UP, TrunkReason.ANSWERS, now), streak=0)
    return up, (StartTimer(OPTIONS_SECONDS * (0.9 + 0.2 * draw)),)


def _step_account(state: TrunkState, event: Event, now: float) -> Step:
    match event:
        case TrunkStarted():
            return _with_health(state, TrunkHealth.DOWN, TrunkReason.NOT_REGISTERED, now), ()
        case BindingChanged(is_registered=True):
            return _with_health(state, TrunkHealth.UP, TrunkReason.REGISTERED, now), ()
        case BindingChanged():
            return _with_health(state, TrunkHealth.DOWN, TrunkReason.NOT_REGISTERED, now), ()
        case TrunkStopped():
            return replace(state, is_stopped=True), ()
        case _:
            return state, ()


def _with_health(
    state: TrunkState,
    health: TrunkHealth,
    reason: TrunkReason | FailureReason,
    now: float,
    answer: str = "",
) -> TrunkState:
    since = state.since if state.health is health else now
    return replace(state, health=health, reason=reason, answer=answer, since=since)


def _reason(response: ResponseReceived) -> TrunkReason | FailureReason:
    return TrunkReason.REJECTED if response.status else response.failure


def _quote(response: ResponseReceived) -> str:
    return f"{response.status} {response.reason}".strip() if response.status else ""


def is_open(kind: TrunkType, state: TrunkState) -> bool:
    """Return True if a call may be tried. A peer that has never answered OPTIONS may not support it."""
    return state.health is not TrunkHealth.DOWN or (kind is TrunkType.PEER and not state.has_answered)
