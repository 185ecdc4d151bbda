"""Measures `call/dial`: from the request of a program to the INVITE at the caller's phone.

python -m bench.dial

One request after the other. The phone rings and then declines, so that each call ends before the next.
"""

import http.client
import json
import re
import socket
import statistics
import tempfile
import time
from pathlib import Path

from bench.events import issue_token
from bench.machine import free_port, print_table
from bench.office import CALLEE, FIRST_SOURCE, MENU, Served, serve
from openivr.store.database import Database

CALLS, WARM_UP = 300, 20


def respond(phone: socket.socket, invite: str, address: tuple[str, int], status: str) -> None:
    """Answer an INVITE: the headers that a response repeats, and a tag."""
    repeated = re.findall(r"^(?:Via|From|Call-ID|CSeq): .*$", invite, re.MULTILINE | re.IGNORECASE)
    to = re.findall(r"^To: .*$", invite, re.MULTILINE | re.IGNORECASE)[0].strip()
    lines = [f"SIP/2.0 {status}", *(line.strip() for line in repeated), f"{to};tag=bench"]
    phone.sendto("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode(), address)


def receive(phone: socket.socket, method: str) -> tuple[str, tuple[str, int]]:
    """Return the next request of a method, and where it came from. Others are ignored."""
    while True:
        data, address = phone.recvfrom(65_536)
        if data.startswith(method.encode()):
            return data.decode(), address


def measure(served: Served, phone: socket.socket, token: str) -> tuple[list[float], list[float]]:
    """Return the milliseconds from each request to the INVITE, and to the answer of the API."""
    connection = http.client.HTTPConnection("127.0.0.1", served.http, timeout=10)
    path = f"/openapi/v1.0/call/dial?access_token={token}"
    body = json.dumps({"caller": CALLEE, "callee": MENU})
    headers = {"Content-Type": "application/json", "User-Agent": "bench"}
    rings, answers = [], []
    for _ in range(CALLS + WARM_UP):
        began = time.perf_counter()
        connection.request("POST", path, body, headers)
        invite, address = receive(phone, "INVITE")
        rang = time.perf_counter()
        respond(phone, invite, address, "180 Ringing")
        answer = json.loads(connection.getresponse().read())
        answered = time.perf_counter()
        if answer["errcode"]:
            raise RuntimeError(f"the server answered {answer}")
        respond(phone, invite, address, "486 Busy Here")
        receive(phone, "ACK")
        rings.append((rang - began) * 1000)
        answers.append((answered - began) * 1000)
    return rings[WARM_UP:], answers[WARM_UP:]


def main() -> None:
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as name,
        serve(Path(name), port) as served,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone,
    ):
        phone.settimeout(10)
        phone.bind((FIRST_SOURCE, port))
        database = Database(f"sqlite:///{Path(name) / 'data' / 'openivr.db'}")
        found = measure(served, phone, issue_token(database))
        database.close()
    rows = []
    for what, times in zip(("INVITE at the caller's phone", "answer of the API"), found, strict=True):
        cuts = statistics.quantiles(times, n=100)
        rows.append([what, f"{cuts[49]:.1f}", f"{cuts[98]:.1f}", f"{max(times):.1f}"])
    print_table(f"call/dial, {CALLS} requests", ["from the request to", "p50, ms", "p99", "max"], rows)


if __name__ == "__main__":
    main()
