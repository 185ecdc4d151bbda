"""SIP messages and header fields (RFC 3261 sections 7, 20, 25): parsed and serialized, without I/O."""
