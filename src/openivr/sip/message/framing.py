"""Framing of messages on a stream (RFC 3261, section 18.3), with keep-alives (RFC 5626, section 3.5.1)."""

import re

from openivr.sip.message.headers import read_number

PING = b"\r\n\r\n"
PONG = b"\r\n"
MAX_HEAD = 32 * 1024
MAX_BODY = 64 * 1024

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.IGNORECASE)


class Framing:
    """The bytes received on one connection that are not a whole message yet."""

    __slots__ = ("_buffer", "is_broken")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.is_broken = False  # the next message cannot be found: close the connection

    @property
    def is_waiting(self) -> bool:
        """Return True if a part of a message has been received."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        if not self.is_broken:
            self._buffer += data

    def next_message(self) -> bytes | None:
        """Return the next whole message, `PING` for a keep-alive that needs a response, or None."""
        buffer = self._buffer
        while buffer.startswith(PONG):
            if buffer.startswith(PING):
                del buffer[:4]
                return PING
            if len(buffer) == 2 or buffer[2:] == b"\r":
                return None  # a PONG, or the first half of a PING
            del buffer[:2]
        if self.is_broken:
            return None
        end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
        if end < 0:
            if len(buffer) > MAX_HEAD:
                self._give_up()
            return None
        end += 4
        stated = {bytes(match[1]) for match in _LENGTH.finditer(buffer, 0, end)} or {b"0"}
        length = read_number(stated.pop().decode("latin-1")) if len(stated) == 1 else None
        if length is None or length > MAX_BODY:
            message = bytes(buffer[:end])
            self._give_up()
            return message
        if len(buffer) < end + length:
            return None
        message = bytes(buffer[: end + length])
        del buffer[: end + length]
        return message

    def _give_up(self) -> None:
        self.is_broken = True
        self._buffer.clear()
