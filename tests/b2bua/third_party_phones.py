"""Phones that we did not write, told what to do step by step: baresip, linphone; their sound is in files."""

import json
import os
import random
import socket
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.b2bua.server_process import until
from tests.sip.phones import MODULES, find

WAIT = 60.0
LIMIT = 120  # seconds that one may run
CONFIG = """
sip_listen {listen}:0
net_interface {host}
{more}
audio_source aufile,{sound}
audio_player aubridge,x
snd_path {folder}
ctrl_tcp_listen 127.0.0.1:{control}
module_path {modules}
module g711.so
module aubridge.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
"""
Samples = NDArray[np.float64]
Event = dict[str, Any]


@dataclass
class Baresip:
    """One phone and what it has told."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    folder: Path
    waiting: bytes = b""
    told: list[Event] = field(default_factory=list)

    def say(self, command: str, parameters: str = "") -> str:
        """Have it do something, and see that it knows what; its answer."""
        message = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self.control.sendall(b"%d:%s," % (len(message), message))
        while True:
            heard = self._read()
            if "response" in heard:
                assert heard["ok"], heard
                return str(heard["data"])
            self.told.append(heard)

    def expect(self, kind: str) -> Event:
        """Wait until it tells of something; what came before is passed over."""
        while True:
            event = self.told.pop(0) if self.told else self._read()
            if event.get("type") == kind:
                return event

    def _read(self) -> Event:
        """The next netstring."""
        while True:
            length, colon, rest = self.waiting.partition(b":")
            if colon and len(rest) > int(length):
                text, self.waiting = rest[: int(length)], rest[int(length) + 1 :]
                return dict(json.loads(text))
            more = self.control.recv(65535)
            assert more, "baresip has ended"
            self.waiting += more

    @property
    def _dump(self) -> Path:
        return max(self.folder.glob("dump-*-dec.wav"))

    def hears(self) -> float:
        """How many seconds of its call it has heard so far."""
        return self._dump.stat().st_size / 16_000

    def heard(self) -> Samples:
        """What it has heard in its last call, which must be over."""
        return read_wav(self._dump)


def read_wav(path: Path) -> Samples:
    """The samples of 8000 a second, whatever the file has."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
        return samples[:: file.getframerate() // 8000]


def write_wav(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@contextmanager
def baresip(
    folder: Path,
    server: str,
    user: str,
    password: str,
    *,
    sound: Samples | None = None,
    account: str = "",
    host: str = "127.0.0.1",
    more: str = "",
) -> Iterator[Baresip]:
    """A baresip that has registered at a server, HOST:PORT and what belongs to the URI."""
    home, control = folder / f"baresip-{user}", find_control_port()
    home.mkdir()
    silence = np.zeros(8000 * 30)
    wav = write_wav(home / "said.wav", silence if sound is None else sound)
    shown = f"[{host}]" if ":" in host else host
    told = {"host": host, "listen": shown, "more": more, "sound": wav, "folder": home}
    (home / "config").write_text(CONFIG.format(control=control, modules=MODULES, **told))
    (home / "accounts").write_text(
        f"<sip:{user}@{server}>;auth_user={user};auth_pass={password};regint=300{account}\n"
    )
    command = [find("baresip"), "-f", str(home), "-t", str(LIMIT)]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            with connect(control, process) as sock:
                phone = Baresip(process, sock, home)
                until(lambda: "OK" in phone.say("reginfo"), "not registered")  # it may have told already
                yield phone
        finally:
            process.terminate()


def find_control_port() -> int:
    """A free port below those that the kernel gives: no other test's connection takes it meanwhile."""
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(given - 10_000, given)
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def connect(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """Its control socket, once it listens there."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), WAIT)
        except ConnectionRefusedError:
            assert process.poll() is None, "baresip has ended"
            assert time.monotonic() < deadline
            time.sleep(0.01)


@dataclass
class Linphone:
    """A linphonec that takes commands."""

    process: subprocess.Popen[bytes]
    folder: Path

    def say(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def heard(self) -> Samples:
        """What it has heard, once it has ended the call."""
        return read_wav(self.folder / "heard.wav")


@contextmanager
def linphone(folder: Path, settings: str = "") -> Iterator[Linphone]:
    """A linphonec; `settings` for its section `sip`."""
    program, home = find("linphonec"), folder / "linphone"
    (home / ".local/share/linphone").mkdir(parents=True)
    ports = "sip_port=-1\nsip_tcp_port=0\nsip_tls_port=0\n"
    (home / "rc").write_text(f"[sip]\n{ports}{settings}\n[rtp]\naudio_rtp_port=-1\n")
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [program, "-c", str(home / "rc")],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
        ) as process,
    ):
        phone = Linphone(process, home)
        try:
            phone.say("soundcard use files")
            phone.say(f"record {home / 'heard.wav'}")
            yield phone
        finally:
            process.kill()
