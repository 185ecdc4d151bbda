"""Times as a P-Series shows and takes them: in its display format, or as Unix seconds.

P-Series: System > Date and Time > Display Format; search-specific-cdr, query-call-report-list.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

DATES = {
    "YYYY/MM/DD": "%Y/%m/%d",
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD/MM/YYYY": "%d/%m/%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "MM-DD-YYYY": "%m-%d-%Y",
}
TIMES = {"HH:mm:ss": "%H:%M:%S", "hh:mm:ss AM": "%I:%M:%S %p"}
# Year first: understood whatever the display format is. Live systems take reports in the second form only.
ALWAYS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %I:%M:%S %p")
SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)
MAX_SECONDS = 32_503_680_000  # the year 3000


@dataclass(frozen=True, slots=True)
class DisplayFormat:
    """The formats of dates and times, by the names that `system/information` has for them."""

    date: str = "YYYY/MM/DD"
    time: str = "HH:mm:ss"

    @property
    def pattern(self) -> str:
        return f"{DATES[self.date]} {TIMES[self.time]}"

    def show(self, seconds: int) -> str:
        """Return Unix seconds as text, by the clock of the server."""
        return time.strftime(self.pattern, time.localtime(seconds))

    def show_date(self, seconds: int) -> str:
        return time.strftime(DATES[self.date], time.localtime(seconds))

    def read(self, text: str) -> int | None:
        """Return the Unix seconds of a text in the display format, year first, or in digits; else None."""
        if SECONDS.fullmatch(text):
            return int(text) if int(text) <= MAX_SECONDS else None
        for pattern in dict.fromkeys((self.pattern, *self._others(), *ALWAYS)):
            try:
                return int(datetime.strptime(text, pattern).timestamp())
            except (ValueError, OverflowError, OSError):
                continue
        return None

    def _others(self) -> Iterator[str]:
        """Yield the date of the display format with the other times."""
        for other in TIMES.values():
            yield f"{DATES[self.date]} {other}"
