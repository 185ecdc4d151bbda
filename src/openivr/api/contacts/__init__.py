"""Endpoints of company contacts and phonebooks."""
