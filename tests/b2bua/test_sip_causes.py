"""What SIP says, in the menu core's words, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.dialer import find_cause
from openivr.b2bua.sip_causes import cause_of, ends_all, status_of, strongest
from openivr.ivr.commands import HangupReason
from openivr.ivr.events import Cause
from openivr.sip.termination import FailureReason, Termination, from_failure


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, Cause.BUSY),
        (600, Cause.BUSY),
        (480, Cause.NO_ANSWER),
        (408, Cause.NO_ANSWER),
        (487, Cause.NO_ANSWER),
        (603, Cause.DECLINED),
        (404, Cause.UNAVAILABLE),
        (403, Cause.UNAVAILABLE),
        (500, Cause.UNAVAILABLE),
        (503, Cause.UNAVAILABLE),
        (302, Cause.UNAVAILABLE),
    ],
)
def test_a_final_status_has_a_cause(status: int, cause: Cause) -> None:
    assert cause_of(status) is cause
    assert find_cause(Termination(status, "", True)) is cause


@pytest.mark.parametrize("lost", [FailureReason.TIMEOUT, FailureReason.TRANSPORT, FailureReason.NAME])
def test_a_phone_that_says_nothing_at_all_is_not_there(lost: FailureReason) -> None:
    assert find_cause(from_failure(lost)) is Cause.UNAVAILABLE


@pytest.mark.parametrize("phrase", [*FailureReason, "not reachable", "no response"])
def test_what_a_phone_says_is_no_silence(phrase: str) -> None:
    assert find_cause(Termination(480, phrase, True)) is Cause.NO_ANSWER


def test_some_answers_speak_for_all_phones() -> None:
    assert [status for status in (408, 486, 503, 600, 603) if ends_all(status)] == [600, 603]


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([Cause.UNAVAILABLE, Cause.BUSY], Cause.BUSY),
        ([Cause.BUSY, Cause.DECLINED], Cause.DECLINED),
        ([Cause.UNAVAILABLE, Cause.NO_ANSWER], Cause.NO_ANSWER),
        ([], Cause.UNAVAILABLE),
    ],
)
def test_of_several_the_strongest_is_told(heard: list[Cause], told: Cause) -> None:
    assert strongest(heard) is told


@given(st.sampled_from(HangupReason), st.none() | st.sampled_from(Cause))
def test_a_caller_who_was_never_answered_gets_a_final_status(
    reason: HangupReason, last: Cause | None
) -> None:
    assert 400 <= status_of(reason, last) < 700


def test_busy_is_told_as_busy() -> None:
    assert status_of(HangupReason.DESTINATION_UNREACHED, Cause.BUSY) == 486
    assert status_of(HangupReason.DESTINATION_UNREACHED, None) == 480
    assert status_of(HangupReason.END_CALL, None) == 603
