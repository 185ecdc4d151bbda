"""Switch business hours from a phone: ask for the PIN if the extension has one, switch, and say the result.

The PIN goes to the driver and into no note.
"""

from openivr.ivr import builtin_sounds
from openivr.ivr.call_state import CallState
from openivr.ivr.commands import HangupReason, Note, SwitchHours, Topic
from openivr.ivr.events import Digit, HoursRefused, HoursSwitched, PromptEnded, TimerFired
from openivr.ivr.state import IvrState

SWITCH_SECONDS = 5  # for the driver to switch
ANSWER_SECONDS = 10  # for the caller to begin with the PIN
TRIES = 3
LONGEST_PIN = 20
SPOKEN = {
    "open": builtin_sounds.OFFICE_OPEN,
    "break": builtin_sounds.OFFICE_OPEN,
    "closed": builtin_sounds.OFFICE_CLOSED,
    "holiday": builtin_sounds.OFFICE_HOLIDAY,
}


def begin(call: CallState) -> IvrState:
    """Ask for the PIN, or switch at once if the extension has none."""
    extension = call.snapshot.extensions.get(call.hours.extension)
    if extension is None or not extension.has_hours_pin:
        return _send(call)
    call.play((builtin_sounds.ASK_PIN,))
    return IvrState.HOURS_PIN


def hear_question(call: CallState, event: PromptEnded) -> IvrState:
    """The question is over: wait for the PIN."""
    call.set_timer(ANSWER_SECONDS)
    return IvrState.HOURS_PIN


def press_pin(call: CallState, event: Digit) -> IvrState:
    """Collect the PIN, which `#` ends."""
    call.stop_play()
    if event.key == "#" and call.typed:
        return _send(call)
    if event.key != "#":
        call.typed = (call.typed + event.key)[:LONGEST_PIN]
    call.set_timer(call.ivr.digit_timeout)
    return IvrState.HOURS_PIN


def hear_pin(call: CallState, event: TimerFired) -> IvrState:
    """A pause ends the PIN. Without a PIN the call ends."""
    if call.typed:
        return _send(call)
    return call.close((builtin_sounds.GOODBYE,), HangupReason.PROMPT_PLAYED)


def _send(call: CallState) -> IvrState:
    pin, call.typed = call.typed, ""
    call.out.append(SwitchHours(call.begin(), call.hours.extension, call.hours.action, pin))
    call.set_timer(SWITCH_SECONDS)
    return IvrState.SWITCHING


def hear_switched(call: CallState, event: HoursSwitched) -> IvrState:
    """Say the period that holds now."""
    call.out.append(Note(Topic.PERIOD, number=event.holiday, detail=f"{event.period} {event.reason}"))
    return call.close((SPOKEN.get(event.period, builtin_sounds.OFFICE_CLOSED),), HangupReason.PROMPT_PLAYED)


def hear_refusal(call: CallState, event: HoursRefused) -> IvrState:
    """Ask for the PIN again, or end after the third time."""
    if event.is_unchecked:
        return call.close((builtin_sounds.UNAVAILABLE,), HangupReason.DESTINATION_UNREACHED)
    call.tries += 1
    if call.tries >= TRIES:
        return call.close((builtin_sounds.WRONG_PIN, builtin_sounds.GOODBYE), HangupReason.PROMPT_PLAYED)
    call.play((builtin_sounds.WRONG_PIN, builtin_sounds.ASK_PIN))
    return IvrState.HOURS_PIN


def miss_result(call: CallState, event: TimerFired) -> IvrState:
    """The driver did not say if the hours are switched."""
    return call.close((builtin_sounds.UNAVAILABLE,), HangupReason.DESTINATION_UNREACHED)
