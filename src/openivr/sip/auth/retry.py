"""Answers to challenges, as an agent asks for them while it sends a request."""

from openivr.sip.auth.client import CHALLENGE_HEADERS, CREDENTIALS_HEADERS, AuthAttempt, DigestClient
from openivr.sip.message.message import Header, Request, Response


class AuthRetry:
    """An agent's `Authorise` for one call or one registration. Credentials may be shared by several."""

    def __init__(self, credentials: DigestClient, *, sent_ahead: bool = False) -> None:
        self._credentials = credentials
        self._sent_ahead = sent_ahead  # the first request carries answers to an earlier challenge
        self._attempt = AuthAttempt()

    def __call__(self, request: Request, response: Response) -> Header | None:
        """Answer a 401 or 407; None when the login is refused or nothing is asked that can be answered."""
        status = response.status
        if status not in CHALLENGE_HEADERS:
            return None
        carries = any(name.lower() in request.headers for name in CREDENTIALS_HEADERS.values())
        if not carries or self._sent_ahead:
            self._attempt = AuthAttempt()  # of a request that is new, not of one sent again
        self._sent_ahead = False
        asked = response.headers.get(CHALLENGE_HEADERS[status].lower(), ())
        attempt = self._credentials.on_challenge(status, asked, self._attempt)
        if attempt is None:
            return None
        self._attempt = attempt
        answers = self._credentials.headers(request.method, request.uri)
        return next(
            (header for header in reversed(answers) if header[0] == CREDENTIALS_HEADERS[status]), None
        )
