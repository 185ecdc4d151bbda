"""The API as an ASGI application: finds the endpoint, checks who asks, answers, counts and logs.

Every answer is JSON, and clients read `errcode`. The status is 200 for errors as well, 503 while the database
does not answer, and 400 for `subscribe` without an upgrade.
"""

import time
from collections.abc import Iterable, Mapping

import structlog
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from openivr.api.auth import check_address, check_agent, check_site, check_token
from openivr.api.body import Body
from openivr.api.downloads import DOWNLOAD
from openivr.api.endpoint import (
    VERSIONS,
    ApiRequest,
    Endpoint,
    FileAnswer,
    Service,
    UploadedFile,
    address_of,
)
from openivr.api.query import read_query
from openivr.api.responses import INTERNAL, NO_INTERFACE, NO_VERSION, SUCCESS, ApiError, refuse
from openivr.download.content_disposition import attachment
from openivr.observability.disk_space import is_disk_full
from openivr.observability.metrics import Observer, RequestLine
from openivr.resources.errors import ObjectError
from openivr.store.availability import Unavailable

log = structlog.get_logger(__name__)

ROOT, OTHER_ROOT = "openapi", "api"  # the second one is that of older products; it has downloads only
OTHER = "other"  # the endpoint's name in metrics where there is none
JSON = b"application/json"
UNAVAILABLE = 503  # the one status other than 200: proxies and monitors understand it
FULL = "the disk is full; nothing was changed"
AWAY = "the database does not answer; nothing was changed"


class ApiApp:
    """Everything under /openapi and /api."""

    def __init__(self, service: Service, endpoints: Iterable[Endpoint], observer: Observer) -> None:
        self.service, self.observer = service, observer
        self.endpoints = {(endpoint.version, endpoint.path): endpoint for endpoint in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        name, code, status = OTHER, SUCCESS, 200
        answer: bytes | UploadedFile | FileAnswer
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = Body(headers, receive)
        try:
            endpoint = self.find(scope)
            name = endpoint.name
            answer = await self.answer(endpoint, scope, headers, body)
        except ApiError as error:
            code, answer, status = error.code, error.encode(), error.status
        except ObjectError as error:
            refused = refuse(error)
            code, answer = refused.code, refused.encode()
        except Unavailable as error:
            log.error("request refused: the database does not answer", endpoint=name, reason=str(error))
            reason = FULL if is_disk_full(error) else AWAY
            status, code, answer = UNAVAILABLE, INTERNAL, ApiError(INTERNAL, submsg=reason).encode()
        except Exception:
            log.exception("request failed", endpoint=name)
            code, answer = INTERNAL, ApiError(INTERNAL).encode()
        line = RequestLine.of(scope["method"], scope["path"], address_of(scope))
        self.observer.note(name, line, code, time.perf_counter() - started)
        if isinstance(answer, FileAnswer):
            await send_file(answer, scope, receive, send)
        else:
            await respond(send, answer, body, status)

    def find(self, scope: Scope) -> Endpoint:
        """Return the endpoint of a path and method. Slashes too many in the path do not count.

        Raises 10001 if there is none, 10003 for a version that the P-Series does not have.
        """
        root, version, name = split_path(scope["path"])
        if root == ROOT and version.startswith("v") and version not in VERSIONS:
            raise ApiError(NO_VERSION)
        endpoint = self.endpoints.get((version, name)) if root == ROOT else None
        if root == OTHER_ROOT and version == DOWNLOAD.path:
            endpoint = DOWNLOAD
        is_head = scope["method"] == "HEAD"
        method = "GET" if is_head else scope["method"]
        if endpoint is None or endpoint.method != method or (is_head and not endpoint.is_safe):
            raise ApiError(NO_INTERFACE)
        return endpoint

    async def answer(
        self, endpoint: Endpoint, scope: Scope, headers: Mapping[str, str], body: Body
    ) -> bytes | UploadedFile | FileAnswer:
        if self.service.requires_user_agent:
            check_agent(headers)
        check_site(headers)
        snapshot = await self.service.live.current()
        address = address_of(scope)
        check_address(snapshot, address)
        query = read_query(scope["query_string"])
        token = "" if endpoint.is_open else check_token(snapshot, query)
        path = split_path(scope["path"])[2]
        return await endpoint.handle(ApiRequest(self.service, query, address, token, headers, body, path))


def split_path(path: str) -> tuple[str, str, str]:
    """Split a path into its root, the version and the name of the endpoint, "" for what it lacks."""
    root, version, *names = [*filter(None, path.split("/")), "", ""]
    return root, version, "/".join(filter(None, names))


def is_api_path(path: str) -> bool:
    """Return True for a path that the API answers, also if there is no such endpoint."""
    return path.lstrip("/").partition("/")[0] in {ROOT, OTHER_ROOT}


async def send_file(answer: FileAnswer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a file, or the range of it that the request asks for."""
    headers = {"x-content-type-options": "nosniff", "content-disposition": attachment(answer.name)}
    response = FileResponse(answer.path, media_type=answer.media_type, headers=headers)
    await response(scope, receive, send)


async def respond(send: Send, answer: bytes | UploadedFile, body: Body, status: int) -> None:
    """Send the answer. If the body of a refused request is still arriving, close the connection then."""
    content = answer.content if isinstance(answer, UploadedFile) else answer
    media_type = answer.media_type.encode() if isinstance(answer, UploadedFile) else JSON
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(content)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if isinstance(answer, UploadedFile):
        headers.append((b"content-disposition", attachment(answer.name).encode()))
    if status == UNAVAILABLE:
        headers.append((b"retry-after", b"1"))
    if not body.is_complete:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": not body.is_complete})
    if not body.is_complete:
        await body.discard()
        await send({"type": "http.response.body", "body": b""})
