"""Digest authentication (RFC 7616, RFC 3261 section 22), as client and as server."""
