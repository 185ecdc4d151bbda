"""The processes of a server: HTTP workers, the one that carries calls, the clerk that keeps records."""

import os
import secrets
import select
import signal
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from openivr.cdr.worker import CdrWorker, RetentionPolicy
from openivr.config.settings import ListenAddress, Settings
from openivr.server import http_process
from openivr.server.supervisor import CannotStart, ProcessSpec, WorkerContext, listen
from openivr.sip.transport.sockets import bind_tcp, bind_udp
from openivr.store.database import Database

FREE_PORT_TRIES = 20
CLERK_NICE = 5  # a record may be late, a packet may not


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """The processes to start, and the settings with the ports that were found."""

    settings: Settings
    jobs: tuple[ProcessSpec, ...]


def plan(settings: Settings, *, has_http: bool, has_calls: bool) -> ProcessPlan:
    """Open the sockets and say what is to run on them. Raises CannotStart."""
    jobs: list[ProcessSpec] = []
    if has_http:
        sockets = listen(settings)
        settings = replace(settings, port=sockets[0].getsockname()[1])
        work = partial(http_process.run_worker, settings)
        jobs += [ProcessSpec("http", work, (one,), settings.drain_seconds) for one in sockets]
    if has_calls:
        node = node_of(settings.data)
        settings, job = plan_calls(settings, node)
        jobs += [job, ProcessSpec("clerk", partial(run_clerk, settings, node), is_hurried=True, is_last=True)]
    return ProcessPlan(settings, tuple(jobs))


def plan_calls(settings: Settings, node: str) -> tuple[Settings, ProcessSpec]:
    """The process that carries calls, on UDP, TCP and, where asked for, TLS.

    The order of its sockets is that of `telephony.sip_settings`.
    """
    from openivr.server.calls_process import (
        run,  # here: it is there when a process that died is started again
    )

    told = settings.calls
    plain = [listen_sip(at) for at in told.sip]
    secure = [listen_sip_tls(at) for at in told.sip_tls]
    told = replace(
        told,
        sip=tuple(at._replace(port=port_of(udp)) for at, (udp, _) in zip(told.sip, plain, strict=True)),
        sip_tls=tuple(at._replace(port=port_of(one)) for at, one in zip(told.sip_tls, secure, strict=True)),
    )
    settings = replace(settings, calls=told)
    work, sockets = partial(run, settings, node), (*chain.from_iterable(plain), *secure)
    return settings, ProcessSpec("calls", work, sockets, told.drain_seconds, is_hurried=True)


def listen_sip(at: ListenAddress) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket for SIP on the same port; port 0 finds one that both can have."""
    try:
        for _ in range(FREE_PORT_TRIES):
            tcp = bind_tcp(*at)
            try:
                return bind_udp(at.host, port_of(tcp)), tcp
            except OSError:
                tcp.close()
                if at.port:
                    raise
    except OSError as error:
        raise cannot_listen(at, error) from error
    raise CannotStart(f"no port on {at.host} is free for both UDP and TCP")


def listen_sip_tls(at: ListenAddress) -> socket.socket:
    """A TCP socket for SIP over TLS."""
    try:
        return bind_tcp(*at)
    except OSError as error:
        raise cannot_listen(at, error) from error


def cannot_listen(at: ListenAddress, error: OSError) -> CannotStart:
    return CannotStart(f"cannot listen for SIP on {at}: {os.strerror(error.errno or 0)}")


def port_of(bound: socket.socket) -> int:
    """The port that a socket has, which was found if none was asked for."""
    return int(bound.getsockname()[1])


def run_clerk(settings: Settings, node: str, post: WorkerContext) -> None:
    """Keep records until SIGTERM, or until the supervisor is gone."""
    give_way()
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: None)

    def is_over(seconds: float) -> bool:
        return bool(select.select([wake, post.supervisor], [], [], seconds)[0])

    settings.journal.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.url)
    post.report_ready()
    told = settings.calls
    keep = RetentionPolicy(told.keep_days, told.keep_recordings, told.keep_messages)
    CdrWorker(database, node, settings.journal, keep, settings.recordings).run(is_over)
    database.close()


def give_way() -> None:
    """Let calls go first on a busy machine, also where this was started with real-time priority."""
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(CLERK_NICE)


def node_of(data: Path) -> str:
    """The name of this data folder among all that share a database: made at random, once."""
    path = data / "node"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=data) as file:
            file.write(secrets.token_hex(8))
            file.flush()
            with suppress(FileExistsError):  # of another process that was faster
                os.link(file.name, path)  # whole or not at all
    return path.read_text()
