"""A call in the terminal: telephone, story, keyboard and loudspeaker together."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from openivr.simulate.keys import read_keys
from openivr.simulate.transcript import TranscriptLine
from openivr.sip.address import Target, is_numeric
from openivr.sip.auth.client import KeptLogin, Login
from openivr.sip.settings import Trace
from openivr.softphone.conversation import CallPlan, Conversation, Result
from openivr.softphone.event_order import EventOrder
from openivr.softphone.keyboard import Keyboard, reading, stopped_by_signals
from openivr.softphone.loudspeaker import Loudspeaker
from openivr.softphone.server_log import ServerLog
from openivr.softphone.softphone import Softphone, address_towards, open_media

LOOK_SECONDS = 0.05  # between two looks at the journal
PATIENCE = 150  # ms that a line waits for an earlier one out of the journal
LAST_SECONDS = 1.0  # for the journal to tell the end of a call that is over


class CannotCall(Exception):
    """A sentence for whoever wanted to call."""


@dataclass(frozen=True, slots=True)
class TerminalCall:
    """What a call in the terminal needs beside its plan."""

    server: Target  # its host may be a name
    login: Login | KeptLogin
    show: Callable[[TranscriptLine], object]
    keyboard: int | None = None  # the file to read keys from
    story: ServerLog | None = None
    is_loud: bool = False  # whether what is heard is played
    authorities: str = ""  # file in PEM, "": the system's
    trace: Trace | None = None


async def hold(call: TerminalCall, plan: CallPlan) -> Result:
    """Make a call. Raises CannotCall, NoPlayer."""
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
    """The server with its address in the place of its name."""
    if is_numeric(server.host):
        return server
    try:
        found = await asyncio.get_running_loop().getaddrinfo(server.host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise CannotCall(f"there is no host {server.host}") from error
    return server._replace(host=str(found[0][4][0]))


async def converse(call: TerminalCall, phone: Softphone, plan: CallPlan) -> Result:
    """Make the call and show all that is told of it, until it is over."""
    telling = EventOrder(PATIENCE if call.story else 0)
    conversation = Conversation(phone, plan, lambda line: telling.add([line]))
    began = now()

    def take_line(text: str) -> None:
        try:
            conversation.act(read_keys(text))
        except ValueError as error:
            telling.add([TranscriptLine(now() - began, "unknown", str(error))])

    def look() -> None:
        if call.story is not None:
            telling.add(replace(line, at=line.at - began) for line in call.story.look())

    with ExitStack() as held:
        held.enter_context(stopped_by_signals(conversation.cancel))
        if call.keyboard is not None:
            keyboard = Keyboard(conversation.press, take_line, conversation.cancel)
            held.enter_context(reading(call.keyboard, keyboard))
        running = asyncio.create_task(conversation.run())
        while not running.done():
            await asyncio.wait([running], timeout=LOOK_SECONDS)
            look()
            for line in telling.take(now() - began):
                call.show(line)
    await wait_for_end(call.story, look)
    for line in telling.take_all():
        call.show(line)
    return running.result()


async def wait_for_end(story: ServerLog | None, look: Callable[[], None]) -> None:
    """Let the journal come to the end of the call, if it has told of it."""
    until = time.monotonic() + LAST_SECONDS
    while story is not None and story.call and not story.is_over and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
        look()


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000
