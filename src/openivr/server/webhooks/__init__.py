"""Webhooks: events of the outbox, sent to the addresses that an administrator has entered."""
