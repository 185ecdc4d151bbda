"""Errors and limits of an import."""

from enum import StrEnum, unique

from openivr.resources.problem_codes import ProblemCode
from openivr.resources.problem_words import predicate

MAX_BYTES = 1_000_000  # of a file of holidays
MAX_CONTACT_BYTES = 5_000_000


@unique
class ImportFault(StrEnum):
    """Reasons why data from outside cannot be read."""

    NOT_CALENDAR = "not_calendar"  # no iCalendar file, or a damaged one
    NOT_TABLE = "not_table"  # no CSV file with a row of names
    NOT_CONTACTS = "not_contacts"  # no vCard file and no CSV file with names and numbers
    TOO_LARGE = "file_too_large"
    UNKNOWN_RULE = "unknown_rule"  # an event that comes neither once nor every year
    UNKNOWN_COUNTRY = "unknown_country"
    UNKNOWN_REGION = "unknown_region"
    UNKNOWN_LANGUAGE = "unknown_language"


class ImportFailed(ValueError):
    """Data cannot be read. `part` is the text that is wrong."""

    def __init__(self, fault: ImportFault, part: str = "") -> None:
        self.fault, self.part = fault, part[:40]
        super().__init__(predicate(ProblemCode(fault), {"part": self.part}))

    @property
    def code(self) -> ProblemCode:
        """Return the code of the problem, which has the same words everywhere."""
        return ProblemCode(self.fault)
