"""Dial patterns in words, for the person who pays for the calls."""

from itertools import takewhile

from openivr.ivr.digits import MAX_DIGITS, Shape, parse_pattern
from openivr.web.messages import t


def explain(pattern: str, strip: str = "0", prepend: str = "") -> str:
    """The numbers that a row of dial patterns matches, with an example and what the trunk gets of it.

    `strip` is the text of a form. One that is not a number removes nothing.
    """
    try:
        shape = parse_pattern(pattern)
    except ValueError:
        return t("pattern.unreadable")
    number = example(shape)
    sent = prepend + number[int(strip) if strip.isdecimal() and len(strip) < 3 else 0 :]
    sentences = [which(shape)]
    if shape.open_ended:
        sentences.append(t("pattern.anything"))
    if sent != number:
        sentences.append(t("pattern.example_sent", number=number, sent=sent or "–"))
    elif any(len(place) > 1 for place in shape.places):
        sentences.append(t("pattern.example", number=number))
    return " ".join(sentences)


def which(shape: Shape) -> str:
    """The numbers of a shape: so many digits, with this beginning."""
    head = "".join(next(iter(p)) for p in takewhile(lambda place: len(place) == 1, shape.places))
    size = len(shape.places)
    if shape.open_ended:
        if head:
            return t("pattern.open_after", head=head)
        return t("pattern.open", count=size) if size else t("pattern.every")
    if len(head) == size:
        return t("pattern.exactly", number=head)
    return t("pattern.begins", count=size, head=head) if head else t("pattern.digits", count=size)


def example(shape: Shape) -> str:
    """A matching number with digits that count up, of some length for an open pattern."""
    number = "".join(sample(place, at) for at, place in enumerate(shape.places))
    more = max(0, min(10, MAX_DIGITS) - len(number)) if shape.open_ended else 0
    return number + "".join(str((len(number) + at + 1) % 10) for at in range(more))


def sample(place: frozenset[str], at: int) -> str:
    """A digit that may be at this position."""
    counting = (str((at + 1 + step) % 10) for step in range(10))
    return next((digit for digit in counting if digit in place), min(place))


def is_wide(pattern: str) -> bool:
    """Return True if a pattern matches any continuation, expensive numbers too."""
    try:
        return parse_pattern(pattern).open_ended
    except ValueError:
        return False
