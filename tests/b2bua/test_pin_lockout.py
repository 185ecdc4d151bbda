"""PINs cannot be guessed."""

from pathlib import Path

from openivr.b2bua.pin_lockout import (
    MAX_MAILBOXES,
    MAX_WRONG,
    MAX_WRONG_OF_LIST,
    WINDOW,
    PinListLockout,
    PinLockout,
)
from tests.b2bua.pbx import in_loop, open_pbx


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


def test_a_list_is_locked_for_the_caller_who_guesses() -> None:
    lockout = PinListLockout()
    for at in range(MAX_WRONG):
        assert not lockout.is_locked(1, "2000", at)
        lockout.record_wrong(1, "2000", at)
    assert lockout.is_locked(1, "2000", MAX_WRONG)
    assert not lockout.is_locked(1, "2001", MAX_WRONG)
    assert not lockout.is_locked(2, "2000", MAX_WRONG)
    assert not lockout.is_locked(1, "2000", WINDOW)


def test_a_caller_with_many_numbers_has_no_endless_guesses() -> None:
    lockout = PinListLockout()
    for number in range(MAX_WRONG_OF_LIST):
        assert not lockout.is_locked(1, "new", 0)
        lockout.record_wrong(1, str(number), 0)
        lockout.reset(1, "who knows one")
    assert lockout.is_locked(1, "new", 1)
    assert not lockout.is_locked(2, "new", 1)
    assert not lockout.is_locked(1, "new", WINDOW)


@in_loop
async def test_ten_wrong_pins_lock_a_list_for_their_caller_in_every_call(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pins = pbx.create("pin_list", name="Staff", pin_list="4711,918273")
        check = pbx.process.check_pin
        for _ in range(MAX_WRONG - 1):
            assert not await check(pins, "2000", "0000")
        assert await check(pins, "2000", "918273"), "the right one forgets the wrong ones"
        for _ in range(MAX_WRONG):
            assert not await check(pins, "2000", "0000")
        assert not await check(pins, "2000", "4711")
        assert await check(pins, "2001", "4711")
        assert not await check(pins + 1, "2001", "4711")
