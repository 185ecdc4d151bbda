"""The states of a menu: announce, wait, collect, decide, and what follows from no key or a wrong one."""

from dataclasses import replace

from openivr.ivr import builtin_sounds
from openivr.ivr.call_state import NOWHERE, CallState, Ignore
from openivr.ivr.commands import CallTimer, HangupReason, Note, Topic
from openivr.ivr.digits import MAX_DIGITS, Match
from openivr.ivr.events import CallArrived, Digit, PromptEnded, TimerFired
from openivr.ivr.hours_code import HoursRequest
from openivr.ivr.model import DestinationKind
from openivr.ivr.policy import Allowed, Refusal, configured, decide, reach
from openivr.ivr.state import IvrState
from openivr.ivr.states import hours

PLAIN = 5  # wrong input of up to so many keys is shown to everybody; more may be somebody's outside number


def arrive(call: CallState, event: CallArrived) -> IvrState:
    """Take a call and follow the destination that it came for."""
    call.answered, call.is_internal = event.is_answered, event.is_internal
    call.set_timer(call.snapshot.max_call_seconds, CallTimer.CALL)
    call.note(Topic.ARRIVED, number=event.caller)
    if event.period:
        call.out.append(Note(Topic.PERIOD, number=event.holiday, detail=event.period))
    if event.hours_action:
        call.hours = HoursRequest(event.hours_action, event.extension)
        return hours.begin(call)
    allowed = configured(call.snapshot, event.destination)
    state = call.follow(replace(allowed, route_ids=event.route_ids) if event.route_ids else allowed)
    return call.preface(event.announcements, state)


def keep_key(call: CallState, event: Digit) -> IvrState:
    """Keep a key that overtook the call's arrival."""
    call.early += event.key
    return IvrState.NEW


def enter(call: CallState) -> IvrState:
    """Come into the menu that `ivr` names, and answer: who is not answered cannot press keys."""
    call.reach = reach(call.snapshot, call.ivr.policy)
    call.typed, call.plays = "", 0
    call.note(Topic.ENTERED, number=call.ivr.number)
    call.answer()
    return announce(call)


def announce(call: CallState) -> IvrState:
    """Play the announcement once more; without one, only wait."""
    call.plays += 1
    return IvrState.ANNOUNCING if call.play(call.ivr.prompts) else await_key(call)


def await_key(call: CallState) -> IvrState:
    """Wait for the first key."""
    call.set_timer(call.ivr.resp_timeout)
    return IvrState.WAITING


def hear_end(call: CallState, event: PromptEnded) -> IvrState:
    """The announcement is over."""
    return await_key(call)


def hear_nothing(call: CallState, event: TimerFired) -> IvrState:
    """No key came after this play."""
    return announce(call) if call.plays < call.ivr.prompt_repeat else IvrState.TIMED_OUT


def press(call: CallState, event: Digit) -> IvrState:
    """Take a key: act on it, refuse it, or wait for more."""
    call.stop_play()
    call.heard()
    if event.key == "#" and call.typed:
        return choose(call)
    call.typed += event.key
    match = call.reach.match(call.typed, call.present_ivr().keys)
    if match in (Match.NONE, Match.EXACT):
        call.end_entry(Ignore.ALL if match is Match.NONE else Ignore.POUND)
        return choose(call)
    call.set_timer(call.ivr.digit_timeout)
    return IvrState.COLLECTING


def interrupt(call: CallState, event: Digit) -> IvrState:
    """Take a key of the menu during a notice or a prompt. A call that is in no menu hears it to its end."""
    return call.state if call.ivr is NOWHERE else press(call, event)


def hear_no_more(call: CallState, event: TimerFired) -> IvrState:
    """No further key came: what was typed is all."""
    return choose(call)


def choose(call: CallState) -> IvrState:
    """Decide about complete input. A key with a PIN list asks for a PIN first."""
    typed, call.typed = call.typed, ""
    if typed in call.ivr.key_pins and typed in call.present_ivr().keys:
        return ask_pin(call, typed)
    return decide_entry(call, typed)


def ask_pin(call: CallState, key: str) -> IvrState:
    """Ask for a PIN before a key is followed."""
    call.guarded_key, call.tries = key, 0
    return IvrState.ASK_KEY_PIN


def decide_entry(call: CallState, typed: str) -> IvrState:
    """Go where complete input leads, or refuse it."""
    said = call.note_period(typed)
    verdict = decide(call.snapshot, call.present_ivr(), typed)
    if not isinstance(verdict, Allowed):
        # after a key with a PIN list the rest may be a PIN that was typed before it was asked for
        private = len(typed) > PLAIN or (len(typed) > 1 and typed[0] in call.ivr.key_pins)
        limit = MAX_DIGITS if verdict is Refusal.TOO_LONG else 0
        call.out.append(Note(Topic.INVALID, call.ivr.id, typed, detail=verdict, private=private, limit=limit))
        return IvrState.INVALID
    call.wrong = 0
    state = call.follow(verdict)
    call.note_destination(Topic.CHOSE, typed=typed)
    return call.preface(said, state)


def refuse(call: CallState) -> IvrState:
    """Go to the menu's destination for wrong entries, or hang up.

    A menu that is its own destination says first that the key is not valid. If the menu limits wrong entries,
    the call goes on after the last of them as if no key had come.
    """
    limit = call.ivr.max_invalid
    call.wrong += 1
    if limit and call.wrong >= limit:
        return time_out(call)
    said, onward = call.note_period("invalid"), call.present_ivr().invalid
    if onward is None:
        return call.end(HangupReason.INVALID_KEY)
    if onward.kind is DestinationKind.IVR and onward.target == call.ivr.id:
        return call.notify(builtin_sounds.INVALID_KEY, then=IvrState.ENTER)
    return call.preface(said, call.follow(configured(call.snapshot, onward)))


def time_out(call: CallState) -> IvrState:
    """Go to the menu's destination for silence, or hang up."""
    said, onward = call.note_period("timeout"), call.present_ivr().timeout
    if onward is None:
        call.note(Topic.TIMED_OUT)
        return call.end(HangupReason.MENU_TIMEOUT)
    call.out.append(Note(Topic.TIMED_OUT, call.ivr.id, kind=onward.kind, target=onward.target))
    call.final = True
    return call.preface(said, call.redirect(onward))


def come_back(call: CallState) -> IvrState:
    """Go on with the menu after a destination failed. The announcement is heard, and counts as one play."""
    if call.final or call.ivr is NOWHERE:
        return call.end(HangupReason.DESTINATION_UNREACHED)
    call.typed = ""
    return announce(call)


def leave(call: CallState) -> IvrState:
    """Go back to the menu because the caller asked to by `*`, as if the call had just come to it."""
    call.end_entry(Ignore.POUND)
    return call.end(HangupReason.DESTINATION_UNREACHED) if call.ivr is NOWHERE else IvrState.ENTER


def hear_notice(call: CallState, event: PromptEnded) -> IvrState:
    """The notice is over."""
    return call.after_notice


def hear_aside(call: CallState, event: PromptEnded) -> IvrState:
    """The prompt is over: the menu, if the call is in one, starts again."""
    return call.end(HangupReason.PROMPT_PLAYED) if call.ivr is NOWHERE else IvrState.ENTER


def hear_preface(call: CallState, event: PromptEnded) -> IvrState:
    """Go on to the destination after its announcement."""
    return IvrState.ROUTE


def skip_preface(call: CallState, event: Digit) -> IvrState:
    """Go on to the destination at once. The key has done its work with that."""
    call.stop_play()
    return IvrState.ROUTE


def hear_last_words(call: CallState, event: PromptEnded) -> IvrState:
    """Nothing is left to say."""
    return call.end(call.reason)
