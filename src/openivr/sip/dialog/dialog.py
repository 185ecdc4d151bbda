"""Dialog state (RFC 3261, section 12): identity, route set and sequence numbers. No I/O."""

from openivr.sip.address import Hop, is_numeric, is_private, normalize_host
from openivr.sip.message.headers import Uri, read_address, read_uri, repair_address
from openivr.sip.message.message import Headers, Request, Response


class Dialog:
    """One dialog, early or confirmed."""

    __slots__ = (
        "call_id",
        "hop",
        "local",
        "local_seq",
        "local_tag",
        "remote",
        "remote_seq",
        "remote_tag",
        "remote_target",
        "route_set",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a dialog; called by two functions below
        self, call_id: str, local: str, local_tag: str, remote: str, remote_tag: str, local_seq: int
    ) -> None:
        self.call_id = call_id
        self.local = local  # the local From, with its tag
        self.local_tag = local_tag
        self.remote = remote  # the To of local requests, with its tag
        self.remote_tag = remote_tag
        self.local_seq = local_seq
        self.remote_seq = 0
        self.remote_target = ""  # the URI of the peer's Contact
        self.route_set: list[str] = []
        self.hop: Hop | None = None  # takes precedence over the Contact: NAT, connections

    @property
    def next_uri(self) -> str:
        """Return the URI that requests are sent to: the first route or the remote target."""
        if self.route_set and (first := read_address(self.route_set[0])):
            return first.uri
        return self.remote_target

    def request(self, method: str, cseq: int = 0, body: bytes = b"") -> Request:
        """Return the next request within the dialog (section 12.2.1.1). An ACK has the CSeq of its INVITE."""
        if not cseq:
            self.local_seq += 1
            cseq = self.local_seq
        uri, routes = self.remote_target, self.route_set
        if routes and not _is_loose(routes[0]):
            uri, routes = self.next_uri, [*routes[1:], f"<{self.remote_target}>"]
        headers: Headers = {"max-forwards": ["70"]}
        if routes:
            headers["route"] = routes
        headers["from"] = [self.local]
        headers["to"] = [self.remote]
        headers["call-id"] = [self.call_id]
        headers["cseq"] = [f"{cseq} {method}"]
        request = Request(method, uri, headers, body)
        request.cseq = cseq
        request.call_id = self.call_id
        return request

    def accept_cseq(self, request: Request) -> bool:
        """Store the CSeq of a request. Return False if it is not higher than the last (section 12.2.2)."""
        if self.remote_seq and request.cseq <= self.remote_seq:
            return False
        self.remote_seq = request.cseq
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """Adopt the Contact of an INVITE or UPDATE, or of a 2xx for one (target refresh)."""
        if contact := contact_uri(message):
            self.remote_target = contact

    def matches(self, message: Request) -> bool:
        """Return True if a request with the local tag belongs to this dialog."""
        return message.call_id == self.call_id and message.from_.tag == self.remote_tag


def contact_uri(message: Request | Response) -> str:
    """Return the URI of the first Contact, "" if there is none that requests can be sent to."""
    contacts = message.addresses("contact")
    return contacts[0].uri if contacts and _sip(contacts[0].uri) is not None else ""


def _sip(text: str) -> Uri | None:
    uri = read_uri(text)
    return uri if uri and uri.scheme != "tel" else None


def _is_loose(route: str) -> bool:
    address = read_address(route)
    uri = read_uri(address.uri) if address else None
    return uri is None or "lr" in uri.parameters


def uas_dialog(request: Request, tag: str) -> Dialog:
    """Return the dialog of a received INVITE (section 12.1.1)."""
    dialog = Dialog(
        request.call_id,
        f"{repair_address(request.get('to'))};tag={tag}",
        tag,
        repair_address(request.get("from")),
        request.from_.tag,
        0,
    )
    dialog.remote_seq = request.cseq
    dialog.remote_target = contact_uri(request) or request.from_.uri  # RFC 2543 allows INVITE without Contact
    dialog.route_set = request.values("record-route")
    return dialog


def uac_dialog(request: Request, response: Response, tag: str) -> Dialog:
    """Return the dialog of a response to a sent INVITE (section 12.1.2)."""
    remote = repair_address(response.get("to"))
    address = read_address(remote)
    dialog = Dialog(
        request.call_id,
        request.get("from"),
        tag,
        remote,
        address.tag if address else "",
        request.cseq,
    )
    dialog.remote_target = contact_uri(response) or request.uri
    dialog.route_set = response.values("record-route")[::-1]
    return dialog


def nat_hop(contact: str, claimed: str, hop: Hop) -> Hop | None:
    """Return the hop that replaces the Contact of a peer without a route set; None if the Contact is used.

    A connection is always used. Over UDP the source address is used if it is link-local, or if the Contact
    cannot be right: it repeats the address that the peer `claimed` (in Via, or in the called URI) but did not
    send from, or it is private and the source is not.
    """
    real = hop.address[0]
    if hop.channel.reliable or "%" in real:  # a Contact cannot name the zone
        return hop
    uri = read_uri(contact)
    host = normalize_host(uri.host) if uri else ""
    if host == real or not is_numeric(host):
        return None
    return hop if host == normalize_host(claimed) or (is_private(host) and not is_private(real)) else None
