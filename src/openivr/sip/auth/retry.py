"""Retries challenged requests with credentials."""

from openivr.sip.auth.client import CHALLENGE_HEADERS, CREDENTIALS_HEADERS, AuthAttempt, DigestClient
from openivr.sip.message.message import Header, Request, Response


class AuthRetry:
    """An `Authorise` for one call or registration. Several may share a `DigestClient`."""

    def __init__(self, credentials: DigestClient, *, sent_ahead: bool = False) -> None:
        self._credentials = credentials
        self._sent_ahead = sent_ahead  # the first request carries credentials for an earlier challenge
        self._attempt = AuthAttempt()

    def __call__(self, request: Request, response: Response) -> Header | None:
        """Answer a 401 or 407; None if the credentials are rejected or the challenge is not supported."""
        status = response.status
        if status not in CHALLENGE_HEADERS:
            return None
        carries = any(name.lower() in request.headers for name in CREDENTIALS_HEADERS.values())
        if not carries or self._sent_ahead:
            self._attempt = AuthAttempt()  # a new request, not a retry
        self._sent_ahead = False
        challenges = response.headers.get(CHALLENGE_HEADERS[status].lower(), ())
        attempt = self._credentials.on_challenge(status, challenges, self._attempt)
        if attempt is None:
            return None
        self._attempt = attempt
        answers = self._credentials.headers(request.method, request.uri)
        return next(
            (header for header in reversed(answers) if header[0] == CREDENTIALS_HEADERS[status]), None
        )
