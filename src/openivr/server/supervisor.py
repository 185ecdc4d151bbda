"""The supervisor of `openivr serve`: starts, restarts and stops the processes.

Workers are forked, so they share loaded modules and start fast. The supervisor keeps their sockets open, so
connections and datagrams that arrive during a restart wait in the kernel.
"""

import fcntl
import gc
import os
import select
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from openivr.config.settings import Settings

log = structlog.get_logger(__name__)
STOPS = frozenset((signal.SIGTERM, signal.SIGINT))
SIGNALS = STOPS | {signal.SIGCHLD}
START_SECONDS = 600  # for a worker to load its data
BACKLOG = 1024  # connections that may wait while a worker restarts
STEADY_SECONDS = 1.0  # a worker that ran for as long restarts at once
FIRST_WAIT, MAX_WAIT = 0.5, 30.0  # seconds before another restart, if it did not
SPARE_SECONDS = 5  # beyond the drain, before a worker that does not end is killed


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """Passed to a worker by the supervisor: its number and sockets, and a pipe to report on."""

    number: int
    sockets: tuple[socket.socket, ...]
    ready: int
    supervisor: int  # file descriptor that becomes readable when the supervisor is gone

    def report_ready(self) -> None:
        os.write(self.ready, b".")


Work = Callable[[WorkerContext], None]


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to run. After SIGTERM it has `drain_seconds` to end.

    On a second signal to the supervisor, processes with `stop_on_second_signal` get SIGTERM again and a few
    seconds to end; others are killed. Processes with `stop_last` are stopped after all others.
    """

    name: str
    work: Work
    sockets: tuple[socket.socket, ...] = ()
    drain_seconds: int = 0
    stop_on_second_signal: bool = False
    stop_last: bool = False


class CannotStart(Exception):
    """The server cannot start; the message is for the administrator."""


@contextmanager
def hold(folder: Path, name: str = "lock") -> Iterator[None]:
    """Lock the data folder against a second server of the same kind. Raises CannotStart."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / name).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"another OpenIVR is running on the data in {folder}") from None
        yield


def listen(settings: Settings) -> list[socket.socket]:
    """Open one listening socket a worker. Raises CannotStart if the address is in use."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:  # SO_REUSEPORT would silently share the port with another server
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
    sock.listen(BACKLOG)
    return sock


def wait_before(deaths: int) -> float:
    """Return the seconds before a restart after so many crashes in a row.

    The first restart is immediate, because calls may be coming in. Later waits double, so that a process that
    cannot start does not spin.
    """
    return min(FIRST_WAIT * 2.0 ** min(deaths - 2, 30), MAX_WAIT) if deaths > 1 else 0.0


class Supervisor:
    """Runs each process specification in a forked process."""

    def __init__(self, specs: Sequence[ProcessSpec]) -> None:
        self.specs = tuple(specs)
        self.workers: dict[int, tuple[int, float]] = {}  # pid -> number of its specification, start
        self.deaths: Counter[int] = Counter()  # crashes in a row by number; a steady run resets them to 1
        self.due: dict[int, float] = {}  # number -> monotonic time of its restart
        self.alive, self.parent_end = os.pipe()  # the kernel closes it when this process ends
        self.ready, self.child_ready = os.pipe()

    def run(self, announce: Callable[[], None]) -> None:
        """Start all, call `announce` when they are ready, and restart crashed ones until a stop signal."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        gc.freeze()  # workers need not collect what is loaded, which would copy its pages
        for number in range(len(self.specs)):
            self.start(number)
        if self.wait_ready():
            announce()
            notify("READY=1")
        while self.next_signal() not in STOPS:
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
            spec = self.specs[number]
            for other in self.specs:
                if other is not spec:
                    close(other.sockets)  # else this process keeps them open after the supervisor ends
            spec.work(WorkerContext(number, spec.sockets, self.child_ready, self.alive))
            code = 0
        except BaseException:
            log.exception("worker failed", worker=number, process=self.specs[number].name)
        finally:
            os._exit(code)

    def wait_ready(self) -> bool:
        """Wait until all workers report ready. Return False if a stop signal or the time limit came first."""
        deadline, missing = time.monotonic() + START_SECONDS, len(self.specs)
        while missing and time.monotonic() < deadline:
            if signal.sigpending() & STOPS:
                return False
            self.restart_dead()
            if select.select([self.ready], [], [], 0.05)[0]:
                missing -= len(os.read(self.ready, missing))
        return not missing

    def next_signal(self) -> int | None:
        """Wait for a signal. Return None when a restart is due first."""
        if not self.due:
            return signal.sigwait(SIGNALS)
        info = signal.sigtimedwait(SIGNALS, max(0.0, min(self.due.values()) - time.monotonic()))
        return info.si_signo if info else None

    def restart_dead(self) -> None:
        """Schedule restarts of workers that ended, and carry out those that are due."""
        for pid, status in reap():
            number, started = self.workers.pop(pid)
            self.deaths[number] = (
                self.deaths[number] + 1 if time.monotonic() - started < STEADY_SECONDS else 1
            )
            seconds = wait_before(self.deaths[number])
            log.error(
                "worker ended, restarting it",
                worker=number,
                process=self.specs[number].name,
                status=status,
                seconds=seconds,
            )
            self.due[number] = time.monotonic() + seconds
        for number in [number for number, at in self.due.items() if at <= time.monotonic()]:
            del self.due[number]
            self.start(number)

    def stop(self) -> None:
        """Let all workers drain, and kill those that take too long."""
        log.info("stopping", workers=len(self.workers))
        self.end([pid for pid in self.workers if not self.spec(pid).stop_last])
        self.end(list(self.workers))

    def end(self, pids: list[int]) -> None:
        """Stop these workers. A second signal shortens their drain time."""
        begun, is_shortened = time.monotonic(), False
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        limits = {pid: begun + self.spec(pid).drain_seconds + SPARE_SECONDS for pid in pids}
        while limits:
            if signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, 0):
                limits = {pid: self.shorten(pid, is_shortened) for pid in limits}
                is_shortened = True
            for pid, limit in limits.items():
                if limit <= time.monotonic():
                    os.kill(pid, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.5)
            for pid, _status in reap():
                self.workers.pop(pid, None)
                limits.pop(pid, None)

    def shorten(self, pid: int, is_shortened: bool) -> float:
        """Make a worker end now. Return the monotonic time at which it is killed."""
        if is_shortened or not self.spec(pid).stop_on_second_signal:
            return 0.0
        os.kill(pid, signal.SIGTERM)
        return time.monotonic() + SPARE_SECONDS

    def spec(self, pid: int) -> ProcessSpec:
        return self.specs[self.workers[pid][0]]


def close(sockets: Sequence[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def reap() -> Iterator[tuple[int, int]]:
    """Yield process ids and exit codes of the children that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def notify(state: str) -> None:
    """Notify systemd, if it started the server (sd_notify(3))."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("\0" + path[1:] if path.startswith("@") else path)
            sock.send(state.encode())
