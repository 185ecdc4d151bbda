"""The state of a mail after an attempt to send it, as a pure function. Times are Unix milliseconds."""

from dataclasses import dataclass, replace
from enum import Enum, auto, unique

from openivr.mail.retry import next_attempt
from openivr.store.mail.mail_queue import Mail, MailState

MAX_ANSWER = 500  # characters of the mail server's answer that are kept


@unique
class AttemptResult(Enum):
    """How an attempt ended."""

    SENT = auto()
    REFUSED = auto()  # for good: another attempt would end in the same way (5xx, RFC 5321 §4.2.1)
    POSTPONED = auto()  # not now (4xx), or there was no mail server to ask
    UNCLEAR = auto()  # the text was sent, the answer never came
    OBSOLETE = auto()  # the message that the mail is about is gone


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attempt, and what the mail server answered or prevented an answer."""

    result: AttemptResult
    answer: str = ""


def judge(code: int, text: str) -> Outcome:
    """Judge a refusal of a mail by the code of the answer. It is never a success."""
    result = AttemptResult.REFUSED if 500 <= code < 600 else AttemptResult.POSTPONED
    return Outcome(result, f"{code} {text}")


def after_attempt(mail: Mail, outcome: Outcome, now: int, spread: float) -> Mail:
    """Return the mail after an attempt. It is given up after a day. `spread`: see `mail.retry`."""
    mail = replace(mail, is_sending=0, answer=" ".join(outcome.answer.split())[:MAX_ANSWER])
    match outcome.result:
        case AttemptResult.SENT:
            return replace(mail, state=MailState.SENT, ended=now)
        case AttemptResult.OBSOLETE:
            return replace(mail, state=MailState.OBSOLETE, ended=now)
        case AttemptResult.REFUSED:
            return replace(mail, state=MailState.FAILED, ended=now, failures=mail.failures + 1)
    failures = mail.failures + 1
    again = next_attempt(mail.created, failures, now, spread)
    if again is None:
        return replace(mail, state=MailState.FAILED, ended=now, failures=failures)
    return replace(mail, failures=failures, next_attempt=again)
