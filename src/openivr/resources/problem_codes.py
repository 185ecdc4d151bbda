"""Codes for what can be wrong with a field. Each belongs to one rule of the API."""

from collections.abc import Mapping
from enum import StrEnum, unique
from typing import Literal, Self

Rule = Literal[
    "required", "type", "length", "range", "enum", "format", "reference", "unsupported", "conflict"
]
Params = Mapping[str, str | int | tuple[str, ...]]


@unique
class ProblemCode(StrEnum):
    """Problems of a field, with the rules that they break. Comments list the parameters."""

    rule: Rule

    def __new__(cls, code: str, rule: Rule = "format") -> Self:
        """Make a member that is its code. The default rule is the format."""
        member = str.__new__(cls, code)
        member._value_, member.rule = code, rule
        return member

    REQUIRED = "required", "required"
    REQUIRED_HEADER = "required_header", "required"
    REQUIRED_FOR_DESTINATION = "required_for_destination", "required"
    REQUIRED_BY_OPTIONS = "required_by_options", "required"
    REQUIRED_FOR_STRATEGY = "required_for_strategy", "required"
    REQUIRED_FOR_TRUNK = "required_for_trunk", "required"  # type
    REQUIRED_WITH_NEW_NAME = "required_with_new_name", "required"  # a password, as reg_name changes
    ONE_OF_TWO = "one_of_two", "required"  # other
    REQUIRED_FOR_MENU = "required_for_menu", "required"

    NOT_TEXT = "not_text", "type"
    NOT_INTEGER = "not_integer", "type"
    NOT_ARRAY = "not_array", "type"
    NOT_LIST = "not_list", "type"  # in a configuration file
    NOT_ROWS = "not_rows", "type"
    NOT_KEYS = "not_keys", "type"
    NOT_IDS = "not_ids", "type"

    LENGTH = "length", "length"  # low, high
    TOO_LONG = "too_long", "length"  # high
    TOO_MANY_PROMPTS = "too_many_prompts", "length"  # high
    TOO_MANY_ITEMS = "too_many_items", "length"  # high

    RANGE = "range", "range"  # low, high
    TOO_LARGE = "too_large", "range"
    PLAYS = "plays", "range"  # high

    CHOICE = "choice", "enum"  # choices
    ITEM_TYPE = "item_type", "enum"  # choices
    UNKNOWN_KEY = "unknown_key", "enum"  # key, choices

    CHARACTERS = "characters"
    FORBIDDEN_CHARACTERS = "forbidden_characters"  # characters
    CONTROL_CHARACTERS = "control_characters"
    BLANK = "blank"
    EMPTY_NAME = "empty_name"
    NOT_DIGITS = "not_digits"
    NOT_FILE_NAME = "not_file_name"
    NOT_TIME = "not_time"  # form
    NOT_ONE_LINE = "not_one_line"
    NOT_NUMBER = "not_number"  # an outside number
    NOT_WEB_ADDRESS = "not_web_address"
    TOO_SIMPLE = "too_simple"
    NEEDS_MIXED_CHARACTERS = "needs_mixed_characters"  # a digit, upper and lower case
    NEEDS_ENCRYPTION = "needs_encryption"  # because of a password
    NEEDS_ATTACHMENT = "needs_attachment"  # because the message is deleted after mailing
    UNREADABLE_ITEM = "unreadable_item"
    PATTERN_EMPTY = "pattern_empty"
    PATTERN_BRACKET = "pattern_bracket"  # part
    PATTERN_LETTER = "pattern_letter"  # part
    PATTERN_SET = "pattern_set"  # part
    PATTERN_RANGE = "pattern_range"  # part
    SPAN_FORMAT = "span_format"  # part, as in all below
    NO_SUCH_TIME = "no_such_time"
    SPAN_ORDER = "span_order"
    DATE_FORMAT = "date_format"
    NO_SUCH_DATE = "no_such_date"
    DATE_ORDER = "date_order"
    DATE_FORMAT_ISO = "date_format_iso"
    LOCAL_FORMAT = "local_format"
    OVER = "over", "range"
    UNKNOWN_WORD = "unknown_word", "enum"
    UNKNOWN_ZONE = "unknown_zone", "enum"
    UNKNOWN_COUNTRY = "unknown_country", "enum"
    UNKNOWN_REGION = "unknown_region", "enum"
    UNKNOWN_LANGUAGE = "unknown_language", "enum"
    NOT_CALENDAR = "not_calendar"
    NOT_TABLE = "not_table"
    NOT_CONTACTS = "not_contacts"
    FILE_TOO_LARGE = "file_too_large", "length"
    UNKNOWN_RULE = "unknown_rule", "unsupported"
    AUDIO_TYPE = "audio_type"
    AUDIO_OTHER_TYPE = "audio_other_type"  # found, type
    AUDIO_UNREADABLE = "audio_unreadable"  # found
    AUDIO_RATE = "audio_rate"  # rate, low, high
    AUDIO_CHANNELS = "audio_channels"  # channels, high
    AUDIO_EMPTY = "audio_empty"
    AUDIO_TOO_LONG = "audio_too_long"  # minutes

    MISSING_OBJECT = "missing_object", "reference"  # kind, key
    MISSING_NAMED = "missing_named", "reference"  # name, in a configuration file
    UNKNOWN_NUMBER = "unknown_number", "reference"  # typed in a form
    UNKNOWN_NAME = "unknown_name", "reference"  # typed in a form
    UNKNOWN_PROMPT = "unknown_prompt", "reference"  # typed in a form
    UNKNOWN_PIN = "unknown_pin", "reference"  # to be removed

    UNSERVED = "unserved", "unsupported"  # choice

    TWO_SPELLINGS = "two_spellings", "conflict"
    SENT_TWICE = "sent_twice", "conflict"
    NAMED_TWICE = "named_twice", "conflict"
    NOT_EMPTY = "not_empty", "conflict"  # destination
    MASKED_PINS = "masked_pins", "conflict"
    TAKEN = "taken", "conflict"  # kind, name
    TOO_MANY_SCENARIOS = "too_many_scenarios", "conflict"  # high
