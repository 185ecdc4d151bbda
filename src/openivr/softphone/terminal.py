"""Runs a call in the terminal: softphone, server log, keyboard and loudspeaker."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
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
from openivr.softphone.server_log import ServerLog
from openivr.softphone.softphone import Softphone, address_towards, open_media

POLL_SECONDS = 0.05  # between two reads of the journal
REORDER_DELAY = 150  # ms that a line waits for an earlier one of the journal
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
    """Make a call and show its events. Raises CannotCall or NoPlayer."""
    server = await find_address(call.server)
    try:
        host = address_towards(server)
        media = open_media(host)
        phone = Softphone(server, call.login, listen=host, authorities=call.authorities, trace=call.trace)
        await phone.start(media)
    except OSError as error:
        raise CannotCall(f"cannot call by {server.host}: {error.strerror or error}") from error
    player = await Loudspeaker.start() if call.is_loud else None
    try:
        return await converse(call, phone, replace(plan, hear=player.hear if player else None))
    finally:
        phone.close()
        await media.close()
        if player is not None:
            await player.close()


async def find_address(server: Target) -> Target:
    """Resolve the server's name. Raises CannotCall."""
    if is_numeric(server.host):
        return server
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(server.host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise CannotCall(f"there is no host {server.host}") from error
    return server._replace(host=str(addresses[0][4][0]))


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
