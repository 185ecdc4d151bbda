"""`openivr serve`: starts the workers, starts again what dies, and stops them all in good order.

Workers are forked, so that they share what is loaded and are ready at once. Each has sockets of its own which
the parent keeps: a connection or a message that arrives while a worker is being started again waits for it.
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
LIFT = signal.SIGUSR1  # lift the bans of SIP: handed on to all jobs, of which one knows what to do
START_SECONDS = 600  # for a worker to load its data
BACKLOG = 1024  # connections that may wait while a worker is started again
STEADY_SECONDS = 1.0  # a worker that lived for as long can live, whatever ended it
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before one that cannot is started again
SPARE_SECONDS = 5  # beyond the drain, before a worker that does not end is killed


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """A worker's place: its number and its sockets, and a pipe to report on."""

    number: int
    sockets: tuple[socket.socket, ...]
    ready: int
    supervisor: int  # becomes readable when the supervisor is gone

    def report_ready(self) -> None:
        os.write(self.ready, b".")


Work = Callable[[WorkerContext], None]


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What one process does. At a stop it has `drain_seconds` to end; a last one is stopped after the others.

    A job that is hurried by a second signal is told once more, by SIGTERM, and has a moment to say goodbye;
    others are killed.
    """

    name: str
    work: Work
    sockets: tuple[socket.socket, ...] = ()
    drain_seconds: int = 0
    is_hurried: bool = False
    is_last: bool = False


class CannotStart(Exception):
    """A sentence for the person who started the server."""


@contextmanager
def hold(folder: Path, name: str = "lock") -> Iterator[None]:
    """Keep any second server, or a second one of the same kind, off the data folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / name).open("a") as file:
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
    sock.listen(BACKLOG)
    return sock


def wait_before(deaths: int) -> float:
    """Seconds before a job is started again of which so many workers have died, each but the first young.

    The first is started again at once, for somebody may be calling; one that cannot live must not spin.
    """
    return min(FIRST_WAIT * 2.0 ** min(deaths - 2, 30), LONGEST_WAIT) if deaths > 1 else 0.0


class Supervisor:
    """Runs each job in a forked process of its own."""

    def __init__(self, jobs: Sequence[ProcessSpec]) -> None:
        self.jobs = tuple(jobs)
        self.workers: dict[int, tuple[int, float]] = {}  # pid -> number of its job, start
        self.deaths: Counter[int] = Counter()  # by number of the job: one, and those after it that died young
        self.due: dict[int, float] = {}  # number of the job -> when it is started again
        self.alive, self.parent_end = os.pipe()  # closes when this process ends, however it does
        self.ready, self.child_ready = os.pipe()

    def run(self, announce: Callable[[], None]) -> None:
        """Start all, call `announce` when they are ready, and watch over them until a signal to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS | {LIFT})
        gc.freeze()  # what is loaded stays: no worker need look through it, nor have it copied for that
        for number in range(len(self.jobs)):
            self.start(number)
        if self.wait_ready():
            announce()
            notify("READY=1")
        while (signum := self.next_signal()) not in STOPS:
            if signum == LIFT:
                self.hand_on(LIFT)
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
            signal.signal(LIFT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS | {LIFT})
            job = self.jobs[number]
            for other in self.jobs:
                if other is not job:
                    close(other.sockets)  # else they would outlive the supervisor with this process
            job.work(WorkerContext(number, job.sockets, self.child_ready, self.alive))
            code = 0
        except BaseException:
            log.exception("worker failed", worker=number, job=self.jobs[number].name)
        finally:
            os._exit(code)

    def wait_ready(self) -> bool:
        """Whether every worker reported for work; a signal ends the wait."""
        deadline, missing = time.monotonic() + START_SECONDS, len(self.jobs)
        while missing and time.monotonic() < deadline:
            if signal.sigpending() & STOPS:
                return False
            self.restart_dead()
            if select.select([self.ready], [], [], 0.05)[0]:
                missing -= len(os.read(self.ready, missing))
        return not missing

    def next_signal(self) -> int | None:
        """Wait for a signal, or until a worker is to be started again."""
        if not self.due:
            return signal.sigwait(SIGNALS | {LIFT})
        found = signal.sigtimedwait(SIGNALS | {LIFT}, max(0.0, min(self.due.values()) - time.monotonic()))
        return found.si_signo if found else None

    def restart_dead(self) -> None:
        """Start again what has died, now or when it is time."""
        for pid, status in reap():
            number, started = self.workers.pop(pid)
            self.deaths[number] = (
                self.deaths[number] + 1 if time.monotonic() - started < STEADY_SECONDS else 1
            )
            seconds = wait_before(self.deaths[number])
            facts = {"worker": number, "job": self.jobs[number].name, "status": status, "seconds": seconds}
            log.error("worker ended, starting it again", **facts)
            self.due[number] = time.monotonic() + seconds
        for number in [number for number, at in self.due.items() if at <= time.monotonic()]:
            del self.due[number]
            self.start(number)

    def hand_on(self, signum: signal.Signals) -> None:
        """Send a signal to every worker; one that has ended and was not waited for yet takes no harm."""
        for pid in self.workers:
            os.kill(pid, signum)

    def stop(self) -> None:
        """Let every worker finish what it has begun, and end those that do not."""
        log.info("stopping", workers=len(self.workers))
        self.end([pid for pid in self.workers if not self.job(pid).is_last])
        self.end(list(self.workers))

    def end(self, pids: list[int]) -> None:
        """Stop these workers; a second signal hurries them."""
        begun, is_hurried = time.monotonic(), False
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        limits = {pid: begun + self.job(pid).drain_seconds + SPARE_SECONDS for pid in pids}
        while limits:
            if signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, 0):
                limits = {pid: self.hurry(pid, is_hurried) for pid in limits}
                is_hurried = True
            for pid, limit in limits.items():
                if limit <= time.monotonic():
                    os.kill(pid, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.5)
            for pid, _status in reap():
                self.workers.pop(pid, None)
                limits.pop(pid, None)

    def hurry(self, pid: int, is_hurried: bool) -> float:
        """Have a worker end now; until when it has time for that."""
        if is_hurried or not self.job(pid).is_hurried:
            return 0.0
        os.kill(pid, signal.SIGTERM)
        return time.monotonic() + SPARE_SECONDS

    def job(self, pid: int) -> ProcessSpec:
        return self.jobs[self.workers[pid][0]]


def close(sockets: Sequence[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


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
