"""Trunks: registration and health of each, and where outgoing calls are sent."""
