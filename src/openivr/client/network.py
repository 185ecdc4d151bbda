"""Network settings (address, certificates, proxy, time limits), and the translation to httpx."""

import hashlib
import hmac
import os
import re
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from openivr.client.effects import Ask, Got
from openivr.client.errors import ClientError, Lost, Unreachable, Untrusted
from openivr.client.session import Backoff

ROOT = "openapi/v1.0/"
USER_AGENT = "openivr-client"
CUT = (httpx.RemoteProtocolError, httpx.ReadError)
NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING")
NOT_PINNED = "the server's certificate is not the pinned one"
PRINT_PIN = (
    "give its fingerprint as pin, as `openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout"
    " -fingerprint -sha256` prints it"
)
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Times are seconds.

    The certificate is checked against the system's authorities, or against those in `ca` (a PEM file), or
    by `pin` alone: the SHA-256 fingerprint of the server's own certificate, in hex, as
    `openssl x509 -noout -fingerprint -sha256` prints it. Use a pin for the self-signed certificate of an
    appliance. `proxy` is a URL. Proxies of the environment are not used.
    """

    ca: str | os.PathLike[str] | None = None
    pin: str = ""
    proxy: str = field(default="", repr=False)  # may have a password in it
    connect_seconds: float = 5.0
    read_seconds: float = 30.0  # between two parts of an answer
    write_seconds: float = 30.0
    backoff: Backoff = field(default_factory=Backoff)
    connections: int = 10
    user_agent: str = USER_AGENT

    def transport_options(self) -> dict[str, Any]:
        """Return the arguments of httpx's transports."""
        limits = httpx.Limits(max_connections=self.connections, max_keepalive_connections=self.connections)
        return {
            "verify": self.tls(),
            "limits": limits,
            "proxy": httpx.Proxy(self.proxy) if self.proxy else None,
        }

    def tls(self) -> ssl.SSLContext:
        if self.pin and self.ca:
            raise ValueError("give a ca or a pin: a pin is checked instead of an authority")
        if self.pin:
            return pinned_context(read_pin(self.pin))
        return ssl.create_default_context(cafile=self.ca) if self.ca else common_authorities()

    def timeouts(self) -> dict[str, float | None]:
        times = httpx.Timeout(None, connect=self.connect_seconds, pool=self.read_seconds)
        return {**times.as_dict(), "read": self.read_seconds, "write": self.write_seconds}


@cache
def common_authorities() -> ssl.SSLContext:
    """Return the context that all clients of a process share: reading the authorities is slow."""
    return httpx.create_ssl_context(trust_env=False)


def read_pin(text: str) -> bytes:
    """A fingerprint's 32 bytes."""
    digits = text.rpartition("=")[2].replace(":", "").strip()
    if not re.fullmatch("[0-9a-fA-F]{64}", digits):
        raise ValueError("a pin is a SHA-256 fingerprint: 64 hexadecimal digits, colons between them or not")
    return bytes.fromhex(digits)


def pinned_context(pin: bytes) -> ssl.SSLContext:
    """A TLS context that trusts one certificate and nothing else.

    It is compared at the end of the handshake, before a byte of a request leaves.
    """

    class PinnedSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check_pin(self.getpeercert(binary_form=True), pin)

    class PinnedObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check_pin(self.getpeercert(binary_form=True), pin)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the pin is stricter: exactly this certificate
    context.sslsocket_class, context.sslobject_class = PinnedSocket, PinnedObject
    return context


def check_pin(certificate: bytes | None, pin: bytes) -> None:
    if not hmac.compare_digest(hashlib.sha256(certificate or b"").digest(), pin):
        raise ssl.SSLCertVerificationError(NOT_PINNED)


@dataclass(frozen=True, slots=True)
class Address:
    """Address of the server. `root` is the URL of its endpoints."""

    root: str = field(repr=False)
    shown: str  # without user name and password

    @classmethod
    def parse(cls, url: str) -> "Address":
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the URL must be like https://pbx.example:8088")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the URL may have no user name, password, query or fragment")
        base = url.rstrip("/").removesuffix(ROOT.rstrip("/")).rstrip("/")
        return cls(f"{base}/{ROOT}", base)


def build_request(address: Address, network: Network, ask: Ask) -> httpx.Request:
    """A request as it is sent: the token goes into the query and nowhere else."""
    query = {**ask.query, **({"access_token": ask.token} if ask.token else {})}
    headers = {"User-Agent": network.user_agent, "Accept": "*/*"}
    content, files, data = None, None, None
    if ask.file is not None:
        files, data = {"file": (ask.file.name, ask.file.content)}, dict(ask.file.fields)
    elif ask.body is not None:
        content, headers["Content-Type"] = msgspec.json.encode(ask.body), "application/json"
    return httpx.Request(
        ask.method,
        address.root.removesuffix(ROOT) + f"openapi/{ask.version}/{ask.path}",
        params=query or None,
        headers=headers,
        content=content,
        files=files,
        data=data,
        extensions={"timeout": network.timeouts()},
    )


def as_got(response: httpx.Response, content: bytes) -> Got:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Got(response.status_code, media_type, content, response.headers.get("location", ""))


def explain(ask: Ask, error: httpx.HTTPError, address: Address, network: Network) -> ClientError:
    """Return the ClientError for an error of httpx, with what to do about it where that is known."""
    problem = find_tls_error(error)
    if problem is not None:
        kind = Untrusted if isinstance(error, NOT_SENT) else Lost
        return kind(f"{ask.path}: {explain_tls(problem, network)}")
    text = f"{ask.path}: {error or type(error).__name__}"
    if isinstance(error, NOT_SENT):
        return Unreachable(text)
    if address.root.startswith("http://") and isinstance(error, CUT):
        text += "; if this port is for HTTPS, the URL must begin with https://"
    return Lost(text)


def explain_tls(error: ssl.SSLError, network: Network) -> str:
    """Return a sentence for a failed handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if network.pin:
            return f"{NOT_PINNED}; {PRINT_PIN}. Use that pin only if you know why it changed"
        reason = error.verify_message or "it is not trusted"
        return f"the server's certificate is not trusted: {reason}; give its authority as ca, or {PRINT_PIN}"
    if error.reason in NO_TLS:
        return (
            "the server does not speak TLS on this port; if it is for HTTP, the URL must begin with http://"
        )
    return f"no TLS connection: {error.reason or error}"


def find_tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return the error of TLS behind an error of httpx."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
