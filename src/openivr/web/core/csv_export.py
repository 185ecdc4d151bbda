"""Tables as CSV files for spreadsheets, sent row by row."""

import csv
import io
from collections.abc import Iterable, Sequence

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # at the beginning of a file, so that spreadsheets read it as UTF-8
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
MEDIA_TYPE = "text/csv; charset=utf-8"


def make_csv(rows: Iterable[Sequence[object]]) -> str:
    """Lines of a file (RFC 4180) whose cells no spreadsheet takes for a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([guard(cell) for cell in row] for row in rows)
    return text.getvalue()


def guard(cell: object) -> object:
    """A text that a spreadsheet could take for a formula, as a text; a number with its plus is harmless."""
    if not isinstance(cell, str) or not cell.startswith(DANGEROUS):
        return cell
    is_number = cell[0] == "+" and cell[1:].isascii() and cell[1:].isdigit()
    return cell if is_number else f"'{cell}"
