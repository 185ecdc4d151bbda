"""PINs cannot be guessed."""

from openivr.b2bua.pin_lockout import MOST_WRONG, REMEMBERED, WINDOW, PinLockout


def test_a_mailbox_shuts_after_wrong_pins_and_opens_again() -> None:
    lockout = PinLockout()
    for at in range(MOST_WRONG):
        assert not lockout.is_shut("1000", at)
        lockout.fail("1000", at)
    assert lockout.is_shut("1000", MOST_WRONG)
    assert not lockout.is_shut("1001", MOST_WRONG)
    assert not lockout.is_shut("1000", WINDOW)


def test_guesses_while_it_is_shut_keep_it_shut() -> None:
    lockout = PinLockout()
    for at in range(3 * MOST_WRONG):
        lockout.fail("1000", at)
    assert lockout.is_shut("1000", WINDOW + MOST_WRONG)


def test_the_right_pin_forgets_the_wrong_ones() -> None:
    lockout = PinLockout()
    for _ in range(MOST_WRONG - 1):
        lockout.fail("1000", 0)
    lockout.succeed("1000")
    lockout.fail("1000", 1)
    assert not lockout.is_shut("1000", 1)


def test_strangers_cannot_fill_the_memory() -> None:
    lockout = PinLockout()
    for number in range(REMEMBERED + 10):
        lockout.fail(str(number), 0)
    assert len(lockout._wrong) == REMEMBERED
