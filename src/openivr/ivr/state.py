"""The states of a call. Lower-case values are the names in the diagram."""

from enum import Enum, unique


@unique
class IvrState(Enum):
    """States of a call. Passing states wait for nothing: the session leaves them at once."""

    NEW = "new"
    # passing
    ROUTE = "route"  # follow a destination
    ENTER = "enter"  # come into a menu from the top
    RETURN = "come_back"  # to the menu, from a destination that failed
    TIMED_OUT = "timed_out"  # no key in all plays
    INVALID = "invalid"  # input that nothing allows
    ASK_NAME = "ask_name"  # of dial by name, once more
    ASK_KEY_PIN = "ask_key_pin"  # before the key is followed
    # in a menu
    ANNOUNCING = "announcing"
    WAITING = "waiting"
    COLLECTING = "collecting"
    KEY_PIN = "key_pin"  # a key asks for a PIN
    CHECKING = "checking"  # until the PIN is known to be right or wrong
    PIN_REFUSED = "pin_refused"  # for the last time; then as after a wrong key
    # heard
    NOTICE = "notice"  # why a destination failed; then back
    ASIDE = "aside"  # a prompt that returns to the menu
    PREFACE = "preface"  # an announcement before the destination
    LAST_WORDS = "last_words"  # cannot be interrupted; then the end
    # put through
    JOINING = "joining"  # hears the prompt of a ring group, which rings after it
    DIALLING = "dialling"
    CONNECTED = "connected"
    # dial by name
    SPELLING = "spelling"
    OFFERING = "offering"
    # voicemail: leaving a message
    INVITING = "inviting"
    RECORDING = "recording"
    KEEPING = "keeping"  # until the message is known to be kept, or lost
    # voicemail: hearing one's own
    MAILBOX = "mailbox"
    PIN = "pin"
    OPENING = "opening"
    MESSAGES = "messages"
    # business hours by feature code
    HOURS_PIN = "hours_pin"
    SWITCHING = "switching"  # until the hours are switched

    ENDED = "ended"

    # Every event looks a state up in a table; hashing by identity costs a third of hashing by name.
    __hash__ = object.__hash__


PASSING = frozenset(
    (
        *(IvrState.ROUTE, IvrState.ENTER, IvrState.RETURN, IvrState.TIMED_OUT, IvrState.INVALID),
        *(IvrState.ASK_NAME, IvrState.ASK_KEY_PIN),
    )
)
# Keys that must not be kept or shown: a mailbox number or a PIN, which callers mix up, and what is meant for
# the menu of the callee, who may ask for the number of an account.
PRIVATE = frozenset(
    (
        *(IvrState.KEY_PIN, IvrState.CHECKING, IvrState.PIN_REFUSED, IvrState.MAILBOX, IvrState.PIN),
        *(IvrState.HOURS_PIN, IvrState.DIALLING, IvrState.CONNECTED),
    )
)
# where the caller is not in the menu but at the destination that it led to
AWAY = frozenset(
    (
        *(
            IvrState.ASIDE,
            IvrState.PREFACE,
            IvrState.LAST_WORDS,
            IvrState.JOINING,
            IvrState.DIALLING,
            IvrState.CONNECTED,
            IvrState.SPELLING,
            IvrState.OFFERING,
        ),
        *(
            IvrState.INVITING,
            IvrState.RECORDING,
            IvrState.KEEPING,
            IvrState.MAILBOX,
            IvrState.PIN,
            IvrState.OPENING,
            IvrState.MESSAGES,
            IvrState.HOURS_PIN,
            IvrState.SWITCHING,
        ),
    )
)
