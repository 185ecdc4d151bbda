"""The composition root: puts store, API and HTTP server together into one worker."""

import asyncio
import gc
import math
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import structlog
import uvicorn
import uvloop
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from openivr.api import auth, crud, document, prompts, system
from openivr.api.app import OTHER, ROOT, ApiApp
from openivr.api.endpoint import ApiRequest, Endpoint, Service
from openivr.api.fast_list import FastListHandler, FastListProtocol
from openivr.api.responses import ENCODE, MESSAGES
from openivr.api.slow_clients import LimitedProtocol
from openivr.config.settings import Settings
from openivr.observability.logs import FLUSH_SECONDS
from openivr.observability.metrics import AccessLog, Observer, Sample, Tally, render_metrics
from openivr.resources import KINDS, ResourceType
from openivr.resources.ivr import list_row
from openivr.resources.resource_type import Row, Values
from openivr.server.supervisor import WorkerContext
from openivr.store.caches.list_cache import ListCache
from openivr.store.cdr import call_counts
from openivr.store.database import Database
from openivr.web import routes as web
from openivr.web.core.middleware import NAME as WEB
from openivr.web.core.request import ServerInfo

log = structlog.get_logger(__name__)
MOST_CONNECTIONS = 4096
LATE_SECONDS = 1.0  # between two looks at who is overdue
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def choose_kinds(profile: str) -> Mapping[str, ResourceType]:
    """The kinds of object as the profile lists them."""
    if profile == "classic":
        return KINDS
    return {**KINDS, "ivr": replace(KINDS["ivr"], row=newer_ivr_row)}


def newer_ivr_row(values: Values) -> Row:
    """The page's row with the field that software and cloud editions added."""
    return {**list_row(values), "client_unique_ringtone": values["client_unique_ringtone"]}


def all_endpoints(kinds: Mapping[str, ResourceType] = KINDS) -> tuple[Endpoint, ...]:
    """Every endpoint, the OpenAPI document among them."""
    families = (crud.endpoints(kind) for kind in kinds.values() if kind.name != "custom_prompt")
    found = (*auth.ENDPOINTS, *system.ENDPOINTS, *chain.from_iterable(families), *prompts.endpoints())
    text = ENCODE(document.build(found))

    async def openapi(_request: ApiRequest) -> bytes:
        return text

    about = "This document"
    return (*found, Endpoint(path="openapi.json", method="GET", handle=openapi, summary=about, is_open=True))


def build(service: Service, endpoints: Iterable[Endpoint], observer: Observer, told: ServerInfo) -> ASGIApp:
    """The whole HTTP application of a worker: the API, health and metrics, and the admin everywhere else."""
    api = ApiApp(service, endpoints, observer)
    routes = list(operation_routes(service, observer))
    operation, paths = Router(routes, redirect_slashes=False), {route.path for route in routes}
    admin = web.build(service.database, service.live, service.policy, observer, told)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        chosen = api if path.startswith(ROOT) else operation if path in paths else admin
        await chosen(scope, receive, send)

    return app


def told_about(settings: Settings) -> ServerInfo:
    """What the admin says of calls."""
    calls = settings.calls
    return ServerInfo(
        ", ".join(map(str, calls.sip)),
        ", ".join(map(str, calls.sip_tls)),
        calls.rtp_ports,
        calls.max_calls,
        calls.keep_days,
        settings.recordings,
    )


def operation_routes(service: Service, observer: Observer) -> Iterator[Route]:
    """Health and metrics."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        try:
            await service.live.current()
        except Exception:
            log.exception("not ready")
            return PlainTextResponse("the database does not answer\n", status_code=503)
        return PlainTextResponse("ready\n")

    async def metrics(_request: Request) -> Response:
        snapshot = await service.live.current()
        calls = await service.database.read(call_counts.read_figures)
        shown = {
            "openivr_live_tokens": Sample("Access tokens that are good", len(snapshot.tokens)),
            "openivr_revision": Sample("Changes of the configuration so far", snapshot.config),
            "openivr_calls_now": Sample("Calls under way", calls.live),
            "openivr_calls": Sample("Calls that have ended", calls.ended, "outcome", is_counter=True),
            "openivr_registrations": Sample("Phones that are registered", calls.registrations),
            "openivr_trunk_up": Sample("Whether a trunk can be used", calls.trunks, "trunk"),
        }
        return Response(render_metrics(observer.tally, shown), media_type=METRICS_TYPE)

    for handler in (healthz, readyz, metrics):
        yield Route(f"/{handler.__name__}", handler)


class HttpServer(uvicorn.Server):
    """uvicorn without signal handling: a worker is stopped by `stop`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True

    def close_late(self, now: float) -> None:
        """End the connections whose client is overdue with something."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, LimitedProtocol):
                connection.close_late(now)


def run_worker(settings: Settings, post: WorkerContext) -> None:
    """Serve HTTP on the post's socket until SIGTERM, or until the supervisor is gone."""
    sys.setswitchinterval(0.001)  # a thread that reads a change must not hold up the event loop for long
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, post))


async def serve(settings: Settings, post: WorkerContext) -> None:
    kinds = choose_kinds(settings.profile)
    database = Database(settings.url)
    live = ListCache(database, kinds)
    endpoints = all_endpoints(kinds)
    names = [*(endpoint.path for endpoint in endpoints), OTHER, WEB]
    access_log = AccessLog() if settings.has_access_log else None
    observer = Observer(Tally(names, MESSAGES, settings.data, post.number), access_log)
    service = Service(database, live, settings.policy, kinds)
    application = build(service, endpoints, observer, told_about(settings))
    server = HttpServer(http_config(settings, application, FastListHandler(live, observer)))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, server.stop)
    loop.add_reader(post.supervisor, server.stop)
    await live.current()
    gc.collect()
    gc.freeze()  # what is loaded now stays: collections need not walk over it again and again
    ticking = asyncio.create_task(tick(server, access_log))
    loop.call_soon(post.report_ready)
    await server.serve(list(post.sockets))
    ticking.cancel()
    if access_log is not None:
        access_log.close()
    live.close()
    database.close()


async def tick(server: HttpServer, access_log: AccessLog | None) -> None:
    """Flush the log, and now and then look for clients that are overdue."""
    loop, count = asyncio.get_running_loop(), 0
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        count += 1
        if access_log is not None:
            access_log.flush()
        if count % math.ceil(LATE_SECONDS / FLUSH_SECONDS) == 0:
            server.close_late(loop.time())


def http_config(settings: Settings, app: ASGIApp, lists: FastListHandler) -> uvicorn.Config:
    # Behind a proxy the caller's address comes from a header, which only the ordinary way reads.
    protocol = type("Protocol", (FastListProtocol,), {"handler": None if settings.trusted_proxies else lists})
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=1024,
    )
