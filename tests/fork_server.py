"""Start `openivr` by a fork of a process that has imported it: the same program without a second of imports.

The process that forks is clean: it runs no test, has one thread, and serves one session of tests.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

LONGEST_ANSWER = 4096


@dataclass
class ForkedProcess:
    """A forked `openivr`, with what tests use of subprocess.Popen."""

    pid: int
    stdout: IO[str]
    server: "ForkServer"
    pidfd: int
    returncode: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        return self.reap(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when the process has ended."""
        status = self.reap(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"openivr ({self.pid})", timeout or 0)
        return status

    def reap(self, timeout: float | None) -> int | None:
        with self.lock:
            if self.returncode is None and select.select([self.pidfd], [], [], timeout)[0]:
                self.returncode = int(self.server.ask({"reap": self.pid}))
                os.close(self.pidfd)
            return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send a signal unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The process that forks, and the connection to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())]
            root = Path(__file__).parents[1]
            self.process = subprocess.Popen(command, cwd=root, pass_fds=[theirs.fileno()])
        self.connection, self.lock = ours, threading.Lock()

    def ask(self, request: Mapping[str, Any], files: Sequence[int] = ()) -> Any:
        """Return the answer to a request."""
        with self.lock:
            socket.send_fds(self.connection, [json.dumps(request).encode()], files)
            answer = self.connection.recv(LONGEST_ANSWER)
        assert answer, "the process that forks has ended"
        return json.loads(answer)

    def start(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[str]
    ) -> ForkedProcess:
        """Run `openivr` with these arguments in a folder; standard error goes to `log`."""
        reading, writing = os.pipe()
        try:
            request = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
            pid = int(self.ask(request, [writing, log.fileno()]))
        finally:
            os.close(writing)
        return ForkedProcess(pid, os.fdopen(reading), self, os.pidfd_open(pid))

    def close(self) -> None:
        """End the process that forks; what it started goes on."""
        self.connection.close()
        self.process.wait(60)


def serve(connection: socket.socket) -> None:
    """Fork for each request until the other end is closed."""
    while True:
        message, files, _, _ = socket.recv_fds(connection, 1 << 20, 2)
        if not message:
            return
        request = json.loads(message)
        if "reap" in request:
            status = os.waitpid(request["reap"], 0)[1]
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if not answer:
                connection.close()
                run(request, files)
            for file in files:
                os.close(file)
        connection.send(json.dumps(answer).encode())


def run(request: dict[str, Any], files: Sequence[int]) -> None:
    """Become `openivr` with these arguments; never returns."""
    from openivr.cli import main

    status = 1
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for number, file in enumerate(files, 1):
            os.dup2(file, number)
            os.close(file)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = [f"{Path(__file__).parents[1]}/src/openivr/__main__.py", *request["arguments"]]
        main.main(request["arguments"], "openivr")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    # What a server imports while it starts.
    import alembic.command  # noqa: F401
    import argon2  # noqa: F401

    import openivr.cli.serve
    import openivr.server.calls_process
    import openivr.server.http_process  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket.socket(fileno=int(sys.argv[1])))
