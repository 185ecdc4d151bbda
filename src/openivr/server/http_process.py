"""The HTTP process: connects the database, the API, the web admin and uvicorn in one worker."""

import asyncio
import gc
import math
import mmap
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from openivr.api import (
    auth,
    call_reports,
    cdr,
    crud,
    document,
    prompts,
    recordings,
    system,
)
from openivr.api.app import OTHER, ApiApp, is_api_path
from openivr.api.calls import control, notes
from openivr.api.contacts import families, files
from openivr.api.display_time import DisplayFormat
from openivr.api.downloads import DOWNLOAD
from openivr.api.endpoint import VERSIONS, ApiRequest, Endpoint, Service
from openivr.api.fast_list import FastListHandler, FastListProtocol
from openivr.api.hours import holiday_import, switch
from openivr.api.mail import mailboxes, sending
from openivr.api.recording_files import RecordingFiles
from openivr.api.request_head import KnownHosts
from openivr.api.responses import ENCODE, MESSAGES
from openivr.api.slow_clients import CheckTimer, LimitedProtocol
from openivr.clock import LIFETIME_FILE, lifetime, read_boot_id
from openivr.config.settings import Settings
from openivr.connections.shares import Shares
from openivr.connections.tls_listener import Handshake, TlsListener
from openivr.observability import logs
from openivr.observability.disk_space import MIB, DiskSpace, DiskState
from openivr.observability.logs import FLUSH_SECONDS
from openivr.observability.metrics import AccessLog, Observer, Sample, Tally, render_metrics
from openivr.resources import KINDS, ResourceType
from openivr.resources.contact import CONTACT_TYPES
from openivr.resources.ivr import list_row
from openivr.resources.resource_type import Row, Values
from openivr.server.control_socket import send_command
from openivr.server.events.hub import EventHub
from openivr.server.events.websocket import ENTRY as SUBSCRIBE_ENTRY
from openivr.server.events.websocket import SubscribeProtocol
from openivr.server.supervisor import WorkerContext
from openivr.server.webhooks.endpoints import ENDPOINTS as WEBHOOK_ENDPOINTS
from openivr.store.auth.logins import Logins
from openivr.store.availability import Unavailable
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.list_snapshot import ListSnapshot
from openivr.store.caches.saved_state import LISTS_FILE, SAVE_SECONDS, SavedLists
from openivr.store.caches.saved_state import load as load_state
from openivr.store.caches.saved_state import save as save_state
from openivr.store.cdr import call_counts
from openivr.store.database import Database
from openivr.store.events.interest import Interest
from openivr.web import routes as web
from openivr.web.core.middleware import NAME as WEB
from openivr.web.core.request import ServerInfo

log = structlog.get_logger(__name__)
MAX_CONNECTIONS = 4096
MAX_CONNECTIONS_OF_SOURCE = 1024
OVERDUE_SECONDS = 1.0  # between two checks for overdue clients
WATCH_SECONDS = 1.0
OWN_FAMILIES = {"custom_prompt", *CONTACT_TYPES}  # with handlers of their own
METRICS_SECONDS = 3.0  # for the figures that need the database
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def choose_kinds(profile: str) -> Mapping[str, ResourceType]:
    """Return the resource types with the list rows of this profile."""
    if profile == "classic":
        return KINDS
    return {**KINDS, "ivr": replace(KINDS["ivr"], row=newer_ivr_row)}


def newer_ivr_row(values: Values) -> Row:
    """Return a list row with the field that software and cloud editions have."""
    return {**list_row(values), "client_unique_ringtone": values["client_unique_ringtone"]}


def all_endpoints(kinds: Mapping[str, ResourceType] = KINDS) -> tuple[Endpoint, ...]:
    """Return every endpoint of the API, including the OpenAPI documents."""
    plain = (crud.endpoints(kind) for kind in kinds.values() if kind.name not in OWN_FAMILIES)
    endpoints = (
        *auth.ENDPOINTS,
        *system.ENDPOINTS,
        *switch.ENDPOINTS,
        *holiday_import.ENDPOINTS,
        *chain.from_iterable(plain),
        *prompts.endpoints(),
        *families.endpoints(),
        *files.ENDPOINTS,
        *cdr.endpoints(),
        *recordings.endpoints(),
        *mailboxes.endpoints(),
        *sending.endpoints(),
        *notes.endpoints(),
        *control.endpoints(),
        *call_reports.endpoints(),
        *WEBHOOK_ENDPOINTS,
        SUBSCRIBE_ENTRY,
    )
    return (*endpoints, *(document_endpoint(endpoints, version) for version in VERSIONS))


def document_endpoint(endpoints: Iterable[Endpoint], version: str) -> Endpoint:
    """Return the endpoint of the OpenAPI document of a version."""
    text = ENCODE(document.build(endpoints, version))

    async def openapi(_request: ApiRequest) -> bytes:
        return text

    return Endpoint(
        path="openapi.json",
        version=version,
        method="GET",
        handle=openapi,
        summary="This document",
        is_open=True,
    )


def build(
    service: Service,
    endpoints: Iterable[Endpoint],
    observer: Observer,
    server_info: ServerInfo,
    disk: DiskSpace,
) -> ASGIApp:
    """Build the ASGI application: the API, health and metrics, and the web admin for all other paths."""
    api = ApiApp(service, endpoints, observer)
    routes = list(operation_routes(service, observer, disk))
    operation, paths = Router(routes, redirect_slashes=False), {route.path for route in routes}
    admin = web.build(
        service.database,
        service.live,
        service.logins,
        observer,
        server=server_info,
        disk=disk,
        call_lists=service.cdr,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        handler = api if is_api_path(path) else operation if path in paths else admin
        await handler(scope, receive, send)

    return app


def make_server_info(settings: Settings) -> ServerInfo:
    """Gather the settings of calls that the web admin shows."""
    calls = settings.calls
    return ServerInfo(
        ", ".join(map(str, calls.sip)),
        ", ".join(map(str, calls.sip_tls)),
        calls.rtp_ports,
        calls.max_calls,
        calls.keep_days,
        settings.recordings,
        calls.sip,
        calls.sip_tls,
    )


def operation_routes(service: Service, observer: Observer, disk: DiskSpace) -> Iterator[Route]:
    """Yield the routes of health checks and metrics."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        service.live.feed.check_file()
        await service.live.current()
        if service.live.age:
            text = f"the database does not answer; the configuration is {service.live.age:.0f} s old\n"
            return PlainTextResponse(text, status_code=503)
        if not service.database.is_writable():
            return PlainTextResponse("the database cannot be written\n", status_code=503)
        free = disk.free() // MIB
        match disk.state():
            case DiskState.FULL:
                return PlainTextResponse(f"the disk is full: {free} MiB free\n", status_code=503)
            case DiskState.LOW:
                return PlainTextResponse(f"ready\nthe disk is almost full: {free} MiB free\n")
            case DiskState.OK:
                return PlainTextResponse("ready\n")

    async def metrics(_request: Request) -> Response:
        snapshot = await service.live.current()
        age = Sample("Seconds since the configuration was known to be the newest", round(service.live.age))
        shown = {
            "openivr_disk_free_bytes": Sample("Free space on the disk of the data folder", disk.free()),
            "openivr_disk_low": Sample(
                "Whether free space is below --min-free", float(disk.state() is not DiskState.OK)
            ),
            "openivr_database_up": Sample("Whether the database answers", int(not service.live.age)),
            "openivr_configuration_age_seconds": age,
            **({} if service.live.age else await read_database_metrics(service, snapshot)),
        }
        return Response(render_metrics(observer.tally, shown), media_type=METRICS_TYPE)

    for handler in (healthz, readyz, metrics):
        yield Route(f"/{handler.__name__}", handler)


async def read_database_metrics(service: Service, snapshot: ListSnapshot) -> dict[str, Sample]:
    """Read the metrics that need the database; none while it does not answer."""
    try:
        calls = await service.database.read_soon(METRICS_SECONDS, call_counts.read_figures)
    except Unavailable:
        return {}
    return {
        "openivr_live_tokens": Sample("Access tokens that are good", len(snapshot.tokens)),
        "openivr_revision": Sample("Changes of the configuration so far", snapshot.config),
        "openivr_calls_now": Sample("Calls under way", calls.live),
        "openivr_calls": Sample("Calls that have ended", calls.ended, "outcome", is_counter=True),
        "openivr_registrations": Sample("Phones that are registered", calls.registrations),
        "openivr_trunk_up": Sample("Whether a trunk can be used", calls.trunks, "trunk"),
    }


class HttpServer(uvicorn.Server):
    """uvicorn without signal handling. `stop` stops it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with TLS on sockets of our own: uvicorn does not see handshakes."""
        config = self.config
        if sockets is None or config.ssl is None:
            await super().startup(sockets)
            return
        await super().startup([])
        kind: Any = config.http_protocol_class

        def make(handshake: Handshake) -> LimitedProtocol:
            protocol: LimitedProtocol = kind(
                config=config, server_state=self.server_state, app_state=self.lifespan.state, _loop=None
            )
            protocol.handshake = handshake
            return protocol

        servers: list[Any] = self.servers
        servers += [TlsListener(each, config.ssl, make, kind.shares) for each in sockets]

    def close_overdue(self, now: float) -> None:
        """Close connections whose client is overdue with a request or with reading a response."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, LimitedProtocol):
                connection.close_late(now)


def run_worker(settings: Settings, counters: mmap.mmap, interest: Interest, worker: WorkerContext) -> None:
    """Serve HTTP on the worker's socket until SIGTERM or until the supervisor is gone.

    `counters` are the request counters that all workers share, `interest` shows that there are subscribers.
    """
    sys.setswitchinterval(0.001)  # threads that read changes must not delay the event loop
    with logs.output.in_thread(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, counters, interest, worker))


async def serve(settings: Settings, counters: mmap.mmap, interest: Interest, worker: WorkerContext) -> None:
    kinds = choose_kinds(settings.profile)
    database = Database(settings.url, is_server=True)
    live = ListCache(database, kinds)
    endpoints = all_endpoints(kinds)
    names = [*(endpoint.name for endpoint in (*endpoints, DOWNLOAD)), OTHER, WEB]
    access_log = AccessLog() if settings.has_access_log else None
    observer = Observer(Tally(names, MESSAGES, counters, worker.number), access_log)
    logins = Logins(database, settings.policy, lifetime.now)
    service = Service(
        database,
        live,
        settings.policy,
        logins,
        kinds,
        requires_user_agent=settings.requires_user_agent,
        display=DisplayFormat(settings.date_format, settings.time_format),
        files=RecordingFiles(settings.recordings),
        send_command=partial(send_command, settings.data),
    )
    disk = DiskSpace(settings.data, settings.min_free)
    application = build(service, endpoints, observer, make_server_info(settings), disk)
    hub = EventHub(database, live, interest, worker.number)
    server = HttpServer(http_config(settings, application, FastListHandler(live, observer), hub, observer))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, server.stop)
    loop.add_reader(worker.supervisor, server.stop)
    await start_lists(live, settings.data / LISTS_FILE)
    gc.collect()
    gc.freeze()  # later collections need not traverse what is loaded
    ticking = asyncio.create_task(tick(server, access_log))
    delivering = asyncio.create_task(hub.run())
    watching = asyncio.create_task(watch_database(live, settings.data, keeps=worker.number == 0))
    loop.call_soon(worker.report_ready)
    await server.serve(list(worker.sockets))
    ticking.cancel()
    watching.cancel()
    delivering.cancel()
    hub.close()
    if worker.number == 0:
        await keep_lists(live, settings.data)
    if access_log is not None:
        access_log.flush()
    logins.close()
    live.close()
    database.close()


async def start_lists(live: ListCache, path: Path) -> None:
    """Load the lists, or start with those kept on disk if the database does not answer."""
    try:
        await live.current()
    except Unavailable:
        saved = load_state(path, SavedLists)
        if saved is None:
            raise
        live.start_from(saved)


async def keep_lists(live: ListCache, data: Path) -> None:
    """Keep the lists on disk, unless they are old themselves."""
    state = live.to_save()
    if state is None:
        return
    try:
        await live.database.run_in_thread(save_state, data / LISTS_FILE, state)
    except OSError as error:
        log.error("the lists cannot be kept on disk", error=error.strerror)


async def watch_database(live: ListCache, data: Path, *, keeps: bool) -> None:
    """Notice within a second that the database is away or back.

    With `keeps`, keep the lists and the clock of expiry times on disk.
    """
    kept: ListSnapshot | None = None
    kept_at = -math.inf
    clock, boot_id = asyncio.get_running_loop().time, read_boot_id()
    while True:
        try:
            live.feed.check_file()
            snapshot = await live.current()
            if keeps and snapshot is not kept and clock() - kept_at > SAVE_SECONDS:
                kept, kept_at = snapshot, clock()
                await keep_lists(live, data)
            if keeps:
                lifetime.keep(data / LIFETIME_FILE, boot_id)
        except Exception:
            log.exception("the database cannot be watched")
        await asyncio.sleep(WATCH_SECONDS)


async def tick(server: HttpServer, access_log: AccessLog | None) -> None:
    """Flush the access log, and check for overdue clients now and then."""
    loop = asyncio.get_running_loop()
    timer = CheckTimer(OVERDUE_SECONDS, loop.time())
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        if access_log is not None:
            access_log.flush()
        if timer.is_due(now := loop.time()):
            server.close_overdue(now)


def http_config(
    settings: Settings, app: ASGIApp, lists: FastListHandler, hub: EventHub, observer: Observer
) -> uvicorn.Config:
    # Behind a proxy the client address comes from a header, which the fast list handler does not read.
    parts: dict[str, object] = {
        "handler": None,
        "hosts": None,
        "requires_user_agent": settings.requires_user_agent,
    }
    if not settings.trusted_proxies:
        shares = Shares(MAX_CONNECTIONS, MAX_CONNECTIONS_OF_SOURCE)
        parts |= {"handler": lists, "hosts": KnownHosts(settings.host_names), "shares": shares}
    protocol = type("Protocol", (FastListProtocol,), parts)
    subscriber = type(
        "Subscriber",
        (SubscribeProtocol,),
        {
            "hub": hub,
            "observer": observer,
            "requires_user_agent": settings.requires_user_agent,
            "shares": parts.get("shares"),
            "trusted_proxies": tuple(settings.trusted_proxies),
        },
    )
    return uvicorn.Config(
        app,
        http=protocol,
        ws=subscriber,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        limit_concurrency=MAX_CONNECTIONS + 100,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=1024,
    )
