"""DTMF: telephone events (RFC 4733) and in-band tones."""
