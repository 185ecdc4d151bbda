"""National holidays by country and region."""

import pytest

from openivr.data_import.errors import ImportFailed, ImportFault
from openivr.data_import.national import list_countries, list_languages, read_national


def test_holidays_of_a_country_and_of_a_region() -> None:
    country = {row["date"]: row["name"] for row in read_national("DE", "", (2026, 2027))}
    region = {row["date"]: row["name"] for row in read_national("de", "by", (2026,), "en_US")}
    assert country["2027/10/03-2027/10/03"] == "Tag der Deutschen Einheit"
    assert "2026/11/01-2026/11/01" not in country
    assert region["2026/11/01-2026/11/01"] == "All Saints' Day"
    assert "2027/01/01-2027/01/01" not in region


def test_days_of_one_name_are_one_holiday() -> None:
    rows = read_national("CN", "", (2026,), "en_US")
    spring = [row["date"] for row in rows if row["name"].startswith("Chinese New Year")]
    assert any(date[:10] != date[11:] for date in spring)


def test_countries_regions_and_languages_are_listed() -> None:
    assert "BY" in list_countries()["DE"]
    assert "de" in list_languages("DE")
    assert list_languages("XX") == ()


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        (("XX", "", (2026,), ""), ImportFault.UNKNOWN_COUNTRY),
        (("", "", (2026,), ""), ImportFault.UNKNOWN_COUNTRY),
        (("DE", "XX", (2026,), ""), ImportFault.UNKNOWN_REGION),
        (("DE", "", (2026,), "xx"), ImportFault.UNKNOWN_LANGUAGE),
    ],
)
def test_unknown_places_are_refused(where: tuple[str, str, tuple[int, ...], str], fault: ImportFault) -> None:
    with pytest.raises(ImportFailed) as caught:
        read_national(*where)
    assert caught.value.fault is fault
