"""Registrar (RFC 3261 section 10): bindings, REGISTER requests, keep-alive."""
