"""Follow a destination: one function per kind."""

from collections.abc import Callable

from openivr.ivr.call_state import NOWHERE, CallState
from openivr.ivr.commands import HangupReason
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind
from openivr.ivr.state import IvrState
from openivr.ivr.states import dialling, directory, voicemail


def follow(call: CallState) -> IvrState:
    """Go where `destination` says."""
    return FOLLOW[call.destination.kind](call)


def end_call(call: CallState) -> IvrState:
    """Hang up, because the menu says so."""
    return call.end(HangupReason.END_CALL)


def enter_ivr(call: CallState) -> IvrState:
    """Move into another menu, or the same one again."""
    ivr = call.snapshot.ivrs.get(call.destination.target)
    if ivr is None:
        return call.fail(Cause.UNAVAILABLE)
    if call.announce_before(ivr) is IvrState.PREFACE:
        return IvrState.PREFACE  # which leads here again
    call.ivr = ivr
    return IvrState.ENTER


def play_greeting(call: CallState) -> IvrState:
    """Play a prompt as often as configured, then hang up."""
    return call.close([call.destination.prompt] * call.destination.plays, HangupReason.PROMPT_PLAYED)


def play_prompt(call: CallState) -> IvrState:
    """Play a prompt as often as configured, then return to this menu."""
    if call.play([call.destination.prompt] * call.destination.plays):
        return IvrState.ASIDE
    return call.end(HangupReason.PROMPT_PLAYED) if call.ivr is NOWHERE else IvrState.ENTER


FOLLOW: dict[DestinationKind, Callable[[CallState], IvrState]] = {
    DestinationKind.END_CALL: end_call,
    DestinationKind.EXTENSION: dialling.ring_extension,
    DestinationKind.RING_GROUP: dialling.ring_group,
    DestinationKind.EXTERNAL: dialling.call_outside,
    DestinationKind.IVR: enter_ivr,
    DestinationKind.VOICEMAIL: voicemail.begin,
    DestinationKind.DIAL_BY_NAME: directory.begin,
    DestinationKind.PLAY_GREETING: play_greeting,
    DestinationKind.PLAY_PROMPT: play_prompt,
}
