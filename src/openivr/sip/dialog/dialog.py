"""Dialogs (RFC 3261, section 12): who is who, the way between them, and the numbers of their requests.

Pure: made from the messages that begin a dialog, and turned into requests within it.
"""

from openivr.sip.address import Hop, is_numeric, is_private, normalize_host
from openivr.sip.message.headers import Uri, read_address, read_uri
from openivr.sip.message.message import Headers, Request, Response


class Dialog:
    """One dialog, early or confirmed, seen from our side."""

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

    def __init__(  # noqa: PLR0913, PLR0917 - what makes a dialog; two functions below call it
        self, call_id: str, local: str, local_tag: str, remote: str, remote_tag: str, local_seq: int
    ) -> None:
        self.call_id = call_id
        self.local = local  # our From, with the tag
        self.local_tag = local_tag
        self.remote = remote  # our To, with the tag
        self.remote_tag = remote_tag
        self.local_seq = local_seq
        self.remote_seq = 0
        self.remote_target = ""  # the URI in the peer's Contact
        self.route_set: list[str] = []
        self.hop: Hop | None = (
            None  # over which the peer is reached whatever its Contact says: NAT, connections
        )

    @property
    def next_uri(self) -> str:
        """The URI that says where requests go: the first route's, or the target."""
        if self.route_set and (first := read_address(self.route_set[0])):
            return first.uri
        return self.remote_target

    def request(self, method: str, cseq: int = 0, body: bytes = b"") -> Request:
        """The next request within the dialog (section 12.2.1.1); an ACK has the number of its INVITE."""
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
        made = Request(method, uri, headers, body)
        made.cseq = cseq
        made.call_id = self.call_id
        return made

    def accept_cseq(self, request: Request) -> bool:
        """Whether a request's number is higher than those before (section 12.2.2); if so it is noted."""
        if self.remote_seq and request.cseq <= self.remote_seq:
            return False
        self.remote_seq = request.cseq
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """Take over a new Contact: from an INVITE or UPDATE, or a 2xx to one (target refresh)."""
        if contact := contact_uri(message):
            self.remote_target = contact

    def matches(self, message: Request) -> bool:
        """Whether a request that names our tag is of this dialog."""
        return message.call_id == self.call_id and message.from_.tag == self.remote_tag


def contact_uri(message: Request | Response) -> str:
    """The URI in the first Contact, "" if there is none that could be called."""
    contacts = message.values("contact")
    address = read_address(contacts[0]) if contacts else None
    if address is None or _sip(address.uri) is None:
        return ""
    return address.uri


def _sip(text: str) -> Uri | None:
    uri = read_uri(text)
    return uri if uri and uri.scheme != "tel" else None


def _is_loose(route: str) -> bool:
    address = read_address(route)
    uri = read_uri(address.uri) if address else None
    return uri is None or "lr" in uri.parameters


def uas_dialog(request: Request, tag: str) -> Dialog:
    """The dialog that our answer to an INVITE makes (section 12.1.1)."""
    dialog = Dialog(
        request.call_id,
        f"{request.get('to')};tag={tag}",
        tag,
        request.get("from"),
        request.from_.tag,
        0,
    )
    dialog.remote_seq = request.cseq
    dialog.remote_target = contact_uri(request) or request.from_.uri  # RFC 2543 knew INVITEs without Contact
    dialog.route_set = request.values("record-route")
    return dialog


def uac_dialog(request: Request, response: Response, tag: str) -> Dialog:
    """The dialog that a peer's answer to our INVITE makes (section 12.1.2)."""
    remote = response.get("to")
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
    """The hop that a peer without a route set is reached over whatever its Contact says, if there is one.

    That is its connection, and for UDP its real address if that is link-local, or if the one in its Contact
    cannot be it: because that is the one that it `claimed` elsewhere (Via, or the URI that was called) and
    did not send from, or because it is private and the real one is not.
    """
    real = hop.address[0]
    if hop.channel.reliable or "%" in real:  # whose zone nothing but its messages can say
        return hop
    uri = read_uri(contact)
    host = normalize_host(uri.host) if uri else ""
    if host == real or not is_numeric(host):
        return None
    return hop if host == normalize_host(claimed) or (is_private(host) and not is_private(real)) else None
