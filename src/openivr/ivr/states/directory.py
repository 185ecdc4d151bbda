"""Dial by name: the caller spells a name on the keypad and picks from those that fit.

Three keys that fit one name alone are enough; otherwise `#` or a pause ends the spelling, also when nothing
fits any more, because the caller is still typing. On an offer, 1 accepts and * asks for the next; other keys
are taken for the rest of the spelling and change nothing.
"""

from unicodedata import normalize

from openivr.ivr import builtin_sounds
from openivr.ivr.call_state import NOWHERE, CallState, Ignore
from openivr.ivr.commands import Topic
from openivr.ivr.events import Digit, PromptEnded, TimerFired
from openivr.ivr.model import Destination, DestinationKind, Extension, IvrSnapshot
from openivr.ivr.policy import configured
from openivr.ivr.state import IvrState
from openivr.ivr.states.menu import ask_pin, leave

ENOUGH = 3  # keys
MAX_ASKED = 3  # times that a name is asked for without an entry
OPERATOR = "0"
MAX_LETTERS = 20  # keys that are looked at
LETTERS = {
    letter: str(key)
    for key, letters in enumerate(("abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"), start=2)
    for letter in letters
}


def keys_of(name: str) -> str:
    """Spell a name on the keypad; accents are dropped, what has no key is left out."""
    plain = normalize("NFKD", name.casefold())
    return "".join(LETTERS.get(letter, letter if letter in "23456789" else "") for letter in plain)


def find(snapshot: IvrSnapshot, typed: str) -> tuple[int, ...]:
    """Find enabled extensions whose first or last name begins with these keys, in order of name."""
    return tuple(id_ for id_, spellings in _book(snapshot) if any(s.startswith(typed) for s in spellings))


def _book(snapshot: IvrSnapshot) -> tuple[tuple[int, tuple[str, str]], ...]:
    book: tuple[tuple[int, tuple[str, str]], ...] | None = snapshot.memo.get("book")
    if book is None:
        people = sorted(snapshot.extensions.values(), key=lambda person: (person.name.casefold(), person.id))
        book = tuple(
            (person.id, _spellings(person)) for person in people if person.enabled and any(_spellings(person))
        )
        snapshot.memo["book"] = book
    return book


def listed(snapshot: IvrSnapshot) -> frozenset[str]:
    """Give the numbers of all extensions that can be found by name."""
    numbers: frozenset[str] | None = snapshot.memo.get("listed")
    if numbers is None:
        numbers = frozenset(snapshot.extensions[ident].number for ident, _ in _book(snapshot))
        snapshot.memo["listed"] = numbers
    return numbers


def _spellings(person: Extension) -> tuple[str, str]:
    first, last = keys_of(person.first_name), keys_of(person.last_name)
    return first + last, last + first


def begin(call: CallState) -> IvrState:
    """Ask for a name."""
    call.tries = 0
    return ask(call)


def ask(call: CallState) -> IvrState:
    """Ask for a name once more."""
    call.typed = ""
    call.tries += 1
    call.play((builtin_sounds.SPELL_NAME,))
    return IvrState.SPELLING


def hear_question(call: CallState, event: PromptEnded) -> IvrState:
    """The question is over: wait for the first letter."""
    call.set_timer(call.ivr.resp_timeout)
    return IvrState.SPELLING


def press_letter(call: CallState, event: Digit) -> IvrState:
    """Take a letter; * goes back to the menu, 0 to the menu's operator, # ends the spelling."""
    call.stop_play()
    call.heard()
    if event.key == "*":
        return leave(call)
    if event.key == "#":
        return _end_spelling(call)
    operator = call.present_ivr().keys.get(OPERATOR) if event.key == OPERATOR and not call.typed else None
    if operator is not None:
        call.end_entry(Ignore.POUND)
        if OPERATOR in call.ivr.key_pins:
            return ask_pin(call, OPERATOR)
        said = call.note_period(OPERATOR)
        state = call.follow(configured(call.snapshot, operator))
        call.note_destination(Topic.CHOSE, typed=OPERATOR)
        return call.preface(said, state)
    if event.key in "23456789":
        call.typed = (call.typed + event.key)[:MAX_LETTERS]
    if len(call.typed) >= ENOUGH and len(find(call.snapshot, call.typed)) == 1:
        return _offer_all(call)
    call.set_timer(call.ivr.digit_timeout)
    return IvrState.SPELLING


def hear_no_letter(call: CallState, event: TimerFired) -> IvrState:
    """A pause ends the spelling."""
    return _end_spelling(call)


def _end_spelling(call: CallState) -> IvrState:
    """Offer the names that fit. A caller who spelled nothing is asked again."""
    return ask(call) if not call.typed and call.tries < MAX_ASKED else _offer_all(call)


def _offer_all(call: CallState) -> IvrState:
    typed, call.typed = call.typed, ""
    call.choices = find(call.snapshot, typed) if typed else ()
    return _offer(call) if call.choices else _refuse(call, builtin_sounds.NO_NAME)


def _refuse(call: CallState, sound: str) -> IvrState:
    """Say that there is no such name: then the menu comes, or the question where there is no menu."""
    asks_again = call.ivr is NOWHERE and call.tries < MAX_ASKED
    return call.notify(sound, then=IvrState.ASK_NAME if asks_again else IvrState.RETURN)


def _offer(call: CallState) -> IvrState:
    if not call.choices:
        return _refuse(call, builtin_sounds.NO_MORE_NAMES)
    number = call.snapshot.extensions[call.choices[0]].number
    call.play((*builtin_sounds.spell(number), builtin_sounds.ACCEPT_NAME))
    return IvrState.OFFERING


def hear_offer(call: CallState, event: PromptEnded) -> IvrState:
    """The offer is over: wait for an answer to it."""
    call.set_timer(call.ivr.resp_timeout)
    return IvrState.OFFERING


def press_answer(call: CallState, event: Digit) -> IvrState:
    """Accept the offer or ask for the next."""
    if event.key not in ("1", "*"):
        return IvrState.OFFERING
    call.stop_play()
    call.heard()
    if event.key == "*":
        call.choices = call.choices[1:]
        return _offer(call)
    state = call.follow(configured(call.snapshot, Destination(DestinationKind.EXTENSION, call.choices[0])))
    call.end_entry(Ignore.POUND)
    call.note_destination(Topic.CHOSE, typed="1")
    return state


def hear_no_answer(call: CallState, event: TimerFired) -> IvrState:
    """The caller said nothing to the offer."""
    return IvrState.RETURN
