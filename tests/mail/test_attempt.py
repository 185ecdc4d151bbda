"""Attempts to send a mail: none is given up before its day is over, and none is tried for ever."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.mail.attempt import MAX_ANSWER, AttemptResult, Outcome, after_attempt, judge
from openivr.mail.retry import MAX_AGE_MS, MAX_WAIT_MS, SPREAD, WAITS_MS, next_attempt
from openivr.store.mail.mail_queue import Mail, MailState

MAIL = Mail(id="1", message_id="<1@example.com>", recipient="sam@example.com", created=1000)
spreads = st.floats(0, 1)


@given(st.integers(0, 10**12), st.integers(1, 500), st.integers(0, 10**12), spreads)
def test_waits_are_bounded_and_end_with_the_day(created: int, failures: int, now: int, spread: float) -> None:
    again = next_attempt(created, failures, now, spread)
    if now - created >= MAX_AGE_MS:
        assert again is None
    else:
        assert again is not None
        assert now < again <= now + MAX_WAIT_MS * (1 + SPREAD)
        assert again <= max(created + MAX_AGE_MS, now + 1)


@given(st.lists(spreads, min_size=200, max_size=200))
def test_a_day_of_failures_has_a_last_attempt_at_its_end(draws: list[float]) -> None:
    mail, now, times = MAIL, MAIL.created, [MAIL.created]
    while mail.state == MailState.WAITING:
        mail = after_attempt(mail, Outcome(AttemptResult.POSTPONED, "451 later"), now, draws[mail.failures])
        if mail.state == MailState.WAITING:
            now = mail.next_attempt
            times.append(now)
    waits = [second - first for first, second in pairwise(times)]
    assert times[-1] == MAIL.created + MAX_AGE_MS
    assert 45 < len(times) < 70
    assert all(wait >= first * (1 - SPREAD) - 1 for wait, first in zip(waits, WAITS_MS, strict=False))
    assert (mail.state, mail.ended, mail.answer) == (MailState.FAILED, now, "451 later")


@pytest.mark.parametrize("code", [200, 421, 450, 550, 599])
def test_the_code_decides_whether_it_is_tried_again(code: int) -> None:
    result = AttemptResult.REFUSED if code >= 500 else AttemptResult.POSTPONED
    assert judge(code, "no") == Outcome(result, f"{code} no")


def test_what_is_over_is_over() -> None:
    sending = replace(MAIL, is_sending=1)
    sent = after_attempt(sending, Outcome(AttemptResult.SENT, "250 ok"), 5000, 0.5)
    assert (sent.state, sent.ended, sent.is_sending, sent.answer) == ("sent", 5000, 0, "250 ok")
    refused = after_attempt(sending, judge(550, "5.1.1 no\r\nsuch user"), 5000, 0.5)
    assert (refused.state, refused.failures, refused.answer) == ("failed", 1, "550 5.1.1 no such user")
    gone = after_attempt(sending, Outcome(AttemptResult.OBSOLETE), 5000, 0.5)
    assert (gone.state, gone.ended) == ("obsolete", 5000)
    unclear = after_attempt(sending, Outcome(AttemptResult.UNCLEAR, "lost"), 5000, 0.5)
    assert (unclear.state, unclear.next_attempt, unclear.is_sending) == ("waiting", 15_000, 0)


def test_a_long_answer_is_cut() -> None:
    assert len(after_attempt(MAIL, judge(550, "x" * 10_000), 0, 0).answer) == MAX_ANSWER
