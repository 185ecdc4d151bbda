"""Session cookies, protection against cross-site request forgery, and security headers."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from openivr.resources.secret import fingerprint
from openivr.web.core.request import PageRequest

COOKIE = "openivr"
HOST_COOKIE = "__Host-openivr"  # browsers accept this prefix only over TLS and only from this host
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
    """Return True if the browser uses TLS, to this server or to a trusted proxy."""
    return request.url.scheme == "https"


def read_session_cookie(request: Request) -> str:
    """The secret of the browser's session, "" if it has none."""
    return request.cookies.get(HOST_COOKIE if is_secure(request) else COOKIE, "")


def set_session_cookie(request: PageRequest, response: Response, secret: str) -> None:
    """Store the secret of a new session in the browser until it is closed."""
    secure = is_secure(request.http)
    name = HOST_COOKIE if secure else COOKIE
    response.set_cookie(name, secret, path="/", secure=secure, httponly=True, samesite="strict")


def clear_session_cookie(request: PageRequest, response: Response) -> None:
    """Delete the session cookie."""
    secure = is_secure(request.http)
    name = HOST_COOKIE if secure else COOKIE
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")


def csrf_token_of(secret: str) -> str:
    """The CSRF token of a session, derived from its secret."""
    return fingerprint("csrf " + secret)


def is_csrf_safe(request: PageRequest) -> bool:
    """Return True if a POST comes from a page of ours, by its origin and its token.

    Signing in has no session and so no token. There the origin alone prevents that another site signs the
    browser in under a name of its choice.
    """
    if not is_same_origin(request.http):
        return False
    if request.session is None:
        return True
    sent = request.form_text("csrf") or request.http.headers.get(TOKEN_HEADER, "")
    return hmac.compare_digest(sent.encode(), request.csrf_token.encode())


def is_same_origin(request: Request) -> bool:
    """Check Origin or Sec-Fetch-Site. A browser sends at least one of them with a POST."""
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get("host", "")
    return request.headers.get("sec-fetch-site") == "same-origin"
