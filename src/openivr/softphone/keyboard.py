"""The keys of the terminal, one by one as they are struck, or the lines of a pipe; and signals to stop."""

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from openivr.media.dtmf.rfc4733 import DIGITS

HANG_UP = "qQhH\x04"  # the last is Ctrl-D
CHUNK = 1024  # bytes read at a time
STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Keyboard:
    """Sorts what is read. `on_keys` is given keys of a telephone, `on_line` a line of a file that is no
    terminal, `on_stop` is told that somebody wants to hang up."""

    def __init__(
        self,
        on_keys: Callable[[str], object],
        on_line: Callable[[str], object],
        on_stop: Callable[[], object],
    ) -> None:
        self._on_keys, self._on_line, self._on_stop = on_keys, on_line, on_stop
        self._rest = b""

    def strike(self, data: bytes) -> None:
        """Take what was typed in a terminal; none at all: it is gone."""
        if not data:
            self._on_stop()
        for key in data.decode(errors="replace"):
            if key in HANG_UP:
                self._on_stop()
            elif key.upper() in DIGITS:
                self._on_keys(key.upper())

    def feed(self, data: bytes) -> None:
        """Take what came out of a pipe or a file; none at all: its last line needs no end."""
        *lines, self._rest = (self._rest + (data or b"\n")).split(b"\n")
        for line in lines:
            if line.strip():
                self._on_line(line.decode(errors="replace"))


@contextmanager
def reading(file: int, keyboard: Keyboard) -> Iterator[None]:
    """Read a file, on the running loop, within this block.

    A terminal then gives each key at once and shows none, and is what it was however the block is left. That
    of a shell in whose background we are is left alone.
    """
    if not os.isatty(file):
        with watching(file, keyboard.feed):
            yield
    elif os.tcgetpgrp(file) == os.getpgrp():
        with single_keys(file), watching(file, keyboard.strike):
            yield
    else:
        yield


@contextmanager
def watching(file: int, take: Callable[[bytes], None]) -> Iterator[None]:
    """Read whatever comes, to its end, which is told as nothing."""
    loop = asyncio.get_running_loop()

    def read() -> bytes:
        data = b""
        with suppress(OSError):  # the terminal is gone
            data = os.read(file, CHUNK)
        if not data:
            loop.remove_reader(file)
        take(data)
        return data

    try:
        loop.add_reader(file, read)
    except PermissionError:  # a plain file, which no loop waits for: it has all that it will have
        while read():
            pass
    try:
        yield
    finally:
        loop.remove_reader(file)


@contextmanager
def single_keys(file: int) -> Iterator[None]:
    """Let a terminal give each key at once, without showing it; also while it is stopped and goes on."""
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(file)

    def restore() -> None:
        with suppress(termios.error):  # it is gone, as after SIGHUP
            termios.tcsetattr(file, termios.TCSADRAIN, before)

    def pause() -> None:
        restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        tty.setcbreak(file, termios.TCSADRAIN)

    loop.add_signal_handler(signal.SIGTSTP, pause)
    try:
        tty.setcbreak(file, termios.TCSADRAIN)
        yield
    finally:
        restore()
        loop.remove_signal_handler(signal.SIGTSTP)


@contextmanager
def stopped_by_signals(on_stop: Callable[[], object]) -> Iterator[None]:
    """Within this block the signals that end programs are told instead."""
    loop = asyncio.get_running_loop()
    for signum in STOP:
        loop.add_signal_handler(signum, on_stop)
    try:
        yield
    finally:
        for signum in STOP:
            loop.remove_signal_handler(signum)
