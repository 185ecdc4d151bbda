"""Ring somebody: an extension, a ring group, or an outside number over one line after the other."""

from dataclasses import replace

from openivr.ivr.call_state import NOWHERE, CallState, Ignore
from openivr.ivr.commands import Dial, HangupReason, Note, StopDial, Topic
from openivr.ivr.events import Cause, DialAnswered, DialEnded, DialFailed, Digit, PromptEnded, TimerFired
from openivr.ivr.model import DestinationKind, Extension, ForwardCondition, IvrSnapshot, RingGroup
from openivr.ivr.policy import attempts
from openivr.ivr.state import IvrState
from openivr.ivr.states.forwarding import fail_extension, find_forward, forward
from openivr.ivr.states.menu import leave as leave_for_menu

OUTSIDE_SECONDS = 60  # an outside number may ring this long
PASSED_ON = (
    Cause.UNAVAILABLE,
    Cause.LIMIT,
)  # failures of the line, not of the person: the next line is tried


def ring_extension(call: CallState) -> IvrState:
    """Ring an extension."""
    extension = call.snapshot.extensions.get(call.destination.target)
    if extension is None or not extension.enabled:
        return call.fail(Cause.UNAVAILABLE)
    state = forward(call, extension, ForwardCondition.ALWAYS)
    if state is not None:
        return state
    if extension.do_not_disturb:
        return fail_extension(call, extension, Cause.BUSY)
    dial = _inside(call, DestinationKind.EXTENSION, extension)
    return _ring(call, replace(dial, mobile=extension.mobile) if extension.mobile else dial)


def ring_group(call: CallState) -> IvrState:
    """Ring a ring group; one without anybody in it fails at once."""
    group = call.snapshot.ring_groups.get(call.destination.target)
    if group is None:
        return call.fail(Cause.UNAVAILABLE)
    if not members(call.snapshot, group):
        return _fail_group(call, Cause.UNAVAILABLE)
    if not group.join_prompt:
        return _ring(call, _inside(call, DestinationKind.RING_GROUP, group))
    if group.play_full_join_prompt and call.play((group.join_prompt,), interruptible=False):
        return IvrState.JOINING
    if call.has(group.join_prompt):
        call.answer()
        return _ring(call, _inside(call, DestinationKind.RING_GROUP, group, group.join_prompt))
    if not group.play_full_join_prompt:  # else it is noted already
        call.note_missing((group.join_prompt,))
    return _ring(call, _inside(call, DestinationKind.RING_GROUP, group))


def hear_join_prompt(call: CallState, event: PromptEnded) -> IvrState:
    """The prompt of the ring group is over: ring it."""
    group = call.snapshot.ring_groups[call.destination.target]
    return _ring(call, _inside(call, DestinationKind.RING_GROUP, group))


def members(snapshot: IvrSnapshot, group: RingGroup) -> tuple[int, ...]:
    """List the extensions of a ring group that exist and may be disturbed, in ringing order."""
    rows = ((id_, snapshot.extensions.get(id_)) for id_ in group.member_ids)
    return tuple(id_ for id_, row in rows if row and row.enabled and not row.do_not_disturb)


def call_outside(call: CallState) -> IvrState:
    """Call an outside number over the first line; without one it fails at once."""
    to = call.destination
    call.attempts = tuple(attempts(call.snapshot, call.route_ids, to.prefix + to.number))
    return _attempt(call) if call.attempts else call.fail(Cause.UNAVAILABLE)


def _attempt(call: CallState) -> IvrState:
    way, *rest = call.attempts
    call.attempts = tuple(rest)
    return _ring(
        call,
        Dial(
            call.begin(),
            DestinationKind.EXTERNAL,
            way.route.id,
            way.number,
            OUTSIDE_SECONDS,
            way.trunk,
            call.ivr.id,
        ),
    )


def _inside(call: CallState, kind: DestinationKind, to: Extension | RingGroup, prompt: str = "") -> Dial:
    ivr = call.ivr
    return Dial(
        call.begin(),
        kind,
        to.id,
        to.number,
        to.ring_seconds,
        ivr=ivr.id,
        alert_info=ivr.alert_info,
        prompt=prompt,
    )


def _ring(call: CallState, dial: Dial) -> IvrState:
    private = dial.kind is DestinationKind.EXTERNAL
    line = Note(Topic.DIALLED, dial.ivr, "", dial.kind, dial.target, dial.number, dial.trunk, private=private)
    call.out += (line, dial)
    call.set_timer(dial.seconds)
    return IvrState.DIALLING


def connect(call: CallState, event: DialAnswered) -> IvrState:
    """The two are talking."""
    call.note_destination(Topic.CONNECTED)
    return IvrState.CONNECTED


def give_up(call: CallState, event: TimerFired) -> IvrState:
    """It rang long enough."""
    _stop(call)
    return _fail(call, Cause.NO_ANSWER)


def hear_failure(call: CallState, event: DialFailed) -> IvrState:
    """It did not come to a conversation: try the next line, the group's own destination, or go back."""
    return _fail(call, event.cause)


def press(call: CallState, event: Digit) -> IvrState:
    """Take a key while phones inside ring: `*` goes back to the menu, `#` to where no answer leads.

    A `#` after digits ends what was typed, and leads nowhere.
    """
    if call.destination.kind is DestinationKind.EXTERNAL:
        return IvrState.DIALLING
    if event.key not in ("*", "#"):
        call.end_entry(Ignore.POUND)
        return IvrState.DIALLING
    call.heard()
    if event.key == "*" and call.ivr is not NOWHERE:
        _stop(call)
        return leave_for_menu(call)
    if event.key == "#" and _leads_on(call):
        _stop(call)
        return _fail(call, Cause.NO_ANSWER)
    return IvrState.DIALLING


def _stop(call: CallState) -> None:
    call.out.append(StopDial(call.activity))
    call.activity = 0


def _leads_on(call: CallState) -> bool:
    """Return True if an unanswered call of the destination goes elsewhere than back."""
    target = call.destination.target
    if call.destination.kind is DestinationKind.RING_GROUP:
        return call.snapshot.ring_groups[target].fail is not None
    extension = call.snapshot.extensions[target]
    return find_forward(call, extension, ForwardCondition.NO_ANSWER) is not None


def _fail(call: CallState, cause: Cause) -> IvrState:
    if call.destination.kind is DestinationKind.RING_GROUP:
        return _fail_group(call, cause)
    if call.destination.kind is DestinationKind.EXTENSION:
        return fail_extension(call, call.snapshot.extensions[call.destination.target], cause)
    if call.attempts and cause in PASSED_ON:
        call.note_destination(Topic.FAILED, cause)
        return _attempt(call)
    return call.fail(cause)


def _fail_group(call: CallState, cause: Cause) -> IvrState:
    onward = call.snapshot.ring_groups[call.destination.target].fail
    if onward is None:
        return call.fail(cause)
    call.note_destination(Topic.FAILED, cause)
    return call.redirect(onward)


def hear_callee_gone(call: CallState, event: DialEnded) -> IvrState:
    """The other side is gone."""
    return call.end(HangupReason(event.reason) if event.reason else HangupReason.CALLEE_HANGUP)
