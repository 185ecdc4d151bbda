"""Guessing PINs: after so many wrong ones a mailbox stays shut for a while, whoever calls. Pure."""

from collections import OrderedDict, deque

MOST_WRONG = 10  # in WINDOW; a call allows three
WINDOW = 3600.0  # seconds
REMEMBERED = 10_000  # mailboxes, those asked about last


class PinLockout:
    """Wrong PINs by mailbox. Times are seconds of a clock that does not go back."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def is_shut(self, mailbox: str, now: float) -> bool:
        """Whether even the right PIN opens nothing now."""
        wrong = self._wrong.get(mailbox)
        while wrong and wrong[0] <= now - WINDOW:
            wrong.popleft()
        return wrong is not None and len(wrong) >= MOST_WRONG

    def fail(self, mailbox: str, now: float) -> None:
        """A wrong PIN, or a mailbox that does not exist: the two are not told apart here either."""
        self._wrong.setdefault(mailbox, deque(maxlen=MOST_WRONG)).append(now)
        self._wrong.move_to_end(mailbox)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def succeed(self, mailbox: str) -> None:
        """The right PIN: earlier wrong ones were its owner's."""
        self._wrong.pop(mailbox, None)
