"""Connections that the server accepts: shares of each source, and TLS handshakes."""
