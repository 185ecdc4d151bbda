"""The built-in sounds: their names and the English words in them.

Every engine must have them; `openivr.sounds` has the audio, rendered from these words by `make sounds`. A
menu may also use them as its prompts; its prompt `default` is GREETING. Letters are for names spelt out.
"""

from string import ascii_lowercase

GREETING = "ivr-greeting-dial-ext"
BUSY = "notice-busy"
NO_ANSWER = "notice-no-answer"
UNAVAILABLE = "notice-unavailable"
SPELL_NAME = "dir-usingkeypad"
NO_NAME = "dir-no-match"
NO_MORE_NAMES = "dir-no-more"
ACCEPT_NAME = "dir-accept"
LEAVE_MESSAGE = "vm-leave-message"
MESSAGE_SAVED = "vm-saved"
MESSAGE_NOT_SAVED = "vm-not-saved"
ASK_MAILBOX = "vm-mailbox"
ASK_PIN = "vm-pin"
WRONG_PIN = "vm-wrong"
MESSAGE = "vm-message"
MESSAGE_KEYS = "vm-keys"
NO_MORE_MESSAGES = "vm-no-more"
GOODBYE = "goodbye"
INVALID_KEY = "notice-invalid-key"
INVALID_EXTENSION = "notice-invalid-extension"
OFFICE_OPEN = "hours-open"
OFFICE_CLOSED = "hours-closed"
OFFICE_HOLIDAY = "hours-holiday"
BEEP = "beep"

SOUNDS: dict[str, str] = {
    GREETING: "Welcome. If you know the extension of the person you wish to reach, please dial it now.",
    BUSY: "That line is busy.",
    NO_ANSWER: "There is no answer.",
    UNAVAILABLE: "That number cannot be reached at the moment.",
    SPELL_NAME: "Please spell the first or the last name of the person on your keypad, then press pound.",
    NO_NAME: "No one with that name was found.",
    NO_MORE_NAMES: "There are no more names like that.",
    ACCEPT_NAME: "To be connected, press 1. For the next name, press star.",
    LEAVE_MESSAGE: "Please leave a message after the tone. When you are done, hang up or press pound.",
    MESSAGE_SAVED: "Your message has been saved. Goodbye.",
    MESSAGE_NOT_SAVED: "Your message was not saved. Goodbye.",
    ASK_MAILBOX: "Please enter your extension number, then press pound.",
    ASK_PIN: "Please enter your PIN, then press pound.",
    WRONG_PIN: "That was not correct.",
    MESSAGE: "Message",
    MESSAGE_KEYS: "To hear it again, press 1. Next, 2. Delete, 3. To return to the menu, press star.",
    NO_MORE_MESSAGES: "You have no more messages. To return to the menu, press star.",
    GOODBYE: "Goodbye.",
    INVALID_KEY: "That is not a valid choice.",
    INVALID_EXTENSION: "That is not a valid extension.",
    OFFICE_OPEN: "The office is open.",
    OFFICE_CLOSED: "The office is closed.",
    OFFICE_HOLIDAY: "The office is closed for a holiday.",
    BEEP: "(tone)",
    "digits/star": "star",
    "digits/pound": "pound",
}
SOUNDS |= {f"digits/{digit}": digit for digit in "0123456789"}
SOUNDS |= {f"letters/{letter}": letter for letter in ascii_lowercase}


def spell(number: str) -> tuple[str, ...]:
    """Name the sounds that say a number digit by digit."""
    return tuple(f"digits/{digit}" for digit in number if digit in "0123456789")
