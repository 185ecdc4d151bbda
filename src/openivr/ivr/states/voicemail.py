"""Voicemail: leaving a message in somebody's mailbox, and hearing the messages in one's own.

In one's own mailbox: 1 again, 2 next, 3 delete, * back to the menu, # end. The PIN goes to the driver and
into no note.
"""

from openivr.ivr import builtin_sounds
from openivr.ivr.call_state import CallState
from openivr.ivr.commands import DeleteMessage, HangupReason, OpenMailbox, Record, StopRecord, Topic
from openivr.ivr.events import (
    Cause,
    Digit,
    MailboxOpened,
    MailboxRefused,
    PromptEnded,
    RecordEnded,
    RecordResult,
    TimerFired,
)
from openivr.ivr.model import DestinationKind
from openivr.ivr.state import IvrState
from openivr.ivr.states.menu import leave as leave_for_menu

MESSAGE_SECONDS = 180  # at most
KEEP_SECONDS = 10  # for the driver to keep a message
OPEN_SECONDS = 5  # for the driver to look at the PIN
TRIES = 3
LONGEST_INPUT = 20  # digits of a mailbox or a PIN


def begin(call: CallState) -> IvrState:
    """Leave a message for the extension that the destination names; without one, ask for the caller's own."""
    if not call.destination.target:
        call.tries = 0
        return _ask_mailbox(call)
    extension = call.snapshot.extensions.get(call.destination.target)
    if extension is None or not (extension.enabled and extension.voicemail):
        return call.fail(Cause.UNAVAILABLE)
    call.play((builtin_sounds.LEAVE_MESSAGE,))
    return IvrState.INVITING


def press_skip(call: CallState, event: Digit) -> IvrState:
    """`#` skips to the tone."""
    if event.key != "#":
        return IvrState.INVITING
    call.stop_play()
    call.heard()
    return _record(call)


def hear_invitation(call: CallState, event: PromptEnded) -> IvrState:
    """After the tone."""
    return _record(call)


def _record(call: CallState) -> IvrState:
    call.out.append(Record(call.begin(), call.destination.target, MESSAGE_SECONDS))
    call.set_timer(MESSAGE_SECONDS)
    return IvrState.RECORDING


def press_done(call: CallState, event: Digit) -> IvrState:
    """`#` ends the message."""
    return _stop_recording(call) if event.key == "#" else IvrState.RECORDING


def hear_long_message(call: CallState, event: TimerFired) -> IvrState:
    """The longest message there is."""
    return _stop_recording(call)


def _stop_recording(call: CallState) -> IvrState:
    call.out.append(StopRecord(call.activity))
    call.await_result(KEEP_SECONDS)
    return IvrState.KEEPING


def leave(call: CallState, reason: str) -> IvrState:
    """End the call for a caller who is gone, once it is known if there is a message."""
    call.leaving = call.leaving or reason
    return _stop_recording(call) if call.state is IvrState.RECORDING else IvrState.KEEPING


def receive_result(call: CallState, event: RecordEnded) -> IvrState:
    """Report to the caller what became of the message, and end the call."""
    return _conclude(call, event.result)


def miss_result(call: CallState, event: TimerFired) -> IvrState:
    """Take a message as lost if the driver reports nothing."""
    call.activity = 0
    return _conclude(call, RecordResult.FAILED)


def _conclude(call: CallState, result: RecordResult) -> IvrState:
    is_kept = result is RecordResult.KEPT
    if is_kept:
        call.note_destination(Topic.RECORDED)
    else:
        call.note_destination(Topic.NOT_RECORDED, result)
    if call.leaving == HangupReason.CALL_LENGTH_LIMIT:
        return call.end(HangupReason.CALL_LENGTH_LIMIT)
    if call.leaving:
        call.note(Topic.ENDED, call.leaving)
        return IvrState.ENDED
    if is_kept:
        return call.close((builtin_sounds.MESSAGE_SAVED,), HangupReason.MESSAGE_LEFT)
    return call.close((builtin_sounds.MESSAGE_NOT_SAVED,), HangupReason.NO_MESSAGE)


def _ask_mailbox(call: CallState) -> IvrState:
    call.typed = ""
    call.play((builtin_sounds.ASK_MAILBOX,))
    return IvrState.MAILBOX


def hear_question(call: CallState, event: PromptEnded) -> IvrState:
    """A question is over: wait for the answer."""
    call.set_timer(call.ivr.resp_timeout)
    return call.state


def press_mailbox(call: CallState, event: Digit) -> IvrState:
    """Collect the number of the mailbox."""
    return _collect(call, event) or _ask_pin(call)


def hear_mailbox(call: CallState, event: TimerFired) -> IvrState:
    """A pause ends the number; no number at all goes back to the menu."""
    return _ask_pin(call) if call.typed else IvrState.RETURN


def _collect(call: CallState, event: Digit) -> IvrState | None:
    """Add a digit; None: the input is complete."""
    call.stop_play()
    call.heard()
    if event.key == "*":
        return leave_for_menu(call)
    if event.key == "#" and call.typed:
        return None
    if event.key == "#":  # nothing is typed yet: it belongs to the entry before
        call.set_timer(call.ivr.resp_timeout)
        return call.state
    call.typed = (call.typed + event.key)[:LONGEST_INPUT]
    call.set_timer(call.ivr.digit_timeout)
    return call.state


def _ask_pin(call: CallState) -> IvrState:
    call.mailbox, call.typed = call.typed, ""
    call.play((builtin_sounds.ASK_PIN,))
    return IvrState.PIN


def press_pin(call: CallState, event: Digit) -> IvrState:
    """Collect the PIN."""
    return _collect(call, event) or _open(call)


def hear_pin(call: CallState, event: TimerFired) -> IvrState:
    """A pause ends the PIN."""
    return _open(call)


def _open(call: CallState) -> IvrState:
    pin, call.typed = call.typed, ""
    call.out.append(OpenMailbox(call.begin(), known_mailbox(call), pin))
    call.set_timer(OPEN_SECONDS)
    return IvrState.OPENING


def known_mailbox(call: CallState) -> str:
    """Return the number typed if an extension has it, else "": what is no number may be a PIN."""
    owner = call.snapshot.numbers.get(call.mailbox)
    return call.mailbox if owner and owner.kind is DestinationKind.EXTENSION else ""


def miss_check(call: CallState, event: TimerFired) -> IvrState:
    """The driver did not say if the PIN is right, which is no fault of the caller."""
    return _be_unavailable(call)


def _be_unavailable(call: CallState) -> IvrState:
    call.note(Topic.MAILBOX, "unchecked", known_mailbox(call))
    return call.notify(builtin_sounds.UNAVAILABLE)


def hear_refusal(call: CallState, event: MailboxRefused) -> IvrState:
    """Ask for the PIN again, or end after the third time."""
    call.mailbox = event.number or call.mailbox
    if event.is_unchecked:
        return _be_unavailable(call)
    call.tries += 1
    call.note(Topic.MAILBOX, "refused", known_mailbox(call))
    if call.tries >= TRIES:
        return call.close((builtin_sounds.WRONG_PIN, builtin_sounds.GOODBYE), HangupReason.MAILBOX_REFUSED)
    call.play((builtin_sounds.WRONG_PIN, builtin_sounds.ASK_PIN))
    return IvrState.PIN


def hear_opened(call: CallState, event: MailboxOpened) -> IvrState:
    """Say the first message."""
    call.mailbox = event.number or call.mailbox
    call.note(Topic.MAILBOX, "opened", known_mailbox(call))
    call.messages = event.messages
    return _say_message(call)


def _say_message(call: CallState) -> IvrState:
    if call.messages:
        call.play((builtin_sounds.MESSAGE, call.messages[0], builtin_sounds.MESSAGE_KEYS))
    else:
        call.play((builtin_sounds.NO_MORE_MESSAGES,))
    return IvrState.MESSAGES


def press_command(call: CallState, event: Digit) -> IvrState:
    """Move among the messages."""
    call.stop_play()
    call.heard()
    if event.key == "*":
        return leave_for_menu(call)
    if event.key == "#":
        return call.close((builtin_sounds.GOODBYE,), HangupReason.MAILBOX_LEFT)
    if event.key == "3" and call.messages:
        call.out.append(DeleteMessage(call.mailbox, call.messages[0]))
        call.note(Topic.MAILBOX, "deleted", call.mailbox)
    if event.key in "23":
        call.messages = call.messages[1:]
    return _say_message(call)


def hear_no_command(call: CallState, event: TimerFired) -> IvrState:
    """The caller said nothing."""
    return call.close((builtin_sounds.GOODBYE,), HangupReason.MAILBOX_LEFT)
