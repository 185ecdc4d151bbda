"""Sort keys. Databases collate differently, so the order is decided here and stored beside each object.

The keys are text that every database compares byte by byte (SQLite BINARY, PostgreSQL COLLATE "C").
"""

from typing import NamedTuple


class ListQuery(NamedTuple):
    """Which part of a list, in which order. The order is total: by `sort`, then by id; descending is its
    exact mirror."""

    offset: int
    limit: int
    sort: str = "id"
    is_descending: bool = False


def number_key(number: str) -> str:
    """As dialled: shorter numbers first, then digit by digit; numbers with other characters come last."""
    kind = "0" if number.isascii() and number.isdigit() else "1"
    return f"{kind}{len(number):04d}{number}"


def name_key(name: str) -> str:
    """Folded case, so that `alice` and `Alice` stand together."""
    return name.casefold()
