"""Endpoints, and the requests that their handlers receive."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import Scope

from openivr.api.body import MAX_BODY, Body
from openivr.api.display_time import DisplayFormat
from openivr.api.query import Query, read_object
from openivr.api.recording_files import RecordingFiles
from openivr.api.responses import SYNTAX
from openivr.b2bua.call_commands import AnyCommand, CommandOutcome, CommandResult
from openivr.resources import KINDS, ResourceType
from openivr.store.auth.logins import Logins
from openivr.store.auth.tokens import TokenPolicy
from openivr.store.caches.list_cache import ListCache
from openivr.store.cdr.cdr_lists import CdrLists
from openivr.store.database import Database

VERSION, V2 = VERSIONS = "v1.0", "v2.0"  # of the P-Series; what has no other is in the first


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An answer that is a file."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """An answer that is a file on the disk, or a range of it."""

    name: str
    media_type: str
    path: Path


SendCommand = Callable[[AnyCommand], Awaitable[CommandResult]]


async def run_no_calls(_command: AnyCommand) -> CommandResult:
    """Stands for the calls process where there is none."""
    return CommandResult(outcome=CommandOutcome.STOPPED)


@dataclass(frozen=True, slots=True)
class Service:
    """Dependencies of handlers. Each worker has one.

    `requires_user_agent` refuses requests that do not name their program.
    """

    database: Database
    live: ListCache
    policy: TokenPolicy
    logins: Logins
    kinds: Mapping[str, ResourceType] = field(default_factory=lambda: KINDS)
    started: float = field(default_factory=time.monotonic)
    requires_user_agent: bool = False
    display: DisplayFormat = field(default_factory=DisplayFormat)
    cdr: CdrLists = field(default_factory=CdrLists)
    files: RecordingFiles = field(default_factory=RecordingFiles)
    send_command: SendCommand = run_no_calls


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request, its token checked already. `address` is the caller's, `token` the token's fingerprint."""

    service: Service
    query: Query
    address: str
    token: str
    headers: Mapping[str, str]
    body: Body
    path: str = ""  # behind that of the endpoint

    async def json(self) -> dict[str, Any]:
        """Return the body, a JSON object of at most 1 MiB. Raises 40001 for others."""
        content = bytearray()
        async for part in self.body.stream(MAX_BODY, SYNTAX):
            content += part
        return read_object(bytes(content), is_form=is_form(self.headers))


Handler = Callable[[ApiRequest], Awaitable[bytes | UploadedFile | FileAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A path below openapi/VERSION/ with its method, handler and OpenAPI description.

    `parameters` are query parameters by name, with their JSON Schema. `body` is the schema of the body,
    `data` that of the further fields of the answer. `statuses` are those of HTTP beside 200 and 503, and when
    they come. Endpoints with `is_open` need no access token.
    """

    path: str
    method: str
    handle: Handler
    summary: str
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    body: Mapping[str, Any] | None = None
    media_type: str = "application/json"
    data: Mapping[str, Any] = field(default_factory=dict)
    file_types: tuple[str, ...] = ()  # media types of a file that is the answer
    statuses: Mapping[int, str] = field(default_factory=dict)
    is_open: bool = False
    version: str = VERSION

    @property
    def name(self) -> str:
        """Return the path, with the version where it is another than v1.0."""
        return self.path if self.version == VERSION else f"{self.version}/{self.path}"

    @property
    def is_safe(self) -> bool:
        """Return True if it only reads (RFC 9110, section 9.2.1). The P-Series deletes by GET."""
        return self.method == "GET" and self.path.rpartition("/")[2] not in {"delete", "del_token"}


def is_form(headers: Mapping[str, str]) -> bool:
    """Return True if the body is declared as that of a web form. curl declares JSON so, too."""
    return headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/"))


def address_of(scope: Scope) -> str:
    """Return the client's address, 127.0.0.1 for a Unix socket."""
    client = scope.get("client")
    return client[0] if client else "127.0.0.1"
