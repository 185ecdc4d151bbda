"""The outbox of event reports, which programs subscribe to."""
