"""Redirects (RFC 3261, section 8.1.3.4): where a 3xx response sends a call, and whether that is allowed."""

from openivr.config.call_config import TrunkAccount
from openivr.sip.address import Target, is_numeric, normalize_host, target_of_uri
from openivr.sip.message.headers import Uri, read_uri
from openivr.sip.message.phone_number import read_phone_number
from openivr.sip.termination import Termination

REDIRECTS = frozenset((300, 301, 302))
MAX_REDIRECTS = 5  # of one dialled number, so that two phones cannot forward to each other for ever


def redirect_target(termination: Termination) -> Uri | None:
    """Return the first URI with a number that a response redirects to; None if it is no redirect."""
    if termination.status not in REDIRECTS or termination.response is None or not termination.by_peer:
        return None
    uris = [read_uri(address.uri) for address in termination.response.addresses("contact")]
    return next((uri for uri in uris if uri is not None and read_phone_number(uri).text), None)


def is_at_trunk(uri: Uri, trunk: TrunkAccount) -> bool:
    """Return True if a URI is at the trunk's own host and port, so that it is called as the trunk is."""
    hosts = {normalize_host(host) for host in (trunk.hostname, trunk.domain) if host}
    is_same = normalize_host(uri.host) in hosts and uri.port in (0, trunk.port)
    return uri.scheme == "tel" or is_same


def elsewhere(uri: Uri) -> Target | None:
    """Return the address of another host that a trunk redirects to; None if it is not numeric."""
    target = target_of_uri(uri)
    return target if target is not None and is_numeric(target.host) else None
