"""CSV files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # at the beginning of a file, so that spreadsheets read it as UTF-8
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
MEDIA_TYPE = "text/csv; charset=utf-8"


def make_csv(rows: Iterable[Sequence[object]]) -> str:
    """Lines of a file (RFC 4180) whose cells no spreadsheet evaluates as a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue()


def escape_formula(cell: object) -> object:
    """Prefix a text that a spreadsheet could evaluate with an apostrophe, but not a number such as +44123."""
    if not isinstance(cell, str) or not cell.startswith(DANGEROUS):
        return cell
    is_number = cell[0] == "+" and cell[1:].isascii() and cell[1:].isdigit()
    return cell if is_number else f"'{cell}"
