"""SIP and RTP while media moves, RTP never pauses and each datagram takes 40 ms (T1 to T3)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.b2bua.delayed_path import DELAY, HOST, DelayedPath, DistantHandset
from tests.b2bua.handset import FRAME, Sound
from tests.b2bua.server_process import ServerProcess, run_server

MENU = "6203"
PACKETS = 110  # for longer than 2 s, within which packets count as late
UNDER_WAY = 2 * DELAY / 0.02 + 5  # packets that are on their way when an address changes


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with run_server(tmp_path_factory.mktemp("delay")) as served:
        yield served


@pytest.fixture
def path() -> Iterator[DelayedPath]:
    with DelayedPath() as delayed:
        yield delayed


def distant(server: ServerProcess, path: DelayedPath, number: str = "") -> DistantHandset:
    """A phone at the far end of the path, registered if it is an extension's."""
    phone = DistantHandset(path, server.port, *((number, server.passwords[number]) if number else ()))
    server.handsets.append(phone)
    if number:
        assert phone.register().status == 200
    return phone


@pytest.fixture
def stranger() -> Iterator[Callable[[DistantHandset], None]]:
    """Another host, which sends RTP to where a phone does, all the time."""
    sound, ended, threads = Sound("127.0.0.9"), threading.Event(), list[threading.Thread]()
    sound.socket.settimeout(0)

    def intrude(phone: DistantHandset) -> None:
        def send() -> None:
            while not ended.wait(0.02):
                sound.send(b"\x00" * FRAME)

        assert phone.sound.way.server is not None
        sound.far = phone.sound.way.server
        threads.append(threading.Thread(target=send))
        threads[-1].start()

    yield intrude
    ended.set()
    for thread in threads:
        thread.join()
    with pytest.raises(BlockingIOError):  # nothing was sent to it
        sound.socket.recv(2048)
    sound.close()


def call_menu(server: ServerProcess, path: DelayedPath) -> DistantHandset:
    """Return a phone that hears a menu."""
    phone = distant(server, path, "1000")
    phone.call(MENU)
    phone.speak()
    phone.sound.listen(10)
    return phone


@pytest.mark.parametrize("has_nat", [False, True], ids=["as described", "NAT changes the port"])
def test_t1_a_reinvite_moves_the_stream(
    server: ServerProcess, path: DelayedPath, stranger: Callable[[DistantHandset], None], has_nat: bool
) -> None:
    phone = call_menu(server, path)
    stranger(phone)
    after, never_used = phone.another_sound(), phone.another_sound()
    phone.ask("INVITE", body=phone.offer(port=never_used.port if has_nat else after.port))
    phone.confirm(phone.expect(200))  # until now the former port has been sending
    before = phone.switch(after, late=2)
    came = before.way.from_server
    phone.sound.listen(PACKETS)
    assert before.way.from_server - came <= UNDER_WAY
    before.press("7")
    phone.press("2")
    server.until_key()
    phone.hang_up()
    assert server.new_record().keys == "2"


@pytest.mark.parametrize("is_fork", [False, True], ids=["one early dialog", "another fork answers"])
def test_t2_the_answer_describes_another_port_than_the_early_media(
    server: ServerProcess, path: DelayedPath, stranger: Callable[[DistantHandset], None], is_fork: bool
) -> None:
    caller, provider = distant(server, path, "1000"), distant(server, path)
    with trunk_to(server, provider.way.outside):
        caller.invite("8441632960000")
        invite = provider.expect("INVITE")
        provider.sound.aim(invite.body, HOST)
        provider.speak()
        provider.reply(invite, 183, body=provider.offer())
        early = caller.expect(183)
        caller.sound.aim(early.body, HOST)
        caller.speak()
        caller.hear(provider.word, 5)
        stranger(provider)
        after = provider.another_sound()
        if is_fork:
            provider.tag = "fork"
        provider.reply(invite, 200, body=provider.offer(port=after.port))
        before = provider.switch(after, late=2)
        provider.expect("ACK")
        caller.confirm(caller.final())
        came = before.way.from_server
        provider.hear(caller.word, PACKETS)
        caller.hear(provider.word, PACKETS)
        assert before.way.from_server - came <= UNDER_WAY
        caller.hang_up()
        provider.reply(provider.expect("BYE"), 200)
        assert server.new_record().outcome == "connected"


def test_t3_nat_gives_the_stream_another_port(
    server: ServerProcess, path: DelayedPath, stranger: Callable[[DistantHandset], None]
) -> None:
    phone = call_menu(server, path)
    stranger(phone)
    phone.sound.listen(PACKETS)  # the source is latched for good
    path.bind_again(phone.sound.way)
    came = phone.sound.way.from_server
    phone.sound.quieten()  # what is sent to the former port arrives no longer
    phone.sound.listen(PACKETS)
    assert phone.sound.way.from_server - came >= PACKETS
    phone.press("2")
    server.until_key()
    phone.hang_up()
    assert server.new_record().keys == "2"


@contextmanager
def trunk_to(server: ServerProcess, port: int) -> Iterator[None]:
    """Have a provider at this port, for numbers that begin with 8."""
    trunk = server.post("trunk/create", name="Provider 2", type="peer", hostname=HOST, port=port)
    route = server.post(
        "outbound_route/create",
        name="Eight",
        dial_pattern_list=[{"pattern": "8X.", "strip": 1}],
        trunk_list=[{"type": "trunk", "value": str(trunk)}],
        ext_list=[{"type": "extension", "value": "1"}],
    )
    try:
        yield
    finally:
        server.delete("outbound_route", route)
        server.delete("trunk", trunk)
