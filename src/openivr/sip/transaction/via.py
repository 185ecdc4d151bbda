"""Via handling: transaction matching and response routing (RFC 3261, sections 17 and 18; RFC 3581)."""

import re
from collections.abc import Sequence
from os import urandom

from openivr.sip.address import PORTS, Hop, uri_host
from openivr.sip.message.headers import quote
from openivr.sip.message.message import Headers, Request, Response

PLAIN = re.compile(r"[\w.!%*+`'~:\[\]-]*")  # parameter values that need no quotes
COOKIE = "z9hG4bK"  # begins every branch of RFC 3261


def random_token() -> str:
    """Return 64 random bits, for tags and branches (RFC 3261, section 19.3)."""
    return urandom(8).hex()


def server_key(request: Request, method: str) -> str:
    """Return the key of a server transaction (section 17.2.3), for RFC 2543 clients as well.

    The To tag is not part of it: the UAS chooses it, and a retransmission has none.
    """
    via = request.via
    if via is None:
        return ""
    branch = via.branch
    if branch.startswith(COOKIE) and branch != COOKIE:
        return f"{branch} {via.host.lower()}:{via.port} {method}"
    return f"{request.uri} {request.from_.tag} {request.call_id} {request.cseq} {via} {method}"


def add_received(request: Request, hop: Hop) -> None:
    """Write the source into `received` and `rport` of the topmost Via (section 18.2.1, RFC 3581)."""
    request.hop = hop
    via = request.via
    if via is None:
        return
    host, port = hop.address[0].partition("%")[0], hop.address[1]
    claimed = via.parameters
    if via.host.strip("[]") == host and "rport" not in claimed and "received" not in claimed:
        return
    parameters = {name: value for name, value in claimed.items() if name != "received"}
    if "rport" in parameters:
        parameters["rport"] = str(port)
    parameters["received"] = host
    request.via = via._replace(parameters=parameters)
    text = [f"SIP/2.0/{via.protocol} {via.sent_by}"]
    text += [f"{name}={_plain(value)}" if value else name for name, value in parameters.items()]
    request.headers["via"][0] = ";".join(text)


def _plain(value: str) -> str:
    return value if PLAIN.fullmatch(value) else quote(value)


def response_hop(request: Request, hop: Hop) -> Hop:
    """Return the hop of responses: the request's connection, or the address in its Via.

    `maddr` is ignored, because it would let a client direct responses at a third party.
    """
    via = request.via
    if hop.channel.reliable or via is None or "rport" in via.parameters:
        return hop
    return Hop(hop.channel, (hop.address[0], via.port or PORTS["UDP"]))


def write_via(hop: Hop, branch: str) -> str:
    """Return a local Via with rport (RFC 3581)."""
    host, port = hop.channel.advertised_address(hop.address)
    return f"SIP/2.0/{hop.channel.protocol} {uri_host(host)}:{port};rport;branch={branch}"


def make_ack(request: Request, response: Response) -> Request:
    """Return the ACK for a non-2xx final response (section 17.1.1.3)."""
    headers: Headers = {
        "via": request.headers["via"][:1],
        "max-forwards": ["70"],
        "from": request.headers["from"],
        "to": response.headers.get("to", request.headers["to"]),
        "call-id": request.headers["call-id"],
        "cseq": [f"{request.cseq} ACK"],
    }
    if "route" in request.headers:
        headers["route"] = request.headers["route"]
    return Request("ACK", request.uri, headers)


def make_cancel(request: Request, extra: Sequence[tuple[str, str]] = ()) -> Request:
    """Return the CANCEL of a sent INVITE (section 9.1), with extra headers such as Reason."""
    headers: Headers = {
        "via": request.headers["via"][:1],
        "max-forwards": ["70"],
        "from": request.headers["from"],
        "to": request.headers["to"],
        "call-id": request.headers["call-id"],
        "cseq": [f"{request.cseq} CANCEL"],
    }
    if "route" in request.headers:
        headers["route"] = request.headers["route"]
    result = Request("CANCEL", request.uri, headers)
    result.cseq = request.cseq
    for name, value in extra:
        result.add(name, value)
    return result
