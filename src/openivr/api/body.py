"""A request's body as it arrives: within limits of size and time, and each part only once."""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping

from starlette.types import Receive

from openivr.api.responses import SYNTAX, ApiError

MAX_BODY = 1024 * 1024
MAX_DISCARDED = 32 * 1024 * 1024  # of a refused body, taken in so that its sender hears why
BODY_SECONDS = 20.0  # for a body to arrive, and ...
BODY_RATE = 64 * 1024  # ... a second more for so many bytes


class Body:
    """The body of a request. `is_complete` is True when all of it has arrived."""

    def __init__(self, headers: Mapping[str, str], receive: Receive) -> None:
        self.receive = receive
        length = headers.get("content-length", "0")
        self.announced = math.inf if "transfer-encoding" in headers else int(length)
        self.is_complete = not self.announced
        self.is_wanted = "expect" not in headers  # else its sender waits to be asked for it

    async def part(self, deadline: float) -> bytes:
        """Return the next part. Raises 40001 if the client is late or gone."""
        self.is_wanted = True
        try:
            async with asyncio.timeout_at(deadline):
                message = await self.receive()
        except TimeoutError as error:
            self.is_wanted = False
            raise ApiError(SYNTAX, submsg="the body took too long") from error
        self.is_complete = not message.get("more_body")
        if message["type"] == "http.disconnect":
            raise ApiError(SYNTAX, submsg="the body was cut off")
        part: bytes = message.get("body", b"")
        return part

    async def stream(self, limit: int, code: int) -> AsyncGenerator[bytes, None]:
        """Yield every part. Raises `code` for more than `limit` bytes."""
        if self.announced > limit and not math.isinf(self.announced):
            raise too_large(code, limit)
        size, deadline = 0, deadline_of(limit)
        while not self.is_complete:
            part = await self.part(deadline)
            size += len(part)
            if size > limit:
                raise too_large(code, limit)
            yield part

    async def discard(self) -> None:
        """Take in what a refused request still sends: who is cut off while sending reads no answer."""
        remaining, deadline = MAX_DISCARDED, deadline_of(0)
        try:
            while self.is_wanted and not self.is_complete and remaining > 0:
                remaining -= len(await self.part(deadline))
        except ApiError:
            return


def too_large(code: int, limit: int) -> ApiError:
    return ApiError(code, submsg=f"the body has more than {limit} bytes")


def deadline_of(size: int) -> float:
    return asyncio.get_running_loop().time() + BODY_SECONDS + size / BODY_RATE
