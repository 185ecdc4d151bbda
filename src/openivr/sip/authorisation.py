"""Answers to challenges, as an agent asks for them while it sends a request."""

from openivr.sip.credentials import ANSWERED_BY, ASKS, Attempt, Credentials
from openivr.sip.legs import Header
from openivr.sip.message import Request, Response


class Authorisation:
    """An agent's `Authorise` for one call or one registration. Credentials may be shared by several."""

    def __init__(self, credentials: Credentials, *, sent_ahead: bool = False) -> None:
        self._credentials = credentials
        self._sent_ahead = sent_ahead  # the first request carries answers to an earlier challenge
        self._attempt = Attempt()

    def __call__(self, request: Request, response: Response) -> Header | None:
        """Answer a 401 or 407; None when the login is refused or nothing is asked that can be answered."""
        status = response.status
        if status not in ASKS:
            return None
        carries = any(name.lower() in request.headers for name in ANSWERED_BY.values())
        if not carries or self._sent_ahead:
            self._attempt = Attempt()  # of a request that is new, not of one sent again
        self._sent_ahead = False
        asked = response.headers.get(ASKS[status].lower(), ())
        attempt = self._credentials.take(status, asked, self._attempt)
        if attempt is None:
            return None
        self._attempt = attempt
        answers = self._credentials.headers(request.method, request.uri)
        return next((header for header in reversed(answers) if header[0] == ANSWERED_BY[status]), None)
