"""Voicemail: leaving a message in somebody's mailbox, and hearing the messages in one's own.

In one's own mailbox: 1 again, 2 next, 3 delete, * back to the menu, # end. The PIN goes to the driver and
into no note.
"""

from openivr.menu import sounds
from openivr.menu.call import Call
from openivr.menu.commands import DeleteMessage, OpenMailbox, Reason, Record, StopRecord, Topic
from openivr.menu.events import (
    Cause,
    Digit,
    MailboxOpened,
    MailboxRefused,
    PromptEnded,
    RecordEnded,
    TimerFired,
)
from openivr.menu.states import State

MESSAGE_SECONDS = 180  # at most
OPEN_SECONDS = 5  # for the driver to look at the PIN
TRIES = 3
LONGEST_INPUT = 20  # digits of a mailbox or a PIN


def begin(call: Call) -> State:
    """Leave a message for the extension that the destination names; without one, ask for the caller's own."""
    if not call.destination.target:
        call.tries = 0
        return _ask_mailbox(call)
    extension = call.snapshot.extensions.get(call.destination.target)
    if extension is None or not (extension.enabled and extension.voicemail):
        return call.fail(Cause.UNAVAILABLE)
    call.play((sounds.LEAVE_MESSAGE,))
    return State.INVITING


def press_skip(call: Call, event: Digit) -> State:
    """`#` skips to the tone."""
    if event.key != "#":
        return State.INVITING
    call.stop_play()
    call.heard()
    return _record(call)


def hear_invitation(call: Call, event: PromptEnded) -> State:
    """After the tone."""
    return _record(call)


def _record(call: Call) -> State:
    call.out.append(Record(call.begin(), call.destination.target, MESSAGE_SECONDS))
    call.set_timer(MESSAGE_SECONDS)
    return State.RECORDING


def press_done(call: Call, event: Digit) -> State:
    """`#` ends the message."""
    return _stop_recording(call) if event.key == "#" else State.RECORDING


def hear_long_message(call: Call, event: TimerFired) -> State:
    """The longest message there is."""
    return _stop_recording(call)


def _stop_recording(call: Call) -> State:
    call.out.append(StopRecord(call.activity))
    return _thank(call)


def hear_silence(call: Call, event: RecordEnded) -> State:
    """The caller stopped talking."""
    return _thank(call)


def _thank(call: Call) -> State:
    call.note_destination(Topic.RECORDED)
    return call.close((sounds.MESSAGE_SAVED,), Reason.MESSAGE)


def _ask_mailbox(call: Call) -> State:
    call.typed = ""
    call.play((sounds.ASK_MAILBOX,))
    return State.MAILBOX


def hear_question(call: Call, event: PromptEnded) -> State:
    """A question is over: wait for the answer."""
    call.set_timer(call.ivr.resp_timeout)
    return call.state


def press_mailbox(call: Call, event: Digit) -> State:
    """Collect the number of the mailbox."""
    return _collect(call, event) or _ask_pin(call)


def hear_mailbox(call: Call, event: TimerFired) -> State:
    """A pause ends the number; no number at all goes back to the menu."""
    return _ask_pin(call) if call.typed else State.RETURN


def _collect(call: Call, event: Digit) -> State | None:
    """Add a digit; None: the input is complete."""
    call.stop_play()
    call.heard()
    if event.key == "*":
        return State.RETURN
    if event.key == "#":
        return None
    call.typed = (call.typed + event.key)[:LONGEST_INPUT]
    call.set_timer(call.ivr.digit_timeout)
    return call.state


def _ask_pin(call: Call) -> State:
    call.mailbox, call.typed = call.typed, ""
    call.play((sounds.ASK_PIN,))
    return State.PIN


def press_pin(call: Call, event: Digit) -> State:
    """Collect the PIN."""
    return _collect(call, event) or _open(call)


def hear_pin(call: Call, event: TimerFired) -> State:
    """A pause ends the PIN."""
    return _open(call)


def _open(call: Call) -> State:
    pin, call.typed = call.typed, ""
    call.out.append(OpenMailbox(call.begin(), call.mailbox, pin))
    call.set_timer(OPEN_SECONDS)
    return State.OPENING


def hear_refusal(call: Call, event: MailboxRefused | TimerFired) -> State:
    """Try again, or end after the third time."""
    call.tries += 1
    call.note(Topic.MAILBOX, "refused", call.mailbox)
    if call.tries >= TRIES:
        return call.close((sounds.WRONG_PIN, sounds.GOODBYE), Reason.PIN)
    call.play((sounds.WRONG_PIN, sounds.ASK_MAILBOX))
    return State.MAILBOX


def hear_opened(call: Call, event: MailboxOpened) -> State:
    """Say the first message."""
    call.note(Topic.MAILBOX, "opened", call.mailbox)
    call.messages = event.messages
    return _say_message(call)


def _say_message(call: Call) -> State:
    if call.messages:
        call.play((sounds.MESSAGE, call.messages[0], sounds.MESSAGE_KEYS))
    else:
        call.play((sounds.NO_MORE_MESSAGES,))
    return State.MESSAGES


def press_command(call: Call, event: Digit) -> State:
    """Move among the messages."""
    call.stop_play()
    call.heard()
    if event.key == "*":
        return State.RETURN
    if event.key == "#":
        return call.close((sounds.GOODBYE,), Reason.MAILBOX)
    if event.key == "3" and call.messages:
        call.out.append(DeleteMessage(call.mailbox, call.messages[0]))
        call.note(Topic.MAILBOX, "deleted", call.mailbox)
    if event.key in "23":
        call.messages = call.messages[1:]
    return _say_message(call)


def hear_no_command(call: Call, event: TimerFired) -> State:
    """The caller said nothing."""
    return call.close((sounds.GOODBYE,), Reason.MAILBOX)
