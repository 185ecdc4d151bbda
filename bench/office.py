"""The called office: a server of its own, started as a user would start it.

Two menus, whose prompts can be told apart by one sample of a packet, lead to each other on key 1. Calls come
over trunks that are known by their addresses. An extension's telephone answers whatever rings it.
"""

import hashlib
import io
import itertools
import os
import re
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import yaml
from numpy.typing import NDArray

from bench.machine import SERVER_CORE, free_port, python

MENU, OTHER_MENU = "6200", "6201"
CALLEE, PASSWORD = "1000", "Bench-" + secrets.token_hex(8)
LOUD, SOFT = 16_000, 2_000  # amplitudes; the caller takes 500 to 5000 for soft, more for loud
PROMPT_SECONDS = 120
FIRST_SOURCE, SOURCES = (
    "127.0.0.11",
    10,
)  # addresses of trunks: one alone may only place so many calls a second
MOST_CALLS = 4_900  # bridged ones, with the 20,000 files that many systems allow a process
SEQUENCE = itertools.count(1)

Address = tuple[str, int]


def square_wave(amplitude: int, seconds: int = PROMPT_SECONDS) -> NDArray[np.int16]:
    """Return a square wave of 500 Hz at 8 kHz, whose samples all have the same amplitude."""
    period = np.repeat(np.array([amplitude, -amplitude], np.int16), 8)
    return np.tile(period, seconds * 500)


def source(place: int) -> str:
    *network, first = FIRST_SOURCE.split(".")
    return ".".join([*network, str(int(first) + place)])


def write_office(phone: int) -> str:
    """Return the configuration as a file for `openivr import`. `phone` is the SIP port of the callers."""
    trunks = [f"Trunk {place}" for place in range(SOURCES)]
    menus = ((MENU, "loud", f"ivr {OTHER_MENU}"), (OTHER_MENU, "soft", f"ivr {MENU}"))
    return yaml.safe_dump(
        {
            "openivr": 1,
            "custom_prompt": [
                {"name": f"{name}.wav", "audio": write_wav(amplitude), "keep_level": 1}
                for name, amplitude in (("loud", LOUD), ("soft", SOFT))
            ],
            "extension": [
                {
                    "number": CALLEE,
                    "first_name": "Bench",
                    "reg_name": CALLEE,
                    "reg_password": PASSWORD,
                    "user_password": PASSWORD,
                    "type": "SIP",
                    "presence_status": "available",
                    "concurrent_registrations": 1,
                }
            ],
            "trunk": [
                {"name": name, "type": "peer", "hostname": source(place), "port": phone}
                for place, name in enumerate(trunks)
            ],
            "inbound_route": [
                {
                    "name": number,
                    "did_pattern_list": [{"did_pattern": number}],
                    "trunk_list": [f"trunk {name}" for name in trunks],
                    "def_dest": destination,
                }
                for number, destination in ((MENU, f"ivr {MENU}"), (CALLEE, f"extension {CALLEE}"))
            ],
            "ivr": [
                {
                    "number": number,
                    "name": f"Menu {number}",
                    "prompt": f"{prompt}.wav",
                    "prompt_repeat": 5,
                    "resp_timeout": 5,
                    "digit_timeout": 3,
                    "dial_ext_option": "disable",
                    "keys": {"1": other, "timeout": f"ivr {number}", "invalid": f"ivr {number}"},
                }
                for number, prompt, other in menus
            ],
        }
    )


def write_wav(amplitude: int) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, square_wave(amplitude), 8000, format="WAV", subtype="PCM_16")
    return target.getvalue()


@contextmanager
def openivr(phone: int, *options: str) -> Iterator[tuple[str, int]]:
    """Run our server on its core. Yield its SIP address and process id."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), phone, *options) as server:
        yield f"127.0.0.1:{server.sip}", server.pid
        print("\n".join(server.errors()[-20:]), end="")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its ports, and the process id of its supervisor."""

    sip: int
    http: int
    pid: int
    log: Path

    def errors(self) -> list[str]:
        """Return the lines of the log that are about errors."""
        return [line for line in self.log.read_text().splitlines() if "error" in line.lower()]


@contextmanager
def serve(
    folder: Path, phone: int, *options: str, database: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run our server on its core with data in a folder, and the called office in its configuration."""
    office, data, log = folder / "office.yaml", folder / "data", folder / "log"
    office.write_text(write_office(phone))
    store = ("--data", str(data), *(("--database", database) if database else ()))
    sip, http = free_port(), free_port()
    command = [
        *("taskset", "-c", SERVER_CORE, *python("-m", "openivr", "serve", *store)),
        *("--http", f"127.0.0.1:{http}", "--sip", f"127.0.0.1:{sip}", "--rtp-ports", "10000-31999"),
        *("--max-calls", str(MOST_CALLS), "--drain-calls", "1", "--log-level", "warning", *options),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    try:
        wait_for_sip(sip, process)
        office_to_data = python("-m", "openivr", "import", str(office), *store)
        subprocess.run(office_to_data, check=True, stdout=subprocess.DEVNULL)
        register(sip, phone)
        yield Served(sip, http, process.pid, log)
    finally:
        process.terminate()
        process.wait(60)


def wait_for_sip(port: int, process: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
    """Wait until a server answers OPTIONS over UDP."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask(port, "OPTIONS", f"sip:127.0.0.1:{port}")
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def register(port: int, phone: int, tries: int = 5) -> None:
    """Register the phone of the extension, as soon as the server has the configuration."""
    while not try_to_register(port, (FIRST_SOURCE, phone)):
        if not (tries := tries - 1):
            raise RuntimeError("the telephone could not register")
        time.sleep(0.5)


def try_to_register(port: int, phone: Address) -> bool:
    """Send REGISTER with digest from the phone's address, which is where servers call."""
    uri = f"sip:127.0.0.1:{port}"
    headers = f"Contact: <sip:{CALLEE}@{phone[0]}:{phone[1]}>\r\nExpires: 3600\r\n"
    challenge = ask(port, "REGISTER", uri, headers, own=phone)
    offers = re.findall(r"WWW-Authenticate: Digest (.*)", challenge, re.IGNORECASE)
    answers = [answer_challenge(offer, uri) for offer in offers if "SHA-256" not in offer]
    return ask(port, "REGISTER", uri, headers + answers[0], own=phone).startswith("SIP/2.0 200")


def answer_challenge(offer: str, uri: str) -> str:
    """Return an Authorization header with MD5 (RFC 2617)."""
    realm, nonce = (re.findall(rf'{name}="([^"]*)"', offer)[0] for name in ("realm", "nonce"))
    count, own = "00000001", secrets.token_hex(8)

    def digest(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    secret, request = digest(CALLEE, realm, PASSWORD), digest("REGISTER", uri)
    response = digest(secret, nonce, count, own, "auth", request)
    return (
        f'Authorization: Digest username="{CALLEE}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'algorithm=MD5, qop=auth, nc={count}, cnonce="{own}", response="{response}"\r\n'
    )


def ask(port: int, method: str, uri: str, headers: str = "", own: Address = ("127.0.0.1", 0)) -> str:
    """Send one request over UDP and return the response."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(own)
        sock.settimeout(2)
        via = "{}:{}".format(*sock.getsockname())
        request = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {via};rport;branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{CALLEE}@127.0.0.1:{port}>;tag={secrets.token_hex(4)}\r\n"
            f"To: <sip:{CALLEE}@127.0.0.1:{port}>\r\nCall-ID: {secrets.token_hex(8)}\r\n"
            f"CSeq: {next(SEQUENCE)} {method}\r\n{headers}Content-Length: 0\r\n\r\n"
        )
        sock.sendto(request.encode(), ("127.0.0.1", port))
        return sock.recv(8192).decode()


def descendants(pid: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in descendants(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and all its descendants."""
    total = 0
    for one in descendants(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def open_files(pid: int) -> int:
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in descendants(pid))
