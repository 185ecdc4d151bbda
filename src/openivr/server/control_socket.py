"""Control socket of the calls process: SIP bans for the command line, commands about calls for HTTP workers.

A Unix socket in the data folder, open to its owner only. A line of JSON goes one way, JSON comes back.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import structlog

from openivr.b2bua.call_commands import AnyCommand, CommandOutcome, CommandResult

log = structlog.get_logger(__name__)
NAME = "calls.sock"  # in the data folder
MAX_PATH = 100  # bytes in the path of a socket; the kernel allows 107
SECONDS = 5.0  # for a request and its response


class ControlRequest(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="command", tag="bans"):
    """List the bans, or lift those of `lift`, an address as the list has it, or all with `lift_all`."""

    lift: str = ""
    lift_all: bool = False


class BanInfo(msgspec.Struct, frozen=True):
    """A source that is banned for so many seconds more, as one user or, if that is "", entirely."""

    source: str
    user: str
    reason: str
    seconds: float


BanHandler = Callable[[ControlRequest], list[BanInfo]]
CommandHandler = Callable[[AnyCommand], Awaitable[CommandResult]]
encode = msgspec.json.Encoder().encode
read_request = msgspec.json.Decoder(ControlRequest | AnyCommand).decode


class NotRunning(Exception):
    """No calls process runs on this data folder."""


class ControlTimeout(Exception):
    """The calls process did not respond in time."""


async def listen(data: Path, list_bans: BanHandler, carry_out: CommandHandler) -> asyncio.Server:
    """Serve requests, replacing the socket of an earlier process. Raises `OSError`."""
    bound = socket.socket(socket.AF_UNIX)
    with address_of(data / NAME) as address:
        (data / NAME).unlink(missing_ok=True)
        bound.bind(address)
        (data / NAME).chmod(0o600)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, ConnectionError, ValueError):  # no response to an invalid request
            async with asyncio.timeout(SECONDS):
                request = read_request(await reader.readline())
                if isinstance(request, ControlRequest):
                    response = encode(list_bans(request))
                else:
                    response = encode(await carry_out(request))
                writer.write(response + b"\n")
                await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(serve, sock=bound)


async def send_command(data: Path, command: AnyCommand) -> CommandResult:
    """Send a command to the calls process on this data, and wait for its result `SECONDS` at most."""
    try:
        async with asyncio.timeout(SECONDS):
            with address_of(data / NAME) as address:
                reader, writer = await asyncio.open_unix_connection(address)
            try:
                writer.write(encode(command) + b"\n")
                return msgspec.json.decode(await reader.read(-1), type=CommandResult)
            finally:
                writer.close()
    except (FileNotFoundError, ConnectionRefusedError):
        return CommandResult(outcome=CommandOutcome.STOPPED)
    except (TimeoutError, OSError, msgspec.DecodeError) as error:
        log.error("no result of a command to the calls process", reason=type(error).__name__)
        return CommandResult(outcome=CommandOutcome.UNKNOWN)


def send_request(data: Path, request: ControlRequest) -> list[BanInfo]:
    """Send a request to the calls process on this data. Return bans. Raises NotRunning or ControlTimeout."""
    with socket.socket(socket.AF_UNIX) as sock, address_of(data / NAME) as address:
        sock.settimeout(SECONDS)
        try:
            sock.connect(address)
            sock.sendall(msgspec.json.encode(request) + b"\n")
            with sock.makefile("rb") as file:
                line = file.readline()
        except TimeoutError as error:
            raise ControlTimeout from error
        except OSError as error:
            raise NotRunning from error
    try:
        return msgspec.json.decode(line, type=list[BanInfo])
    except msgspec.DecodeError as error:  # it ended before it responded
        raise NotRunning from error


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Yield the address of a socket; a path that is too long is shortened through its open folder."""
    if len(os.fsencode(path)) <= MAX_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
