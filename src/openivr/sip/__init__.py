"""Signalling: SIP (RFC 3261) from the bytes of a message to calls that ring, are answered and end.

Pure, without a socket or a clock: `message`, `fields`, `framing`, `transactions`, `dialogs`, `offers`.
With them: `transports`, `exchange` (runs transactions), `agent` (the user agent) and its `leg`s.
"""
