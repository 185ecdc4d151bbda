"""The session description in a multipart body (RFC 5621, section 3; RFC 2046, section 5.1)."""

from email import policy
from email.parser import BytesParser

SDP = "application/sdp"
MAX_NESTED = 8  # multipart bodies within each other


def find_sdp(content_type: str, body: bytes) -> bytes | None:
    """Return the first part of type application/sdp; None if there is none."""
    if body.lower().count(b"boundary=") > MAX_NESTED:
        return None
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "surrogateescape")
    message = BytesParser(policy=policy.compat32).parsebytes(head + body)
    for part in message.walk():
        if part.get_content_type() == SDP:
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None
