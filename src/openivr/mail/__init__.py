"""Sends the mail of the queue: about voicemail messages, and of the API."""
