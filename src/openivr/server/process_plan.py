"""The processes of a server: HTTP workers, the calls process, the CDR worker and the courier."""

import math
import os
import secrets
import select
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from openivr.cdr.retention import RetentionPolicy
from openivr.cdr.worker import CdrWorker
from openivr.config.settings import ListenAddress, Settings
from openivr.mail.courier import FINISH_SECONDS, Courier
from openivr.observability import logs
from openivr.observability.metrics import allocate_counters
from openivr.server import http_process
from openivr.server.sip_sockets import SipSocket, open_plain, open_tls
from openivr.server.supervisor import ProcessSpec, WorkerContext, listen
from openivr.server.webhooks.worker import run_worker as run_webhooks
from openivr.store.database import Database
from openivr.store.events.interest import Interest

CDR_NICE = 5  # a record may be late, an RTP packet may not


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """The processes to start, and the settings with the ports that were found."""

    settings: Settings
    specs: tuple[ProcessSpec, ...]


def plan(settings: Settings, *, has_http: bool, has_calls: bool) -> ProcessPlan:
    """Open the sockets and list the processes to run on them. Raises CannotStart."""
    specs: list[ProcessSpec] = []
    interest = Interest(settings.workers + 1)  # the HTTP workers, and the process of webhooks
    node = node_of(settings.data)
    if has_http:
        sockets = listen(settings)
        settings = replace(settings, port=sockets[0].getsockname()[1])
        work = partial(http_process.run_worker, settings, allocate_counters(settings.workers), interest)
        specs += [ProcessSpec("http", work, (sock,), settings.drain_seconds) for sock in sockets]
        specs.append(ProcessSpec("webhooks", partial(run_webhooks, settings, node, interest)))
        specs.append(plan_mail(settings, "http"))
    if has_calls:
        settings, sip_sockets = open_sip_sockets(settings)
        specs += [plan_calls(settings, node, sip_sockets), plan_cdr(settings, node, interest)]
        if not has_http:
            specs.append(plan_mail(settings, "calls"))
    return ProcessPlan(settings, tuple(specs))


def open_sip_sockets(settings: Settings) -> tuple[Settings, tuple[SipSocket, ...]]:
    """Open the sockets for SIP over UDP, TCP and TLS. Return the settings with the ports that were found."""
    calls = settings.calls
    plain = [open_plain(at) for at in calls.sip]
    secure = [open_tls(at) for at in calls.sip_tls]
    calls = replace(
        calls,
        sip=tuple(address_of(udp) for udp, _ in plain),
        sip_tls=tuple(address_of(tls) for tls in secure),
    )
    return replace(settings, calls=calls), (*chain.from_iterable(plain), *secure)


def address_of(sip_socket: SipSocket) -> ListenAddress:
    return ListenAddress(sip_socket.target.host, sip_socket.target.port)


def plan_calls(settings: Settings, node: str, sip_sockets: tuple[SipSocket, ...]) -> ProcessSpec:
    """Plan the process that handles calls."""
    from openivr.server.calls_process import (
        run,  # here: an HTTP worker need not load it, and a restart after a crash finds it loaded
    )

    return ProcessSpec(
        "calls",
        partial(run, settings, node, sip_sockets),
        tuple(sip_socket.socket for sip_socket in sip_sockets),
        settings.calls.drain_seconds,
        stop_on_second_signal=True,
    )


def plan_cdr(settings: Settings, node: str, interest: Interest) -> ProcessSpec:
    """Plan the CDR worker, which stops last to store what the calls process wrote until its end."""
    return ProcessSpec(
        "cdr", partial(run_cdr_worker, settings, node, interest), stop_on_second_signal=True, stop_last=True
    )


def plan_mail(settings: Settings, role: str) -> ProcessSpec:
    """Plan the courier. `role` is that of the server: `openivr api` and `calls` may share a data folder."""
    work = partial(run_courier, settings, role)
    return ProcessSpec("mail", work, drain_seconds=math.ceil(FINISH_SECONDS))


def run_courier(settings: Settings, role: str, worker: WorkerContext) -> None:
    """Send mail until SIGTERM or until the supervisor is gone."""
    lower_priority()
    wait_for_stop = watch_for_stop(worker)
    database = Database(settings.url, is_server=True)
    worker.report_ready()
    Courier(database, f"{node_of(settings.data)}-{role}").run(wait_for_stop)
    database.close()


def watch_for_stop(worker: WorkerContext) -> Callable[[float], bool]:
    """Return a function that waits some seconds, or until the process has to stop, and returns True then."""
    wake, wakeup_fd = os.pipe()
    os.set_blocking(wakeup_fd, False)
    signal.set_wakeup_fd(wakeup_fd)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: None)

    def wait_for_stop(seconds: float) -> bool:
        return bool(select.select([wake, worker.supervisor], [], [], seconds)[0])

    return wait_for_stop


def run_cdr_worker(settings: Settings, node: str, interest: Interest, worker: WorkerContext) -> None:
    """Store call records until SIGTERM or until the supervisor is gone."""
    lower_priority()
    wait_for_stop = watch_for_stop(worker)
    settings.journal.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.url, is_server=True)
    worker.report_ready()
    calls = settings.calls
    retention = RetentionPolicy(
        calls.keep_days, calls.keep_recordings, calls.keep_messages, calls.max_recordings
    )
    cdr_worker = CdrWorker(database, node, settings.journal, retention, settings.recordings)
    with logs.output.in_thread():
        cdr_worker.run(wait_for_stop, interest)
    database.close()


def lower_priority() -> None:
    """Give calls priority on a busy machine, also if this process inherited real-time priority."""
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(CDR_NICE)


def node_of(data: Path) -> str:
    """Return the id of this data folder, unique among those that share a database. Generated on first use."""
    path = data / "node"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=data) as file:
            file.write(secrets.token_hex(8))
            file.flush()
            with suppress(FileExistsError):  # another process was faster
                os.link(file.name, path)  # atomic
    return path.read_text()
