"""A receiver of webhooks: a real HTTP server in threads of its own, which answers as it is told."""

import queue
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

GUARD = 60  # no wait is longer


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> int:
        """The number of the event."""
        return int(self.headers["x-openivr-event"])

    @property
    def message(self) -> Any:
        """The `msg` of the event."""
        message = msgspec.json.decode(self.body)["msg"]
        return msgspec.json.decode(message) if isinstance(message, str) else message


Answer = Callable[[Received], int]


def accept(_received: Received) -> int:
    return 200


class Receiver:
    """Takes requests into `requests`. `answer` returns the status of each; 0 closes the connection."""

    def __init__(self, answer: Answer = accept, certificates: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: queue.Queue[Received] = queue.Queue()
        self.closed = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65_536  # one segment an answer: the sender's kernel may delay its ACK of a first part

            def handle_any(self) -> None:
                size = int(self.headers.get("content-length", 0))
                body = self.rfile.read(size)
                if len(body) < size:  # the sender was killed in the middle of it
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.command, self.path, headers, body)
                status = receiver.answer(received)
                receiver.requests.put(received)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
                self.wfile.flush()

            do_GET = do_POST = handle_any  # noqa: N815 - named by http.server

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # a sender that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if certificates is not None:
            self.scheme = "https"
            self._server.socket = certificates.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def next(self) -> Received:
        """Return the next request. It comes, or the test fails."""
        return self.requests.get(timeout=GUARD)

    def take(self, count: int) -> list[Received]:
        """Return so many requests."""
        return [self.next() for _ in range(count)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
