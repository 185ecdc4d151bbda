"""PINs cannot be guessed."""

from openivr.b2bua.pin_lockout import MAX_MAILBOXES, MAX_WRONG, WINDOW, PinLockout


def test_a_mailbox_shuts_after_wrong_pins_and_opens_again() -> None:
    lockout = PinLockout()
    for at in range(MAX_WRONG):
        assert not lockout.is_locked("1000", at)
        lockout.record_wrong("1000", at)
    assert lockout.is_locked("1000", MAX_WRONG)
    assert not lockout.is_locked("1001", MAX_WRONG)
    assert not lockout.is_locked("1000", WINDOW)


def test_guesses_while_it_is_shut_keep_it_shut() -> None:
    lockout = PinLockout()
    for at in range(3 * MAX_WRONG):
        lockout.record_wrong("1000", at)
    assert lockout.is_locked("1000", WINDOW + MAX_WRONG)


def test_the_right_pin_forgets_the_wrong_ones() -> None:
    lockout = PinLockout()
    for _ in range(MAX_WRONG - 1):
        lockout.record_wrong("1000", 0)
    lockout.reset("1000")
    lockout.record_wrong("1000", 1)
    assert not lockout.is_locked("1000", 1)


def test_strangers_cannot_fill_the_memory() -> None:
    lockout = PinLockout()
    for number in range(MAX_MAILBOXES + 10):
        lockout.record_wrong(str(number), 0)
    assert len(lockout._wrong) == MAX_MAILBOXES
