"""A client for the API of the Yeastar P-Series and of OpenIVR. Needs httpx and msgspec, nothing else.

    with BlockingClient("https://192.0.2.10:8088", client_id, secret, Network(pin="AB:CD:...")) as client:
        for menu in client.ivr.each():
            print(menu.number, menu.name)

`Client` is the same with await and async for.
"""

import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from openivr.client.endpoints import Api
from openivr.client.errors import (
    AccountIpBlocked,
    ApiError,
    BadAnswer,
    ClientError,
    DataNotFound,
    DuplicateKeyValue,
    ListChanged,
    ListingError,
    Lost,
    MaxLimitationExceeded,
    PagesIgnored,
    ParameterError,
    TokenExpired,
    Unreachable,
    UnsafeFile,
    Untrusted,
)
from openivr.client.network import Address, Network
from openivr.client.session import Account, Backoff, Held, Session
from openivr.client.sync_async import Awaiting, Blocking
from openivr.client.webhooks import Event, Webhook, WebhookForged, WebhookSettings, read_webhook

__all__ = [
    "AccountIpBlocked",
    "ApiError",
    "Backoff",
    "BadAnswer",
    "BlockingClient",
    "Client",
    "ClientError",
    "DataNotFound",
    "DuplicateKeyValue",
    "Event",
    "ListChanged",
    "ListingError",
    "Lost",
    "MaxLimitationExceeded",
    "Network",
    "PagesIgnored",
    "ParameterError",
    "TokenExpired",
    "Unreachable",
    "UnsafeFile",
    "Untrusted",
    "Webhook",
    "WebhookForged",
    "WebhookSettings",
    "read_webhook",
]

StrPath = str | os.PathLike[str]
DEFAULT_NETWORK = Network()


def make_session(
    address: Address, client_id: str, secret: str, network: Network, token_file: StrPath | None
) -> Session:
    lock: Callable[[], Held] | None = None
    if token_file is not None:
        from openivr.client import tokenfile

        lock = partial(tokenfile.hold, Path(token_file), address.shown, client_id)
    return Session(Account(client_id, secret), network.backoff, lock=lock)


class Client(Api[Awaiting]):
    """Client for asyncio. All tasks share one login.

    `token_file` shares the login with other and later processes, in a file of mode 0600. Leaving the context
    deletes the token on the server, except one in a file, which stays until `log_out`.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        network: Network = DEFAULT_NETWORK,
        *,
        token_file: StrPath | None = None,
    ) -> None:
        self.address = Address.parse(url)
        session = make_session(self.address, client_id, secret, network, token_file)
        super().__init__(Awaiting(self.address, network), session)

    def __repr__(self) -> str:
        return f"<Client of {self.address.shown}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the token back, unless it is in a file, and close all connections. Can be called again."""
        if self.session.is_closed:
            return
        try:
            if self.session.lock is None:
                with contextlib.suppress(ClientError):  # it ends by itself
                    await self.log_out()
        finally:
            self.session.is_closed = True
            await self.face.transport.aclose()


class BlockingClient(Api[Blocking]):
    """Client for blocking code. All threads share one login. See `Client`."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        network: Network = DEFAULT_NETWORK,
        *,
        token_file: StrPath | None = None,
    ) -> None:
        self.address = Address.parse(url)
        session = make_session(self.address, client_id, secret, network, token_file)
        super().__init__(Blocking(self.address, network), session)

    def __repr__(self) -> str:
        return f"<BlockingClient of {self.address.shown}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the token back, unless it is in a file, and close all connections. Can be called again."""
        if self.session.is_closed:
            return
        try:
            if self.session.lock is None:
                with contextlib.suppress(ClientError):  # it ends by itself
                    self.log_out()
        finally:
            self.session.is_closed = True
            self.face.transport.close()
