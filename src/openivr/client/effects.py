"""Effects that the core of the client requests. All code that talks to a server is a generator of steps.

A generator yields a step and is sent its result, or gets the ClientError thrown in. The core itself never
touches a socket, a file, a lock or a clock. `sync_async` has the two drivers that do.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Steps = Generator["Step", Any, T]


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload."""

    name: str
    content: bytes = field(repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to an endpoint, by its path below openapi/VERSION/.

    `is_safe`: asking twice does no harm. `is_open`: needs no token. `is_file`: the answer may be a file.
    Only method and path are shown: anything else may be or hold a secret.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    file: File | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)
    is_safe: bool = False
    is_open: bool = False
    is_file: bool = False
    version: str = "v1.0"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as it came: HTTP status, media type, where it redirects to, body."""

    status: int
    media_type: str
    content: bytes = field(repr=False)
    location: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request. The result is Got, Unreachable or Lost."""

    ask: Ask


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Run steps under the lock of the session. The result is theirs."""

    steps: Steps[Any]


@dataclass(frozen=True, slots=True)
class Work:
    """Call a function that can block on a disk or another process. The result is its own."""

    function: Callable[[], Any]


Step = Send | Pause | Alone | Work
