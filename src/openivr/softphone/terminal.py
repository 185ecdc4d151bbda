"""Runs a call in the terminal: softphone, server log, keyboard and loudspeaker."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from openivr.simulate.keys import read_keys
from openivr.simulate.transcript import TranscriptLine
from openivr.sip.address import Target, is_numeric
from openivr.sip.auth.client import HashedLogin, Login
from openivr.sip.settings import Trace
from openivr.softphone.conversation import CallPlan, Conversation, Result
from openivr.softphone.keyboard import Keyboard, reading, stopped_by_signals
from openivr.softphone.loudspeaker import Loudspeaker
from openivr.softphone.reorder_buffer import ReorderBuffer
from openivr.softphone.result import CallResult
from openivr.softphone.server_log import ServerLog
from openivr.softphone.softphone import Softphone, address_towards, open_media

POLL_SECONDS = 0.05  # between two reads of the journal
REORDER_DELAY = 150  # ms that a line waits for an earlier one of the journal
KEEPALIVE = b"\r\n\r\n"  # means nothing by itself (RFC 5626, 3.5.1)
REFUSAL_SECONDS = 0.2  # for the ICMP message of a machine near by
MAX_END_SECONDS = 1.0  # until the journal has the end of the call


class CannotCall(Exception):
    """The call cannot be made. The text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class TerminalCall:
    """Settings of a call in the terminal."""

    server: Target  # its host may be a name
    login: Login | HashedLogin
    show: Callable[[TranscriptLine], object]
    keyboard: int | None = None  # file descriptor of the input
    story: ServerLog | None = None
    is_loud: bool = False  # play the received audio
    authorities: str = ""  # CA certificates in PEM; "": those of the system
    trace: Trace | None = None


async def hold(call: TerminalCall, plan: CallPlan) -> Result:
    """Make a call and show its events. Raises CannotCall or NoPlayer.

    The addresses of the server's name are tried in their order until one responds.
    """
    *others, last = await find_addresses(call.server)
    for server in others:
        if is_refused(server):
            continue
        with suppress(CannotCall):
            result, is_heard = await hold_at(server, call, plan)
            if is_heard or result.verdict is not CallResult.UNREACHABLE:
                return result
    return (await hold_at(last, call, plan))[0]


async def hold_at(server: Target, call: TerminalCall, plan: CallPlan) -> tuple[Result, bool]:
    """Make a call by a numeric address. Return its result, and True if the server has sent anything."""
    try:
        host = address_towards(server)
        media = open_media(host)
        phone = Softphone(server, call.login, listen=host, authorities=call.authorities, trace=call.trace)
        await phone.start(media)
    except OSError as error:
        raise CannotCall(f"cannot call by {server.host}: {error.strerror or error}") from error
    player = await Loudspeaker.start() if call.is_loud else None
    try:
        result = await converse(call, phone, replace(plan, hear=player.hear if player else None))
        return result, phone.has_heard
    finally:
        phone.close()
        await media.close()
        if player is not None:
            await player.close()


async def find_addresses(server: Target) -> list[Target]:
    """Resolve the server's name to every address that it has. Raises CannotCall."""
    if is_numeric(server.host):
        return [server]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(server.host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise CannotCall(f"there is no host {server.host}") from error
    return [server._replace(host=host) for host in dict.fromkeys(str(address[4][0]) for address in found)]


def is_refused(server: Target) -> bool:
    """Return True if a machine says by ICMP that nothing listens at a UDP address of its own."""
    if server.protocol != "UDP":
        return False  # its connection is refused as well
    with socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(REFUSAL_SECONDS)
        try:
            probe.connect((server.host, server.port))
            probe.send(KEEPALIVE)
            probe.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


async def converse(call: TerminalCall, phone: Softphone, plan: CallPlan) -> Result:
    """Make the call and show its events until it ends."""
    lines = ReorderBuffer(REORDER_DELAY if call.story else 0)
    conversation = Conversation(phone, plan, lambda line: lines.add([line]))
    began = now()

    def take_line(text: str) -> None:
        try:
            conversation.act(read_keys(text))
        except ValueError as error:
            lines.add([TranscriptLine(now() - began, "unknown", str(error))])

    def poll() -> None:
        if call.story is not None:
            lines.add(replace(line, at=line.at - began) for line in call.story.poll())

    with ExitStack() as stack:
        stack.enter_context(stopped_by_signals(conversation.cancel))
        if call.keyboard is not None:
            keyboard = Keyboard(conversation.press, take_line, conversation.cancel)
            stack.enter_context(reading(call.keyboard, keyboard))
        running = asyncio.create_task(conversation.run())
        while not running.done():
            await asyncio.wait([running], timeout=POLL_SECONDS)
            poll()
            for line in lines.take(now() - began):
                call.show(line)
    await wait_for_end(call.story, poll)
    for line in lines.take_all():
        call.show(line)
    return running.result()


async def wait_for_end(story: ServerLog | None, poll: Callable[[], None]) -> None:
    """Wait until the journal holds the end of the call, if it holds its beginning."""
    deadline = time.monotonic() + MAX_END_SECONDS
    while story is not None and story.call and not story.is_finished and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        poll()


def now() -> int:
    """Return Unix milliseconds."""
    return time.time_ns() // 1_000_000
