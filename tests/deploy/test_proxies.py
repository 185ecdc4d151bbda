"""The examples for nginx and Caddy work: each stands in front of a server, with TLS, and a client uses it."""

import http.client
import io
import json
import os
import re
import ssl
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bench.machine import free_port
from tests.deploy.tools import DEPLOY, SECONDS, require, run
from tests.live_server import AGENT, Answer, Running, start

HOST = "pbx.example.com"
CERTIFICATE = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem -out chain.pem"
)


class Proxy:
    """A running proxy and its two addresses on loopback."""

    def __init__(self, folder: Path, plain: int, secure: int) -> None:
        self.folder, self.plain, self.secure = folder, plain, secure

    @property
    def site(self) -> str:
        return f"{HOST}:{self.secure}"

    def send(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request over TLS, whose certificate is verified."""
        context = ssl.create_default_context(cafile=str(self.folder / "chain.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.secure, timeout=SECONDS, context=context)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return exchange(connection, method, target, body, {"Host": self.site} | given)

    def send_plain(self, method: str, target: str) -> Answer:
        """Send a request without TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=SECONDS)
        return exchange(connection, method, target, None, {"Host": f"{HOST}:{self.plain}"})

    def api(self, method: str, target: str, body: Any = None, **headers: str) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        answer = self.send(method, f"/openapi/v1.0/{target}", content, **headers)
        assert answer.status == 200, answer
        document: dict[str, Any] = answer.json()
        return document

    def logs(self) -> str:
        """Everything that the proxy has logged."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | None,
    headers: dict[str, str],
) -> Answer:
    """Send one request and close the connection."""
    with closing(connection):
        connection.request(method, target, body, AGENT | headers)
        with connection.getresponse() as response:
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())


@contextmanager
def running(command: list[str | Path], folder: Path, port: int, **environment: str) -> Iterator[None]:
    """Run a proxy in a folder until it listens, and end it afterwards."""
    with (folder / "output.log").open("w") as log:
        process = subprocess.Popen(
            [*map(str, command)], cwd=folder, env=os.environ | environment, stdout=log, stderr=log
        )
    try:
        wait_for_port(port, process, folder)
        yield
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for_port(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.connect()
        except ConnectionRefusedError:
            assert process.poll() is None, (folder / "output.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            connection.close()
            return


def make_certificate(folder: Path) -> None:
    names = f"subjectAltName=DNS:{HOST},IP:127.0.0.1"
    run("openssl", *CERTIFICATE.split(), "-subj", f"/CN={HOST}", "-addext", names, folder=folder)


@contextmanager
def nginx(folder: Path, server: Running) -> Iterator[Proxy]:
    """Run nginx with the example. Only ports, paths and the address of the server are replaced."""
    program = require("nginx", "nginx")
    proxy = Proxy(folder, free_port(), free_port())
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r" *listen \[::\]:.*\n", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{proxy.plain};")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{proxy.secure} ")
    text = text.replace("/etc/ssl/openivr", str(folder)).replace("/var/log/nginx", str(folder))
    text = text.replace("127.0.0.1:8088", "{}:{}".format(*server.address))
    (folder / "openivr.conf").write_text(text)
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    whole = f"{user} daemon off; pid {folder}/pid; error_log {folder}/main.log; events {{}}"
    (folder / "nginx.conf").write_text(f"{whole} http {{ {paths} include {folder}/openivr.conf; }}")
    run(program, "-t", "-c", folder / "nginx.conf")
    with running([program, "-c", folder / "nginx.conf"], folder, proxy.secure):
        yield proxy


@contextmanager
def caddy(folder: Path, server: Running) -> Iterator[Proxy]:
    """Run Caddy with the example, with a certificate of the test instead of one from an authority."""
    program = require("caddy", "caddy")
    proxy = Proxy(folder, free_port(), free_port())
    text = (DEPLOY / "Caddyfile").read_text()
    run(program, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile")
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n"
    options += f"\thttp_port {proxy.plain}\n"
    text = text.replace("{\n", options, 1)
    text = text.replace(f"http://{HOST}", f"http://{HOST}:{proxy.plain}")
    tls = f"https://{HOST}:{proxy.secure} {{\n\ttls {folder}/chain.pem {folder}/key.pem\n\tlog\n"
    text = text.replace(f"https://{HOST} {{\n", tls)
    text = text.replace("127.0.0.1:8088", "{}:{}".format(*server.address))
    (folder / "Caddyfile").write_text(text)
    command: list[str | Path] = [program, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]
    with running(command, folder, proxy.secure, HOME=str(folder), XDG_DATA_HOME=str(folder)):
        yield proxy


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda proxy: proxy.__name__)
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Proxy, Running]]:
    folder = tmp_path_factory.mktemp("proxy")
    make_certificate(folder)
    server = start(tmp_path_factory.mktemp("behind"), "--trusted-proxy", "127.0.0.1/32")
    try:
        with request.param(folder, server) as proxy:
            yield proxy, server
    finally:
        server.stop()


def log_in(proxy: Proxy, server: Running) -> str:
    pair = proxy.api("POST", "get_token", {"username": server.client_id, "password": server.client_secret})
    token: str = pair["access_token"]
    return token


def test_the_api_answers_and_the_proxy_logs_no_token(proxied: tuple[Proxy, Running]) -> None:
    proxy, server = proxied
    token = log_in(proxy, server)
    assert proxy.api("GET", f"ivr/list?access_token={token}")["total_number"] == 4
    server.expect_log("ivr/list")
    logs = proxy.logs()
    assert "ivr/list" in logs
    assert token not in logs


def test_a_prompt_of_seven_megabytes_is_uploaded(proxied: tuple[Proxy, Running]) -> None:
    proxy, server = proxied
    token = log_in(proxy, server)
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(7_000_000))
    field = '--edge\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    parts = (field.format("is_check", ""), "force\r\n", field.format("file", '; filename="long.wav"'))
    body = "".join(parts).encode() + sound.getvalue() + b"\r\n--edge--\r\n"
    target = f"/openapi/v1.0/custom_prompt/upload?access_token={token}"
    answer = proxy.send("POST", target, body, Content_Type="multipart/form-data; boundary=edge")
    assert answer.json()["errcode"] == 0


def test_the_session_cookie_is_secure_and_forms_are_accepted(proxied: tuple[Proxy, Running]) -> None:
    proxy, server = proxied
    form = urlencode({"name": "admin", "password": server.password}).encode()
    kind = "application/x-www-form-urlencoded"
    answer = proxy.send("POST", "/sign-in", form, Content_Type=kind, Origin=f"https://{proxy.site}")
    assert answer.status == 303, answer.content
    assert answer.headers["set-cookie"].startswith("__Host-openivr=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]


def test_the_server_sees_the_client_and_not_what_it_claims(proxied: tuple[Proxy, Running]) -> None:
    proxy, server = proxied
    wrong = {"username": "nobody", "password": "x"}
    assert proxy.api("POST", "get_token", wrong, X_Forwarded_For="203.0.113.9")["errcode"] == -1
    log = server.expect_log('"errcode":-1')
    assert '"address":"127.0.0.1","errcode":-1' in log
    assert "203.0.113.9" not in log


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_operation_is_not_shown_to_the_internet(proxied: tuple[Proxy, Running], path: str) -> None:
    assert proxied[0].send("GET", path).status == 404


def test_plain_http_is_redirected_for_people_and_refused_for_programs(proxied: tuple[Proxy, Running]) -> None:
    proxy, _ = proxied
    assert proxy.send_plain("GET", "/openapi/v1.0/ivr/list").status == 403
    answer = proxy.send_plain("GET", "/menus")
    assert answer.status in {301, 308}
    assert answer.headers["location"].startswith(f"https://{HOST}")
