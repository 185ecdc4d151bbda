"""Mailbox lockout: too many wrong PINs shut a mailbox for a while, for all callers. Pure."""

from collections import OrderedDict, deque

MAX_WRONG = 10  # in WINDOW; a call allows three
WINDOW = 3600.0  # seconds
MAX_MAILBOXES = 10_000  # kept in memory, the most recent ones


class PinLockout:
    """Wrong PINs by mailbox. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def is_locked(self, mailbox: str, now: float) -> bool:
        """Return True while even the right PIN is refused."""
        wrong = self._wrong.get(mailbox)
        while wrong and wrong[0] <= now - WINDOW:
            wrong.popleft()
        return wrong is not None and len(wrong) >= MAX_WRONG

    def record_wrong(self, mailbox: str, now: float) -> None:
        """Count a wrong PIN. A mailbox that does not exist is counted alike, so that it cannot be probed."""
        self._wrong.setdefault(mailbox, deque(maxlen=MAX_WRONG)).append(now)
        self._wrong.move_to_end(mailbox)
        if len(self._wrong) > MAX_MAILBOXES:
            self._wrong.popitem(last=False)

    def reset(self, mailbox: str) -> None:
        """Forget wrong PINs after a right one."""
        self._wrong.pop(mailbox, None)
