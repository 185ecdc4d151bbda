"""`openivr serve`: starts the workers, starts again what dies, and stops them all in good order.

Workers are forked, so that they share what is loaded and are ready at once. Each has a listening socket of
its own (SO_REUSEPORT) which the parent keeps: a connection that arrives while a worker is being started again
waits for it.
"""

import fcntl
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from openivr.config import Settings

log = structlog.get_logger(__name__)
SIGNALS = frozenset((signal.SIGTERM, signal.SIGINT, signal.SIGCHLD))
START_SECONDS = 600  # for a worker to load its data
SPARE_SECONDS = 5  # beyond the drain, before a worker that does not end is killed


@dataclass(frozen=True, slots=True)
class Post:
    """A worker's place: its number and its listening socket, and a pipe to report on."""

    number: int
    socket: socket.socket
    ready: int
    supervisor: int  # becomes readable when the supervisor is gone

    def report_ready(self) -> None:
        os.write(self.ready, b".")


Work = Callable[[Post], None]


class CannotStart(Exception):
    """A sentence for the person who started the server."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep any second server off the data folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"another OpenIVR is running on the data in {folder}") from None
        yield


def listen(settings: Settings) -> list[socket.socket]:
    """One listening socket a worker, on an address that nobody else has."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:  # SO_REUSEPORT would join another server without a word
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            address = probe.getsockname()
        return [bind(family, address, is_shared=settings.workers > 1) for _ in range(settings.workers)]
    except OSError as error:
        raise CannotStart(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error


def bind(family: socket.AddressFamily, address: tuple[str, int], *, is_shared: bool) -> socket.socket:
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(address)
    sock.listen(1024)
    return sock


class Supervisor:
    """Runs `work` in one forked process a socket."""

    def __init__(self, work: Work, sockets: list[socket.socket], drain_seconds: int) -> None:
        self.work, self.sockets, self.drain_seconds = work, sockets, drain_seconds
        self.workers: dict[int, tuple[int, float]] = {}  # pid -> number, start
        self.alive, self.parent_end = os.pipe()  # closes when this process ends, however it does
        self.ready, self.child_ready = os.pipe()

    def run(self, announce: Callable[[], None]) -> None:
        """Start all, call `announce` when they are ready, and watch over them until a signal to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in range(len(self.sockets)):
            self.start(number)
        if self.wait_ready():
            announce()
            notify("READY=1")
        while True:
            if signal.sigwait(SIGNALS) != signal.SIGCHLD:
                break
            self.restart_dead()
        notify("STOPPING=1")
        self.stop()

    def start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self.workers[pid] = (number, time.monotonic())
            return
        code = 1
        try:
            os.close(self.parent_end)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            self.work(Post(number, self.sockets[number], self.child_ready, self.alive))
            code = 0
        except BaseException:
            log.exception("worker failed", worker=number)
        finally:
            os._exit(code)

    def wait_ready(self) -> bool:
        """Whether every worker reported for work; a signal ends the wait."""
        deadline, missing = time.monotonic() + START_SECONDS, len(self.sockets)
        while missing and time.monotonic() < deadline:
            if signal.sigpending() & SIGNALS:
                return False
            if select.select([self.ready], [], [], 0.05)[0]:
                missing -= len(os.read(self.ready, missing))
        return not missing

    def restart_dead(self) -> None:
        for pid, status in reap():
            number, started = self.workers.pop(pid)
            log.error("worker ended, starting it again", worker=number, status=status)
            if time.monotonic() - started < 1:
                time.sleep(1)  # one that cannot live must not spin
            self.start(number)

    def stop(self) -> None:
        """Let every worker finish what it has begun, and end those that do not."""
        log.info("stopping", workers=len(self.workers))
        self.signal_all(signal.SIGTERM)
        deadline = time.monotonic() + self.drain_seconds + SPARE_SECONDS
        while self.workers:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, 0):
                self.signal_all(signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, min(max(remaining, 0), 0.5))
            for pid, _status in reap():
                self.workers.pop(pid, None)

    def signal_all(self, signum: signal.Signals) -> None:
        for pid in self.workers:
            os.kill(pid, signum)


def reap() -> Iterator[tuple[int, int]]:
    """Process ids and exit statuses of the children that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def notify(state: str) -> None:
    """Tell systemd, where it asked to be told (sd_notify)."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("\0" + path[1:] if path.startswith("@") else path)
            sock.send(state.encode())
