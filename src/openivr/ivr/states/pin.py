"""A key that asks for a PIN before it leads on. The PIN goes to the driver and into no note.

An entry ends with `#`, with a pause, or with as many digits as the longest PIN has. * goes back to
the menu. After three entries without a right PIN the key counts as a wrong one.
"""

from openivr.ivr import builtin_sounds
from openivr.ivr.call_state import CallState, Ignore
from openivr.ivr.commands import CheckPin, Note, Topic
from openivr.ivr.digits import MAX_DIGITS
from openivr.ivr.events import Digit, PinAccepted, PinRefused, PromptEnded, TimerFired
from openivr.ivr.policy import Refusal
from openivr.ivr.state import IvrState
from openivr.ivr.states.menu import decide_entry

CHECK_SECONDS = 5  # for the driver to look for the PIN
TRIES = 3


def ask(call: CallState) -> IvrState:
    """Ask for a PIN of the key's list."""
    call.typed = ""
    call.play((builtin_sounds.ASK_PIN,))
    return IvrState.KEY_PIN


def hear_question(call: CallState, event: PromptEnded) -> IvrState:
    """The question is over: wait for the first digit."""
    call.set_timer(call.ivr.resp_timeout)
    return IvrState.KEY_PIN


def press(call: CallState, event: Digit) -> IvrState:
    """Collect the PIN."""
    call.stop_play()
    call.heard()
    if event.key == "*":
        return IvrState.ENTER
    if event.key == "#":
        if call.typed:
            return check(call)
        call.set_timer(call.ivr.resp_timeout)  # it belongs to the entry before
        return IvrState.KEY_PIN
    call.typed += event.key
    if len(call.typed) >= longest(call):
        call.end_entry(Ignore.POUND)
        return check(call)
    call.set_timer(call.ivr.digit_timeout)
    return IvrState.KEY_PIN


def longest(call: CallState) -> int:
    """Return how many digits the longest PIN of the list has."""
    pins = call.snapshot.pin_lists.get(call.ivr.key_pins[call.guarded_key])
    return pins.longest if pins and pins.longest else MAX_DIGITS


def hear_no_more(call: CallState, event: TimerFired) -> IvrState:
    """A pause ends the PIN. A caller who typed nothing is asked again, up to three times in all."""
    if call.typed:
        return check(call)
    call.tries += 1
    return IvrState.TIMED_OUT if call.tries >= TRIES else ask(call)


def check(call: CallState) -> IvrState:
    """Let the driver look for the PIN."""
    pin, call.typed = call.typed, ""
    call.out.append(CheckPin(call.begin(), call.ivr.key_pins[call.guarded_key], pin))
    call.set_timer(CHECK_SECONDS)
    return IvrState.CHECKING


def overhear(call: CallState, event: Digit) -> IvrState:
    """Drop a key that comes before the result, and the rest of what is being typed."""
    call.end_entry(Ignore.SECRET)
    return IvrState.CHECKING


def accept(call: CallState, event: PinAccepted) -> IvrState:
    """Go where the key leads."""
    _note(call, "accepted")
    return decide_entry(call, call.guarded_key)


def miss_result(call: CallState, event: TimerFired) -> IvrState:
    """The driver did not say if the PIN is right, which is no fault of the caller."""
    call.activity = 0
    return _be_unavailable(call)


def _be_unavailable(call: CallState) -> IvrState:
    _ignore_rest(call)
    _note(call, "unchecked")
    return call.notify(builtin_sounds.UNAVAILABLE)


def _ignore_rest(call: CallState) -> None:
    """Ignore what is typed on, if the PIN was long enough before its entry was over."""
    if call.entry:
        call.end_entry(Ignore.SECRET)


def refuse(call: CallState, event: PinRefused) -> IvrState:
    """Ask for the PIN again, or take the key as a wrong one after the third time."""
    if event.is_unchecked:
        return _be_unavailable(call)
    call.tries += 1
    _note(call, "refused")
    _ignore_rest(call)
    if call.tries < TRIES:
        call.typed = ""
        call.play((builtin_sounds.WRONG_PIN, builtin_sounds.ASK_PIN))
        return IvrState.KEY_PIN
    call.out.append(Note(Topic.INVALID, call.ivr.id, call.guarded_key, detail=Refusal.WRONG_PIN))
    call.play((builtin_sounds.WRONG_PIN,), interruptible=False)
    return IvrState.PIN_REFUSED


def hear_refusal(call: CallState, event: PromptEnded) -> IvrState:
    """The caller knows that the PIN was wrong: go where wrong keys lead."""
    return IvrState.INVALID


def _note(call: CallState, result: str) -> None:
    call.out.append(Note(Topic.PIN, call.ivr.id, call.guarded_key, detail=result))
