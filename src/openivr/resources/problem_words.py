"""English predicates for problem codes: for the API's `submsg` and for the terminal.

A predicate follows the name of the field: "number must be digits". The web admin has sentences of its own.
"""

from openivr.resources.problem_codes import Params, ProblemCode

PREDICATES: dict[ProblemCode, str] = {
    ProblemCode.REQUIRED: "is required",
    ProblemCode.REQUIRED_HEADER: "is required as a header",
    ProblemCode.REQUIRED_FOR_DESTINATION: "is required for this destination",
    ProblemCode.REQUIRED_BY_OPTIONS: "is required by the options chosen",
    ProblemCode.REQUIRED_FOR_STRATEGY: "is required for this strategy",
    ProblemCode.REQUIRED_FOR_TRUNK: "is required for a trunk of type {type}",
    ProblemCode.REQUIRED_WITH_NEW_NAME: "is required when reg_name changes",
    ProblemCode.ONE_OF_TWO: "is required, or else {other}, and not both",
    ProblemCode.REQUIRED_FOR_MENU: "is required for this menu",
    ProblemCode.NOT_TEXT: "must be a string",
    ProblemCode.NOT_INTEGER: "must be an integer",
    ProblemCode.NOT_ARRAY: "must be an array",
    ProblemCode.NOT_LIST: "must be a list",
    ProblemCode.NOT_ROWS: "must be an array of objects",
    ProblemCode.NOT_KEYS: "must map keys to destinations",
    ProblemCode.NOT_IDS: "must be ids, comma separated",
    ProblemCode.LENGTH: "must have {low} to {high} characters",
    ProblemCode.TOO_LONG: "must have at most {high} characters",
    ProblemCode.TOO_MANY_PROMPTS: "may name at most {high} prompts",
    ProblemCode.TOO_MANY_ITEMS: "may have at most {high} items",
    ProblemCode.RANGE: "must be from {low} to {high}",
    ProblemCode.TOO_LARGE: "is too large",
    ProblemCode.PLAYS: "is played from 1 to {high} times: set the prefix to that number",
    ProblemCode.CHOICE: "must be one of {choices}",
    ProblemCode.ITEM_TYPE: "has an item whose type is not one of {choices}",
    ProblemCode.UNKNOWN_KEY: "is not a key; keys are {choices}",
    ProblemCode.CHARACTERS: "has characters that are not allowed",
    ProblemCode.CONTROL_CHARACTERS: "has control or invisible characters",
    ProblemCode.BLANK: "must not be blank",
    ProblemCode.EMPTY_NAME: "has an empty name",
    ProblemCode.NOT_DIGITS: "must be digits",
    ProblemCode.NOT_TIME: "must be a time as {form}, year first, or in Unix seconds",
    ProblemCode.FORBIDDEN_CHARACTERS: "must not have any of these characters: {characters}",
    ProblemCode.NOT_FILE_NAME: "must be a name ending in .wav, .mp3, .gsm, .flac, .ogg or .opus",
    ProblemCode.NOT_ONE_LINE: "must be one line of printable characters",
    ProblemCode.NOT_NUMBER: "must, after its prefix, be 1 to 15 digits, with + only at the front",
    ProblemCode.NOT_WEB_ADDRESS: "must be a web address such as https://crm.example.com/calls",
    ProblemCode.TOO_SIMPLE: "is too simple",
    ProblemCode.NEEDS_MIXED_CHARACTERS: "must have a digit, an upper-case and a lower-case letter",
    ProblemCode.NEEDS_ENCRYPTION: "must be encrypted, because a password is sent",
    ProblemCode.NEEDS_ATTACHMENT: "can delete only messages that are attached to the mail",
    ProblemCode.UNREADABLE_ITEM: "has an item that cannot be read",
    ProblemCode.PATTERN_EMPTY: "is not a pattern: empty pattern",
    ProblemCode.PATTERN_BRACKET: "is not a pattern: bracket not closed or empty: {part}",
    ProblemCode.PATTERN_LETTER: "is not a pattern: unknown letter in pattern: {part}",
    ProblemCode.PATTERN_SET: "is not a pattern: not a set of digits: {part}",
    ProblemCode.PATTERN_RANGE: "is not a pattern: range turned round: {part}",
    ProblemCode.SPAN_FORMAT: "must be HH:MM-HH:MM, not {part}",
    ProblemCode.NO_SUCH_TIME: "has a time that no clock shows, in {part}: the end of the day is 23:59",
    ProblemCode.SPAN_ORDER: "must end after it starts, not {part}: a night is two spans of two days",
    ProblemCode.DATE_FORMAT: "must be YYYY/MM/DD-YYYY/MM/DD, or MM/DD-MM/DD for every year, not {part}",
    ProblemCode.NO_SUCH_DATE: "has a date that does not exist, in {part}",
    ProblemCode.DATE_ORDER: "must not end before it starts, in {part}",
    ProblemCode.DATE_FORMAT_ISO: "must be a time such as 2026-12-24 17:59, or Unix seconds, not {part}",
    ProblemCode.LOCAL_FORMAT: "must be a time such as 2026/12/24 18:00, not {part}",
    ProblemCode.OVER: "must lie ahead, not {part}",
    ProblemCode.UNKNOWN_WORD: "has the unknown word {part}",
    ProblemCode.UNKNOWN_ZONE: "is no time zone: {part}",
    ProblemCode.UNKNOWN_COUNTRY: "is no country whose holidays are known: {part}",
    ProblemCode.UNKNOWN_REGION: "is no region of that country: {part}",
    ProblemCode.UNKNOWN_LANGUAGE: "is no language that the names of these holidays are known in: {part}",
    ProblemCode.NOT_CONTACTS: "is neither a vCard file nor a CSV file with columns of names and numbers",
    ProblemCode.NOT_CALENDAR: "is not an iCalendar file",
    ProblemCode.NOT_TABLE: "is neither an iCalendar file nor a CSV file with the columns name and type",
    ProblemCode.FILE_TOO_LARGE: "has more than {part}",
    ProblemCode.UNKNOWN_RULE: "has an event that comes neither once nor every year: {part}",
    ProblemCode.AUDIO_TYPE: "is not a sound file of this type",
    ProblemCode.AUDIO_OTHER_TYPE: "is a file of type {found}, but its name ends in .{type}",
    ProblemCode.AUDIO_UNREADABLE: "is a file of type {found}, which is not read here; save it as wav or mp3",
    ProblemCode.AUDIO_RATE: "has {rate} samples a second; it must have {low} to {high}",
    ProblemCode.AUDIO_CHANNELS: "has {channels} channels; it may have at most {high}",
    ProblemCode.AUDIO_EMPTY: "has no sound in it",
    ProblemCode.AUDIO_TOO_LONG: "is longer than {minutes} minutes",
    ProblemCode.MISSING_OBJECT: "points to {kind} {key}, which does not exist",
    ProblemCode.MISSING_NAMED: "names {name}, which does not exist",
    ProblemCode.UNKNOWN_NUMBER: "is not the number of any",
    ProblemCode.UNKNOWN_NAME: "is not the number or name of any",
    ProblemCode.UNKNOWN_PROMPT: "is not the name of any prompt",
    ProblemCode.UNKNOWN_PIN: "has a PIN that is not in the list",
    ProblemCode.UNSERVED: "{choice} is not served by this server",
    ProblemCode.TWO_SPELLINGS: "is sent in two spellings that differ",
    ProblemCode.SENT_TWICE: "is sent more than once",
    ProblemCode.NAMED_TWICE: "names the same object twice",
    ProblemCode.NOT_EMPTY: "must be empty for {destination}",
    ProblemCode.MASKED_PINS: "has masks, but not as many as the list has PINs",
    ProblemCode.TAKEN: "is that of {kind} {name} already",
    ProblemCode.TOO_MANY_SCENARIOS: "are {high} already, which is the most of one menu",
}


def predicate(code: ProblemCode, params: Params) -> str:
    """Return the problem as a predicate. For a table it names the column (`column`)."""
    shown = {name: _show(name, value) for name, value in params.items()}
    text = PREDICATES[code].format(**shown)
    return f"has an item whose {params['column']} {text}" if "column" in params else text


def _show(name: str, value: str | int | tuple[str, ...]) -> str:
    """Write a parameter: the empty one of several choices as two quotes, a kind of object in words."""
    if isinstance(value, tuple):
        return ", ".join(choice or '""' for choice in value)
    return str(value).replace("ext_", "extension_").replace("_", " ") if name == "kind" else str(value)
