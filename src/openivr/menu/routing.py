"""Follow a destination: one function per kind."""

from collections.abc import Callable

from openivr.menu import dialling, directory, voicemail
from openivr.menu.call import NOWHERE, Call
from openivr.menu.commands import Reason
from openivr.menu.events import Cause
from openivr.menu.model import Kind
from openivr.menu.states import State


def follow(call: Call) -> State:
    """Go where `destination` says."""
    return FOLLOW[call.destination.kind](call)


def end_call(call: Call) -> State:
    """Hang up, because the menu says so."""
    return call.end(Reason.END_CALL)


def enter_ivr(call: Call) -> State:
    """Move into another menu, or the same one again."""
    ivr = call.snapshot.ivrs.get(call.destination.target)
    if ivr is None:
        return call.fail(Cause.UNAVAILABLE)
    call.ivr = ivr
    return State.ENTER


def play_greeting(call: Call) -> State:
    """Play a prompt as often as configured, then hang up."""
    return call.close([call.destination.prompt] * call.destination.plays, Reason.PLAYED)


def play_prompt(call: Call) -> State:
    """Play a prompt as often as configured, then return to this menu."""
    if call.play([call.destination.prompt] * call.destination.plays):
        return State.ASIDE
    return call.end(Reason.PLAYED) if call.ivr is NOWHERE else State.ENTER


FOLLOW: dict[Kind, Callable[[Call], State]] = {
    Kind.END_CALL: end_call,
    Kind.EXTENSION: dialling.ring_extension,
    Kind.RING_GROUP: dialling.ring_group,
    Kind.EXTERNAL: dialling.call_outside,
    Kind.IVR: enter_ivr,
    Kind.VOICEMAIL: voicemail.begin,
    Kind.DIAL_BY_NAME: directory.begin,
    Kind.PLAY_GREETING: play_greeting,
    Kind.PLAY_PROMPT: play_prompt,
}
