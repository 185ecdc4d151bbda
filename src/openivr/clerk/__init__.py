"""Reads the journal of calls and keeps the database up to date with it."""
