"""Voicemail messages in mailboxes, and mail that clients send."""
