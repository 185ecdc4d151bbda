"""International and national forms of numbers, by the rule of a trunk (ITU-T E.164)."""

from dataclasses import dataclass
from enum import StrEnum, unique

MIN_DIGITS, MAX_DIGITS = 7, 15  # of a number that has both forms; shorter ones are extensions and services
INTERNATIONAL_PREFIX = "00"  # ITU-T E.164


# Visual separators (RFC 3966), and what people write besides. "(0)" is dialled inside of a country only.
_SEPARATORS = str.maketrans("", "", "-./() \u00a0\u2010\u2011\u2012\u2013")
_TRUNK_ZERO = "(0)"


def remove_separators(text: str) -> str:
    """Return a number as it is dialled, without what people write in it to be read."""
    number = text.strip()
    if number.startswith("+"):
        number = number.replace(_TRUNK_ZERO, "", 1)
    return number.translate(_SEPARATORS)


@unique
class OutboundFormat(StrEnum):
    """Forms of the numbers that a trunk is given."""

    UNCHANGED = "unchanged"
    E164 = "e164"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How the network behind a trunk writes numbers. Without a country code no form is another's."""

    country_code: str = ""  # "44"
    national_prefix: str = "0"  # before the area code; "" in countries without one
    outbound: OutboundFormat = OutboundFormat.UNCHANGED

    def to_international(self, number: str) -> str:
        """Return a number as "+", country code and national number; unchanged if it has no such form."""
        digits = self._find_digits(number)
        return f"+{digits}" if digits else number

    def to_national(self, number: str) -> str:
        """Return a number as it is dialled in the country of the trunk; unchanged if it has no such form."""
        digits = self._find_digits(number)
        if not digits:
            return number
        if not digits.startswith(self.country_code):
            return INTERNATIONAL_PREFIX + digits
        return self.national_prefix + digits[len(self.country_code) :]

    def forms(self, number: str) -> tuple[str, ...]:
        """Return the spellings of a number that stand for the same line, the given one first."""
        digits = self._find_digits(number)
        if not digits:
            return (number,)
        others = f"+{digits}", self.to_national(number), INTERNATIONAL_PREFIX + digits
        return tuple(dict.fromkeys((number, *others)))

    def _find_digits(self, number: str) -> str:
        """Return the digits of a number from its country code on; "" if nothing in it says where that is."""
        plain = number.removeprefix("+")
        if not self.country_code or len(plain) < MIN_DIGITS or not (plain.isascii() and plain.isdecimal()):
            return ""
        if number.startswith("+"):
            digits = plain
        elif number.startswith(INTERNATIONAL_PREFIX):
            digits = number[len(INTERNATIONAL_PREFIX) :]
        elif number.startswith(self.national_prefix):
            digits = self.country_code + number[len(self.national_prefix) :]
        else:  # many trunks write the country code without "+"
            digits = number if number.startswith(self.country_code) else ""
        return digits if len(digits) <= MAX_DIGITS else ""

    def write(self, number: str) -> str:
        """Return a number in the form that the trunk wants."""
        match self.outbound:
            case OutboundFormat.E164:
                return self.to_international(number)
            case OutboundFormat.NATIONAL:
                return self.to_national(number)
        return number


AS_WRITTEN = NumberFormat()
