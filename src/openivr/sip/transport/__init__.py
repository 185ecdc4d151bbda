"""Transport (RFC 3261 section 18): sockets, addresses, DNS."""
