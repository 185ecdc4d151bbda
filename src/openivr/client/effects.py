"""What the core asks of the world around it. Everything in it that talks to a server is a generator of steps.

A generator yields a step and is sent what came of it, or has the ClientError thrown in that it led to. The
core itself never touches a socket, a file, a lock or a clock: see `faces` for the two that do it for it.
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
    """A request to an endpoint, by its path below openapi/v1.0/.

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


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as it came: HTTP status, media type, where it redirects to, body."""

    status: int
    media_type: str
    content: bytes = field(repr=False)
    location: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; comes back as Got, or Unreachable or Lost."""

    ask: Ask


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Take these steps while nobody else who shares the session takes such; comes back as their result."""

    steps: Steps[Any]


@dataclass(frozen=True, slots=True)
class Work:
    """Call something that may have to wait for a disk or another process; comes back as its result."""

    function: Callable[[], Any]


Step = Send | Pause | Alone | Work
