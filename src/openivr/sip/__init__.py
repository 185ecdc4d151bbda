"""Signalling: SIP (RFC 3261) from the bytes of a message to calls that ring, are answered and end."""
