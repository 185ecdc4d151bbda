"""CSV files with a row of names (RFC 4180)."""

import csv
import io

from openivr.data_import.errors import ImportFailed, ImportFault

SEPARATORS = ",;\t"  # spreadsheets of many countries write semicolons


def read_table(text: str, most: int, fault: ImportFault = ImportFault.NOT_TABLE) -> list[dict[str, str]]:
    """Return the rows of a table by the names in its first row, at most `most` of them.

    Raises ImportFailed: `fault` for what is no table.
    """
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ImportFailed(fault) from error
    if len(rows) > most:
        raise ImportFailed(ImportFault.TOO_LARGE, f"{most} rows")
    if not rows:
        raise ImportFailed(fault)
    return [{name: value for name, value in row.items() if name and isinstance(value, str)} for row in rows]
