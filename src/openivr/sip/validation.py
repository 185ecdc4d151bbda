"""Checks of a request before it is handled (RFC 3261, sections 8.2 and 21.4)."""

import re

from openivr.sip.context import ALLOW, EXTENSIONS, METHODS, SUPPORTED
from openivr.sip.dialog.dialog import contact_uri
from openivr.sip.dialog.session_timer import interval_too_small
from openivr.sip.message.headers import read_uri
from openivr.sip.message.message import Header, Request
from openivr.sip.message.multipart import SDP

Refusal = tuple[int, tuple[Header, ...]]
SCHEMES = ("sip", "sips", "tel")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


def check_request(request: Request) -> Refusal | None:
    """Return the status and headers that reject a request outside a dialog; None if it is valid."""
    scheme, colon, _ = request.uri.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        return 400, ()
    if scheme.lower() not in SCHEMES:
        return 416, ()
    uri = read_uri(request.uri)
    if uri is None or uri.headers:  # headers are for URIs in documents (section 19.1.1)
        return 400, ()
    return check_extensions(request)


def check_extensions(request: Request) -> Refusal | None:
    """Return 420 if a request requires an unsupported extension (section 8.2.2.3)."""
    if "require" not in request.headers:
        return None
    unknown = [name for name in request.values("require") if name.lower() not in EXTENSIONS]
    if unknown:
        return 420, (("Unsupported", ", ".join(unknown)), ("Supported", SUPPORTED))
    return None


def check_invite(request: Request, min_session: int) -> Refusal | None:
    """Return the rejection of an INVITE that cannot be forwarded or has an unsupported body; else None."""
    if request.get("max-forwards") == "0":
        return 483, ()  # the call may be forwarded: RFC 7332
    if interval_too_small(request, min_session):
        return 422, (("Min-SE", str(min_session)),)
    if (refusal := check_body(request)) is not None:
        return refusal
    if "accept" in request.headers and not accepts_sdp(request):
        return 406, (("Accept", SDP),)
    if "contact" in request.headers and not contact_uri(request):
        return 400, ()
    return None


def check_body(request: Request) -> Refusal | None:
    """Return 415 if the body is not SDP (section 8.2.3). A body of SDP without a type is read as such."""
    encoding = request.get("content-encoding").lower()
    if encoding not in ("", "identity"):
        return 415, (("Accept-Encoding", "identity"),)
    type_ = request.media_type() or (SDP if request.body.startswith(b"v=0") else "")
    if request.body and type_ != SDP:
        if "handling=optional" in request.get("content-disposition").lower().replace(" ", ""):
            request.body = b""
            return None
        return 415, (("Accept", SDP),)
    return None


def accepts_sdp(request: Request) -> bool:
    """Return True if the response may carry SDP. An empty Accept allows nothing."""
    kinds = {value.partition(";")[0].strip().lower() for value in request.values("accept")}
    return bool(kinds & {SDP, "application/*", "*/*"})


def is_known(method: str) -> bool:
    """Return True if a method is supported."""
    return method in METHODS


NOT_ALLOWED: Refusal = (405, (("Allow", ALLOW),))
