"""Lockout after too many wrong PINs: of a mailbox for all callers, of a PIN list for one caller. Pure."""

from collections import OrderedDict, deque

MAX_WRONG = 10  # in WINDOW; a call allows three
WINDOW = 3600.0  # seconds
MAX_MAILBOXES = 10_000  # kept in memory, the most recent ones
MAX_WRONG_OF_LIST = 100  # of all callers in WINDOW, because a caller can give any number


class PinLockout:
    """Wrong PINs by mailbox. Times are seconds of a monotonic clock."""

    def __init__(self, max_wrong: int = MAX_WRONG) -> None:
        self._max_wrong = max_wrong
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def is_locked(self, mailbox: str, now: float) -> bool:
        """Return True while even the right PIN is refused."""
        wrong = self._wrong.get(mailbox)
        while wrong and wrong[0] <= now - WINDOW:
            wrong.popleft()
        return wrong is not None and len(wrong) >= self._max_wrong

    def count(self, mailbox: str) -> int:
        """Return the wrong PINs that are remembered."""
        return len(self._wrong.get(mailbox, ()))

    def record_wrong(self, mailbox: str, now: float) -> None:
        """Count a wrong PIN. A mailbox that does not exist is counted alike, so that it cannot be probed."""
        self._wrong.setdefault(mailbox, deque(maxlen=self._max_wrong)).append(now)
        self._wrong.move_to_end(mailbox)
        if len(self._wrong) > MAX_MAILBOXES:
            self._wrong.popitem(last=False)

    def reset(self, mailbox: str) -> None:
        """Forget wrong PINs after a right one."""
        self._wrong.pop(mailbox, None)


class PinListLockout:
    """Wrong PINs of PIN lists. Callers who withhold their number are one caller."""

    def __init__(self) -> None:
        self._by_caller, self._by_list = PinLockout(), PinLockout(MAX_WRONG_OF_LIST)

    def is_locked(self, pin_list: int, caller: str, now: float) -> bool:
        """Return True while even a right PIN of the list is refused to the caller."""
        return self._by_caller.is_locked(f"{pin_list} {caller}", now) or self._by_list.is_locked(
            str(pin_list), now
        )

    def record_wrong(self, pin_list: int, caller: str, now: float) -> None:
        """Count a wrong PIN."""
        self._by_caller.record_wrong(f"{pin_list} {caller}", now)
        self._by_list.record_wrong(str(pin_list), now)

    def reset(self, pin_list: int, caller: str) -> None:
        """Forget the caller's wrong PINs after a right one."""
        self._by_caller.reset(f"{pin_list} {caller}")
