"""Terminal input: single keys, or lines of a pipe, and the signals that end the call."""

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
    """Dispatches input. `on_keys` gets DTMF digits, `on_line` the lines of a file or pipe, and `on_stop` is
    called when the user wants to hang up."""

    def __init__(
        self,
        on_keys: Callable[[str], object],
        on_line: Callable[[str], object],
        on_stop: Callable[[], object],
    ) -> None:
        self._on_keys, self._on_line, self._on_stop = on_keys, on_line, on_stop
        self._rest = b""

    def strike(self, data: bytes) -> None:
        """Take input typed in a terminal. Empty input means that the terminal is gone."""
        if not data:
            self._on_stop()
        for key in data.decode(errors="replace"):
            if key in HANG_UP:
                self._on_stop()
            elif key.upper() in DIGITS:
                self._on_keys(key.upper())

    def feed(self, data: bytes) -> None:
        """Take input of a pipe or file. Empty input ends the last line."""
        *lines, self._rest = (self._rest + (data or b"\n")).split(b"\n")
        for line in lines:
            if line.strip():
                self._on_line(line.decode(errors="replace"))


@contextmanager
def reading(file: int, keyboard: Keyboard) -> Iterator[None]:
    """Read a file on the running loop within this block.

    A terminal delivers each key immediately without echo, and is restored when the block ends. It is not read
    while this process runs in the background of a shell.
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
    """Pass the file's data to `take`; empty data marks its end."""
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
    except PermissionError:  # a regular file, which the loop cannot wait for
        while read():
            pass
    try:
        yield
    finally:
        loop.remove_reader(file)


@contextmanager
def single_keys(file: int) -> Iterator[None]:
    """Make a terminal deliver each key without echo. Job control (Ctrl-Z, fg) restores it in between."""
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(file)

    def restore() -> None:
        with suppress(termios.error):  # the terminal is gone, as after SIGHUP
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
    """Call `on_stop` within this block for the signals that end programs."""
    loop = asyncio.get_running_loop()
    for signum in STOP:
        loop.add_signal_handler(signum, on_stop)
    try:
        yield
    finally:
        for signum in STOP:
            loop.remove_signal_handler(signum)
