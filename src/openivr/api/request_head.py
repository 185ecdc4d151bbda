"""Rules for the head of a request, before anything answers it (RFC 9110, RFC 9112)."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache

MISDIRECTED, BAD, NOT_IMPLEMENTED = 421, 400, 501
UNKNOWN_HOST = "This server does not answer to that name. See --host-name."
Headers = Sequence[tuple[bytes, bytes]]


class KnownHosts:
    """The names that the Host field may have: numeric addresses, localhost, this machine's name and others.

    A page of any site can make a browser ask a server in the local network, under a name of the page's own
    that is resolved to the server's address (DNS rebinding). To the browser that is the page's own site.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name.lower().rstrip(".") for name in ("localhost", socket.gethostname(), *names)}
        self.knows = lru_cache(1024)(self._knows)

    def _knows(self, value: bytes) -> bool:
        """Return True for the value of a Host field that may be answered."""
        try:
            text = value.decode("ascii").strip().lower()
        except UnicodeDecodeError:
            return False
        host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
        if not colon:
            host = text
        elif port and not port.isdigit():
            return False
        if host.startswith("[") and host.endswith("]"):
            return is_address(host[1:-1])
        return host.rstrip(".") in self._names or (":" not in host and is_address(host))


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def find_fault(headers: Headers, version: str, hosts: KnownHosts | None) -> tuple[int, str] | None:
    """Return the status and the reason to refuse a head with, or None. Without `hosts` any name will do."""
    names = [value for name, value in headers if name == b"host"]
    if len(names) > 1 or (not names and version == "1.1"):
        return BAD, "A request must have one Host."
    if hosts is not None and names and not hosts.knows(names[0]):
        return MISDIRECTED, UNKNOWN_HOST
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and [coding.strip().lower() for coding in codings] != [b"chunked"]:
        return NOT_IMPLEMENTED, "The only transfer coding is chunked."
    return None
