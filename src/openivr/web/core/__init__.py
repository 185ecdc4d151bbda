"""Shared by all pages: middleware, sign-in, CSRF, templates, static files."""
