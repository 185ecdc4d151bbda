"""Sort keys. Databases collate differently, so the order is decided here and stored beside each object.

The keys are text that every database compares byte by byte (SQLite BINARY, PostgreSQL COLLATE "C").
"""

from typing import NamedTuple


class ListQuery(NamedTuple):
    """Page and order of a list. The order is total: by `sort`, then by id. Descending is its mirror."""

    offset: int
    limit: int
    sort: str = "id"
    is_descending: bool = False


def number_key(number: str) -> str:
    """Return the sort key of a number as dialled: shorter ones first, those with other characters last."""
    kind = "0" if number.isascii() and number.isdigit() else "1"
    return f"{kind}{len(number):04d}{number}"


def name_key(name: str) -> str:
    """Folded case, so that `alice` and `Alice` stand together."""
    return name.casefold()
