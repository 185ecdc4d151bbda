"""What the command line asks a calls process that runs: who is banned, and to listen to somebody again.

Over a socket in the data folder, which only its owner may open: a line of JSON each way.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

NAME = "calls.sock"  # in the data folder
LONGEST_PATH = 100  # bytes in the address of a socket; the kernel's limit is 107
SECONDS = 5.0  # for either side to say its line


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which bans there are; with `lift`, an address as a list of bans has it, those that this has lifted."""

    lift: str = ""


class Banned(msgspec.Struct, frozen=True):
    """A source that is not listened to for so many seconds yet, as a user or, where that is "", at all."""

    source: str
    user: str
    reason: str
    seconds: float


Answer = Callable[[Question], list[Banned]]


class NotRunning(Exception):
    """Nobody carries calls on this data."""


async def listen(data: Path, answer: Answer) -> asyncio.Server:
    """Answer questions; whoever did before on this data is gone. Raises `OSError`."""
    bound = socket.socket(socket.AF_UNIX)
    with address_of(data / NAME) as address:
        (data / NAME).unlink(missing_ok=True)
        bound.bind(address)
        (data / NAME).chmod(0o600)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, ConnectionError, ValueError):  # who asks wrongly gets no answer
            async with asyncio.timeout(SECONDS):
                line = await reader.readline()
                writer.write(msgspec.json.encode(answer(msgspec.json.decode(line, type=Question))) + b"\n")
                await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(serve, sock=bound)


def ask(data: Path, question: Question) -> list[Banned]:
    """Ask the process that carries calls on this data; NotRunning where there is none."""
    with socket.socket(socket.AF_UNIX) as sock, address_of(data / NAME) as address:
        sock.settimeout(SECONDS)
        try:
            sock.connect(address)
            sock.sendall(msgspec.json.encode(question) + b"\n")
            with sock.makefile("rb") as file:
                line = file.readline()
        except OSError as error:
            raise NotRunning from error
    try:
        return msgspec.json.decode(line, type=list[Banned])
    except msgspec.DecodeError as error:  # it ended before it could answer
        raise NotRunning from error


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """The address of a socket at a path; one that is too long is named by its open folder."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
