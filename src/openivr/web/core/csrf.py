"""Cookies, forged requests, and what browsers are told not to do."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from openivr.resources.secret import fingerprint
from openivr.web.core.request import PageRequest

COOKIE = "openivr"
HOST_COOKIE = "__Host-openivr"  # a name that browsers take over TLS alone, from this very host
TOKEN_HEADER = "x-csrf-token"  # noqa: S105 - a header's name
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)
HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-store",
}


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy that is believed."""
    return request.url.scheme == "https"


def read_cookie(request: Request) -> str:
    """The secret of the browser's session, "" where it has none."""
    return request.cookies.get(HOST_COOKIE if is_secure(request) else COOKIE, "")


def give_cookie(visit: PageRequest, response: Response, secret: str) -> None:
    """Let the browser keep the secret of a new session, until it is closed."""
    secure = is_secure(visit.request)
    name = HOST_COOKIE if secure else COOKIE
    response.set_cookie(name, secret, path="/", secure=secure, httponly=True, samesite="strict")


def take_cookie(visit: PageRequest, response: Response) -> None:
    """Let the browser forget its session."""
    secure = is_secure(visit.request)
    name = HOST_COOKIE if secure else COOKIE
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")


def token_of(secret: str) -> str:
    """What forms of a session carry: only who may read its pages knows it."""
    return fingerprint("csrf " + secret)


def is_own_form(visit: PageRequest) -> bool:
    """Whether a POST comes from a page of ours: by what the browser says of it, and by its token.

    Signing in has no session and so no token; there the browser's word alone keeps strangers from signing
    somebody in under another name.
    """
    if not is_own_origin(visit.request):
        return False
    if visit.session is None:
        return True
    sent = visit.text("csrf") or visit.request.headers.get(TOKEN_HEADER, "")
    return hmac.compare_digest(sent.encode(), visit.token.encode())


def is_own_origin(request: Request) -> bool:
    """What Origin or Sec-Fetch-Site say; a browser sends at least one of them with a POST."""
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get("host", "")
    return request.headers.get("sec-fetch-site") == "same-origin"
