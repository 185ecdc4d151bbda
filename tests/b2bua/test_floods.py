"""Strangers flood `openivr serve` with messages and noise: calls go on, and the log says who is banned."""

import random
import socket
from collections.abc import Iterator

import pytest

from tests.b2bua.handset import Handset
from tests.b2bua.server_process import ServerProcess, run_server
from tests.b2bua.test_two_servers import press_on, talk

STRANGER = "127.0.0.9"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with run_server(tmp_path_factory.mktemp("floods")) as served:
        yield served


def make_noise(genuine: bytes, seed: int) -> bytes:
    """Bytes of no sense, or a message with some bytes of it changed, cut out or doubled."""
    chance = random.Random(seed)
    if seed % 4 == 0:
        return chance.randbytes(chance.randrange(1, 1400))
    data = bytearray(genuine)
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(len(data))
        data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
    return bytes(data)


def test_noise_and_floods_do_not_stop_a_call_and_the_log_tells_of_the_ban(server: ServerProcess) -> None:
    ada, grace = server.handset("1000"), server.handset("1001")
    genuine = ada.invite("1001")
    grace.pick_up(grace.ring())
    ada.until_answered()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, 0))
        for seed in range(2000):
            stranger.sendto(make_noise(genuine, seed), ("127.0.0.1", server.port))
            if seed % 100 == 0:
                talk(ada, grace)
    with socket.create_connection(("127.0.0.1", server.port), source_address=(STRANGER, 0)) as stranger:
        stranger.sendall(make_noise(genuine, 4) * 50)
    for seed in range(200):  # at the sound of one of them, from where nobody should send any
        grace.sound.send(make_noise(genuine, seed)[:1400], seed % 128)
    talk(ada, grace)
    press_on(ada, grace, "5")
    ada.hang_up()
    grace.reply(grace.expect("BYE"), 200)
    log = server.running.expect_log("sip source banned")
    assert STRANGER in next(line for line in log.splitlines() if "sip source banned" in line)
    assert "Traceback" not in log
    assert server.new_record().outcome == "connected"


def test_a_scanner_is_banned_by_its_name_and_hears_nothing(server: ServerProcess) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as scanner:
        scanner.bind(("127.0.0.10", 0))
        phone = Handset(server.port)
        message = phone.build("REGISTER", phone.uri("1000"), "<sip:1000@x>", "User-Agent: friendly-scanner")
        scanner.sendto(message, ("127.0.0.1", server.port))
        phone.close()
    assert "127.0.0.10" in server.running.expect_log("127.0.0.10")
