"""Administrators, API clients and tokens."""
