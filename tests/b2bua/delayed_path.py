"""A network between phones and the server that delivers each datagram late. All on loopback."""

import heapq
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from tests.b2bua.handset import Handset, Sound

HOST = "127.0.0.1"
DELAY = 0.04
Address = tuple[str, int]


def open_socket(port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
    sock.bind((HOST, port))
    return sock


@dataclass(slots=True)
class Way:
    """The way of one socket of a phone: the phone sends to `near`, and the server receives from `far`."""

    phone: Address
    server: Address | None  # unknown for RTP, until the server has described it
    near: socket.socket = field(default_factory=open_socket)
    far: socket.socket = field(default_factory=open_socket)
    from_server: int = 0  # packets that have arrived at the phone

    @property
    def inside(self) -> Address:
        """Where the phone finds the server."""
        return HOST, self.near.getsockname()[1]

    @property
    def outside(self) -> int:
        """The port under which the server finds the phone."""
        port: int = self.far.getsockname()[1]
        return port


class DelayedPath(threading.Thread):
    """Forwards the datagrams of its ways, `delay` seconds after they come in, and in their order."""

    def __init__(self, delay: float = DELAY) -> None:
        super().__init__(daemon=True)
        self.delay = delay
        self.ways: list[Way] = []
        self.left: list[socket.socket] = []  # by a change of a NAT binding
        self._order = count()
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        for sock in [*self.left, *(sock for way in self.ways for sock in (way.near, way.far))]:
            sock.close()

    def open(self, phone: socket.socket, server: int = 0) -> Way:
        """Add the way of a phone's socket, to this port of the server."""
        way = Way((HOST, phone.getsockname()[1]), (HOST, server) if server else None)
        self.ways.append(way)
        return way

    def bind_again(self, way: Way) -> None:
        """Do what NAT does when it forgets a binding: another port, and the old one is dead."""
        self.left.append(way.far)
        way.far = open_socket()

    def run(self) -> None:
        while not self._ended.is_set():
            sockets = {sock: way for way in list(self.ways) for sock in (way.near, way.far)}
            due = self._waiting[0][0] - time.monotonic() if self._waiting else 0.01
            ready, _, _ = select.select(sockets, [], [], min(0.01, max(0.0, due)))
            for sock in ready:
                self._forward(sockets[sock], sock)
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                heapq.heappop(self._waiting)[2]()

    def _forward(self, way: Way, sock: socket.socket) -> None:
        data = sock.recv(65535)

        def deliver() -> None:
            if sock is way.near:
                if way.server is not None:
                    way.far.sendto(data, way.server)
            elif sock is way.far:
                way.from_server += 1
                way.near.sendto(data, way.phone)

        heapq.heappush(self._waiting, (time.monotonic() + self.delay, next(self._order), deliver))


class DistantSound(Sound):
    """The RTP of a handset behind a delayed path."""

    def __init__(self, path: DelayedPath) -> None:
        super().__init__(HOST)
        self.way = path.open(self.socket)
        self.port = self.way.outside

    def aim(self, sdp: str, host: str) -> None:
        super().aim(sdp, host)
        self.way.server, self.far = self.far, self.way.inside


class DistantHandset(Handset):
    """A handset behind a delayed path. Its RTP never pauses: it sends a word every 20 ms."""

    sound: DistantSound

    def __init__(self, path: DelayedPath, server: int, user: str = "anonymous", password: str = "") -> None:
        super().__init__(server, user, password)
        self.path = path
        self.sound.close()
        self.sound = DistantSound(path)
        self.sounds = [self.sound]
        self.way = path.open(self.socket, server)
        self.socket.connect(self.way.inside)
        self.word = secrets.token_bytes(160)
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._speaker = threading.Thread(target=self._speak, daemon=True)

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{HOST}:{self.way.outside}>"

    def speak(self) -> None:
        """Begin to send RTP."""
        self._speaker.start()

    def _speak(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due += 0.02
            with self._turn:
                self.sound.send(self.word)

    def press(self, key: str) -> None:
        """Press a key, between two packets of speech."""
        with self._turn:
            self.sound.press(key)

    def another_sound(self) -> DistantSound:
        """Open another socket for RTP, from which the same stream can go on."""
        sound = DistantSound(self.path)
        sound.ssrc = self.sound.ssrc
        self.sounds.append(sound)
        return sound

    def switch(self, sound: DistantSound, late: int) -> DistantSound:
        """Go on with another socket. So many late packets of the one before, which is returned, follow."""
        with self._turn:
            before, self.sound = self.sound, sound
            sound.numbers, sound.clock = before.numbers, before.clock
            sound.way.server, sound.far = before.way.server, sound.way.inside
            sound.send(self.word)
            for _ in range(late):
                before.send(self.word)
        return before

    def hear(self, word: bytes, packets: int) -> None:
        """Wait until a word has come so many times."""
        for _ in range(packets):
            while self.sound.receive()[1] != word:
                pass

    def close(self) -> None:
        self._ended.set()
        if self._speaker.is_alive():
            self._speaker.join()
        for sound in self.sounds:
            sound.close()
        super().close()
