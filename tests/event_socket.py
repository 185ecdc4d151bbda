"""A subscriber to events over a real socket, as public programs are: it sends exactly what it is given."""

import asyncio
import json
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason

GUARD = 60  # no wait is longer


class Closed(Exception):
    """The server has closed the connection, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Rejected(Exception):
    """The server has answered the handshake with another status than 101."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__(status, content)
        self.status, self.content = status, content


class EventSocket:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.socket = WSConnection(ConnectionType.CLIENT)
        self.texts: list[str] = []
        self.pongs: list[bytes] = []
        self.end: Closed | None = None
        self.is_accepted = False

    @classmethod
    async def open(cls, port: int, token: str, **headers: str) -> "EventSocket":
        """Connect and shake hands. Raises Rejected."""
        self = cls(*await asyncio.open_connection("127.0.0.1", port))
        extra = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        target = f"/openapi/v1.0/subscribe?access_token={token}"
        request = Request(host=f"127.0.0.1:{port}", target=target, extra_headers=extra)
        self.writer.write(self.socket.send(request))
        async with asyncio.timeout(GUARD):
            while not self.is_accepted:
                await self.read()
        return self

    async def read(self) -> None:
        """Take in what comes next."""
        try:
            data = await self.reader.read(65_536)
        except ConnectionError:
            data = b""
        if not data:
            self.writer.close()
            raise self.end or Closed(CloseReason.ABNORMAL_CLOSURE, "no close frame")
        self.socket.receive_data(data)
        status, content = 0, b""
        for event in self.socket.events():
            match event:
                case AcceptConnection():
                    self.is_accepted = True
                case RejectConnection():
                    status = event.status_code
                case RejectData():
                    content += event.data
                case TextMessage():
                    self.texts.append(event.data)  # the server sends whole messages
                case Ping():
                    self.writer.write(self.socket.send(event.response()))
                case Pong():
                    self.pongs.append(bytes(event.payload))
                case CloseConnection():
                    self.end = Closed(int(event.code), event.reason or "")
                    self.writer.write(self.socket.send(event.response()))
                    self.writer.close()
        if status:
            self.writer.close()
            raise Rejected(status, content)

    async def text(self) -> str:
        """Return the next message. Raises Closed."""
        async with asyncio.timeout(GUARD):
            while not self.texts:
                if self.end is not None:
                    raise self.end
                await self.read()
        return self.texts.pop(0)

    async def event(self) -> dict[str, Any]:
        """Return the next message as JSON, with `msg` read where it is text."""
        event: dict[str, Any] = json.loads(await self.text())
        if isinstance(event.get("msg"), str):
            event["msg"] = json.loads(event["msg"])
        return event

    async def closed(self) -> Closed:
        """Return how the server closes the connection."""
        try:
            while True:
                await self.text()
        except Closed as end:
            return end

    def say(self, text: str) -> None:
        """Send a text."""
        self.writer.write(self.socket.send(TextMessage(text)))

    async def subscribe(self, *topics: int, **fields: Any) -> dict[str, Any]:
        """Subscribe, and return the answer."""
        self.say(json.dumps({"topic_list": topics} | fields))
        answer: dict[str, Any] = json.loads(await self.text())
        return answer

    def close(self) -> None:
        """Drop the connection."""
        self.writer.close()
