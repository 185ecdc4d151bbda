"""T16: international and national forms of numbers meet by the rule of a trunk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.ivr.number_format import AS_WRITTEN, NumberFormat, OutboundFormat

BRITAIN = NumberFormat("44", "0")
SPAIN = NumberFormat("34", "")
AMERICA = NumberFormat("1", "1")


@pytest.mark.parametrize(
    ("rule", "number", "international", "national"),
    [
        (BRITAIN, "+442079460000", "+442079460000", "02079460000"),
        (BRITAIN, "00442079460000", "+442079460000", "02079460000"),
        (BRITAIN, "442079460000", "+442079460000", "02079460000"),
        (BRITAIN, "02079460000", "+442079460000", "02079460000"),
        (BRITAIN, "+33123456789", "+33123456789", "0033123456789"),
        (BRITAIN, "0033123456789", "+33123456789", "0033123456789"),
        (BRITAIN, "2079460000", "2079460000", "2079460000"),  # neither prefix: nobody can know
        (BRITAIN, "6200", "6200", "6200"),
        (BRITAIN, "112", "112", "112"),
        (BRITAIN, "*98", "*98", "*98"),
        (BRITAIN, "anonymous", "anonymous", "anonymous"),
        (BRITAIN, "", "", ""),
        (BRITAIN, "+", "+", "+"),
        (BRITAIN, "+4420\u0667\u0669460000", "+4420\u0667\u0669460000", "+4420\u0667\u0669460000"),
        (BRITAIN, "0" + "2" * 16, "0" + "2" * 16, "0" + "2" * 16),  # longer than E.164 allows
        (SPAIN, "912345678", "+34912345678", "912345678"),
        (SPAIN, "+34912345678", "+34912345678", "912345678"),
        (SPAIN, "061", "061", "061"),
        (AMERICA, "+12015550123", "+12015550123", "12015550123"),
        (AMERICA, "12015550123", "+12015550123", "12015550123"),
        (AS_WRITTEN, "+442079460000", "+442079460000", "+442079460000"),
        (AS_WRITTEN, "02079460000", "02079460000", "02079460000"),
    ],
)
def test_t16_forms_of_a_number(rule: NumberFormat, number: str, international: str, national: str) -> None:
    assert rule.to_international(number) == international
    assert rule.to_national(number) == national
    assert {number, international, national} <= set(rule.forms(number))
    assert rule.forms(number)[0] == number


@given(
    st.sampled_from([BRITAIN, SPAIN, AMERICA]),
    st.from_regex(r"[2-9][0-9]{7,9}", fullmatch=True),
    st.sampled_from(OutboundFormat),
)
def test_t16_all_forms_of_a_number_are_written_alike(
    rule: NumberFormat, subscriber: str, outbound: OutboundFormat
) -> None:
    number = f"+{rule.country_code}{subscriber}"
    rule = NumberFormat(rule.country_code, rule.national_prefix, outbound)
    written = {rule.write(form) for form in rule.forms(number)}
    assert (len(written) == 1) is (outbound is not OutboundFormat.UNCHANGED)
    assert all(rule.to_international(form) == number for form in written)


@given(st.text(alphabet="0123456789+*#a", max_size=20), st.sampled_from(OutboundFormat))
def test_t16_without_a_country_code_nothing_changes(number: str, outbound: OutboundFormat) -> None:
    rule = NumberFormat("", "0", outbound)
    assert rule.forms(number) == (number,)
    assert rule.write(number) == number
