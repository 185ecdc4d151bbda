"""What operators rely on: health, metrics, logs, TLS, profiles, and PostgreSQL behind it all."""

import asyncio
import json
import ssl
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from openivr.config.settings import Settings
from openivr.server.bootstrap import Credentials, announce
from tests.live_server import Api, Running, start
from tests.postgres import create_database
from tests.process.test_serve import fetch, find_workers, run, wait_until
from tests.store.bodies import ivr


def test_health_is_told(demo: Running) -> None:
    assert fetch(f"{demo.base}/healthz") == "ok\n"
    assert fetch(f"{demo.base}/readyz") == "ready\n"


def test_requests_are_counted_by_endpoint_and_errcode(tmp_path: Path) -> None:
    server = start(tmp_path)
    api = server.log_in()
    for _ in range(3):
        api.get("ivr/list")
    api.get("ivr/get", id=99)
    api.get("no/such")
    text = fetch(f"{server.base}/metrics")
    for line in (
        'openivr_requests_total{endpoint="ivr/list",errcode="0"} 3.0',
        'openivr_requests_total{endpoint="ivr/get",errcode="60001"} 1.0',
        'openivr_requests_total{endpoint="other",errcode="10001"} 1.0',
        'openivr_request_seconds_count{endpoint="ivr/list"} 3.0',
        "openivr_live_tokens 1.0",
        "openivr_revision 1.0",
    ):
        assert line in text
    api.close()
    server.stop()


def test_each_request_has_a_log_line(tmp_path: Path) -> None:
    server = start(tmp_path)
    api = server.log_in()
    api.get("ivr/get", id=99)
    api.close()
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    [line] = [line for line in lines if line.get("path", "").endswith("ivr/get")]
    assert (line["event"], line["method"], line["errcode"], line["address"]) == (
        "request",
        "GET",
        60001,
        "127.0.0.1",
    )


def test_a_newer_profile_shows_newer_fields(tmp_path: Path) -> None:
    server = start(tmp_path, "--api-profile", "cloud")
    api = server.log_in()
    assert list(api.get("ivr/list")["data"][0])[-1] == "client_unique_ringtone"
    api.close()
    server.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "cert.pem", folder / "key.pem"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    files = ("-out", str(paths[0]), "-keyout", str(paths[1]))
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    return paths


def test_https_is_spoken(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    server = start(tmp_path, "--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1]))
    assert server.base.startswith("https://")
    command = ["curl", "-s", "--cacert", str(certificate[0]), f"{server.base}/healthz"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "ok\n"
    server.stop()


def test_f10_tls_handshakes_count_for_their_source_and_end(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    server = start(tmp_path, "--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1]))
    trusted = ssl.create_default_context(cafile=certificate[0])

    async def scenario() -> None:
        opened = asyncio.get_running_loop().time()
        crowd = [await asyncio.open_connection(*server.address) for _ in range(1100)]  # that say nothing
        for _, writer in crowd[::3]:
            writer.write(b"\x16\x03\x01")  # the beginning of a handshake
        with await asyncio.to_thread(urlopen, f"{server.base}/healthz", context=trusted) as answer:
            assert answer.read() == b"ok\n"
        async with asyncio.timeout(60):
            for at, (stream, _) in enumerate(crowd):
                with suppress(ConnectionResetError):  # what it sent was not read
                    assert await stream.read() == b""
                if at == 75 and asyncio.get_running_loop().time() < opened + 9:  # beyond the share
                    assert not crowd[-2][0].at_eof()
        for _, writer in crowd:
            writer.close()

    asyncio.run(scenario())
    assert fetch_with(trusted, f"{server.base}/readyz") == "ready\n"
    assert server.stop() == 0
    assert "Traceback" not in server.log


def fetch_with(trusted: ssl.SSLContext, url: str) -> str:
    with urlopen(url, context=trusted, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_two_workers_share_a_postgresql(tmp_path: Path, postgres_socket: str) -> None:
    url = create_database(postgres_socket, "served")
    server = start(tmp_path, "--workers", "2", "--database", url)
    first = server.log_in()
    one, other = find_workers(server, first.token).values()
    for at in range(10):
        ident = one.post("ivr/create", ivr(f"7{at:03d}"))["id"]
        assert other.get("ivr/list", sort_by="number", order_by="desc")["data"][0]["id"] == ident
        one, other = other, one
    for api in (first, one, other):
        api.close()
    assert server.stop() == 0


def test_an_unreachable_database_is_said(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    command = [sys.executable, "-m", "openivr", "api", "--http", "127.0.0.1:0", "--database", url]
    refused = run(command, tmp_path)
    assert refused.returncode != 0
    assert "cannot open the database" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_password_of_a_database_is_not_shown(tmp_path: Path) -> None:
    url = "postgresql+psycopg://one:very-secret@db.example/openivr"
    lines = CliRunner()
    with lines.isolation() as (out, _, _):
        announce(Settings(data=tmp_path, database=url), Credentials(), has_http=True, has_calls=True)
        text = out.getvalue().decode()
    assert "db.example" in text
    assert "very-secret" not in text


def test_a_database_that_goes_away_is_not_ready(tmp_path: Path, postgres_socket: str) -> None:
    from urllib.error import HTTPError

    import psycopg

    url = create_database(postgres_socket, "leaving")
    server = start(tmp_path, "--database", url)
    api = server.log_in()
    with psycopg.connect(host=postgres_socket, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute("ALTER DATABASE leaving ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'leaving'")
        with pytest.raises(HTTPError) as caught:
            fetch(f"{server.base}/readyz")
        caught.value.close()
        assert caught.value.code == 503
        assert api.get("ivr/list")["errcode"] == 0  # from what is known
        admin.execute("ALTER DATABASE leaving ALLOW_CONNECTIONS true")
    wait_until(lambda: answers(api))
    api.close()
    server.stop()


def answers(api: Api) -> bool:
    return bool(api.get("ivr/list")["errcode"] == 0)
