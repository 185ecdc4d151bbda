"""Forwarding of calls to an extension that does not take them, by the rules of its presence.

An extension forwards a call once until the caller presses a key, so that extensions which forward to each
other ring in the end.
"""

from openivr.ivr.call_state import CallState
from openivr.ivr.commands import Note, Topic
from openivr.ivr.events import Cause
from openivr.ivr.model import Destination, DestinationKind, Extension, ForwardCondition
from openivr.ivr.policy import forwarded
from openivr.ivr.state import IvrState

CONDITIONS = {
    Cause.BUSY: ForwardCondition.BUSY,
    Cause.DECLINED: ForwardCondition.BUSY,
    Cause.NO_ANSWER: ForwardCondition.NO_ANSWER,
    Cause.UNAVAILABLE: ForwardCondition.NO_ANSWER,
    Cause.LIMIT: ForwardCondition.NO_ANSWER,
}


def find_forward(call: CallState, extension: Extension, condition: ForwardCondition) -> Destination | None:
    """Return where an extension forwards the call on a condition. None if nowhere, or if it has done so."""
    rules = extension.inside if call.is_internal else extension.outside
    return None if extension.id in call.forwarded else rules.find(condition)


def forward(call: CallState, extension: Extension, condition: ForwardCondition) -> IvrState | None:
    """Forward the call if a rule says so. None if no rule does."""
    to = find_forward(call, extension, condition)
    if to is None:
        return None
    call.forwarded |= {extension.id}
    number, is_outside = to.prefix + to.number or to.prompt, to.kind is DestinationKind.EXTERNAL
    call.out.append(
        Note(
            Topic.FORWARDED,
            call.ivr.id,
            extension.number,
            to.kind,
            to.target,
            number,
            detail=condition,
            private=is_outside,
        )
    )
    return call.move_on(forwarded(call.snapshot, extension, to))


def fail_extension(call: CallState, extension: Extension, cause: Cause) -> IvrState:
    """Go on as the extension forwards a call that it did not take, or else back."""
    condition = CONDITIONS[cause]
    if find_forward(call, extension, condition) is None:
        return call.fail(cause)
    call.note_destination(Topic.FAILED, cause)
    return forward(call, extension, condition) or call.fail(cause)
