"""Endpoints of business hours and holidays beside those that every type of resource has."""
