"""National holidays by country and region, from the library `holidays`, which needs no network."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import holidays as library

from openivr.data_import.errors import ImportFailed, ImportFault
from openivr.hours.reading import write_dates
from openivr.resources.fields import Body

MAX_NAME = 127
JOINED = "; "  # between the names of holidays on one day


def list_countries() -> dict[str, tuple[str, ...]]:
    """Return the countries whose holidays are known, by ISO 3166-1 code, each with its regions."""
    return {code: tuple(regions) for code, regions in sorted(library.list_supported_countries().items())}


def list_languages(country: str) -> tuple[str, ...]:
    """Return the languages in which the holidays of a country have names, none if there is no choice."""
    return tuple(library.list_localized_countries().get(country, ()))


def read_national(country: str, region: str, years: Iterable[int], language: str = "") -> list[Body]:
    """Return the national holidays of some years as bodies for create. Raises ImportFailed.

    Days of one name that follow each other are one holiday. `language` "" is that of the country.
    """
    country = country.upper()
    known = list_countries()
    if country not in known:
        raise ImportFailed(ImportFault.UNKNOWN_COUNTRY, country)
    by_case = {name.casefold(): name for name in known[country]}
    if region and region.casefold() not in by_case:
        raise ImportFailed(ImportFault.UNKNOWN_REGION, region)
    if language and language not in list_languages(country):
        raise ImportFailed(ImportFault.UNKNOWN_LANGUAGE, language)
    subdivision = by_case[region.casefold()] if region else None
    chosen = language or getattr(library, country).default_language  # without one, that of the process
    found = library.country_holidays(country, subdiv=subdivision, years=sorted(set(years)), language=chosen)
    return [
        {"name": name[:MAX_NAME], "type": "date", "date": write_dates(first, last)}
        for name, first, last in join_days(found.items())
    ]


def join_days(days: Iterable[tuple[date, str]]) -> Iterator[tuple[str, date, date]]:
    """Join days of one name that follow each other, in the order of the first days."""
    ranges: list[tuple[str, date, date]] = []
    for day, name in sorted(days):
        if ranges and ranges[-1][0] == name and ranges[-1][2] + timedelta(1) == day:
            ranges[-1] = (name, ranges[-1][1], day)
        else:
            ranges.append((name, day, day))
    yield from ranges
